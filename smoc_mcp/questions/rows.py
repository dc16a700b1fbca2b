"""Rows as the store gives them: a contact as it is listed, a part of a group."""

from dataclasses import dataclass
from typing import NamedTuple

from smoc_mcp.proof.windows import Sort, Status, Tick, sort_key
from smoc_mcp.questions.fields import WIRE_FIELDS, Consent
from smoc_mcp.text.times import Moment

__all__ = ["LISTED", "STATUSES", "ContactRow", "GroupRow", "Match", "Position"]

LISTED = (
    *("id", "name", "email", "phone", "company", "city", "country", "status"),
    *("created", "updated", "conversation", "utm_source", "utm_medium", "utm_campaign", "seen_at"),
    *("known", "added", "revision", "accepted_communication", "unread"),
)
"""The columns of a `ContactRow`, but for its rank; in the order of its fields."""
STATUSES = {status.value: status for status in Status}
"""Each status by how it is stored."""
_CONSENT = frozenset(WIRE_FIELDS["accepted_communication"])


class Position(NamedTuple):
    """Where a page ended: the sort keys of its last row."""

    rank: int
    key: int
    id: str


class Match(NamedTuple):
    """A field in which a contact holds a word that was looked for.

    Attributes:
        field: One of `search.FIELDS`.
        what: What its text is: street, the key of a custom field, the question of an answer.
        text: The text, as sent.
        word: The folded word or number.
    """

    field: str
    what: str
    text: str
    word: str


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact as it is listed. Times are moments, ABSENT where it has none.

    Attributes:
        seen_at: When it was last seen.
        known: The tick at which it was seen first.
        added: The tick at which it was new; 0 where it was old when it was first seen.
        revision: The tick at which it was new or changed.
        accepted_communication: What it answered, yes or no; None for neither.
        unread: The fields that could not be read, as the API names them.
        matched: Where a search found it, each field once; nothing for its name alone.
        likeness: In which way its address is like the one that was looked for; empty for none.
    """

    id: str
    name: str | None
    email: str | None
    phone: str | None
    company: str | None
    city: str | None
    country: str | None
    status: Status
    created: Moment
    updated: Moment
    conversation: Moment
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None
    seen_at: Moment
    known: Tick
    added: Tick
    revision: Tick
    accepted_communication: str | None = None
    unread: frozenset[str] = frozenset()
    rank: int = 0
    matched: tuple[Match, ...] = ()
    likeness: str = ""

    @property
    def consent(self) -> Consent | None:
        """Whether it may be written to; None where that could not be read."""
        if _CONSENT & self.unread:
            return None
        return Consent(self.accepted_communication or Consent.UNASKED)

    def position(self, sort: Sort) -> Position:
        """Return where a page that ends with it goes on."""
        return Position(self.rank, sort_key(self, sort), self.id)


class GroupRow(NamedTuple):
    """Contacts that share one spelling of each dimension's value, and a status.

    Attributes:
        keys: The folded value of each dimension, a quarter of an hour for a time; None for none.
        values: The value as spelt; None for a time or for none.
    """

    keys: tuple[str | int | None, ...]
    values: tuple[str | None, ...]
    status: Status
    contacts: int
