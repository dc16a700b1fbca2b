"""Text that strangers typed: made safe to show, and folded so that it can be compared.

`clean` is the one boundary for every value that leaves. It takes out what a reader cannot see and
what can forge structure; it never interprets a value.
"""

import html
import re
import unicodedata

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

_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor moves
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, …
    r"|\x1b[ -/]*[0-~]?"
)
_LINE_BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_ENTITY = re.compile(r"&(?:amp;)*(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|\w{2,32});?")
_SPACES = re.compile(r"\s+")

# Letters and marks that show nothing; unicodedata does not class them as format characters.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_SELECTORS = frozenset(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
_JOINER, _EMOJI_STYLE, _KEYCAP = "\u200d", "\ufe0f", "\u20e3"
_FLAGS = tuple(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(c)) for c in code) + "\U000e007f"
    for code in ("gbeng", "gbsct", "gbwls")
)
# Format characters (bidirectional controls, zero widths, tags), controls, halves of pairs, private
# use, unassigned.
_HIDDEN_CATEGORIES = frozenset({"Cf", "Cc", "Cs", "Co", "Cn"})

_FOLDS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "\u0131": "i",
        "ħ": "h",
    }
)
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})


def clean(value: str) -> str:
    r"""Return a value without what a reader cannot see, on one line.

    Removed: control characters, ANSI escapes, bidirectional controls, zero-width and invisible
    characters, also behind HTML entities; a valid emoji sequence stays. A line break becomes the
    two characters `\n`.
    """
    if value.isascii() and value.isprintable() and "&" not in value:
        return value
    text = _LINE_BREAK.sub(r"\\n", _visible(_ANSI.sub("", value)))
    # An entity that hides a hidden character; the loop ends because each round shortens the text.
    while (opened := _ENTITY.sub(_without_hidden, text)) != text:
        text = opened
    return text.strip()


def cut(value: str, limit: int) -> str:
    """Return at most `limit` characters of a value and, where that cuts it, how many it had."""
    return (
        value if len(value) <= limit else f"{value[:limit]}… [cut from {len(value):,} characters]"
    )


def fold(value: str) -> str:
    """Return a value for comparison: without case, accents and hidden characters.

    `Øverland` folds to `overland`, `Łukasz` to `lukasz`, `Müller` to `muller`.
    """
    if value.isascii():
        lowered = value.lower()
    else:
        apart = unicodedata.normalize("NFKD", clean(value).casefold())
        lowered = "".join(c for c in apart if not unicodedata.combining(c)).translate(_FOLDS)
    return _SPACES.sub(" ", lowered).strip()


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
    text = clean(value).strip()
    if text.endswith(">") and "<" in text:
        text = text[text.rindex("<") + 1 : -1]
    text = "".join(text.split()).casefold()
    return text.removeprefix("mailto:").partition("?")[0]


def digits(value: str) -> str:
    """Return a phone number's digits, without the 00 or + of an international call."""
    found = "".join(str(unicodedata.digit(c)) for c in value if c.isdigit())
    return found.removeprefix("00")


def _visible(text: str) -> str:
    if text.isprintable() and not (_BLANK | _SELECTORS).intersection(text):
        return text
    kept: list[str] = []
    flag_end = 0
    for i, char in enumerate(text):
        if i < flag_end:
            kept.append(char)
        elif char == "\t":
            kept.append(" ")
        elif flag := next((f for f in _FLAGS if text.startswith(f, i)), None):
            flag_end = i + len(flag)
            kept.append(char)
        elif not _is_hidden(char) or _LINE_BREAK.match(char) or _in_emoji(text, i):
            kept.append(char)
    return "".join(kept)


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in _HIDDEN_CATEGORIES or char in _BLANK or char in _SELECTORS


def _in_emoji(text: str, i: int) -> bool:
    """Say whether the hidden character at `i` holds an emoji together."""
    before, after = text[i - 1 : i], text[i + 1 : i + 2]
    if text[i] == _EMOJI_STYLE:
        return _is_pictograph(before) or (before in "0123456789#*" and after == _KEYCAP)
    if text[i] == _JOINER:
        return (_is_pictograph(before) or before == _EMOJI_STYLE) and _is_pictograph(after)
    return False


def _is_pictograph(char: str) -> bool:
    # So: symbols such as 👩; Sk: the skin tones; the last two are symbols that emoji borrow.
    return bool(char) and (unicodedata.category(char) in {"So", "Sk"} or char in "‼⁉↔ⓂⒶ")


def _without_hidden(entity: re.Match[str]) -> str:
    meant = html.unescape(f"&{entity[1]};")
    if meant.startswith("&"):
        return entity[0]
    hidden = any(_is_hidden(c) or _LINE_BREAK.match(c) for c in meant)
    return "" if hidden else entity[0]
