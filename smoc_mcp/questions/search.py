r"""What people type to find somebody: their words, how they are compared, and where they matched.

Each field of a contact is kept as *searchable* text: its folded words with two blanks around each.
FTS5's trigram index finds any three characters of that, so a word of three letters or more is
found anywhere (`sen` in Hansen), and a shorter one, with the blanks before it, where a word
begins (`bo` in Bo Larsen, not in Jacobsen). Pure.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from smoc_mcp.errors import InputError
from smoc_mcp.text.cleaning import bare
from smoc_mcp.text.folding import digits, fold, spellings

__all__ = [
    "FIELDS",
    "NAME",
    "PHONE",
    "Needle",
    "Place",
    "Term",
    "fields_holding",
    "parse_query",
    "places_holding",
    "searchable",
    "searchable_phone",
]

NAME, PHONE = "name", "phone"
FIELDS = (NAME, "email", PHONE, "company", "place", "texts", "answers")
"""Where words are looked for, the best place to be found first."""

_MOST_SEARCHED = 10_000
_END_SEARCHED = 1_000
_MOST_WORDS = 20
_MOST_CHARS = 400
_MOST_NEEDLES = 100
_AROUND = "\"\u201c\u201d\u201e\u00ab\u00bb'\u2018\u2019,;:!?()[]<>`\u02bc\u2026"
_APART = re.compile(r"[;,/]")
_SCHEME = re.compile(r"^(?:tel|mailto):", re.IGNORECASE)
_TRIGRAM = 3
_SHORT = 64
_LEAST_DIGITS = 5
_LEAST_LOCAL_DIGITS = 7
_LONGEST_COUNTRY_CODE = 3
_NUMBER = re.compile(r"[+(]*\d[\d\s()./+-]*")
# Scripts that put no blanks between words: each character is a word of its own.
_UNSPACED = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff])")
_INNER_BREAK = re.compile(r"[\W_]+")


class Needle(NamedTuple):
    """A text that must occur in the searchable text of a field; of any without a name."""

    text: str
    field: str = ""


class Place(NamedTuple):
    """One text of a contact.

    Attributes:
        field: One of `FIELDS`.
        what: What the text is: street, the key of a custom field, the question of an answer.
        text: The text, as sent.
        words: The text, searchable.
    """

    field: str
    what: str
    text: str
    words: str

    def holds(self, needle: Needle) -> bool:
        """Say whether a needle is in it."""
        return needle.field in ("", self.field) and needle.text in self.words


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a contact must hold, in any of its spellings.

    Attributes:
        spellings: At least one of these; of each, all its needles.
        said: What was typed, folded.
    """

    spellings: tuple[tuple[Needle, ...], ...]
    said: str = ""


def searchable(values: Iterable[str]) -> str:
    """Return texts as they are searched, one a line; empty without any words.

    Of a text of more than 10,000 characters only the beginning and the end are searched.
    """
    shortened = (
        value
        if len(value) <= _MOST_SEARCHED
        else f"{value[: _MOST_SEARCHED - _END_SEARCHED - 1]} {value[-_END_SEARCHED:]}"
        for value in values
    )
    return "\n".join(_padded(words) for value in shortened if (words := _words(value)))


def searchable_phone(value: str) -> str:
    """Return a phone number as it is searched: its digits, and the words as they were typed."""
    number = digits(value)
    return _padded([number, *_words(value)]) if number else searchable([value])


def parse_query(query: str) -> tuple[Term, ...]:
    """Return what a query asks for: each word, and each phone number, which may have blanks.

    Raises:
        InputError: It is too long.
    """
    # Wide and other forms of signs as the plain ones; an accent alone would become a blank.
    typed = unicodedata.normalize("NFKC", bare(query).replace("\u00b4", "'"))
    words = [part for word in typed.split() for part in _parts(word) if fold(part)]
    if query.strip() and not words:
        raise InputError("query holds nothing that can be searched: give words or a number.")
    terms: list[Term] = []
    for is_number, run in groupby(_meant(words), lambda word: bool(_NUMBER.fullmatch(fold(word)))):
        together = list(run)
        terms += _number([fold(w) for w in together]) if is_number else map(_term, together)
    needles = sum(len(needles) for term in terms for needles in term.spellings)
    if len(words) > _MOST_WORDS or len(query) > _MOST_CHARS or needles > _MOST_NEEDLES:
        raise InputError(
            f"query takes up to {_MOST_WORDS} words and {_MOST_CHARS} characters: give fewer of "
            "them, the rarest."
        )
    return tuple(terms)


def _parts(word: str) -> list[str]:
    """Return the words of what stands between blanks, without the signs around them."""
    whole = _stripped(word)
    if _NUMBER.fullmatch(fold(whole)):
        return [whole]
    return [part for part in map(_stripped, _APART.split(word)) if _is_word(part)] or [word]


def _stripped(word: str) -> str:
    bare_word = _SCHEME.sub("", word.strip(_AROUND)).strip(_AROUND).rstrip(".")
    return bare_word if _is_word(bare_word) else word


def _is_word(text: str) -> bool:
    return any(map(str.isalnum, fold(text)))


def _meant(words: list[str]) -> list[str]:
    """Return the words without lone signs, such as the & between two names; or only signs."""
    return [word for word in words if _is_word(word)] or words


def fields_holding(terms: Sequence[Term], texts: Mapping[str, str]) -> set[str]:
    """Return the fields that hold any piece of any term.

    Args:
        terms: What was looked for.
        texts: The searchable text of each field.
    """
    needles = {needle for term in terms for spelling in term.spellings for needle in spelling}
    return {
        field
        for field, text in texts.items()
        if any(needle.field in ("", field) and needle.text in text for needle in needles)
    }


def places_holding(terms: Sequence[Term], places: Sequence[Place]) -> list[tuple[Place, str]]:
    """Return the places that hold any of the terms, each once, with what is there.

    Two texts of one field that are called the same are one place: the first is given. A place
    holds a term that it has all of. Where none has, the pieces of the spelling count whose worst
    place is best: of a number that is in the phone, not those that stand elsewhere by chance.

    Args:
        terms: What was looked for.
        places: The texts of a contact, in the order in which they are to be given.
    """
    found: dict[tuple[str, str], tuple[int, str]] = {}
    for term in terms:
        for number, needle in _whole(term, places) or _pieces(term, places):
            place = places[number]
            known = found.get(place[:2])
            if known is None or number < known[0]:
                found[place[:2]] = (number, needle.text.strip())
    return [(places[number], word) for number, word in sorted(found.values())]


def _whole(term: Term, places: Sequence[Place]) -> list[tuple[int, Needle]]:
    """Return the places that hold all of a spelling of a term, by number, with its beginning."""
    return [
        (number, spelling[0])
        for spelling in term.spellings
        for number, place in enumerate(places)
        if all(place.holds(needle) for needle in spelling)
    ]


def _pieces(term: Term, places: Sequence[Place]) -> list[tuple[int, Needle]]:
    """Return every place that holds a piece of a term, of the spelling that is best there."""
    spellings = [
        [
            [(n, needle) for n, place in enumerate(places) if place.holds(needle)]
            for needle in pieces
        ]
        for pieces in term.spellings
    ]
    there = [pieces for pieces in spellings if all(pieces)]
    best = min(there, key=lambda pieces: max(min(held)[0] for held in pieces), default=[])
    return [piece for held in best for piece in held]


def _term(word: str) -> Term:
    # A word without blanks may be a name in the order that its script is written in.
    apart = [_UNSPACED.sub(r" \1 ", spelt).split() for spelt in spellings(word)]
    return Term(
        tuple(tuple(Needle(_needle(_stripped(part))) for part in _meant(parts)) for parts in apart),
        fold(word),
    )


def _number(words: Sequence[str]) -> list[Term]:
    """Return the terms of words of digits: one number where they make one, else each word."""
    typed = " ".join(words)
    number = digits(typed)
    plain = [_needle(word) for word in words]
    if len(number) < _LEAST_DIGITS:
        return [Term(((Needle(text),),), text.strip()) for text in plain]
    spelt = [(Needle(number, PHONE),)]
    if typed.lstrip("(").startswith(("+", "00")):
        # The contact may have typed it without the code of the country.
        for code in range(1, _LONGEST_COUNTRY_CODE + 1):
            local = number[code:].lstrip("0")
            if len(local) >= _LEAST_LOCAL_DIGITS:
                spelt.append((Needle(_padded([local]), PHONE),))
    return [Term((*spelt, tuple(Needle(text) for text in plain)), typed)]


def _needle(word: str) -> str:
    """Return a folded word as it stands in searchable text, at least three characters of it."""
    return word.rjust(_TRIGRAM)


def _words(value: str) -> Sequence[str]:
    """Return the words of a text, in each spelling, and the short parts of hyphenated ones."""
    return _words_again(value) if len(value) <= _SHORT else _words_of(value)


@lru_cache(maxsize=4_096)
def _words_again(value: str) -> Sequence[str]:
    """Split a short value: most of them, such as places and answers, come again and again."""
    return _words_of(value)


def _words_of(value: str) -> Sequence[str]:
    words = _UNSPACED.sub(r" \1 ", " ".join(spellings(value))).split()
    apart = [w for w in words if not w.isalnum()]
    if not apart:
        return words
    parts = [p for w in apart for p in (*_INNER_BREAK.split("" if "@" in w else w), *_parts(w))]
    return [*words, *dict.fromkeys(p for p in parts if 0 < len(p) < _TRIGRAM)]


def _padded(words: Sequence[str]) -> str:
    return f"  {'  '.join(words)}  "
