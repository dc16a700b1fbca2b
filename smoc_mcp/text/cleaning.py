"""Removes from a text what a reader cannot see and what could pass for structure. Pure.

Strangers typed what is cleaned here. Nothing interprets a value, opens a URL or builds a link.
"""

import html
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex

__all__ = ["bare", "clean", "cut", "is_plain", "pattern", "visible"]

_LINE_BREAK = "\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]"
_ANSI = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor moves
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, …
    # The same in one character, which wrong encodings make too: only with its end.
    r"|[\x90\x98\x9d-\x9f][^\x07\x1b\x9c\x90\x98\x9d-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]?"
)
# Unicode's own properties, not a list of ours: controls, format characters (bidirectional
# controls, zero widths, tags), halves of pairs, private use, what no version has assigned, and
# the letters and marks that show nothing; U+2800 is the blank of Braille, U+1D159 a note without
# a head, U+16FE4 a filler of Khitan script.
_HIDDEN = (
    r"[\u2800\U0001d159\U00016fe4\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}"
    r"\p{Default_Ignorable_Code_Point}]"
)
# The Greek question mark looks as the semicolon that stands between our values.
_SUSPICIOUS = rf"{_HIDDEN}|[&\u037e]|\p{{M}}{{6}}"
_MOST_MARKS = 5
_MANY_MARKS = rf"(\p{{M}}{{{_MOST_MARKS}}})\p{{M}}+"
# Pictographs that no version has assigned show nothing.
_ONE_EMOJI = r"(?!\p{Cn})\p{Extended_Pictographic}\p{Emoji_Modifier}?\ufe0f?"
_FLAGS = "|".join(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(c)) for c in code) + "\U000e007f"
    for code in ("gbeng", "gbsct", "gbwls")
)
_SHOWN = rf"\n|{_FLAGS}|[0-9#*]\ufe0f?\u20e3|{_ONE_EMOJI}(?:\u200d{_ONE_EMOJI})*"
# An entity, its ampersand perhaps an entity itself, any number of times.
_ENTITY = (
    r"&(?:amp;?|AMP;?|#0*38;?|#[xX]0*26;?)*"
    r"(?:#0*(?P<decimal>\d{1,7})|#[xX]0*(?P<hex>[0-9a-fA-F]{1,6})|(?P<name>shy|[A-Za-z]\w{1,31}));?"
)
_ENTITY_ROUNDS = 4
_MAX_CODE_POINT = 0x10FFFF


def clean(value: str) -> str:
    r"""Return a value without what a reader cannot see, on one line.

    Removed: control characters, ANSI escapes, bidirectional controls, zero-width and invisible
    characters, also behind HTML entities; a valid emoji sequence stays. A line break becomes the
    two characters `\n`.
    """
    return visible(value).strip().replace("\n", r"\n")


def cut(value: str, limit: int, length: int = 0) -> str:
    """Return at most `limit` characters of a value and, where that cuts it, how many it had.

    Args:
        value: The value.
        limit: The most characters.
        length: How many it had, where it was cut before.
    """
    length = max(length, len(value))
    return value if length <= limit else f"{value[:limit]}… [cut from {length:,} characters]"


def is_plain(value: str) -> bool:
    """Say whether a value is ASCII that can be shown as it is."""
    return value.isascii() and value.isprintable() and "&" not in value


def visible(value: str) -> str:
    """Return what can be seen of a value, with its line breaks as newlines."""
    if is_plain(value):
        return value
    if value.isascii() and value.isprintable():
        # Such as an address with & in it: only entities can hide anything.
        without = pattern(_ENTITY).sub(_unless_hidden, value)
        if without == value:
            return value
    if not pattern(_SUSPICIOUS).search(value):
        return value
    value = value.replace("\u037e", ";")
    text = pattern(_LINE_BREAK).sub("\n", pattern(_ANSI).sub("", value)).replace("\t", " ")
    text = _without_hidden(text)
    # An entity of something hidden goes, and what is left of and right of it may be one then.
    for _ in range(_ENTITY_ROUNDS):
        without = _without_hidden(pattern(_ENTITY).sub(_unless_hidden, text))
        if without == text:
            return _with_few_marks(text)
        text = without
    # Nobody nests entities this deep but to hide something.
    return _with_few_marks(text.replace("&", ""))


def bare(value: str) -> str:
    """Return what can be seen of a value, for comparison: no line breaks, no emoji's joiners."""
    return pattern(_HIDDEN).sub(lambda m: " " if m[0] == "\n" else "", visible(value))


def _with_few_marks(text: str) -> str:
    """Return a text with at most five marks on a letter: more cover the lines around them."""
    return pattern(_MANY_MARKS).sub(r"\1", text)


def _without_hidden(text: str) -> str:
    return pattern(f"({_SHOWN})|{_HIDDEN}").sub(r"\1", text)


@cache
def pattern(text: str) -> "regex.Pattern[str]":
    """Return a compiled pattern of the `regex` package."""
    # Imported when the first text needs it: a start that waits for it would be a tenth slower.
    import regex

    return regex.compile(text)


def _unless_hidden(entity: "regex.Match[str]") -> str:
    if entity["name"]:
        meant = html.unescape(f"&{entity['name']};")
        if meant.startswith("&"):
            return entity[0]
    else:
        number = int(entity["decimal"]) if entity["decimal"] else int(entity["hex"], 16)
        meant = chr(number) if number <= _MAX_CODE_POINT else ""
    return "" if pattern(_HIDDEN).search(meant) else entity[0]
