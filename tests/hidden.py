"""What a reader cannot see, and what a valid emoji sequence is.

Written down here again from Unicode's tables, so that code and tests cannot share a mistake.
"""

import re
import unicodedata

# Emoji=Yes below U+1F000 that are no letters or digits, and the pictographic planes.
_PICTOGRAPH = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf"
    "\u23e9-\u23f3\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u27bf"
    "\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
)
_ONE_EMOJI = f"[{_PICTOGRAPH}][\U0001f3fb-\U0001f3ff]?\ufe0f?"
ENGLAND, SCOTLAND, WALES = (
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(c)) for c in code) + "\U000e007f"
    for code in ("gbeng", "gbsct", "gbwls")
)
VALID_EMOJI = re.compile(
    f"{ENGLAND}|{SCOTLAND}|{WALES}|[0-9#*]\ufe0f?\u20e3|{_ONE_EMOJI}(?:\u200d{_ONE_EMOJI})*"
)
# Unicode's Default_Ignorable_Code_Point, as far as the general category does not show it.
IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
# Python's tables are older than Unicode's newest letters; these will never be any.
_NO_CHARACTER = re.compile("[\ufdd0-\ufdef\ufffe\uffff\U0010fffe\U0010ffff]")


def hidden_in(text: str) -> list[str]:
    """Return the characters that a reader of the text cannot see."""
    return [
        ascii(char)
        for char in VALID_EMOJI.sub("", text)
        if unicodedata.category(char) in INVISIBLE
        or IGNORABLE.match(char)
        or _NO_CHARACTER.match(char)
    ]
