"""The boundary: cleans, masks and cuts every value on its way out.

Strangers typed the values, and they are personal data. Whatever leaves (both forms of an answer,
resources, prompts, completions, errors, exports, logs) is cleaned (`text.cleaning`), masked where
that is asked for, and cut to size.
"""

from dataclasses import dataclass

from smoc_mcp.settings import Mask
from smoc_mcp.text.cleaning import clean, cut, is_plain, pattern, visible
from smoc_mcp.views.masking import (
    STARS,
    masked_address,
    masked_number,
    without_addresses,
    without_numbers,
)

__all__ = [
    "DETAIL_CHARS",
    "ERROR_CHARS",
    "TABLE_CHARS",
    "Boundary",
    "error_text",
    "spreadsheet_cell",
    "table_cell",
]

TABLE_CHARS = 80
"""The most characters of a value in a table."""
DETAIL_CHARS = 500
"""The most characters of a value in details and exports."""
ERROR_CHARS = 2_000
"""The most characters of an error."""

_LOOKED_AT = 20
"""A value longer than this many times its limit is cut before anything else."""
_LONGEST_ADDRESS = 320
_BEFORE_BAR = r"(\\*)(\||$)"
_SIGN = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
_FORMULA = rf"(?s)^(?=['\"\s]*{_SIGN}|[\t\r])|(?<=.)[;,\t|\n\r]['\"\s]*+(?={_SIGN})"


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
        if not self.mask and len(value) <= limit and is_plain(value):
            return value.strip()
        shown = visible(value[: limit * _LOOKED_AT]).strip()
        if self.mask:
            # Before line breaks are written out: a number can begin where a line does.
            if "email" in self.mask:
                shown = without_addresses(shown)
            if "phone" in self.mask:
                shown = without_numbers(shown)
            if len(value) > limit * _LOOKED_AT:
                # What the first cut may have halved.
                shown = shown[:-_LONGEST_ADDRESS]
        return cut(shown.replace("\n", r"\n"), limit, _length(value, limit))

    def id(self, value: str) -> str:
        """Return what may be shown of a contact's id, by which it can be asked for again.

        It is no one's phone number; one that is an address is masked as addresses are.
        """
        shown = clean(value[: TABLE_CHARS * _LOOKED_AT])
        if "email" in self.mask:
            shown = without_addresses(shown)
        return cut(shown, TABLE_CHARS, _length(value, TABLE_CHARS))

    def email(self, value: str, limit: int = TABLE_CHARS) -> str:
        """Return what may be shown of an e-mail address, such as `a***@example.com`."""
        if "email" not in self.mask:
            return self.text(value, limit)
        shown = clean(value[: limit * _LOOKED_AT])
        return cut(masked_address(shown), limit) if shown else ""

    def phone(self, value: str, limit: int = TABLE_CHARS) -> str:
        """Return what may be shown of a phone number, such as `***67`."""
        if "phone" not in self.mask:
            return self.text(value, limit)
        shown = clean(value[: limit * _LOOKED_AT])
        return masked_number(shown) if shown else ""

    def name(self, value: str, limit: int = TABLE_CHARS) -> str:
        """Return what may be shown of a person's name, such as `A*** L***`."""
        if "name" not in self.mask:
            return self.text(value, limit)
        words = clean(value[: limit * _LOOKED_AT]).split()
        return cut(" ".join(word[:1] + STARS for word in words), limit)


def _length(value: str, limit: int) -> int:
    """Return how many characters a value has that is cut before it is cleaned, otherwise 0."""
    return len(value) if len(value) > limit * _LOOKED_AT else 0


def table_cell(value: str) -> str:
    """Return a value for a table whose cells stand between bars.

    A bar in it has a backslash before it, and the backslashes that stood there are doubled.
    """
    if "|" not in value and not value.endswith("\\"):
        return value
    return pattern(_BEFORE_BAR).sub(lambda found: found[1] * 2 + ("\\|" if found[2] else ""), value)


def spreadsheet_cell(value: str) -> str:
    """Return a value that no spreadsheet runs.

    What begins like a formula has an apostrophe before it, and so has a sign of a formula behind
    what may part cells elsewhere: `;`, `,`, a tab, a bar, a line break.
    """
    return pattern(_FORMULA).sub(r"\g<0>'", value)


def error_text(message: str) -> str:
    """Return an error as it leaves: on one line and not too long."""
    return cut(
        clean(message[: ERROR_CHARS * _LOOKED_AT]),
        ERROR_CHARS - 50,
        _length(message, ERROR_CHARS),
    )
