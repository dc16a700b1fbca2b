"""The boundary: what every value passes on its way out, in whichever form it leaves.

Contacts were typed by strangers and are people's own. Whatever leaves (both forms of an answer,
resources, prompts, completions, errors, exports, logs) is cleaned of what a reader cannot see and
of what can forge structure, masked where that is asked for, and cut to size. Nothing here
interprets a value, opens a URL or builds a link.
"""

import html
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import regex

__all__ = [
    "DETAIL_CHARS",
    "ERROR_CHARS",
    "TABLE_CHARS",
    "Boundary",
    "Mask",
    "bare",
    "clean",
    "cut",
    "error_text",
    "spreadsheet_cell",
    "table_cell",
    "visible",
]

Mask = Literal["email", "phone", "name"]
"""Kinds of personal data that can be masked."""

TABLE_CHARS = 80
"""The most characters of a value in a table."""
DETAIL_CHARS = 500
"""The most characters of a value in details and exports."""
ERROR_CHARS = 2_000
"""The most characters of an error."""

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
# the letters and marks that show nothing; U+2800 is the blank of Braille.
_HIDDEN = r"[\u2800\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]"
_SUSPICIOUS = f"{_HIDDEN}|&"
_ONE_EMOJI = r"\p{Extended_Pictographic}\p{Emoji_Modifier}?\ufe0f?"
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
# Addresses and numbers as people write them into free text, and as links and pages write the sign.
_AT = r"(?:[@\uff20\ufe6b]|%(?:25)*40|&#0*64;?|&#[xX]0*40;?|&commat;?)"
_IN_ADDRESS = r"[^\s@\uff20\ufe6b<>()\[\]\"',;:|?&=/]"
_ADDRESS = rf"(?<!{_IN_ADDRESS}){_IN_ADDRESS}+{_AT}{_IN_ADDRESS}+"
_DOMAIN = r"^[\w.-]*"
_DATE = r"(?:19|20)\d\d-\d\d-\d\d(?!\d)"
_BETWEEN = r"[\s()./\u2010-\u2015\u2212-]{0,3}"
_NUMBER = rf"(?<!\d)(?!{_DATE})(?:\+|%2[Bb]|00)?\d(?:{_BETWEEN}\d){{6,14}}(?!\d)"
_BEFORE_BAR = r"(\\*)(\||$)"
_STARS = "***"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Boundary:
    """What may leave of personal data.

    Attributes:
        mask: The kinds that are masked; of e-mail and phone also what free text holds of them.
        technical: Whether IP addresses and user agents are shown.
    """

    mask: frozenset[Mask] = frozenset()
    technical: bool = False

    def text(self, value: str, limit: int = TABLE_CHARS) -> str:
        """Return what may be shown of a free text: cleaned, masked, cut."""
        if not self.mask and len(value) <= limit and _is_plain(value):
            return value.strip()
        shown = visible(value).strip()
        if self.mask:
            # Before line breaks are written out: a number can begin where a line does.
            if "email" in self.mask:
                shown = _pattern(_ADDRESS).sub(lambda found: _masked_email(found[0]), shown)
            if "phone" in self.mask:
                shown = _pattern(_NUMBER).sub(lambda found: _masked_phone(found[0]), shown)
        return cut(shown.replace("\n", r"\n"), limit)

    def id(self, value: str) -> str:
        """Return what may be shown of an identifier, which is no one's phone number."""
        return cut(clean(value), TABLE_CHARS)

    def email(self, value: str, limit: int = TABLE_CHARS) -> str:
        """Return what may be shown of an e-mail address, such as `a***@example.com`."""
        if "email" not in self.mask:
            return self.text(value, limit)
        shown = clean(value)
        return cut(_masked_email(shown), limit) if shown else ""

    def phone(self, value: str, limit: int = TABLE_CHARS) -> str:
        """Return what may be shown of a phone number, such as `***67`."""
        if "phone" not in self.mask:
            return self.text(value, limit)
        shown = clean(value)
        return _masked_phone(shown) if shown else ""

    def name(self, value: str, limit: int = TABLE_CHARS) -> str:
        """Return what may be shown of a person's name, such as `A*** L***`."""
        if "name" not in self.mask:
            return self.text(value, limit)
        return cut(" ".join(word[:1] + _STARS for word in clean(value).split()), limit)


def clean(value: str) -> str:
    r"""Return a value without what a reader cannot see, on one line.

    Removed: control characters, ANSI escapes, bidirectional controls, zero-width and invisible
    characters, also behind HTML entities; a valid emoji sequence stays. A line break becomes the
    two characters `\n`.
    """
    return visible(value).strip().replace("\n", r"\n")


def cut(value: str, limit: int) -> str:
    """Return at most `limit` characters of a value and, where that cuts it, how many it had."""
    return (
        value if len(value) <= limit else f"{value[:limit]}… [cut from {len(value):,} characters]"
    )


def table_cell(value: str) -> str:
    """Return a value for a table whose cells stand between bars.

    A bar in it has a backslash before it, and the backslashes that stood there are doubled.
    """
    if "|" not in value and not value.endswith("\\"):
        return value
    return _pattern(_BEFORE_BAR).sub(
        lambda found: found[1] * 2 + ("\\|" if found[2] else ""), value
    )


def spreadsheet_cell(value: str) -> str:
    """Return a value that no spreadsheet runs: what begins like a formula becomes a text."""
    return f"'{value}" if value.startswith(_FORMULA) else value


def error_text(message: str) -> str:
    """Return an error as it leaves: on one line and not too long."""
    return cut(clean(message), ERROR_CHARS - 50)


def _is_plain(value: str) -> bool:
    return value.isascii() and value.isprintable() and "&" not in value


def visible(value: str) -> str:
    """Return what can be seen of a value, with its line breaks as newlines."""
    if _is_plain(value):
        return value
    if not _pattern(_SUSPICIOUS).search(value):
        return value
    text = _pattern(_LINE_BREAK).sub("\n", _pattern(_ANSI).sub("", value)).replace("\t", " ")
    text = _without_hidden(text)
    # An entity of something hidden goes, and what is left of and right of it may be one then.
    for _ in range(_ENTITY_ROUNDS):
        without = _without_hidden(_pattern(_ENTITY).sub(_unless_hidden, text))
        if without == text:
            return text
        text = without
    # Nobody nests entities this deep but to hide something.
    return text.replace("&", "")


def bare(value: str) -> str:
    """Return what can be seen of a value, for comparison: no line breaks, no emoji's joiners."""
    return _pattern(_HIDDEN).sub(lambda m: " " if m[0] == "\n" else "", visible(value))


def _without_hidden(text: str) -> str:
    return _pattern(f"({_SHOWN})|{_HIDDEN}").sub(r"\1", text)


@cache
def _pattern(text: str) -> "regex.Pattern[str]":
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
    return "" if _pattern(_HIDDEN).search(meant) else entity[0]


def _masked_email(address: str) -> str:
    local, at, domain = _pattern(_AT).sub("@", address).rpartition("@")
    kept = _pattern(_DOMAIN).match(domain)
    return f"{local[:1]}{_STARS}{at}{kept[0] if kept else ''}" if at else _STARS


def _masked_phone(number: str) -> str:
    return f"{_STARS}{number[-2:]}" if len(number) > 4 else _STARS
