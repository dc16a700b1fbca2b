"""A window, and what of a contact a proof needs. Pure.

A *window* is one answer of the API: at one moment, the newest contacts by one sort order. Fewer
contacts than asked for are the whole company: the window is *complete*. A full sorted window has
an *edge*, the sort key of its last contact: every contact whose key is strictly newer is in it.
What is assumed of the API: null keys sort last, createdAt never changes, updatedAt and
lastConversationDate only grow.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from smoc_mcp.text.times import Moment

__all__ = [
    "ABSENT",
    "COUNTED",
    "Counts",
    "Keys",
    "Sort",
    "Status",
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
_NOT_COUNTED = frozenset({Status.LOST, Status.CONVERTED})


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


@dataclass(frozen=True, slots=True)
class Window:
    """One answer of the API.

    Attributes:
        sort: The order it was asked for in.
        sent: When we asked; it is true of some moment between this and `received`.
        received: When we had it.
        rows: The contacts, by id.
        counts: The counts that came with it.
        complete: It is the whole company.
        edge: Every contact whose key is strictly newer is in it; ABSENT if every dated contact
            is; None if nothing is known (natural order, or a key that could not be read).
        unread: The wire names of fields that could not be read in some of its contacts.
        others: How many of its contacts surely are neither lead nor customer.
    """

    sort: Sort
    sent: Moment
    received: Moment
    rows: Mapping[str, Keys]
    counts: Counts
    complete: bool
    edge: Moment | None
    unread: frozenset[str] = frozenset()
    others: int = field(init=False)

    def __post_init__(self) -> None:
        """Count once what every total asks for."""
        others = sum(keys.status in _NOT_COUNTED for keys in self.rows.values())
        object.__setattr__(self, "others", others)

    def covers(self, keys: Keys) -> bool:
        """Say whether a contact with these keys would be in it."""
        return self.complete or (self.edge is not None and sort_key(keys, self.sort) > self.edge)

    def overlaps(self, other: "Window") -> bool:
        """Say whether nobody can tell which of the two was true first."""
        return self.sent <= other.received and other.sent <= self.received
