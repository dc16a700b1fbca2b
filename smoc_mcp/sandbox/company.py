"""A company and its contacts: up to a million, each made up when somebody looks at it."""

from array import array
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum
from itertools import compress, islice
from random import Random
from threading import RLock

from smoc_mcp.sandbox.hostile import Hostility
from smoc_mcp.sandbox.moments import (
    SORT_FIELDS,
    STATUSES,
    Clock,
    History,
    Origin,
    from_wire,
    to_wire,
)
from smoc_mcp.sandbox.orders import MAX_CONTACTS, Order
from smoc_mcp.sandbox.people import Contact, contact

__all__ = ["ABSENT", "Absent", "Company"]

_KEPT_CONTACTS = 2_048
"""How many built contacts are kept: four windows of 500 without building any twice."""

_OTHER_STATUS = len(STATUSES)
_LEAD_CODES = frozenset({STATUSES.index(None), STATUSES.index("1")})
_CUSTOMER_CODE = STATUSES.index("2")


class Absent(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
"""As a field's value: the contact is sent without that field."""


class Company:
    """One company's contacts, the same for the same seed, size and `now`.

    Args:
        name: what logs and controls call it.
        seed: decides who its contacts are.
        size: how many it has to begin with, at most 1,000,000, created in two years before `now`.
        now: the company's time to begin with (a datetime, or seconds since 1970); the wall
            clock's by default. Afterwards its clock runs with the wall clock.
        operator_id: the company's id, as each contact bears it.
        clock: what it runs with instead, in seconds since 1970; never followed backwards.
        hostile: the share of contacts with hostile text in some fields, or "everywhere" for
            hostile text in every field of every contact.

    All methods may be called from any thread.
    """

    def __init__(
        self,
        name: str,
        seed: int = 1,
        size: int = 0,
        now: datetime | float | None = None,
        *,
        operator_id: str = "10",
        clock: Callable[[], float] | None = None,
        hostile: Hostility = 0.01,
    ) -> None:
        if not 0 <= size <= 1_000_000:
            raise ValueError("a company has 0 to 1,000,000 contacts")
        start = now.timestamp() if isinstance(now, datetime) else now
        self.name = name
        self.operator_id = operator_id
        self.revision = 0
        """Grows with each change; two equal revisions answer the same."""
        self._seed = seed
        self._hostile = hostile
        self._clock = Clock(start, clock)
        self.lock = RLock()
        """Held while a page is computed; whoever holds it sees one moment."""
        self._rng = Random(f"company {seed}")
        # The middle of an ObjectId is random, but one for each process that makes ids.
        self._id_middle = f"{self._rng.getrandbits(40):010x}"
        begin = self._clock.now() if start is None else int(start * 1000)
        self._history = History.made_up(self._rng, size, begin)
        self._alive = bytearray(b"\x01") * size
        self._size = size
        self._leads = sum(self._history.status.count(code) for code in _LEAD_CODES)
        self._customers = self._history.status.count(_CUSTOMER_CODE)
        self._orders: dict[str, Order] = {}
        # Only contacts that are not as they were made up have entries in these.
        self._fields: dict[int, dict[str, object]] = {}
        self._origins: dict[int, Origin] = {}
        self._rows: dict[str, int] = {}
        self._built: dict[int, Contact] = {}

    def __len__(self) -> int:
        return self._size

    def __repr__(self) -> str:
        return f"Company({self.name!r}, {self._size} contacts)"

    @property
    def leads_count(self) -> int:
        """How many contacts have status "1" or none."""
        return self._leads

    @property
    def customer_count(self) -> int:
        """How many contacts have status "2"."""
        return self._customers

    def now(self) -> float:
        """Return the company's time in seconds since 1970."""
        with self.lock:
            return self._clock.now() / 1000

    def advance(self, seconds: float) -> None:
        """Move the company's clock on.

        Raises:
            ValueError: `seconds` is negative.
        """
        with self.lock:
            self._clock.advance(seconds)

    # Reading

    def page(self, sort_field: str | None, limit: int) -> list[Contact]:
        """Return the first `limit` contacts of a sort order, as the API sends them.

        The order is descending by `sort_field`, null and absent last; None is insertion order.
        The dicts are shared between pages: copy one before changing it.

        Raises:
            ValueError: there is no such sort field.
        """
        with self.lock:
            return [self._contact(row) for row in self._page_rows(sort_field, limit)]

    def contacts(self) -> Iterator[Contact]:
        """Yield every contact in insertion order: the truth that answers are compared with."""
        row = 0
        while row < len(self._alive):
            with self.lock:
                found = self._build(row) if self._alive[row] else None
            if found is not None:
                yield found
            row += 1

    def get(self, contact_id: str) -> Contact | None:
        """Return one contact, None if there is none of that id."""
        with self.lock:
            row = self._find_row(contact_id)
            return None if row is None else self._contact(row)

    def sample(self, count: int) -> list[str]:
        """Return the ids of `count` different contacts, or of all if there are fewer."""
        with self.lock:
            rows = list(self._alive_rows())
            return [self._id(row) for row in self._rng.sample(rows, min(count, len(rows)))]

    def ids_only_in_natural_window(self, limit: int = 500) -> list[str]:
        """Return ids within the first `limit` in natural order but in no sorted window."""
        with self.lock:
            sorted_rows = {row for field in SORT_FIELDS for row in self._page_rows(field, limit)}
            natural = self._page_rows(None, limit)
            return [self._id(row) for row in natural if row not in sorted_rows]

    # Changing

    def add(self, count: int = 1, **fields: object) -> list[str]:
        """Add contacts created now, each a millisecond or more after the last; return their ids.

        Contacts of one time are had with `createdAt`.

        Args:
            count: how many.
            fields: values by their names on the wire that override what is made up; `ABSENT`
                leaves the field out. Times may lie in the past.

        Raises:
            ValueError: the id is taken, a time is unreadable or before createdAt, or the company
                is full.
        """
        with self.lock:
            self._check_new(count, fields)
            return [self._add(dict(fields)) for _ in range(count)]

    def update(self, contact_id: str, /, **fields: object) -> None:
        """Set fields of a contact, by their names on the wire, and its updatedAt to now.

        Raises:
            KeyError: there is no such contact.
            ValueError: id or createdAt would change, or another time would go back.
        """
        with self.lock:
            row = self._row(contact_id)
            if not fields.keys().isdisjoint({"id", "createdAt"}):
                raise ValueError("a contact's id and createdAt never change")
            current = self._history.updated[row]
            fields.setdefault("updatedAt", to_wire(max(current, self._clock.tick())))
            for name in ("updatedAt", "lastConversationDate"):
                if name in fields and _time(fields[name]) < self._times(name)[row]:
                    raise ValueError(f"{name} only grows")
            self._origins.setdefault(row, self._history.origin(row))
            self._set(row, fields)

    def talk(self, contact_id: str, /, **fields: object) -> None:
        """Update a contact that was just talked to: lastConversationDate becomes now as well.

        Raises:
            KeyError: there is no such contact.
            ValueError: as `update`.
        """
        with self.lock:
            row, now = self._row(contact_id), self._clock.tick()
            for name in ("updatedAt", "lastConversationDate"):
                fields.setdefault(name, to_wire(max(self._times(name)[row], now)))
            self.update(contact_id, **fields)

    def delete(self, contact_id: str) -> None:
        """Remove a contact; its id is never used again.

        Raises:
            KeyError: there is no such contact.
        """
        with self.lock:
            row = self._row(contact_id)
            for name, order in self._orders.items():
                order.remove(self._times(name)[row], row)
            self._alive[row] = 0
            self._count(row, -1)
            self._size -= 1
            self._fields.pop(row, None)
            self._origins.pop(row, None)
            self._changed(row)

    # Inside: rows are places in the history, in insertion order, and are never reused.

    def _alive_rows(self) -> Iterator[int]:
        return compress(range(len(self._alive)), self._alive)

    def _page_rows(self, sort_field: str | None, limit: int) -> list[int]:
        if sort_field is None:
            return list(islice(self._alive_rows(), limit))
        return self._order(sort_field).newest(limit)

    def _order(self, sort_field: str) -> Order:
        if sort_field not in SORT_FIELDS:
            raise ValueError(f"no such sort field: {sort_field!r}")
        if sort_field not in self._orders:
            times = self._times(sort_field)
            entries = ((times[row], row) for row in self._alive_rows())
            self._orders[sort_field] = Order(entries, salt=int(self._id_middle, 16))
        return self._orders[sort_field]

    def _times(self, field: str) -> "array[int]":
        history = self._history
        if field == "createdAt":
            return history.created
        return history.updated if field == "updatedAt" else history.conversation

    def _id(self, row: int) -> str:
        own = self._fields.get(row, {}).get("id")
        if isinstance(own, str):
            return own
        origin = self._origins.get(row)
        created = self._history.created[row] if origin is None else origin.created
        return f"{created // 1000:08x}{self._id_middle}{row:06x}"

    def _find_row(self, contact_id: str) -> int | None:
        row = self._rows.get(contact_id)
        if row is None:
            try:
                row = int(contact_id[18:], 16)
            except ValueError:
                return None
        if not 0 <= row < len(self._alive) or not self._alive[row]:
            return None
        return row if self._id(row) == contact_id else None

    def _row(self, contact_id: str) -> int:
        row = self._find_row(contact_id)
        if row is None:
            raise KeyError(f"{self.name} has no contact {contact_id!r}")
        return row

    def _contact(self, row: int) -> Contact:
        found = self._built.get(row)
        if found is None:
            if len(self._built) >= _KEPT_CONTACTS:
                self._built.clear()
            found = self._built[row] = self._build(row)
        return found

    def _build(self, row: int) -> Contact:
        origin = self._origins.get(row) or self._history.origin(row)
        found = contact(self._seed, row, origin, self.operator_id, self._hostile)
        found["id"] = self._id(row)
        for name, value in self._fields.get(row, {}).items():
            if value is ABSENT:
                found.pop(name, None)
            else:
                found[name] = value
        return found

    def _check_new(self, count: int, fields: dict[str, object]) -> None:
        if len(self._history) + count > MAX_CONTACTS:
            raise ValueError(f"a company has room for {MAX_CONTACTS:,} contacts")
        if "id" in fields:
            own = fields["id"]
            if not isinstance(own, str) or own in self._rows or self._find_row(own) is not None:
                raise ValueError(f"an id is text that no contact ever had, not {own!r}")
            if count != 1:
                raise ValueError("one id cannot be given to several contacts")
        created = _time(fields["createdAt"]) if "createdAt" in fields else self._clock.now()
        for name in ("updatedAt", "lastConversationDate"):
            if 0 < _time(fields.get(name)) < created:
                raise ValueError(f"{name} is not before createdAt")

    def _add(self, fields: dict[str, object]) -> str:
        row = len(self._history)
        now = self._clock.tick()
        talked = now if self._rng.random() < 0.6 else 0
        status = STATUSES.index("1" if self._rng.random() < 0.85 else None)
        origin = Origin(now, now, talked, status)
        if "createdAt" in fields:
            fields.setdefault("updatedAt", fields["createdAt"])
            fields.setdefault("lastConversationDate", fields["createdAt"] if talked else None)
        self._history.append(origin)
        self._alive.append(1)
        self._size += 1
        self._count(row, +1)
        for name, order in self._orders.items():
            order.add(self._times(name)[row], row)
        if fields:
            self._origins[row] = origin
            self._set(row, fields)
        if isinstance(fields.get("id"), str):
            self._rows[str(fields["id"])] = row
        self._changed(row)
        return self._id(row)

    def _set(self, row: int, fields: dict[str, object]) -> None:
        for name in SORT_FIELDS:
            if name in fields:
                self._move(row, name, _time(fields[name]))
                fields[name] = _as_sent(fields[name])
        if "status" in fields:
            self._count(row, -1)
            self._history.status[row] = _status_code(fields["status"])
            self._count(row, +1)
        self._fields.setdefault(row, {}).update(fields)
        self._changed(row)

    def _move(self, row: int, field: str, ms: int) -> None:
        times = self._times(field)
        order = self._orders.get(field)
        if order is not None:
            order.remove(times[row], row)
            order.add(ms, row)
        times[row] = ms

    def _count(self, row: int, step: int) -> None:
        code = self._history.status[row]
        if code in _LEAD_CODES:
            self._leads += step
        elif code == _CUSTOMER_CODE:
            self._customers += step

    def _changed(self, row: int) -> None:
        self._built.pop(row, None)
        self.revision += 1


def _time(value: object) -> int:
    return 0 if value is ABSENT else from_wire(value)


def _as_sent(value: object) -> object:
    return to_wire(from_wire(value)) if isinstance(value, datetime) else value


def _status_code(value: object) -> int:
    if value is ABSENT:
        value = None
    for code, status in enumerate(STATUSES):
        if status == value:
            return code
    return _OTHER_STATUS
