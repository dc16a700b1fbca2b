"""The types of what the tools return as structured content: the public contract.

Keys without a value are left out. Times are ISO 8601; `certainty` is what is proven of the rows,
`total_certainty` of the count, `as_of` the moment of which that is true.
"""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

__all__ = [
    "CertaintyWord",
    "ChangesResult",
    "CompanyResult",
    "ContactResult",
    "ContactSummary",
    "GroupResult",
    "MatchesResult",
    "PageResult",
    "StatisticsResult",
]

CertaintyWord = Literal["exact", "exact_unless_deleted", "at_least"]


class ContactSummary(TypedDict, total=False):
    """A contact as it is listed."""

    id: str
    name: str
    email: str
    phone: str
    company: str
    city: str
    country: str
    status: str
    consent: str
    created: str
    updated: str
    last_conversation: str
    source: str
    last_verified: str
    matched: str


class CompanyResult(TypedDict):
    """The API's own counts, and how many contacts are in hand."""

    leads: int
    customers: int
    at_least: int
    in_hand: int


class _Answer(TypedDict, total=False):
    company: CompanyResult
    as_of: str
    note: str


class PageResult(_Answer, total=False):
    """Of contacts_list and contacts_search."""

    contacts: list[ContactSummary]
    certainty: CertaintyWord
    total: int
    total_certainty: CertaintyWord
    next_cursor: str


class MatchesResult(_Answer, total=False):
    """Of contacts_find_by_email."""

    matches: list[ContactSummary]
    certainty: CertaintyWord
    searched: int
    similar: list[ContactSummary]


class ContactResult(TypedDict, total=False):
    """Of contacts_get."""

    contact: dict[str, Any]
    as_of: str
    next_cursor: str
    note: str


class GroupResult(TypedDict):
    """One group; shares are 0 to 1, of the total and of customers among the group's contacts.

    There is no share where groups are counted in different ways, some by SMOC, some in hand.
    `certainty` is that of a trend's period, where it is not the same for all.
    """

    key: dict[str, str]
    contacts: int
    leads: int
    customers: int
    share: NotRequired[float]
    customer_share: float
    certainty: NotRequired[CertaintyWord]


class StatisticsResult(_Answer, total=False):
    """Of contacts_stats."""

    leads: int
    customers: int
    total: int
    groups: list[GroupResult]
    certainty: CertaintyWord


class ChangesResult(TypedDict, total=False):
    """Of contacts_changes."""

    new: list[ContactSummary]
    updated: list[ContactSummary]
    certainty: CertaintyWord
    cursor: str
    as_of: str
    note: str
