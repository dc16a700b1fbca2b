"""The question of the dashboard: what of a filter's contacts is looked at together. Pure."""

from dataclasses import dataclass

from smoc_mcp.errors import InputError
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.dimensions import DIMENSIONS, Count, Dimension, parse_group_by
from smoc_mcp.questions.filters import ContactFilter, Listing

__all__ = ["UNITS", "Look", "parse_grouping"]

UNITS = {"created_month": 24, "created_week": 26, "created_day": 31}
"""The periods of which a trend may be, the longest first, and how many are shown at most."""
_GROUPS = 8
_NEWEST = 5


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at.

    Attributes:
        wanted: Which contacts.
        by: What they are grouped by.
    """

    wanted: ContactFilter
    by: Dimension

    @property
    def numbers(self) -> Count:
        """How many they are."""
        return Count(wanted=self.wanted)

    def trend(self, unit: str) -> Count:
        """How many came in each period of `UNITS`."""
        return Count(wanted=self.wanted, dimensions=(DIMENSIONS[unit],), limit=UNITS[unit])

    @property
    def groups(self) -> Count:
        """How they divide."""
        return Count(wanted=self.wanted, dimensions=(self.by,), limit=_GROUPS)

    @property
    def newest(self) -> Listing:
        """Who came last."""
        return Listing(wanted=self.wanted, sort=Sort.CREATED, limit=_NEWEST)


def parse_grouping(text: str) -> Dimension:
    """Return the one dimension of a text.

    Raises:
        InputError: It is unknown, or there are several or none.
    """
    dimensions = parse_group_by(text)
    if len(dimensions) != 1:
        raise InputError(
            "group_by takes one dimension here, such as utm_campaign; contacts_stats takes two."
        )
    return dimensions[0]
