"""Times as the company keeps them (milliseconds since 1970) and as the API writes them."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from time import monotonic, time

from smoc_mcp.sandbox.chance import Weighted

__all__ = ["DAY", "SORT_FIELDS", "STATUSES", "Clock", "History", "Origin", "from_wire", "to_wire"]

DAY = 86_400_000
"""Milliseconds in a day."""

SORT_FIELDS = ("createdAt", "updatedAt", "lastConversationDate")
"""The fields that a page can be sorted by."""

SPAN = 730 * DAY
"""How far back a made-up company's contacts reach."""

STATUSES: tuple[str | None, ...] = (None, "1", "2", "3", "4")
"""What the guide knows; a company keeps the place in this tuple, one byte a contact."""

_STATUS_CODES = Weighted((1, 0.5), (2, 0.21), (0, 0.12), (3, 0.1), (4, 0.07))


def to_wire(ms: int) -> str:
    """Return `ms` since 1970 in the API's form, such as `2025-03-15T10:22:00.000Z`."""
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_wire(value: object) -> int:
    """Return a time in ms since 1970; 0 for none.

    Raises:
        ValueError: it is neither ISO-8601 text nor a datetime.
    """
    if value is None:
        return 0
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        raise ValueError(  # noqa: TRY004 - callers treat it as any other bad time
            f"a time is ISO-8601 text, a datetime or None, not {value!r}"
        )
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


class Clock:
    """A clock that never goes back, can be moved on, and moves on by itself at each write.

    It starts at `start` (seconds since 1970; now, if None) and runs with the wall clock, or with
    `source`, which is not followed to before `start`.
    """

    def __init__(
        self, start: float | None = None, source: Callable[[], float] | None = None
    ) -> None:
        self._advanced = 0.0
        self._ahead = 0
        self._written = 0
        self._latest = 0.0 if start is None else start
        if source is None:
            origin = monotonic()
            first = time() if start is None else start
            self._source: Callable[[], float] = lambda: first + monotonic() - origin
        else:
            self._source = source

    def now(self) -> int:
        """Return the time in ms since 1970."""
        self._latest = max(self._latest, self._source())
        return int((self._latest + self._advanced) * 1000) + self._ahead

    def tick(self) -> int:
        """Return the time of a write in ms since 1970, later than that of every write before.

        Where two writes come within one millisecond, the clock moves on to the next: times that
        are equal by chance would make what is computed from them differ from run to run.
        """
        now = self.now()
        if now <= self._written:
            self._ahead += self._written + 1 - now
            now = self._written + 1
        self._written = now
        return now

    def advance(self, seconds: float) -> None:
        """Move the clock on.

        Raises:
            ValueError: `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError("a company's clock never goes back")
        self._advanced += seconds


@dataclass(frozen=True, slots=True)
class Origin:
    """A contact's times (ms; 0 for none) and status code when it was made up.

    All that is made up about the contact follows from them, so they are kept when it changes.
    """

    created: int
    updated: int
    conversation: int
    status: int


class History:
    """The times and statuses of all contacts a company ever had, 25 bytes each."""

    def __init__(self) -> None:
        self.created = array("q")
        self.updated = array("q")
        self.conversation = array("q")
        self.status = bytearray()

    def __len__(self) -> int:
        return len(self.created)

    def append(self, origin: Origin) -> None:
        """Add one contact's."""
        self.created.append(origin.created)
        self.updated.append(origin.updated)
        self.conversation.append(origin.conversation)
        self.status.append(origin.status)

    def origin(self, row: int) -> Origin:
        """Return one contact's."""
        return Origin(
            self.created[row], self.updated[row], self.conversation[row], self.status[row]
        )

    @classmethod
    def made_up(cls, rng: Random, size: int, now: int) -> "History":
        """Return two years of contacts before `now`, oldest first, denser lately.

        About a hundredth are created in the same millisecond as the one before, as imports do.
        """
        history = cls()
        draw = rng.random
        created = sorted(now - int(SPAN * draw() ** 1.6) for _ in range(size))
        for row in range(1, size):
            if draw() < 0.01:
                created[row] = created[row - 1]
        history.created = array("q", created)
        # A quarter was never touched again; the others mostly not long after they came.
        history.updated = array(
            "q", [at if draw() < 0.25 else at + int((now - at) * draw() ** 3) for at in created]
        )
        # Whoever was talked to was also updated then.
        history.conversation = array(
            "q",
            [
                0 if draw() < 0.35 else at + int((changed - at) * (1.0 - draw() ** 2))
                for at, changed in zip(created, history.updated, strict=True)
            ],
        )
        history.status = bytearray(_STATUS_CODES.pick(rng) for _ in range(size))
        return history
