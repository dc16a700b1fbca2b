"""The grammar of text filters: any of these, not this, those without, exactly this."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoc_mcp.errors import InputError
from smoc_mcp.questions.choices import Choice, Entry, Wanted, entries, parse_choice, spelt
from smoc_mcp.text.folding import fold


def choice(*wanted: str, exact: tuple[str, ...] = (), no: tuple[str, ...] = ()) -> Choice:
    return Choice(
        frozenset({*map(Wanted, wanted), *(Wanted(value, exact=True) for value in exact)}),
        frozenset(map(Wanted, no)),
    )


def refusal(text: str) -> str:
    with pytest.raises(InputError) as refused:
        parse_choice(text, "city")
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Oslo", choice("oslo")),
        ("  ÅSANE  Øst ", choice("asane ost")),
        ("Oslo, Bergen", choice("oslo", "bergen")),
        ("Oslo,,Bergen,", choice("oslo", "bergen")),
        ("-Oslo", choice(no=("oslo",))),
        ("- Oslo , Bergen", choice("bergen", no=("oslo",))),
        ('"Oslo, Norway"', choice(exact=("oslo, norway",))),
        ('"-Oslo", "(none)"', choice(exact=("-oslo", "(none)"))),
        ('"the ""old"" one", b', choice("b", exact=('the "old" one',))),
        ('5" pipe', choice('5" pipe')),
        ("Oslo S (none)", choice("oslo s (none)")),
        ("(none)", Choice(without=True)),
        ("(None), Oslo", Choice(frozenset({Wanted("oslo")}), without=True)),
        ("-(none)", Choice(without=False)),
        ('Oslo, -"Oslo"', Choice(frozenset({Wanted("oslo")}), frozenset({Wanted("oslo", True)}))),
    ],
)
def test_a_choice_is_read_as_people_write_it(text: str, meant: Choice) -> None:
    assert parse_choice(text, "city") == meant


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_blanks_are_no_choice(text: str) -> None:
    assert parse_choice(text, "city") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"Oslo', 'a quote that is not closed: write "Oslo"'),
        ('-"Oslo, Bergen', 'write "Oslo", and "" for a quote inside'),
        ('"Oslo" Norway, Bergen', "'Norway' behind a closing quote"),
        ("Oslo, -Oslo", "names 'oslo' both ways"),
        ('"Oslo", -Oslo', "names 'oslo' both ways"),
        ("(none), -(none)", "names '(none)' both ways"),
        ("-", "an entry with nothing in it"),
        ('Oslo, ""', "an entry with nothing in it"),
        ("\u200b", "an entry with nothing in it"),
        (", ,", "nothing but commas"),
        (",".join(map(str, range(101))), "at most 100 entries"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_to_write(text: str, said: str) -> None:
    message = refusal(text)
    assert message.startswith("city ")
    assert said in message
    assert len(message) < 200


@given(st.lists(st.text().filter(fold), min_size=1, max_size=5), st.booleans())
def test_values_that_are_spelt_are_read_as_they_are(values: list[str], exact: bool) -> None:
    read = parse_choice(", ".join(spelt(value, exact=exact) for value in values), "city")
    assert read is not None
    assert {wanted.folded for wanted in read.wanted} == set(map(fold, values))
    assert (read.unwanted, read.without) == (frozenset(), None)


def test_a_value_is_spelt_without_quotes_where_it_needs_none() -> None:
    assert [spelt(value) for value in ("Oslo", 'a "b"', "a-b")] == ["Oslo", 'a "b"', "a-b"]
    assert spelt("a, b") == '"a, b"'


@given(st.text(alphabet='a",- ()none', max_size=40))
def test_any_text_is_entries_or_refused(text: str) -> None:
    try:
        found = entries(text, "city")
    except InputError:
        return
    assert all(isinstance(entry, Entry) for entry in found)


@pytest.mark.parametrize("text", ['"' * 300_001, '"a' + '""' * 200_000 + "b", "," * 500_000])
def test_a_text_that_no_person_writes_is_refused_at_once(text: str) -> None:
    # What takes time that grows with the square of the text would not come back here.
    with pytest.raises(InputError):
        parse_choice(text, "city")


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("\u2212Oslo", "-Oslo"),
        ("\u2013Oslo, Bergen", "-Oslo, Bergen"),
        ("\u201cOslo, Norway\u201d", '"Oslo, Norway"'),
        ("Bergen, \u00abOslo\u00bb", 'Bergen, "Oslo"'),
        ("Oslo\uff0cBergen", "Oslo,Bergen"),
        ("\u6771\u4eac\u3001\u5927\u962a", "\u6771\u4eac,\u5927\u962a"),
        ("( none )", "(none)"),
    ],
)
def test_signs_of_other_keyboards_mean_what_the_plain_ones_do(typed: str, plain: str) -> None:
    assert parse_choice(typed, "city") == parse_choice(plain, "city")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("--Oslo", "two minus signs"),
        ("Oslo;Bergen", "write a comma between values"),
        ("Oslo | Bergen", "write a comma between values"),
    ],
)
def test_what_would_be_nobody_without_a_word_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_choice(text, "city")


@given(
    st.text(
        st.sampled_from("aO-\u2212,\uff0c\u3001\u201c\u201d\u00ab\u00bb\"';|( none)"), max_size=12
    )
)
def test_every_value_can_be_spelt(value: str) -> None:
    if fold(value):
        choice = parse_choice(spelt(value), "city")
        assert choice is not None
        assert {w.folded for w in choice.wanted} == {fold(value)}
        assert (choice.unwanted, choice.without) == (frozenset(), None)
