"""Groups of contacts: the store's rows merged, ordered and cut to a limit. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import groupby, islice
from zoneinfo import ZoneInfo

from smoc_mcp.proof.windows import Status
from smoc_mcp.questions.dimensions import Count, Dimension, Kind
from smoc_mcp.questions.rows import GroupRow
from smoc_mcp.text.folding import fold
from smoc_mcp.text.times import QUARTER_HOUR, Moment, as_datetime, as_moment

__all__ = ["ALL", "NONE", "OTHER", "Group", "Grouping", "begins", "merge"]

NONE = "(none)"
"""The value shown for contacts that have none."""
OTHER = "(other)"
"""The value shown for all groups past the limit together; in a trend they are the earlier ones."""

ALL = ""
"""The key that stands for all values: of a dimension beside a period that nobody is in."""

Key = tuple[str | None, ...]


@dataclass(slots=True)
class Group:
    """Contacts that share the values of each dimension.

    Attributes:
        values: The value of each dimension, as most often spelt; NONE or OTHER where it is that.
        counts: How many of each status; absent is none.
        keys: The key of each dimension's value, None for none, ALL for whichever; nothing for
            others together.
    """

    values: tuple[str, ...]
    counts: Counter[Status] = field(default_factory=Counter)
    keys: Key = ()

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
) -> Grouping:
    """Return the groups of the store's rows: spellings merged, times as days, weeks or months.

    Args:
        rows: What the store found.
        asked: What the rows are grouped by, and the most groups.
        zone: The zone of days, weeks and months.
        ends: From when (None: from the first contact) to when a trend goes: periods between
            them without anybody are groups of nobody. None where nobody can tell that they are.
    """
    units = {i: d.source for i, d in enumerate(asked.dimensions) if d.kind is Kind.TIME}
    groups: defaultdict[Key, Group] = defaultdict(lambda: Group(()))
    spelt = [_Spellings() for _ in asked.dimensions]
    for row in rows:
        groups[_key(row, spelt, units, zone)].counts[row.status] += row.contacts
    for at, unit in units.items():
        for period in _holes(groups, at, unit, zone, ends, asked.limit) if ends else ():
            empty: Key = tuple(period if i == at else ALL for i in range(len(spelt)))
            groups[empty] = Group(())
            spelt[at].add(period, period, 1)
    for key, group in groups.items():
        group.keys = key
        pairs = zip(key, spelt, strict=True)
        group.values = tuple(
            NONE if k is None else words.most_common(k) if k else ALL for k, words in pairs
        )
    made = _limited(groups, asked.dimensions, asked.limit)
    made = replace(made, every=[words.all_most_common() for words in spelt])
    if ends is not None:
        for at, unit in units.items():
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
            folded = value = _period(folded, units[i], zone)
        key.append(folded or None)
        if folded and value:
            spelt[i].add(folded, value, row.contacts)
    return tuple(key)


def _limited(groups: dict[Key, Group], dimensions: Sequence[Dimension], limit: int) -> Grouping:
    several = tuple(d.name for d in dimensions if d.kind is Kind.LABEL)
    times = [i for i, d in enumerate(dimensions) if d.kind is Kind.TIME]
    if times:
        # A trend reads from old to new; past the limit it is the oldest that are left out.
        kept, rest = _newest_periods(groups.values(), times[0], limit)
    else:
        ordered = sorted(groups.values(), key=lambda g: (-g.contacts, g.values))
        kept, rest = ordered[:limit], ordered[limit:]
    other = None
    if rest and not several:
        other = Group((OTHER,) * len(dimensions))
        for group in rest:
            other.counts += group.counts
    return Grouping(kept, len(rest), other, several)


def begins(period: str, zone: ZoneInfo) -> Moment:
    """Return when a shown day, week or month begins."""
    return as_moment(datetime.combine(_start(period), time(), zone))


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


def _period(quarter: int, unit: str, zone: ZoneInfo) -> str:
    """Return the local day, ISO week's Monday or month of a quarter of an hour."""
    day = as_datetime(quarter * QUARTER_HOUR, zone).date()
    if unit == "month":
        return f"{day:%Y-%m}"
    return (_monday(day) if unit == "week" else day).isoformat()


def _partial(
    made: Grouping, at: int, unit: str, zone: ZoneInfo, ends: tuple[Moment | None, Moment]
) -> list[str]:
    """Return the shown periods that begin before a trend does, or are not over where it ends."""
    shown = {period for group in made.groups if group.keys and (period := group.keys[at])}
    after, end = ends
    cut: set[str] = set()
    if after is not None:
        first = _period(after // QUARTER_HOUR, unit, zone)
        cut |= {first} if _period((after - 1) // QUARTER_HOUR, unit, zone) == first else set()
    # What bears a time of the future is not over either.
    over = _period((end + 1) // QUARTER_HOUR, unit, zone)
    cut |= {period for period in shown if period >= over}
    return sorted(cut & shown)


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
    began, last = (None if m is None else _period(m // QUARTER_HOUR, unit, zone) for m in ends)
    first = began or min(present)
    newest = islice(_periods_back(last, unit), limit) if last is not None else ()
    return [period for period in newest if first <= period and period not in present]


def _periods_back(last: str, unit: str) -> Iterator[str]:
    """Yield a period, the one before it, and so on."""
    day = _start(last)
    while True:
        yield f"{day:%Y-%m}" if unit == "month" else day.isoformat()
        if unit == "month":
            day = (day - timedelta(days=1)).replace(day=1)
        else:
            day -= timedelta(days=1 if unit == "day" else 7)


def _start(period: str) -> date:
    return date.fromisoformat(period if len(period) == 10 else f"{period}-01")


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
