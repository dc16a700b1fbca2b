"""A company that changes between and during requests, and a clock that only the test moves.

It stands where the API's client stands, with windows of 8 instead of 500 and coarse times, so that
edges, equal times and gaps are common. Every answer's truth is kept by the moment it was asked.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import anyio.lowlevel

from smoc_mcp.api.client import SortField
from smoc_mcp.api.models import ApiAnswer, read_contact
from smoc_mcp.text.times import Clock, Moment, iso

LIMIT = 8
SECOND = 1_000_000
UTC = ZoneInfo("UTC")
EPOCH = 1_750_000_000 * SECOND
"""When the simulated company begins."""

Raw = dict[str, object]
Truth = Mapping[str, Raw]


class LogicalClock(Clock):
    """Each look at it is one microsecond later than the one before."""

    def __init__(self) -> None:
        self.last = EPOCH + 10**15

    def __call__(self) -> Moment:
        self.last += 1
        return self.last

    def advance(self, seconds: float) -> None:
        self.last += round(seconds * SECOND)


@dataclass
class SimulatedCompany:
    """Contacts that are added, changed and deleted at random.

    Attributes:
        chance: The source of randomness.
        rate: How many changes there are, on average, before each request is answered.
        truths: What was there when each request was answered, by the moment it was sent.
    """

    chance: random.Random
    clock: LogicalClock
    size: int
    rate: float = 0.0
    contacts: dict[str, Raw] = field(default_factory=dict)
    truths: dict[Moment, Truth] = field(default_factory=dict)
    requests: int = 0
    _asked: set[Moment] = field(default_factory=set)
    _tick: int = 0
    _made: int = 0

    def __post_init__(self) -> None:
        for _ in range(self.size):
            self._tick += self.chance.choice([0, 1, 3])
            self.add()

    @property
    def now(self) -> str:
        return iso(EPOCH + self._tick * SECOND, UTC, "milliseconds")

    def add(self) -> None:
        self._made += 1
        contact_id = f"{self._made:05d}"
        self.contacts[contact_id] = {
            "id": contact_id,
            "email": f"p{self._made % 7}@example.com",
            "createdAt": self.now,
            "updatedAt": self.now,
            "lastConversationDate": None,
            "status": self.chance.choice(["1", "2", "1", "3", "4", None]),
        }

    def change(self) -> None:
        """Do one random thing: usually something new or changed, sometimes a deletion."""
        self._tick += self.chance.choice([0, 0, 1, 2])
        dice = self.chance.random()
        if dice < 0.45 or not self.contacts:
            self.add()
            return
        contact_id = self.chance.choice(list(self.contacts))
        if dice >= 0.85:
            del self.contacts[contact_id]
            return
        contact = dict(self.contacts[contact_id], updatedAt=self.now)
        if self.chance.random() < 0.5:
            contact["status"] = self.chance.choice(["1", "2", "3", "4"])
        else:
            contact["lastConversationDate"] = self.now
        self.contacts[contact_id] = contact

    async def fetch_contacts(
        self, sort: SortField | None, limit: int = LIMIT, *, seconds: float | None = None
    ) -> ApiAnswer:
        """Answer as the API would, at some moment while the request is under way."""
        del seconds
        # The moment at which the caller says that it asked. A last look names none: it must not
        # overwrite the truth of a request that is under way.
        sent = self.clock() if self.clock.last in self._asked else self.clock.last
        self._asked.add(sent)
        self.requests += 1
        for _ in range(self.chance.choice([0, 0, 1, 3])):
            await anyio.lowlevel.checkpoint()
        while self.chance.random() < self.rate / (1 + self.rate):
            self.change()
        self.truths[sent] = dict(self.contacts)
        rows = list(self.contacts.values())
        if sort is not None:
            self.chance.shuffle(rows)
            rows.sort(key=lambda c: str(c[sort] or ""), reverse=True)
        statuses = [c["status"] for c in self.contacts.values()]
        page = ApiAnswer(
            contacts=tuple(r for c in rows[:limit] if (r := read_contact(c)) is not None),
            sent=len(rows[:limit]),
            limit=limit,
            leads=sum(s in ("1", None) for s in statuses),
            customers=statuses.count("2"),
        )
        for _ in range(self.chance.choice([0, 0, 1, 3])):
            await anyio.lowlevel.checkpoint()
        return page


def key(contact: Raw, name: str) -> str:
    """Return a sort key that compares as the time does; an absent one comes first."""
    return str(contact[name] or "")
