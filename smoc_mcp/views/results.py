"""The types of what the tools return as structured content: the public contract.

Keys without a value are left out. Times are ISO 8601; `certainty` is what is proven of the rows,
`total_certainty` of the count, `as_of` the moment of which that is true. `remembered` is how many
more matched when they were last seen; they may be gone by now.
"""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from smoc_mcp.proof.part import Mean, Share

__all__ = [
    "CertaintyWord",
    "ChangesResult",
    "CompanyResult",
    "Compared",
    "ContactResult",
    "ContactSummary",
    "DashboardResult",
    "DuplicateGroupResult",
    "DuplicatesResult",
    "FoundContact",
    "GroupResult",
    "MatchesResult",
    "PageResult",
    "Shares",
    "StatisticsResult",
    "StatusNumbers",
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


class FoundContact(ContactSummary, total=False):
    """A contact of a list that has further columns, or is in order of engagement.

    `reasons` has one for each point; `columns` a value by the name of each column, an int for a
    number, and none where there is nothing.
    """

    reasons: str
    columns: dict[str, Any]


class CompanyResult(TypedDict, total=False):
    """The API's own counts, and how many contacts are in hand: always all four.

    That they are required would be said once a tool, and definitions have a budget.
    """

    leads: int
    customers: int
    at_least: int
    in_hand: int


class _Answer(TypedDict, total=False):
    company: CompanyResult
    as_of: str
    remembered: int
    note: str


class PageResult(_Answer, total=False):
    """Of contacts_list and contacts_search."""

    contacts: list[FoundContact]
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


class DuplicateGroupResult(TypedDict, total=False):
    """Contacts that may be the same person, the newest first, and what shows it in words.

    They have some of the fields of a `ContactSummary`: the definitions of all tools have a budget,
    and these are in it three times already.
    """

    evidence: str
    contacts: list[dict[str, str]]


class DuplicatesResult(_Answer, total=False):
    """Of contacts_duplicates: `total` and `remembered` count groups, `by` is what was compared.

    Where they are not all proven, no two are missing who were both created since `proven_since`,
    or are both of `proven_statuses`.
    """

    by: str
    groups: list[DuplicateGroupResult]
    certainty: CertaintyWord
    total: int
    proven_since: str
    proven_statuses: list[str]
    next_cursor: str


class ContactResult(TypedDict, total=False):
    """Of contacts_get."""

    contact: dict[str, Any]
    as_of: str
    next_cursor: str
    note: str


class StatusNumbers(TypedDict, total=False):
    """How many are of each status that was asked for; unknown is one that SMOC does not name."""

    leads: int
    customers: int
    lost: int
    converted: int
    unknown: int


class Shares(TypedDict, total=False):
    """Shares of contacts from 0 to 1; there is none of nobody."""

    share: Share
    customer_share: Share
    converted_share: Share


class Compared(TypedDict, total=False):
    """What is measured of contacts, and how many they were in the period before.

    `average` and `median` are of those of whom there is something to measure: `measured` says how
    many, where it is not all. `change` is contacts less previous; `change_share` is of previous.
    """

    average: Mean
    median: Mean
    measured: int
    previous: int
    change: int
    change_share: Share


class GroupResult(StatusNumbers, Shares, Compared):
    """One group.

    `share` is of the contacts that are grouped; `customer_share` of the group's own, and
    `converted_share` counts customers and converted together: neither where not all statuses were
    asked for. Without a proof of all of them there are no shares. `certainty` is that of one group,
    where it is not that of all; `partial` marks a period that is cut, or still runs.
    """

    key: dict[str, str]
    contacts: int
    partial: NotRequired[bool]
    certainty: NotRequired[CertaintyWord]


class StatisticsResult(_Answer, StatusNumbers, Compared, total=False):
    """Of contacts_stats: numbers of what matches; those of the company are in `company`.

    `groups` are of `grouped` contacts, and `groups_certainty` is what is proven of them. They are
    of a part where there is `proven_since` (those created since then, or with `proven_by`
    conversation those last talked to) or `proven_statuses` (those
    of these statuses). With `scope` in_hand nothing is proven of them.
    """

    total: int
    total_certainty: CertaintyWord
    status_certainty: CertaintyWord
    groups: list[GroupResult]
    grouped: int
    groups_certainty: CertaintyWord
    proven_since: str
    proven_by: Literal["conversation"]
    proven_statuses: list[str]
    scope: Literal["in_hand"]


class DashboardResult(TypedDict, total=False):
    """Of contacts_dashboard: several answers of one moment.

    `numbers`, `trend` and `groups` are each a `StatisticsResult`, `newest` is a `PageResult`, all
    without the company, which stands here. `unit` is what the trend is grouped by. With `cursor`
    contacts_changes tells what is new since. `failure` is why SMOC could not be asked: then it is
    what was known before.
    """

    numbers: dict[str, Any]
    unit: str
    trend: dict[str, Any]
    group_by: str
    groups: dict[str, Any]
    newest: dict[str, Any]
    cursor: str
    failure: str
    company: CompanyResult
    as_of: str
    note: str


class ChangesResult(TypedDict, total=False):
    """Of contacts_changes."""

    new: list[ContactSummary]
    updated: list[ContactSummary]
    more: bool
    certainty: CertaintyWord
    cursor: str
    company: CompanyResult
    as_of: str
    note: str
