"""The boundary: cleans, masks and cuts every value on its way out.

Strangers typed the values, and they are personal data. Whatever leaves (both forms of an answer,
resources, prompts, completions, errors, exports, logs) is cleaned (`text.cleaning`), masked where
that is asked for, and cut to size.
"""

from dataclasses import dataclass

from smoc_mcp.settings import Mask
from smoc_mcp.text.cleaning import clean, cut, is_plain, pattern, visible

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
        if not self.mask and len(value) <= limit and is_plain(value):
            return value.strip()
        shown = visible(value).strip()
        if self.mask:
            # Before line breaks are written out: a number can begin where a line does.
            if "email" in self.mask:
                shown = pattern(_ADDRESS).sub(lambda found: _masked_email(found[0]), shown)
            if "phone" in self.mask:
                shown = pattern(_NUMBER).sub(lambda found: _masked_phone(found[0]), shown)
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


def table_cell(value: str) -> str:
    """Return a value for a table whose cells stand between bars.

    A bar in it has a backslash before it, and the backslashes that stood there are doubled.
    """
    if "|" not in value and not value.endswith("\\"):
        return value
    return pattern(_BEFORE_BAR).sub(lambda found: found[1] * 2 + ("\\|" if found[2] else ""), value)


def spreadsheet_cell(value: str) -> str:
    """Return a value that no spreadsheet runs: what begins like a formula becomes a text."""
    return f"'{value}" if value.startswith(_FORMULA) else value


def error_text(message: str) -> str:
    """Return an error as it leaves: on one line and not too long."""
    return cut(clean(message), ERROR_CHARS - 50)


def _masked_email(address: str) -> str:
    local, at, domain = pattern(_AT).sub("@", address).rpartition("@")
    kept = pattern(_DOMAIN).match(domain)
    return f"{local[:1]}{_STARS}{at}{kept[0] if kept else ''}" if at else _STARS


def _masked_phone(number: str) -> str:
    return f"{_STARS}{number[-2:]}" if len(number) > 4 else _STARS
