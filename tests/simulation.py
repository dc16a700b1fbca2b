"""A company that changes between and during requests, and a clock that only the test moves.

It stands where the API's client stands, with windows of 8 instead of 500 and coarse times, so that
edges, equal times and gaps are common. Every answer's truth is kept by the moment it was asked.
A `harsh` one also does what seldom happens: its clock ticks rarely, all its times are one, answers
are overtaken by many changes, contradict themselves or do not come at all.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import anyio.lowlevel

from smoc_mcp.api.client import SortField
from smoc_mcp.api.models import ApiAnswer, read_contact
from smoc_mcp.errors import UnreachableError
from smoc_mcp.text.times import Clock, Moment, iso

LIMIT = 8
SECOND = 1_000_000
UTC = ZoneInfo("UTC")
EPOCH = 1_750_000_000 * SECOND
"""When the simulated company begins."""
STEP = 90 * SECOND
"""How coarse its times are: coarser than contacts are late to become visible."""
DAYS = 1_500
"""Steps of a pause of more than a day, after which a trend has periods without anybody."""
AHEAD = 10_000 * STEP
"""How far times of the future lie ahead."""

PHONES = {
    "+46 70 123 45 67": ("701234567", "46"),
    "070-123 45 67": ("701234567", ""),
    "+47 701234567": ("701234567", "47"),
    "4715241895": ("15241895", "47"),
    "15 24 18 95": ("15241895", ""),
    "": ("", ""),
    "0047 152 41 895": ("15241895", "47"),
}
"""The phone numbers that contacts have, and what each is: the number, and its country's code."""
INVITERS = [{"id": n, "firstName": "Per", "lastName": "Nowak"} for n in ("7", "8")]
ANSWERS = (
    {"questionId": "Q1", "question": "Roof?", "answer": "Flat"},
    {"questionId": "q1", "question": "roof\u00ad?", "answer": "Steep"},
    # Called by its id: one of no words, and one whose words nobody can see.
    {"questionId": "q1", "answer": "flat"},
    {"questionId": "q1", "question": " \u200b", "answer": "\u00adflat"},
    # Nobody can say what was asked.
    {"questionId": "\u200b", "question": "", "answer": "Yes"},
    # Asked, and not answered.
    {"questionId": "q1", "question": "Roof?", "answer": " \u200b"},
    {"questionId": "q2", "question": "Heat?", "answer": None},
    {"questionId": "q3", "answer": "&shy;"},
)
TEXTS = (
    {"key": "Size", "value": "XL"},
    {"key": "size\u200b", "value": "small"},
    {"key": "&shy;", "value": "wish"},
    {"key": "size", "value": "\u00ad"},
    {"value": " "},
)

Raw = dict[str, object]
Truth = Mapping[str, Raw]


class LogicalClock(Clock):
    """Each look at it is one microsecond later than the one before, or only some are.

    Attributes:
        last: What the wall clock showed last.

    Args:
        chance: The source of randomness.
        ticks: The share of looks at which it moves; at the others it shows the same moment.
    """

    def __init__(self, chance: random.Random | None = None, ticks: float = 1.0) -> None:
        self.last = EPOCH
        self._elapsed: Moment = 0
        self._chance = chance or random.Random()
        self._ticks = ticks

    def __call__(self) -> Moment:
        self._tick()
        return self.last

    def elapsed(self) -> Moment:
        self._tick()
        return self._elapsed

    def _tick(self) -> None:
        moves = self._ticks == 1 or self._chance.random() < self._ticks
        self.last += moves
        self._elapsed += moves

    def advance(self, seconds: float) -> None:
        """Let time go on, for both clocks."""
        self.last += round(seconds * SECOND)
        self._elapsed += round(seconds * SECOND)

    def jump(self, seconds: float) -> None:
        """Set the wall clock, forward or back."""
        self.last += round(seconds * SECOND)


@dataclass(frozen=True)
class Weather:
    """How hard a company is to follow.

    Attributes:
        tied: The share of changes that come at the very time of the change before.
        undated: The share of contacts without createdAt.
        late: The share of answers that a whole window of changes overtakes.
        lies: The share of answers that contradict themselves.
        failing: The share of requests that fail.
        ahead: The share of changes that bear a time of the future.
        hidden: The share of new contacts that become visible later, under the time that they came.
        jumps: The share of requests before which somebody sets the wall clock.
        cached: The share of answers that a cache gives, as they were at some moment before.
    """

    tied: float = 0.5
    undated: float = 0.0
    late: float = 0.0
    lies: float = 0.0
    failing: float = 0.0
    ahead: float = 0.0
    hidden: float = 0.0
    jumps: float = 0.0
    cached: float = 0.0

    @classmethod
    def harsh(cls, chance: random.Random) -> "Weather":
        """Return bad weather, each time of another kind."""
        return cls(
            tied=chance.choice([0.5, 0.5, 0.9, 1.0]),
            undated=chance.choice([0, 0, 0.1]),
            late=chance.choice([0, 0, 0.1, 0.4]),
            lies=chance.choice([0, 0, 0.1, 0.4]),
            failing=chance.choice([0, 0, 0, 0.1]),
            ahead=chance.choice([0, 0, 0.05, 0.3]),
            hidden=chance.choice([0, 0, 0.2]),
            jumps=chance.choice([0, 0, 0.1]),
            cached=chance.choice([0, 0, 0, 0.1]),
        )


@dataclass
class SimulatedCompany:
    """Contacts that are added, changed and deleted at random.

    Attributes:
        chance: The source of randomness.
        rate: How many changes there are, on average, before each request is answered.
        weather: How hard it is to follow.
        truths: What was there when each window or count was answered, by the moment it was asked
            for; several where the clock had not moved between them.
    """

    chance: random.Random
    clock: LogicalClock
    size: int
    rate: float = 0.0
    weather: Weather = field(default_factory=Weather)
    contacts: dict[str, Raw] = field(default_factory=dict)
    truths: dict[Moment, list[Truth]] = field(default_factory=lambda: defaultdict(list))
    requests: int = 0
    _tick: int = 0
    _made: int = 0
    _coming: list[Raw] = field(default_factory=list)
    _answers: dict[tuple[SortField | None, int], ApiAnswer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for _ in range(self.size):
            self._go_on(self.chance.choice([0, 1, 3]))
            self.add()

    @property
    def moment(self) -> Moment:
        """What the API's clock shows."""
        return EPOCH + self._tick * STEP

    @property
    def now(self) -> str:
        """The present as a contact bears it; sometimes of a clock that is far ahead."""
        ahead = AHEAD if self._happens(self.weather.ahead) else 0
        return iso(self.moment + ahead, UTC, "milliseconds")

    def _go_on(self, steps: int) -> None:
        # People's clocks go on with the API's. How long windows are live is another matter.
        self._tick += steps
        self.clock.jump(steps * STEP / SECOND)
        if steps:
            # Whoever is late is visible before the clock has gone on by more than that.
            self._show_late()

    def _show_late(self) -> None:
        self.contacts |= {str(c["id"]): c for c in self._coming}
        self._coming.clear()

    def add(self) -> None:
        self._made += 1
        contact_id = f"{self._made:05d}"
        now = self.now
        contact: Raw = {
            "id": contact_id,
            "email": f"p{self._made % 7}@example.com",
            # Of few contacts several have one number, and not those who have one address.
            "msisdn": list(PHONES)[self._made // 2 % len(PHONES)],
            "createdAt": None if self._happens(self.weather.undated) else now,
            "updatedAt": now,
            "lastConversationDate": None,
            "status": self.chance.choice(["1", "2", "1", "3", "4", None]),
            "city": self.chance.choice(["Oslo", "oslo", "Bergen", None]),
            # Two people of one name.
            "inviterUser": self.chance.choice([None, None, *INVITERS]),
            "rewardFlows": [{"title": t} for t in ("A", "B") if self._happens(0.4)],
            "answeredSurveyQuestions": self._some(ANSWERS),
            "textFields": self._some(TEXTS),
        }
        if self._happens(self.weather.hidden):
            self._coming.append(contact)
        else:
            self.contacts[contact_id] = contact

    def change(self) -> None:
        """Do one random thing: usually something new or changed, sometimes a deletion."""
        steps = 0 if self._happens(self.weather.tied) else self.chance.choice([1, 2, 1, 2, 1, DAYS])
        self._go_on(steps)
        if self._happens(0.3):
            self._show_late()
        dice = self.chance.random()
        if dice < 0.45 or not self.contacts:
            self.add()
            return
        contact_id = self.chance.choice(list(self.contacts))
        if dice >= 0.85:
            del self.contacts[contact_id]
            return
        contact = dict(self.contacts[contact_id], updatedAt=self.now)
        dice = self.chance.random()
        if dice < 0.45:
            contact["status"] = self.chance.choice(["1", "2", "3", "4"])
        elif dice < 0.85:
            contact["lastConversationDate"] = self.now
        elif dice < 0.93:
            contact["answeredSurveyQuestions"] = self._some(ANSWERS)
        else:
            contact["city"] = self.chance.choice(["Oslo", "Bergen", "Voss"])
        self.contacts[contact_id] = contact

    async def fetch_contacts(
        self, sort: SortField | None, limit: int = LIMIT, *, seconds: float | None = None
    ) -> ApiAnswer:
        """Answer as the API would, at some moment while the request is under way.

        Raises:
            UnreachableError: The request has failed, before or after it was answered.
        """
        del seconds
        # The moment at which the caller says that it asked. No claim is as of a last look.
        sent = self.clock.last
        if self._happens(self.weather.jumps):
            self.clock.jump(self.chance.choice([-3600, -61, 61, 3600]))
        is_look = 1 < limit < LIMIT
        self.requests += 1
        await self._wait()
        while self.chance.random() < self.rate / (1 + self.rate):
            self.change()
        if not is_look:
            self.truths[sent].append(dict(self.contacts))
        page = self._page(sort, limit)
        if (cached := self._answers.get((sort, limit))) and self._happens(self.weather.cached):
            page = replace(cached, age=self.chance.randrange(1, 100))
        else:
            self._answers[sort, limit] = page
        await self._wait()
        if self._happens(self.weather.late):
            for _ in range(LIMIT * 2):
                self.change()
                await anyio.lowlevel.checkpoint()
        if self._happens(self.weather.failing):
            raise UnreachableError("the simulated network is down.")
        return page

    async def _wait(self) -> None:
        for _ in range(self.chance.choice([0, 0, 1, 3])):
            await anyio.lowlevel.checkpoint()

    def _some(self, entries: Sequence[Mapping[str, str | None]]) -> list[Mapping[str, str | None]]:
        """Return a few entries at random, often none."""
        return self.chance.sample(entries, self.chance.choice([0, 0, 1, 1, 2, 3]))

    def _happens(self, share: float) -> bool:
        return share > 0 and self.chance.random() < share

    def _page(self, sort: SortField | None, limit: int) -> ApiAnswer:
        rows = list(self.contacts.values())
        if sort is not None:
            self.chance.shuffle(rows)
            rows.sort(key=lambda c: str(c[sort] or ""), reverse=True)
        sent: Sequence[object] = rows[:limit]
        if self._happens(self.weather.lies):
            sent = self._lie(rows[:limit], sort)
        return ApiAnswer(
            contacts=tuple(r for c in sent if (r := read_contact(c)) is not None),
            sent=len(sent),
            limit=limit,
            leads=_leads(self.contacts.values()),
            customers=_customers(self.contacts.values()),
            answered=self.moment,
        )

    def _lie(self, rows: list[Raw], sort: SortField | None) -> Sequence[object]:
        """Return an answer that somebody who looks can tell to be wrong, if there is one."""
        if not rows:
            return rows
        at = self.chance.randrange(len(rows))
        match self.chance.choice(["short", "lost", "order"]):
            case "short":
                short = rows[:at]
                counts = _leads(self.contacts.values()), _customers(self.contacts.values())
                return rows if (_leads(short), _customers(short)) == counts else short
            case "lost":
                return [*rows[:at], "no contact", *rows[at + 1 :]]
            case _ if sort is not None and key(rows[0], sort) != key(rows[-1], sort):
                return [rows[-1], *rows[1:-1], rows[0]]
        return rows


def _leads(contacts: Iterable[Raw]) -> int:
    return sum(c["status"] in ("1", None) for c in contacts)


def _customers(contacts: Iterable[Raw]) -> int:
    return sum(c["status"] == "2" for c in contacts)


def key(contact: Raw, name: str) -> str:
    """Return a sort key that compares as the time does; an absent one comes first."""
    return str(contact[name] or "")
