"""Rows as the store gives them: a contact as it is listed, a part of a group; further columns."""

from dataclasses import dataclass
from typing import NamedTuple

from smoc_mcp.proof.windows import Sort, Status, Tick, sort_key
from smoc_mcp.questions.fields import COUNTS, FIELDS, WIRE_FIELDS, Consent, Field
from smoc_mcp.text.times import Moment

__all__ = ["LISTED", "STATUSES", "Cell", "Column", "ContactRow", "GroupRow", "Match", "Position"]

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


@dataclass(frozen=True, slots=True)
class Column:
    """What a list shows of each contact beside what every list shows.

    Attributes:
        name: As answers name it; of an answer as the caller wrote it.
        source: The name of one of `fields.COUNTS`, `FIELDS` or `ANSWERED`.
        question: Of an answer the folded id or words of the question, or those of the field.
    """

    name: str
    source: str
    question: str = ""

    @property
    def is_count(self) -> bool:
        """Whether it is how many a contact has."""
        return self.source in COUNTS

    @property
    def field(self) -> Field | None:
        """The field that it shows; None for a number or an answer."""
        return FIELDS.get(self.source)

    @property
    def wire_fields(self) -> frozenset[str]:
        """The fields of a contact, as the API names them, that it is read from."""
        return frozenset(WIRE_FIELDS[self.source])


class Cell(NamedTuple):
    """One of the values that a contact has in a column.

    Attributes:
        value: As sent, or how many.
        key: Of somebody what tells them apart; otherwise None.
    """

    value: str | int
    key: str | None = None


class GroupRow(NamedTuple):
    """Contacts that share one spelling of each dimension's value, and a status.

    Attributes:
        keys: The folded value of each dimension, a quarter of an hour for a time; None for none.
        values: The value as spelt; None for a time or for none.
        number: What is measured of each of them; None for nothing.
    """

    keys: tuple[str | int | None, ...]
    values: tuple[str | None, ...]
    status: Status
    contacts: int
    number: int | None = None
