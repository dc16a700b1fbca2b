"""Choices of values as people write them: `Oslo, Bergen`, `-Oslo`, `(none)`. Pure.

One grammar for every filter of texts: `a, b` is any of these, `-a` not this, `(none)` those
without, `-(none)` those with any. In quotes stands exactly one whole value, so also one with a
comma, a minus in front, or the word (none); `""` is a quote in it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from smoc_mcp.errors import InputError
from smoc_mcp.text.folding import fold, quoted

__all__ = [
    "EARLIER",
    "OTHER",
    "WITHOUT",
    "Choice",
    "Entry",
    "Wanted",
    "check_is_value",
    "entries",
    "parse_choice",
    "some_entries",
    "spelt",
]

WITHOUT = "(none)"
"""The entry for those without a value; groups show it for them too."""
OTHER = "(other)"
"""What groups past the limit are called together."""
EARLIER = "(earlier)"
"""The same in a trend, where they are the oldest."""
_MOST = 100
"""Entries of one filter: each is a test of every contact."""
_MINUS = "[-\u2212\u2013\u2014]?"
_COMMA = "[,\uff0c\u3001]"
"""Minus and comma, also of other keyboards."""
_INSIDE = '[^"]*(?:""[^"]*)*'
_IN_QUOTES = re.compile(rf'\s*({_MINUS})\s*"({_INSIDE})"\s*(?:{_COMMA}|\Z)')
_BEGINS_WITH_QUOTE = re.compile(rf'\s*{_MINUS}\s*"')
_UP_TO_CLOSING = re.compile(f'{_INSIDE}"')
_BARE = re.compile(rf"\s*({_MINUS})([^,\uff0c\u3001]*)(?:{_COMMA}|\Z)")
_OPENS, _CLOSES = "\u201c\u201e\u00ab", "\u201d\u201c\u00bb"
_IN_OTHER_QUOTES = re.compile(
    rf"\s*({_MINUS})\s*[{_OPENS}]([^{_OPENS}{_CLOSES}]*)[{_CLOSES}]\s*(?:{_COMMA}|\Z)"
)
"""In quotes of another keyboard."""
_CUT = re.compile(r"\[cut from [\d,]+ characters\]\Z")
"""How a value ends that was too long to be shown; see `text.cleaning.cut`."""
_OF_LISTS = ";|"
"""What people write between values in other places."""


class Entry(NamedTuple):
    """What stands between two commas.

    Attributes:
        text: Without the minus, the quotes and the blanks around it.
        unwanted: It has a minus in front.
        in_quotes: It stands in quotes.
    """

    text: str
    unwanted: bool = False
    in_quotes: bool = False


class Wanted(NamedTuple):
    """A value that is chosen, or left out.

    Attributes:
        folded: See `text.folding.fold`.
        exact: The whole value is meant, though the field is one that is named by a part.
    """

    folded: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """Which values a contact may have.

    Attributes:
        wanted: It must have one of these; any, if there are none.
        unwanted: It must have none of these.
        without: Whether it may have no value at all, beside one that is wanted (True), or must
            have one (False). None for not said: then those without are left out where something
            is wanted, and let in where something is unwanted only.
    """

    wanted: frozenset[Wanted] = frozenset()
    unwanted: frozenset[Wanted] = frozenset()
    without: bool | None = None


def parse_choice(text: str, name: str) -> Choice | None:
    """Return the choice that a caller wrote; None for a text of blanks.

    Args:
        text: As written.
        name: Of the parameter, for errors.

    Raises:
        InputError: It cannot be meant; the message says what to write.
    """
    if not text.strip():
        return None
    wanted: set[Wanted] = set()
    unwanted: set[Wanted] = set()
    without: set[bool] = set()
    for entry in some_entries(text, name):
        folded = fold(entry.text)
        if not entry.in_quotes:
            _check_bare(entry.text, name)
        if _CUT.search(entry.text):
            raise InputError(
                f"{name} has {quoted(entry.text)}, which was cut because it was too long to be "
                "shown, so it is nobody's value: ask by another field, or where a part is enough, "
                "by its beginning."
            )
        if folded.replace(" ", "") == WITHOUT and not entry.in_quotes:
            without.add(not entry.unwanted)
        elif not folded:
            raise InputError(
                f"{name} has an entry with nothing in it: write a value, or (none) for those "
                "without."
            )
        else:
            (unwanted if entry.unwanted else wanted).add(Wanted(folded, entry.in_quotes))
    both = {w.folded for w in wanted if unwanted & {w, Wanted(w.folded)}}
    if both or len(without) > 1:
        raise InputError(
            f"{name} names {quoted(min(both, default=WITHOUT))} both ways: give it once, with or "
            "without the minus."
        )
    return Choice(frozenset(wanted), frozenset(unwanted), next(iter(without), None))


def check_is_value(text: str, name: str) -> None:
    """Check that an entry without quotes is not what groups show for several values together.

    Raises:
        InputError: It is.
    """
    shown = fold(text).replace(" ", "")
    if shown in (OTHER, EARLIER):
        raise InputError(
            f"{name} takes no {shown}: it stands for all groups past the limit together. Group "
            "with a larger limit and ask by their values, or leave out those that were shown, each "
            "with a minus."
            if shown == OTHER
            else f"{name} takes no {shown}: it stands for all periods past the limit together. "
            "Ask by a time before the first one shown instead, such as created_before."
        )


def _check_bare(text: str, name: str) -> None:
    """Refuse what people write in other places and what here would be silently nobody."""
    check_is_value(text, name)
    if re.match("[-\u2212\u2013\u2014]", text):
        raise InputError(
            f"{name} has two minus signs before {quoted(text.lstrip('-'))}: one means not this; a "
            "value that begins with one stands in quotes."
        )
    for sign in _OF_LISTS:
        if sign in text:
            raise InputError(
                f"{name} has {sign} in {quoted(text)}: write a comma between values, and a value "
                f"that has {sign} itself in quotes."
            )


def entries(text: str, name: str) -> list[Entry]:
    """Return what stands between the commas of a text, those in quotes aside.

    Blanks around an entry do not matter, and where nothing stands between two commas is no entry.

    Raises:
        InputError: Quotes are not closed, or not around a whole entry; there are too many entries.
    """
    found = list(islice(_entries(text, name), _MOST + 1))
    if len(found) > _MOST:
        raise InputError(f"{name} takes at most {_MOST} entries: ask in several calls.")
    return found


def some_entries(text: str, name: str) -> list[Entry]:
    """Return what stands between the commas of a text; nothing for a text of blanks.

    Raises:
        InputError: As of `entries`; or there are only commas.
    """
    found = entries(text, name)
    if text.strip() and not found:
        raise InputError(
            f"{name} has nothing but commas in it: write values, with a comma between, or leave it "
            "out."
        )
    return found


def _entries(text: str, name: str) -> Iterator[Entry]:
    place = 0
    while place < len(text):
        if (found := _IN_QUOTES.match(text, place)) is not None:
            yield Entry(found[2].replace('""', '"').strip(), bool(found[1]), in_quotes=True)
        elif (found := _IN_OTHER_QUOTES.match(text, place)) is not None:
            yield Entry(found[2].strip(), bool(found[1]), in_quotes=True)
        elif (broken := _BEGINS_WITH_QUOTE.match(text, place)) is not None:
            raise _misquoted(text[broken.end() :], name)
        elif (found := _BARE.match(text, place)) is not None and (found[1] or found[2].strip()):
            yield Entry(found[2].strip(), bool(found[1]))
        place = found.end() if found is not None else len(text)


def _misquoted(behind: str, name: str) -> InputError:
    """Return the error for what stands behind a quote that opens and is not closed as it should."""
    closed = _UP_TO_CLOSING.match(behind)
    if closed is None:
        return InputError(
            f'{name} has a quote that is not closed: write "{_short(behind)}", and "" for a quote '
            "inside."
        )
    return InputError(
        f"{name} has {quoted(_short(behind[closed.end() :]))} behind a closing quote: put the "
        'whole value in quotes, with "" for a quote inside, and a comma between values.'
    )


def _short(value: str) -> str:
    """Return what of a misquoted text was probably one value."""
    first = value.partition(",")[0].strip()
    return f"{first[:40]}…" if len(first) > 40 else first


def spelt(value: str, *, exact: bool = False) -> str:
    """Return how a caller writes a value: in quotes where it would mean something else without.

    Args:
        value: Of a contact.
        exact: The whole value is meant, whatever the field is named by.
    """
    if not exact and _means_itself(value):
        return value
    return '"' + value.replace('"', '""') + '"'


def _means_itself(value: str) -> bool:
    try:
        return parse_choice(value, "") == Choice(frozenset({Wanted(fold(value))}))
    except InputError:
        return False
