"""What is true of a company, and how far its windows reach: computed from the sandbox alone.

Nothing of the server is imported here, so that the truth cannot share its mistakes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from smoc_mcp.sandbox import SORT_FIELDS, Company

__all__ = [
    "Person",
    "World",
    "best_share",
    "campaign_of",
    "first_visit",
    "has",
    "invited_by",
    "monday_of",
    "most",
    "name_of",
    "newest_visit",
    "status_of",
    "titles",
]

Person = dict[str, Any]
"""A contact as the API sends it."""

_WINDOW = 500
_WORDS = {None: "lead", "1": "lead", "2": "customer", "3": "lost", "4": "converted"}


class World:
    """A company at one moment.

    Args:
        company: The sandbox's; it must not change while it is asked about.
        now: The moment that counts as now; dates are in UTC.
    """

    def __init__(self, company: Company, now: datetime | None = None) -> None:
        self.now = now or datetime.now(UTC)
        self.people: Sequence[Person] = [dict(p) for p in company.contacts()]
        self._windows = {
            name: [str(p["id"]) for p in company.page(name, _WINDOW)]
            for name in (None, *SORT_FIELDS)
        }
        self._by_id = {p["id"]: p for p in self.people}

    @property
    def size(self) -> int:
        """How many contacts there are."""
        return len(self.people)

    def day(self, ago: int) -> str:
        """Return the date of so many days ago."""
        return (self.now - timedelta(days=ago)).date().isoformat()

    def monday(self, weeks_ago: int) -> str:
        """Return the date of the Monday of this week, or of an earlier one."""
        return monday_of(self.day(7 * weeks_ago))

    def month(self, ago: int) -> str:
        """Return the first day of this month, or of an earlier one."""
        months = self.now.year * 12 + self.now.month - 1 - ago
        return f"{months // 12:04}-{months % 12 + 1:02}-01"

    def since(self, start: str, end: str = "9999") -> list[Person]:
        """Return those who came on a day or after it, and before another."""
        return [p for p in self.people if start <= str(p.get("createdAt") or "") < end]

    def with_status(self, *statuses: str) -> list[Person]:
        """Return those who have one of some statuses now."""
        return [p for p in self.people if status_of(p) in statuses]

    def newest(self, name: str, count: int) -> list[Person]:
        """Return the newest by a time, newest first, as the API orders them."""
        return [self._by_id[i] for i in self._windows[name][:count]]

    @property
    def edge(self) -> str:
        """The time of creation before which contacts may be missing; empty where none can be."""
        ids = self._windows["createdAt"]
        return "" if len(ids) < _WINDOW else str(self._by_id[ids[-1]]["createdAt"])

    @property
    def proven(self) -> list[Person]:
        """Those created after the edge: of them nobody can be missing."""
        return [p for p in self.people if str(p.get("createdAt") or "") > self.edge]

    @property
    def visible(self) -> list[Person]:
        """Those whom any of the four windows shows."""
        return [self._by_id[i] for i in {i for ids in self._windows.values() for i in ids}]

    @property
    def hidden(self) -> list[Person]:
        """Those whom no window shows."""
        seen = {i for ids in self._windows.values() for i in ids}
        return [p for p in self.people if p["id"] not in seen]

    def is_proven_since(self, start: str) -> bool:
        """Whether nobody who came on a day or after it can be missing."""
        return start > self.edge


def status_of(person: Person) -> str:
    """Return the word for a status."""
    return _WORDS[person.get("status")]


def name_of(person: Person) -> str:
    """Return first and last name, as far as there are any."""
    return " ".join(filter(None, (person.get("firstName"), person.get("lastName")))).strip()


def first_visit(person: Person) -> Person:
    """Return the visit that brought somebody; empty where there is none."""
    visits: list[Person] = person.get("visitList") or [{}]
    return visits[0]


def newest_visit(person: Person) -> Person:
    """Return the last visit; empty where there is none."""
    visits: list[Person] = person.get("visitList") or [{}]
    return visits[-1]


def campaign_of(person: Person) -> str:
    """Return the campaign of the first visit; empty where there is none."""
    return first_visit(person).get("utmCampaign") or ""


def invited_by(person: Person) -> Person:
    """Return who invited somebody; empty where nobody did."""
    inviter: Person = person.get("inviterUser") or {}
    return inviter


def has(person: Person, name: str) -> bool:
    """Whether a field holds anything to see."""
    return any(sign.isprintable() and not sign.isspace() for sign in str(person.get(name) or ""))


def titles(person: Person, name: str) -> set[str]:
    """Return the titles of somebody's flows or promotions, each once."""
    return {entry["title"] for entry in person.get(name) or [] if entry.get("title")}


def monday_of(time: str) -> str:
    """Return the date of the Monday of a time's week."""
    day = datetime.fromisoformat(time).date()
    return (day - timedelta(days=day.weekday())).isoformat()


def most(counts: Counter[str]) -> list[str]:
    """Return the keys of the largest count: several where they are equal."""
    top = max(counts.values())
    return [key for key, count in counts.items() if count == top]


def best_share(
    people: Iterable[Person],
    group: Callable[[Person], str],
    least: int,
) -> tuple[list[str], float]:
    """Return the groups with the largest share of customers, and that share.

    Args:
        people: Who is divided.
        group: The key of somebody's group; those without one are left out.
        least: How many contacts a group must have to be looked at.
    """
    sizes: Counter[str] = Counter()
    customers: Counter[str] = Counter()
    for person in people:
        if key := group(person):
            sizes[key] += 1
            customers[key] += status_of(person) == "customer"
    shares = {key: customers[key] / size for key, size in sizes.items() if size >= least}
    top = max(shares.values())
    return [key for key, share in shares.items() if share == top], top
