"""Groups of contacts: the store's rows merged, ordered and cut to a limit. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from zoneinfo import ZoneInfo

from smoc_mcp.proof.windows import Status
from smoc_mcp.questions.choices import OTHER, WITHOUT
from smoc_mcp.questions.dimensions import Count, GroupSort, Kind
from smoc_mcp.questions.periods import CYCLES, period_of, periods_back
from smoc_mcp.questions.rows import GroupRow
from smoc_mcp.text.folding import fold
from smoc_mcp.text.times import QUARTER_HOUR, Moment

__all__ = ["ALL", "Group", "Grouping", "merge"]

ALL = ""
"""The key that stands for all values: of a dimension beside a period that nobody is in."""

Key = tuple[str | None, ...]


@dataclass(slots=True)
class Group:
    """Contacts that share the values of each dimension.

    Attributes:
        values: The value of each dimension, as most often spelt; WITHOUT or OTHER where it is that.
        counts: How many of each status; absent is none.
        measured: What was measured of them.
        previous: How many they were in the period before; None where that was not asked for.
        keys: The key of each dimension's value, None for none, ALL for whichever; nothing for
            others together.
    """

    values: tuple[str, ...]
    counts: Counter[Status] = field(default_factory=Counter)
    keys: Key = ()
    measured: Counter[int] = field(default_factory=Counter)
    previous: int | None = None

    @property
    def contacts(self) -> int:
        """How many they are."""
        return self.counts.total()


@dataclass(frozen=True, slots=True)
class Grouping:
    """Groups in order, at most as many as asked for.

    Attributes:
        groups: Time groups oldest first and without holes; otherwise the largest first.
        left_out: How many groups are past the limit.
        other: These together; None where nothing is left out, or nobody has counted them: where
            a contact may be in several groups, adding them up would not.
        several: The names of dimensions in which a contact counts once per value.
        partial: The keys of periods that are shown but in part: one that runs, one that is cut.
        every: Of each dimension every value by its key, also those past the limit.
    """

    groups: Sequence[Group]
    left_out: int = 0
    other: Group | None = None
    several: Sequence[str] = ()
    partial: Sequence[str] = ()
    every: Sequence[Mapping[str, str]] = ()


def merge(
    rows: Iterable[GroupRow],
    asked: Count,
    zone: ZoneInfo,
    ends: tuple[Moment | None, Moment] | None = None,
    previous: Iterable[GroupRow] | None = None,
) -> Grouping:
    """Return the groups of the store's rows: spellings merged, times as days, weeks or months.

    Args:
        rows: What the store found.
        asked: What the rows are grouped by, and the most groups.
        zone: The zone of days, weeks and months.
        ends: From when (None: from the first contact) to when a trend goes: periods between
            them without anybody are groups of nobody. None where nobody can tell that they are.
        previous: What the store found of the period before; None for no comparison.
    """
    trends = {i: d.source for i, d in enumerate(asked.dimensions) if d.kind is Kind.TIME}
    cycles = {i: d.source for i, d in enumerate(asked.dimensions) if d.kind is Kind.CYCLE}
    units = trends | cycles
    groups: defaultdict[Key, Group] = defaultdict(lambda: Group(()))
    spelt = [_Spellings() for _ in asked.dimensions]
    for row in rows:
        group = groups[_key(row, spelt, units, zone)]
        group.counts[row.status] += row.contacts
        if row.number is not None:
            group.measured[row.number] += row.contacts
    if previous is not None:
        before: Counter[Key] = Counter()
        for row in previous:
            before[_key(row, spelt, units, zone)] += row.contacts
        for key in groups.keys() | before.keys():
            groups[key].previous = before[key]
    for at, unit in units.items() if groups else ():
        for period in _missing(groups, at, unit, zone, ends, asked.limit) if ends else ():
            empty: Key = tuple(period if i == at else ALL for i in range(len(spelt)))
            groups[empty] = Group(())
            spelt[at].add(period, period, 1)
    for key, group in groups.items():
        group.keys = key
        pairs = zip(key, spelt, strict=True)
        group.values = tuple(
            WITHOUT if k is None else words.most_common(k) if k else ALL for k, words in pairs
        )
    made = _limited(groups, asked)
    made = replace(made, every=[words.all_most_common() for words in spelt])
    if ends is not None:
        for at, unit in trends.items():
            made = replace(made, partial=_partial(made, at, unit, zone, ends))
    return made


class _Spellings:
    """How often each folded value is spelt in which way."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, folded: str, value: str, contacts: int) -> None:
        self._counts[folded][value] += contacts

    def most_common(self, folded: str) -> str:
        """Return the spelling; of equals one that is more than an id or an address."""
        counts = self._counts.get(folded, {folded: 0})
        return max(counts, key=lambda value: (counts[value], fold(value) != folded))

    def all_most_common(self) -> dict[str, str]:
        """Return the spelling of each folded value."""
        return {folded: self.most_common(folded) for folded in self._counts}


def _key(
    row: GroupRow, spelt: Sequence[_Spellings], units: Mapping[int, str], zone: ZoneInfo
) -> Key:
    """Return the group that a row belongs to, and count how its values are spelt."""
    key: list[str | None] = []
    for i, (folded, value) in enumerate(zip(row.keys, row.values, strict=True)):
        if isinstance(folded, int):
            folded = value = period_of(folded, units[i], zone)
        key.append(folded or None)
        if folded and value:
            spelt[i].add(folded, value, row.contacts)
    return tuple(key)


def _limited(groups: dict[Key, Group], asked: Count) -> Grouping:
    dimensions, limit = asked.dimensions, asked.limit
    several = tuple(d.name for d in dimensions if d.kind in (Kind.LABEL, Kind.QUESTION))
    times = [i for i, d in enumerate(dimensions) if d.kind is Kind.TIME]
    cycles = {i: CYCLES[d.source] for i, d in enumerate(dimensions) if d.kind is Kind.CYCLE}
    if times:
        # A trend reads from old to new; past the limit it is the oldest that are left out.
        kept, rest = _newest_periods(groups.values(), times[0], limit)
    else:
        if len(dimensions) == len(cycles) == 1:
            # Nobody wants 20 of 24 hours.
            limit = max(limit, len(groups))
        ordered = sorted(groups.values(), key=lambda g: (*_size(g, asked), g.values))
        kept, rest = ordered[:limit], ordered[limit:]
        if cycles and asked.sort is GroupSort.AUTO:
            kept.sort(key=lambda g: [_place(g.keys[i], cycle) for i, cycle in cycles.items()])
    other = None
    if rest and not several:
        other = Group((OTHER,) * len(dimensions))
        for group in rest:
            other.counts += group.counts
            other.measured += group.measured
            if group.previous is not None:
                other.previous = (other.previous or 0) + group.previous
    return Grouping(kept, len(rest), other, several)


def _size(group: Group, asked: Count) -> tuple[float, ...]:
    """Return by what a group is ordered, the least of it first."""
    contacts, before = group.contacts, group.previous or 0
    match asked.sort:
        case GroupSort.CUSTOMER_SHARE:
            share = group.counts[Status.CUSTOMER] / contacts if contacts else -1
            return -share, -contacts
        case GroupSort.MEASURE:
            numbers = group.measured.total()
            whole = sum(number * times for number, times in group.measured.items())
            return -(whole / numbers) if numbers else float("inf"), -contacts
        case GroupSort.CHANGE:
            return -(contacts - before), -contacts
    return -contacts, -before


def _place(key: str | None, cycle: Sequence[str]) -> int:
    return len(cycle) if key is None else cycle.index(key)


def _newest_periods(
    groups: Iterable[Group], at: int, limit: int
) -> tuple[list[Group], list[Group]]:
    """Return the groups of the newest periods, as many whole ones as fit, and the others."""
    ordered = sorted(groups, key=lambda g: (g.keys[at] or "", -g.contacts, g.values))
    periods = [list(within) for _, within in groupby(ordered, lambda g: g.keys[at])]
    kept: list[Group] = []
    while periods and len(kept) + len(periods[-1]) <= limit:
        kept = periods.pop() + kept
    if periods and not kept:
        last = periods.pop()
        kept, periods = last[:limit], [*periods, last[limit:]]
    return kept, [group for within in periods for group in within]


def _partial(
    made: Grouping, at: int, unit: str, zone: ZoneInfo, ends: tuple[Moment | None, Moment]
) -> list[str]:
    """Return the shown periods that begin before a trend does, or are not over where it ends."""
    shown = {period for group in made.groups if group.keys and (period := group.keys[at])}
    after, end = ends
    cut: set[str] = set()
    if after is not None:
        first = period_of(after // QUARTER_HOUR, unit, zone)
        cut |= {first} if period_of((after - 1) // QUARTER_HOUR, unit, zone) == first else set()
    # What bears a time of the future is not over either.
    over = period_of((end + 1) // QUARTER_HOUR, unit, zone)
    cut |= {period for period in shown if period >= over}
    return sorted(cut & shown)


def _missing(
    groups: Mapping[Key, Group],
    at: int,
    unit: str,
    zone: ZoneInfo,
    ends: tuple[Moment | None, Moment],
    limit: int,
) -> Sequence[str]:
    """Return the periods that no contact is in."""
    if unit not in CYCLES:
        return _holes(groups, at, unit, zone, ends, limit)
    present = {key[at] for key in groups}
    return [period for period in CYCLES[unit] if period not in present]


def _holes(
    groups: Iterable[Key],
    at: int,
    unit: str,
    zone: ZoneInfo,
    ends: tuple[Moment | None, Moment],
    limit: int,
) -> list[str]:
    """Return the periods that no contact is in, of the newest so many up to the trend's end.

    What bears a time of the future comes after the end, with no periods between.
    """
    present = {period for key in groups if (period := key[at]) is not None}
    if not present:
        return []
    began, last = (None if m is None else period_of(m // QUARTER_HOUR, unit, zone) for m in ends)
    first = began or min(present)
    newest = islice(periods_back(last, unit), limit) if last is not None else ()
    return [period for period in newest if first <= period and period not in present]
