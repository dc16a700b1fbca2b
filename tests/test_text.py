"""Text of strangers: equal texts fold alike."""

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smoc_mcp.questions.search import searchable
from smoc_mcp.text.cleaning import clean
from smoc_mcp.text.folding import digits, email_key, fold, spellings


@settings(deadline=None, max_examples=500)
@given(st.text())
@example("A\u200b\x1b[31m&#8203;\u1160")
@example("Acme\u2122")
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


PIECES = (
    *("\n", r"\n", "\x1b[31m", "\x1b", "&shy;", "&amp;", "&", "#27;", "&#8203;", "\u200b", "\x90"),
    *("\u0301" * 7, "\x9c", "\ufe0f", "\u200d", "&#x1b;", "[0m", "\t", "É", "\u0130", "™"),
    "👨\u200d👧",
)


@given(st.lists(st.text(max_size=3) | st.sampled_from(PIECES), max_size=8).map("".join))
def test_what_is_shown_of_a_value_folds_as_the_value_does(text: str) -> None:
    assert fold(clean(text)) == fold(text)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Øverland", "overland"),
        ("Łukasz", "lukasz"),
        ("Müller", "muller"),
        ("Håkon", "hakon"),
        ("Đorđe", "dorde"),
        ("Ægir Þór", "aegir thor"),
        ("STRAẞE", "strasse"),
        ("I\u0131\u0130i", "iiii"),
        ("e\u0301t\u00e9", "ete"),
        ("Acme\u2122", "acmetm"),
        ("\uff21\uff22\uff23", "abc"),
        ("  two\t words ", "two words"),
        ("Åse\n Berg", "ase berg"),
        ("Ase\n Berg", "ase berg"),
        ("An\u200bna", "anna"),
        ("An\x07na", "anna"),
        ("O\u2019Brien\u2011Berg", "o'brien-berg"),
        ("", ""),
    ],
)
def test_case_accents_blanks_and_hidden_characters_do_not_matter(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text("abcdefghijklmnopqrstuvwxyzåäöæøüéñł -"))
def test_a_name_folds_like_its_other_spellings(name: str) -> None:
    decomposed = unicodedata.normalize("NFD", name)
    assert fold(name) == fold(name.upper()) == fold(decomposed)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Müller", "muller mueller"),
        ("Mu\u0308ller", "muller mueller"),
        ("Håkon", "hakon haakon"),
        ("Øverland", "overland oeverland"),
        ("Łukasz", "lukasz"),
        ("Smith", "smith"),
    ],
)
def test_a_name_is_found_in_each_of_its_spellings(name: str, words: str) -> None:
    assert " ".join(spellings(name)) == words


@pytest.mark.parametrize(
    "form",
    [
        *("anna@example.com", "ANNA@Example.COM", "  anna@example.com ", "anna@example.com\n"),
        *(
            "mailto:anna@example.com",
            "MAILTO:Anna@example.com",
            "mailto:anna@example.com?subject=x",
        ),
        *("Anna Berg <anna@example.com>", '"Berg, Anna" <ANNA@example.com> ', "<anna@example.com>"),
        *("Anna <mailto:anna@example.com>", "anna @ example.com", "an\u200bna@example.com"),
        *("anna@example.com\u00a0", "\ufeffanna@example.com", "anna&#8203;@example.com"),
    ],
)
def test_an_address_has_one_key_in_all_its_forms(form: str) -> None:
    assert email_key(form) == "anna@example.com"


@given(st.text())
def test_any_text_has_an_address_key_without_blanks(text: str) -> None:
    assert not re.search(r"\s", email_key(text))


def test_a_question_mark_of_an_address_stays() -> None:
    assert email_key("who?@example.com") == "who?@example.com"


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("+47 123 45 678", "4712345678"),
        ("0047 12345678", "4712345678"),
        ("(0)22-33.44", "223344"),
        ("+44 (0)7700 900123", "447700900123"),
        ("07700 900123", "7700900123"),
        ("\u0664\u0667", "47"),
        ("none", ""),
        ("", ""),
    ],
)
def test_a_phone_number_is_its_digits(number: str, found: str) -> None:
    assert digits(number) == found


@given(st.text())
def test_any_text_has_digits_of_ascii_only(text: str) -> None:
    assert re.fullmatch("[0-9]*", digits(text))


def test_of_a_very_long_text_only_its_beginning_and_end_are_searched() -> None:
    found = searchable(["first " + "x" * 1_000_000 + " last"])
    assert len(found) < 10_050
    assert "  first  " in found
    assert "  last  " in found
    assert len(searchable(["x " * 5_000])) > 10_000
