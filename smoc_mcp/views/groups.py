"""The groups of contacts_stats as they are shown: their names, numbers, shares and averages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from smoc_mcp.directory.answers import Groups
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import Status
from smoc_mcp.questions.choices import EARLIER, OTHER, spelt
from smoc_mcp.questions.dimensions import Count, Dimension, Kind
from smoc_mcp.questions.fields import Match
from smoc_mcp.questions.groups import ALL, Group, Grouping
from smoc_mcp.text.folding import fold
from smoc_mcp.views.boundary import DETAIL_CHARS
from smoc_mcp.views.identities import identity, person, told_apart
from smoc_mcp.views.lists import Views
from smoc_mcp.views.phrases import grid
from smoc_mcp.views.results import Compared, GroupResult, Shares, StatusNumbers

__all__ = ["GroupWriter", "cell", "numbers"]

_STATUS_NAMES = {
    Status.LEAD: "leads",
    Status.CUSTOMER: "customers",
    Status.LOST: "lost",
    Status.CONVERTED: "converted",
    Status.UNKNOWN: "unknown",
}
"""The name of the number of each status."""
_COLUMNS = (
    *StatusNumbers.__annotations__,
    *Shares.__annotations__,
    *Compared.__annotations__,
    *("partial", "certainty"),
)


@dataclass(frozen=True, slots=True)
class GroupWriter:
    """Writes the groups of one answer.

    Attributes:
        found: The groups; None where there are none.
        asked: The question.
        views: How things are shown.
    """

    found: Groups | None
    asked: Count
    views: Views

    def table(self, groups: Sequence[GroupResult]) -> str:
        """Return groups as lines of cells, without the columns that none of them has."""
        if not self.asked.dimensions:
            together = self.together()
            shown = [name for name in _COLUMNS if name in together]
            return grid(shown, [[cell(together, name) for name in shown]]) if shown else ""
        columns = ["contacts", *(n for n in _COLUMNS if any(n in group for group in groups))]
        names = self._names()
        return grid(
            [*names, *columns],
            (
                [*(group["key"].get(n, "") for n in names), *(cell(group, n) for n in columns)]
                for group in groups
            ),
        )

    def together(self) -> Compared:
        """Return what is measured and compared of all contacts that are grouped."""
        found = self.found
        if found is None or found.part is None or found.together is None:
            return {}
        return self._compared(found.together, found.part, found)

    def _compared(self, group: Group, part: Part, found: Groups) -> Compared:
        result: Compared = {}
        if (measure := self.asked.measure) is not None:
            if (average := part.average(group.measured, measure.unit)) is not None:
                result["average"] = average
            if (median := part.median(group.measured, measure.unit)) is not None:
                result["median"] = median
            if (measured := group.measured.total()) != group.contacts:
                result["measured"] = measured
        if found.periods is not None:
            previous = group.previous or 0
            result["previous"] = previous
            result["change"] = group.contacts - previous
            if (share := part.share(group.contacts - previous, of=previous)) is not None:
                result["change_share"] = share
        return result

    def _names(self) -> list[str]:
        return [self.views.boundary.text(d.name) for d in self.asked.dimensions]

    def groups(self) -> list[GroupResult]:
        """Return every group, in order."""
        found = self.found
        if found is None or not self.asked.dimensions:
            return []
        grouping = found.grouping
        texts = self._shown(grouping)
        shown = [self._group(group, found, texts) for group in grouping.groups]
        if grouping.other is None:
            return shown
        other = self._group(grouping.other, found, texts)
        # A trend reads from old to new.
        return [other, *shown] if self.asked.is_trend else [*shown, other]

    def _group(
        self, group: Group, found: Groups, texts: Sequence[Mapping[str, str]]
    ) -> GroupResult:
        keys = group.keys or group.values
        named = zip(self._names(), self._named(group, texts), keys, strict=True)
        result: GroupResult = {
            "key": {name: value for name, value, key in named if key != ALL},
            "contacts": group.contacts,
        }
        if self._shows_statuses:
            by_status = numbers(self._counted(group, found))
            result.update(cast("GroupResult", by_status))
        if found.part is not None:
            result.update(cast("GroupResult", self._shares(group, found.part)))
            # Those who are left out are no group that means anything.
            if group.keys or not found.grouping.several:
                result.update(cast("GroupResult", self._compared(group, found.part, found)))
        proof = found.by_status.get(group.keys[0] or "") if group.keys else None
        if proof is not None:
            result["certainty"] = proof.certainty.value
        if self._is_partial(group, found.grouping):
            result["partial"] = True
        return result

    def _counted(self, group: Group, found: Groups) -> Mapping[Status, int]:
        """Return how many of each status a group has: a number of 0 only where that is proven."""
        part = found.part
        admitted = (part and part.statuses) or self.asked.wanted.statuses or frozenset(Status)
        return {
            status: number
            for status in _STATUS_NAMES
            if status in admitted
            and ((number := group.counts[status]) or (part and status is not Status.UNKNOWN))
        }

    def _shares(self, group: Group, part: Part) -> Shares:
        shares: Shares = {}
        if (share := part.share(group.contacts)) is not None:
            shares["share"] = share
        # Of some statuses only, the share of customers is none of how many become customers.
        if not self._shows_statuses or part.statuses or self.asked.wanted.statuses:
            return shares
        customers = group.counts[Status.CUSTOMER]
        every = customers + group.counts[Status.CONVERTED]
        if (share := part.share(customers, of=group.contacts)) is not None:
            shares["customer_share"] = share
        if (share := part.share(every, of=group.contacts)) is not None:
            shares["converted_share"] = share
        return shares

    @property
    def _shows_statuses(self) -> bool:
        """Whether a group says how many of each status it has: not if it is of one status."""
        one = self.asked.wanted.statuses is not None and len(self.asked.wanted.statuses) == 1
        return not one and not any(d.source == "status" for d in self.asked.dimensions)

    def _is_partial(self, group: Group, grouping: Grouping) -> bool:
        at = next((i for i, d in enumerate(self.asked.dimensions) if d.kind is Kind.TIME), None)
        return at is not None and bool(group.keys) and group.keys[at] in grouping.partial

    def _named(self, group: Group, shown: Sequence[Mapping[str, str]]) -> Sequence[str]:
        """Return the values of a group, as the filters of the same names take them."""
        if not group.keys:
            return [EARLIER if self.asked.is_trend else OTHER] * len(group.values)
        pairs = zip(group.values, group.keys, shown, strict=True)
        return [
            value if key is None else texts.get(key) or self.views.boundary.text(value)
            for value, key, texts in pairs
        ]

    def _shown(self, grouping: Grouping) -> list[Mapping[str, str]]:
        """Return how each value is shown, by key: people told apart, and in quotes what must be."""
        return [
            self._people(every)
            if d.field is not None and d.field.identity
            else self._texts(d, every, [g.keys[at] for g in grouping.groups])
            for at, (d, every) in enumerate(zip(self.asked.dimensions, grouping.every, strict=True))
        ]

    def _people(self, names: Mapping[str, str]) -> Mapping[str, str]:
        boundary = self.views.boundary
        shown = {key: person(name, boundary) for key, name in names.items()}
        called = {key: fold(text) for key, text in shown.items()}
        for key, text in called.items():
            # The filter takes a part of a name, and a name may read as something else there.
            is_part = any(text in other for k, other in called.items() if k != key)
            if is_part or shown[key] != names[key] or spelt(shown[key]) != shown[key]:
                shown[key] = f"{shown[key]} ({identity(key, boundary)})"
        texts = told_apart(shown, partial(identity, boundary=boundary))
        return {key: spelt(text) for key, text in texts.items()}

    def _texts(
        self, dimension: Dimension, every: Mapping[str, str], keys: Sequence[str | None]
    ) -> Mapping[str, str]:
        """Return texts so that the filter of the same name finds just those who have them."""
        by_part = dimension.field is None or dimension.field.match is Match.PART
        by_part &= dimension.kind in (Kind.VALUE, Kind.LABEL)
        ids = self.found.question_ids if self.found is not None else ()
        texts: dict[str, str] = {}
        for key in filter(None, keys):
            part_of_another = by_part and any(key in other != key for other in every)
            # Not as short as in other tables: it must be the whole value to be asked by.
            text = self.views.boundary.text(every.get(key, key), DETAIL_CHARS)
            # A question is told from its answers by a colon, and an id means its own question.
            is_question = dimension.kind is Kind.QUESTION
            in_quotes = part_of_another or (is_question and (":" in text or key in ids))
            texts[key] = spelt(text, exact=in_quotes)
        return texts


def numbers(counts: Mapping[Status, int]) -> StatusNumbers:
    """Return how many are of each status, by the names of the result."""
    named = {_STATUS_NAMES[status]: number for status, number in counts.items()}
    return cast("StatusNumbers", named)


def cell(group: Mapping[str, object], name: str) -> str:
    """Return a number of a group as a cell of a table."""
    value = group.get(name, "")
    if name.endswith("share") and isinstance(value, float):
        return f"{value:.1%}"
    return "yes" if value is True else str(value)
