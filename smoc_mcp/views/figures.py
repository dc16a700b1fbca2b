"""The answer of contacts_stats: counts and groups, as structure and as text."""

from collections.abc import Sequence
from dataclasses import dataclass

from smoc_mcp.directory.answers import Statistics, Sure
from smoc_mcp.proof.certainty import Certainty
from smoc_mcp.questions.dimensions import Count, Dimension, Kind
from smoc_mcp.questions.groups import NONE, OTHER, Group, Grouping, begins
from smoc_mcp.views.lists import View, Views, company_result, until_full
from smoc_mcp.views.phrases import (
    cut_short,
    first_line,
    grid,
    lines,
    looked_at,
    lower_total,
    many,
    may_be_deleted,
    must_be_gone,
    noun,
    quoted,
    remembered,
    sentences,
    suggestions,
    total_words,
    unread,
    why_not_fresh,
)
from smoc_mcp.views.results import CertaintyWord, GroupResult, StatisticsResult

__all__ = ["figures"]

_QUESTIONS_SHOWN = 5
_MOST_GROUPS = 100
"""What limit may be at most."""


def figures(stats: Statistics, asked: Count, views: Views) -> View[StatisticsResult]:
    """Return the answer of contacts_stats."""
    return _Figures(stats, asked.dimensions, views).answer()


@dataclass(frozen=True, slots=True)
class _Figures:
    """One answer of contacts_stats.

    Attributes:
        stats: What was counted.
        dimensions: By what it is grouped.
        views: How it is shown.
    """

    stats: Statistics
    dimensions: Sequence[Dimension]
    views: Views

    def answer(self) -> View[StatisticsResult]:
        """Return both forms."""
        groups = self._groups()
        fitting = until_full(groups)
        as_of = self._as_of()
        note = self._note(as_of, kept=len(fitting), every=len(groups))
        first = first_line(_heading(self.stats), as_of, self.stats.company)
        text = lines([first, self._table(fitting), note])
        return View(self._result(fitting, as_of, note), text)

    def _result(self, groups: Sequence[GroupResult], as_of: str, note: str) -> StatisticsResult:
        stats = self.stats
        result: StatisticsResult = {
            "leads": stats.company.leads,
            "customers": stats.company.customers,
            "total": stats.total,
            "certainty": stats.proof.certainty.value,
            "company": company_result(stats.company),
            "as_of": as_of,
        }
        if stats.grouping is not None:
            result["groups"] = list(groups)
        if note:
            result["note"] = note
        return result

    def _table(self, groups: Sequence[GroupResult]) -> str:
        columns = [*self._names(), "contacts", "leads", "customers", "share", "of them customers"]
        if self._sure_periods() is not None:
            columns.append("certainty")
        return grid(columns, map(_cells, groups))

    def _note(self, as_of: str, kept: int, every: int) -> str:
        stats = self.stats
        return sentences(
            [
                why_not_fresh(stats.company, as_of),
                _why_not_exact(stats, self.dimensions, self.views),
                "" if stats.proof.complete else remembered(stats.total, stats.in_hand),
                must_be_gone(stats.company),
                *(_about_groups(stats.grouping, self.dimensions) if stats.grouping else ()),
                cut_short(kept, every, "ask with a filter or a smaller limit"),
                _asked(stats, self.views),
                suggestions(stats.instead, self.views.boundary),
                unread(stats.company),
            ]
        )

    def _as_of(self) -> str:
        sure = self._sure_periods()
        return self.views.time((self.stats.proof if sure is None else sure.proof).as_of)

    def _names(self) -> list[str]:
        return [self.views.boundary.text(d.name) for d in self.dimensions]

    def _sure_periods(self) -> Sure | None:
        """Return what is proven of the newest periods of a trend, where it is not of all."""
        return self.stats.sure if _is_trend(self.dimensions) else None

    def _groups(self) -> list[GroupResult]:
        grouping = self.stats.grouping
        if grouping is None:
            return []
        return [self._group(g) for g in (*grouping.groups, grouping.other) if g is not None]

    def _group(self, group: Group) -> GroupResult:
        stats = self.stats
        result: GroupResult = {
            "key": dict(zip(self._names(), self._named(group), strict=True)),
            "contacts": group.contacts,
            "leads": group.leads,
            "customers": group.customers,
            "customer_share": _share(group.customers, group.contacts),
        }
        if not stats.own_counts or stats.proof.complete:
            result["share"] = _share(group.contacts, stats.in_hand)
        if (sure := self._sure_periods()) is not None:
            result["certainty"] = self._certainty(group, sure)
        return result

    def _named(self, group: Group) -> Sequence[str]:
        """Return the values of a group; in quotes where one reads like a name of ours."""
        if not group.keys:
            return group.values
        shown = (
            _value(v, d, self.views) for v, d in zip(group.values, self.dimensions, strict=True)
        )
        return [
            f'"{value}"' if value in (NONE, OTHER) and key is not None else value
            for value, key in zip(shown, group.keys, strict=True)
        ]

    def _certainty(self, group: Group, sure: Sure) -> CertaintyWord:
        """Return what is proven of a period: as much as of all contacts since it began."""
        at = next(i for i, d in enumerate(self.dimensions) if d.kind is Kind.TIME)
        period = group.keys[at] if group.keys else None
        if period is None or begins(period, self.views.zone) < sure.since:
            return Certainty.AT_LEAST.value
        return sure.proof.certainty.value


def _cells(group: GroupResult) -> Sequence[object]:
    """Return a group as a row of the table."""
    share = f"{group['share']:.1%}" if "share" in group else ""
    cells: list[object] = [*group["key"].values()]
    cells += [group["contacts"], group["leads"], group["customers"]]
    cells += [share, f"{group['customer_share']:.1%}"]
    return [*cells, group["certainty"]] if "certainty" in group else cells


def _heading(stats: Statistics) -> str:
    company = stats.company
    counted = f"{total_words(stats.total, stats.proof)} {noun(stats.total, 'contact')}"
    if stats.unfiltered:
        heading = (
            f"{many(company.leads, 'lead')} and {many(company.customers, 'customer')}, by "
            f"SMOC's own count; {counted} in all."
        )
    else:
        heading = f"{counted[0].upper()}{counted[1:]} match."
    return f"{heading} Certainty: {stats.proof.certainty}."


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _value(value: str, dimension: Dimension, views: Views) -> str:
    """Return the value of a dimension; who invited is a person, or where nameless an address."""
    if value in (NONE, OTHER) or dimension.source != "inviter":
        return views.boundary.text(value)
    is_address = "@" in value and not any(map(str.isspace, value))
    return views.boundary.email(value) if is_address else views.boundary.name(value)


def _why_not_exact(stats: Statistics, dimensions: Sequence[Dimension], views: Views) -> str:
    if stats.proof.complete:
        return may_be_deleted(stats.proof)
    company = stats.company
    if stats.own_counts:
        return (
            f"{lower_total()} Leads and customers are SMOC's own counts, of the others only those "
            "in hand are counted, as last seen: there are no shares, and the groups can add up to "
            "more than the total."
        )
    if stats.unfiltered and stats.grouping is None:
        return lower_total()
    return sentences(
        [
            looked_at(company),
            _about_shares(stats, dimensions),
            _what_is_sure(stats, views),
            views.gaps(company.gaps, "came"),
        ]
    )


def _about_shares(stats: Statistics, dimensions: Sequence[Dimension]) -> str:
    if stats.grouping is None:
        return ""
    if _is_trend(dimensions):
        return "Periods that are at_least may show fewer than there were: read no trend there."
    return "Groups and shares are of those in hand, mostly the newest, not of the whole company."


def _what_is_sure(stats: Statistics, views: Views) -> str:
    if stats.sure is None:
        return ""
    since, total = views.time(stats.sure.since), many(stats.sure.total, "contact")
    return (
        f"Proven since {since}: {total}. With created_after={since} the answer is "
        f"{stats.sure.proof.certainty}."
    )


def _is_trend(dimensions: Sequence[Dimension]) -> bool:
    return any(d.kind is Kind.TIME for d in dimensions)


def _about_groups(grouping: Grouping, dimensions: Sequence[Dimension]) -> Sequence[str]:
    several = many_values = ""
    if grouping.several:
        several = (
            f"A contact counts once per value of {' and '.join(grouping.several)}, so shares can "
            "add up to more than 100%."
        )
    if grouping.left_out:
        which = "earlier" if _is_trend(dimensions) else "smaller"
        together = "counted together as (other)" if grouping.other else "left out"
        every = len(grouping.groups) + grouping.left_out
        hint = f"; limit={every} shows all" if every <= _MOST_GROUPS else ""
        many_values = (
            f"{grouping.left_out:,} {which} {noun(grouping.left_out, 'group')} {together}{hint}."
        )
    partial = " and ".join(grouping.partial)
    return several, many_values, f"Not the whole period: {partial}." if partial else ""


def _asked(stats: Statistics, views: Views) -> str:
    if stats.questions:
        return f"Answers to: {_listed_questions(stats.questions, views)}."
    if stats.other_questions is None:
        return ""
    if not stats.other_questions:
        return "Nobody in hand has answered a survey question."
    return (
        "No survey question that somebody in hand has answered has these words or this id. "
        f"Answered were: {_listed_questions(stats.other_questions, views)}."
    )


def _listed_questions(questions: Sequence[str], views: Views) -> str:
    shown = [quoted(views.boundary.text(q)) for q in questions[:_QUESTIONS_SHOWN]]
    more = len(questions) - len(shown)
    return f"{'; '.join(shown)}{f' and {more:,} more' if more else ''}"
