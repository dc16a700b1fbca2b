"""Text that strangers typed: made safe to show, and folded so that it can be compared.

`clean` is the one boundary for every value that leaves. It takes out what a reader cannot see and
what can forge structure; it never interprets a value.
"""

import html
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex

__all__ = [
    "DETAIL_CHARS",
    "TABLE_CHARS",
    "clean",
    "cut",
    "digits",
    "email_key",
    "fold",
    "spellings",
]

TABLE_CHARS = 80
DETAIL_CHARS = 500

_LINE_BREAK = "\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]"
_ANSI = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor moves
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, …
    # The same in one character, which wrong encodings make too: only with its end.
    r"|[\x90\x98\x9d-\x9f][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]?"
)
# Unicode's own properties, not a list of ours: controls, format characters (bidirectional
# controls, zero widths, tags), halves of pairs, private use, what no version has assigned, and
# the letters and marks that show nothing; U+2800 is the blank of Braille.
_HIDDEN = r"[\u2800\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]"
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

_FOLDS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "\u0131": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})


def clean(value: str) -> str:
    r"""Return a value without what a reader cannot see, on one line.

    Removed: control characters, ANSI escapes, bidirectional controls, zero-width and invisible
    characters, also behind HTML entities; a valid emoji sequence stays. A line break becomes the
    two characters `\n`.
    """
    return _visible(value).strip().replace("\n", r"\n")


def cut(value: str, limit: int) -> str:
    """Return at most `limit` characters of a value and, where that cuts it, how many it had."""
    return (
        value if len(value) <= limit else f"{value[:limit]}… [cut from {len(value):,} characters]"
    )


def fold(value: str) -> str:
    """Return a value for comparison: without case, accents and hidden characters.

    `Øverland` folds to `overland`, `Łukasz` to `lukasz`, `Müller` to `muller`.
    """
    if value.isascii() and value.isprintable():
        folded = value.lower()
    else:
        # Twice: taking a sign such as ™ apart gives capitals.
        seen = _pattern(_HIDDEN).sub(lambda m: " " if m[0] == "\n" else "", _visible(value))
        folded = _without_marks(_without_marks(seen))
    return " ".join(folded.split())


def spellings(value: str) -> str:
    """Return the folded value and, where it has umlauts or å, the spelling without them.

    So `Müller` is found as `muller` and as `mueller`, `Håkon` as `hakon` and `haakon`.
    """
    folded = fold(value)
    if value.isascii():
        return folded
    spelt = fold(unicodedata.normalize("NFC", value).casefold().translate(_SPELT_OUT))
    return folded if spelt == folded else f"{folded} {spelt}"


def email_key(value: str) -> str:
    """Return an e-mail address for comparison.

    Case, blanks, hidden characters, `mailto:` and the form `Name <address>` do not matter.
    """
    text = _visible(value).strip()
    if text.endswith(">") and "<" in text:
        text = text[text.rindex("<") + 1 : -1]
    text = "".join(text.split()).casefold()
    if text.startswith("mailto:"):
        # Behind a question mark a link holds a subject and the like.
        text = text.removeprefix("mailto:").partition("?")[0]
    return text


def digits(value: str) -> str:
    """Return a phone number's digits, without the 00 or + of an international call."""
    found = "".join(str(unicodedata.digit(c)) for c in value if c.isdigit())
    return found.removeprefix("00")


def _visible(value: str) -> str:
    """Return what can be seen of a value, with its line breaks as newlines."""
    if value.isascii() and value.isprintable() and "&" not in value:
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


def _without_marks(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold().translate(_FOLDS)
