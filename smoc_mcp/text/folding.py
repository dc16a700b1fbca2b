"""Folds texts so that they can be compared, whatever their case, accents and spelling. Pure.

unicodedata does most of it; the table here has the letters that Unicode does not take apart.
"""

import re
import unicodedata
from functools import lru_cache

from smoc_mcp.text.cleaning import bare, is_plain, visible

__all__ = ["digits", "email_key", "fold", "quoted", "spellings"]

_SHORT = 64
_MANY_MARKS = re.compile("([\u0300-\u036f]{10})[\u0300-\u036f]+")
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
        # One apostrophe and one hyphen, whichever the keyboard gave.
        "\u2018": "'",
        "\u2019": "'",
        "\u02bc": "'",
        "`": "'",
        "\u2010": "-",
        "\u2011": "-",
        "\u2013": "-",
        "\u2014": "-",
    }
)
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})


def fold(value: str) -> str:
    """Return a value for comparison: without case, accents and hidden characters.

    `Øverland` folds to `overland`, `Łukasz` to `lukasz`, `Müller` to `muller`.
    """
    return _fold_again(value) if len(value) <= _SHORT else _fold(value)


@lru_cache(maxsize=4_096)
def _fold_again(value: str) -> str:
    """Fold a short value: most of them, such as places and campaigns, come again and again."""
    return _fold(value)


def _fold(value: str) -> str:
    if is_plain(value):
        folded = value.lower().replace("`", "'")
    else:
        # Twice: taking a sign such as ™ apart gives capitals.
        folded = _without_marks(_without_marks(bare(value)))
    # A line break is shown as these two characters, and what is shown folds to the same.
    return " ".join(folded.replace(r"\n", " ").split())


def spellings(value: str) -> tuple[str, ...]:
    """Return the folded value and, where it has umlauts or å, the spelling without them.

    So `Müller` is found as `muller` and as `mueller`, `Håkon` as `hakon` and `haakon`.
    """
    folded = fold(value)
    if value.isascii():
        return (folded,)
    spelt = fold(unicodedata.normalize("NFC", value).casefold().translate(_SPELT_OUT))
    return (folded,) if spelt == folded else (folded, spelt)


def email_key(value: str) -> str:
    """Return an e-mail address for comparison.

    Case, blanks, hidden characters, `mailto:` and the form `Name <address>` do not matter.
    """
    text = visible(value).strip()
    if text.endswith(">") and "<" in text:
        text = text[text.rindex("<") + 1 : -1]
    text = "".join(text.split()).casefold()
    if text.startswith("mailto:"):
        # Behind a question mark a link holds a subject and the like.
        text = text.removeprefix("mailto:").partition("?")[0]
    return unicodedata.normalize("NFC", text)


def digits(value: str) -> str:
    """Return a phone number's digits, without the zeros and the + that say where it is dialled."""
    found = "".join(str(unicodedata.digit(c)) for c in value.replace("(0)", "") if c.isdigit())
    return found.lstrip("0")


def quoted(text: str) -> str:
    """Return what a caller wrote, in quotes and not too long, for an error."""
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"


def _without_marks(text: str) -> str:
    # Nobody writes so many marks on a letter but to make this slow.
    few = _MANY_MARKS.sub(r"\1", text.casefold().replace("\u00b4", "'"))
    apart = unicodedata.normalize("NFKD", few)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold().translate(_FOLDS)
