"""A window, and what of a contact a proof needs. Pure.

A *window* is one answer of the API: at one moment, the newest contacts by one sort order. Fewer
contacts than asked for are the whole company: the window is *complete*. A full sorted window has
an *edge*, the sort key of its last contact: every contact whose key is strictly newer is in it.
What is assumed of the API: null keys sort last; createdAt never changes; updatedAt and
lastConversationDate only grow, but for times that lie ahead of the API's clock (a bad clock, an
import), which fall back to the present at the next change; a contact becomes visible at most
`LATE` after the time that it bears.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from smoc_mcp.text.times import Moment, whole_second_after

__all__ = [
    "ABSENT",
    "COUNTED",
    "LATE",
    "NOT_COUNTED",
    "Counts",
    "Keys",
    "Sort",
    "Status",
    "Tick",
    "Timed",
    "Window",
    "sort_key",
]

ABSENT: Moment = -(2**62)
"""The sort key of a contact without this time: older than every moment, as the API sorts null."""


class Sort(StrEnum):
    """The orders in which the API sends contacts; all but `natural` are newest first."""

    CREATED = "created"
    UPDATED = "updated"
    CONVERSATION = "conversation"
    NATURAL = "natural"


class Status(StrEnum):
    """A contact's lifecycle status; `unknown` is one that the API's guide does not name."""

    LEAD = "lead"
    CUSTOMER = "customer"
    LOST = "lost"
    CONVERTED = "converted"
    UNKNOWN = "unknown"


COUNTED = frozenset({Status.LEAD, Status.CUSTOMER})
"""The statuses that the API itself counts, over the whole company."""
NOT_COUNTED = frozenset({Status.LOST, Status.CONVERTED})
"""The statuses that are surely none of those."""


class Timed(Protocol):
    """What has the times of a contact, ABSENT where there is none."""

    @property
    def created(self) -> Moment:
        """When it was created."""

    @property
    def updated(self) -> Moment:
        """When it last changed."""

    @property
    def conversation(self) -> Moment:
        """When it last talked."""


def sort_key(contact: Timed, sort: Sort) -> Moment:
    """Return the key of a contact in a sort order; ABSENT for `natural`."""
    match sort:
        case Sort.CREATED:
            return contact.created
        case Sort.UPDATED:
            return contact.updated
        case Sort.CONVERSATION:
            return contact.conversation
        case Sort.NATURAL:
            return ABSENT


class Keys(NamedTuple):
    """What a proof needs of one contact."""

    created: Moment
    updated: Moment
    conversation: Moment
    status: Status
    digest: bytes


class Counts(NamedTuple):
    """The API's own counts over the whole company."""

    leads: int
    customers: int

    def of(self, statuses: Iterable[Status]) -> int:
        """Return how many contacts of these counted statuses there are."""
        return sum(self.leads if s is Status.LEAD else self.customers for s in statuses)


Tick = int
"""A place in the order in which a store learnt things: it grows with every window taken in.

What was sent at a tick was sent after everything of that tick and below was known. No clock tells
this order, for a clock can be set.
"""

LATE: Moment = 60 * 1_000_000
"""A contact may become visible so long after the time that it bears."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One answer of the API.

    Attributes:
        sort: The order it was asked for in.
        sent: What the store had learnt when we asked.
        received: The tick at which the store took it in; 0 before that.
        as_of: When we asked, by the wall clock. It is true of some moment between this and its
            arrival.
        arrived: When it came, by the clock that only goes on.
        api_now: The API's own clock when it answered, as far as it is told; a contact's time may
            lie ahead of it.
        rows: The contacts, by id.
        counts: The counts that came with it.
        complete: It is the whole company.
        full: It has as many contacts as were asked for.
        edge: Every contact whose key is strictly newer is in it; ABSENT if every dated contact
            is; None if nothing is known (natural order, or a key that could not be read).
        stale: A cache answered: it is true of an earlier moment, and proves nothing.
        lacks: It may lack some who are stored with a newer key than its edge, for the key lay
            ahead when they were seen: who is not in it is none of those that it is a proof of.
        unread: In how many of its contacts a field could not be read, by its wire name; `entry`
            stands for what is no contact at all.
    """

    sort: Sort
    sent: Tick
    received: Tick = 0
    as_of: Moment
    arrived: Moment
    api_now: Moment
    rows: Mapping[str, Keys]
    counts: Counts
    complete: bool = False
    full: bool = True
    edge: Moment | None
    stale: bool = False
    lacks: bool = False
    unread: Mapping[str, int] = field(default_factory=dict)
    _numbers: Counter[Status] = field(init=False)

    def __post_init__(self) -> None:
        """Count once what every total asks for."""
        object.__setattr__(self, "_numbers", Counter(k.status for k in self.rows.values()))

    def number_of(self, statuses: Iterable[Status]) -> int:
        """Return how many of its contacts are of some statuses."""
        return sum(self._numbers[status] for status in statuses)

    @property
    def all_since(self) -> Moment | None:
        """Since which whole second whoever has a key is in it; None for everybody, or nobody."""
        if self.complete or self.edge is None or self.edge <= ABSENT:
            return None
        return whole_second_after(self.edge)

    @property
    def top(self) -> Moment:
        """Up to where a later window need not reach: whoever is older was visible in this one.

        It is the newest time that does not lie ahead, or the latest that may still become visible;
        ABSENT where all times lie ahead, or there are none.
        """
        present = (sort_key(k, self.sort) for k in self.rows.values())
        newest = max((key for key in present if key <= self.api_now), default=ABSENT)
        return min(newest, self.api_now - LATE)

    def covers(self, keys: Keys) -> bool:
        """Say whether a contact with these keys would be in it."""
        return self.complete or (self.edge is not None and sort_key(keys, self.sort) > self.edge)

    def overlaps(self, other: "Window") -> bool:
        """Say whether nobody can tell which of the two was true first."""
        return self.sent < other.received and other.sent < self.received
