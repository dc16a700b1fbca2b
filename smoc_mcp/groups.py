"""Groups of contacts: the store's rows merged, ordered and cut to a limit. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from smoc_mcp.coverage import Status
from smoc_mcp.query import Dimension, Kind
from smoc_mcp.rows import GroupRow
from smoc_mcp.selection import QUARTER_HOUR
from smoc_mcp.times import as_datetime

__all__ = ["NONE", "OTHER", "Group", "Grouping", "merge"]

NONE = "(none)"
"""The value shown for contacts that have none."""
OTHER = "(other)"
"""The value shown for all groups past the limit together."""

_MOST_EMPTY_PERIODS = 400
"""Holes in a trend are shown up to this many; a company's first odd date must not make 10,000."""

Key = tuple[str | None, ...]


@dataclass
class Group:
    """Contacts that share the values of each dimension.

    Attributes:
        values: The value of each dimension, as most often spelt; NONE or OTHER where it is that.
        contacts: How many.
        leads: How many of them are leads.
        customers: How many of them are customers.
    """

    values: tuple[str, ...]
    contacts: int = 0
    leads: int = 0
    customers: int = 0

    def add(self, other: "Group") -> None:
        """Count another group's contacts in."""
        self.contacts += other.contacts
        self.leads += other.leads
        self.customers += other.customers


@dataclass(frozen=True, slots=True)
class Grouping:
    """Groups in order, at most as many as asked for.

    Attributes:
        groups: Time groups oldest first and without holes; otherwise the largest first.
        left_out: How many groups are past the limit.
        other: These together; None where contacts may count in several groups, or nothing is left
            out.
        several: The names of dimensions in which a contact counts once per value.
    """

    groups: Sequence[Group]
    left_out: int = 0
    other: Group | None = None
    several: Sequence[str] = field(default_factory=tuple)


def merge(
    rows: Iterable[GroupRow], dimensions: Sequence[Dimension], limit: int, zone: ZoneInfo
) -> Grouping:
    """Return the groups of the store's rows: spellings merged, times as days, weeks or months."""
    groups: dict[Key, Group] = {}
    spelt: defaultdict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for row in rows:
        key: list[str | None] = []
        for i, dimension in enumerate(dimensions):
            folded, value = row.keys[i], row.values[i]
            if isinstance(folded, int):
                folded = value = _period(folded, dimension.source, zone)
            key.append(folded or None)
            if folded and value:
                spelt[i, folded][value] += row.contacts
        group = groups.setdefault(tuple(key), Group(()))
        group.contacts += row.contacts
        group.leads += row.contacts if row.status is Status.LEAD else 0
        group.customers += row.contacts if row.status is Status.CUSTOMER else 0
    if len(dimensions) == 1 and dimensions[0].kind is Kind.TIME:
        for period in _holes(groups, dimensions[0].source):
            groups[(period,)] = Group(())
            spelt[0, period][period] = 1
    for key_, group in groups.items():
        group.values = tuple(
            NONE if k is None else spelt[i, k].most_common(1)[0][0] for i, k in enumerate(key_)
        )
    return _limited(groups, dimensions, limit)


def _limited(groups: dict[Key, Group], dimensions: Sequence[Dimension], limit: int) -> Grouping:
    several = tuple(d.name for d in dimensions if d.kind is Kind.LABEL)
    times = [i for i, d in enumerate(dimensions) if d.kind is Kind.TIME]
    if times:
        # A trend reads from old to new; past the limit it is the oldest that are left out.
        at = times[0]
        ordered = sorted(
            groups.items(), key=lambda g: (g[0][at] or "", -g[1].contacts, g[1].values)
        )
        kept, rest = ordered[-limit:], ordered[:-limit]
    else:
        ordered = sorted(groups.items(), key=lambda g: (-g[1].contacts, g[1].values))
        kept, rest = ordered[:limit], ordered[limit:]
    other = None
    if rest and not several:
        other = Group((OTHER,) * len(dimensions))
        for _, group in rest:
            other.add(group)
    return Grouping([group for _, group in kept], len(rest), other, several)


def _period(quarter: int, unit: str, zone: ZoneInfo) -> str:
    """Return the local day, ISO week's Monday or month of a quarter of an hour."""
    day = as_datetime(quarter * QUARTER_HOUR, zone).date()
    if unit == "month":
        return f"{day:%Y-%m}"
    return (_monday(day) if unit == "week" else day).isoformat()


def _holes(groups: Iterable[Key], unit: str) -> list[str]:
    """Return the periods between the first and the last that no contact is in."""
    present = {key[0] for key in groups if key[0] is not None}
    if len(present) < 2:
        return []
    holes: list[str] = []
    day, last = _start(min(present)), _start(max(present))
    while day < last:
        day = {"day": day + timedelta(days=1), "week": day + timedelta(weeks=1)}.get(
            unit, (day + timedelta(days=32)).replace(day=1)
        )
        text = f"{day:%Y-%m}" if unit == "month" else day.isoformat()
        if text not in present:
            holes.append(text)
        if len(holes) > _MOST_EMPTY_PERIODS:
            return []
    return holes


def _start(period: str) -> date:
    return date.fromisoformat(period if len(period) == 10 else f"{period}-01")


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
