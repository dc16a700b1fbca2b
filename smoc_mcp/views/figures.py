"""Counts and groups as they leave, as structure and as text."""

from collections.abc import Sequence

from smoc_mcp.directory.answers import Statistics, Sure
from smoc_mcp.proof.certainty import Certainty
from smoc_mcp.questions.dimensions import Count, Dimension, Kind
from smoc_mcp.questions.groups import NONE, OTHER, Group, Grouping, begins
from smoc_mcp.views.lists import View, Views, company_result, until_full
from smoc_mcp.views.phrases import (
    about,
    bound,
    cut_short,
    failed,
    grid,
    instead,
    lines,
    lingering,
    lower_total,
    many,
    noun,
    reach,
    sentences,
    unread,
)
from smoc_mcp.views.results import CertaintyWord, GroupResult, StatisticsResult

__all__ = ["figures"]

_QUESTIONS_SHOWN = 5
_MOST_GROUPS = 100
"""What limit may be at most."""


def figures(stats: Statistics, asked: Count, views: Views) -> View[StatisticsResult]:
    """Return the answer of contacts_stats."""
    dimensions = asked.dimensions
    names = [views.boundary.text(d.name) for d in dimensions]
    grouping, company = stats.grouping, stats.company
    groups: list[GroupResult] = []
    every = 0
    if grouping is not None:
        shown = [*grouping.groups, *filter(None, [grouping.other])]
        every = len(shown)
        groups = list(until_full([_group(g, names, dimensions, stats, views) for g in shown]))
    by_period = stats.sure is not None and _is_trend(dimensions)
    as_of = views.time(stats.sure.proof.as_of if stats.sure and by_period else stats.proof.as_of)
    note = sentences(
        [
            failed(company, as_of),
            _why_not_exact(stats, dimensions, views),
            *(_about_groups(grouping, dimensions) if grouping else ()),
            cut_short(len(groups), every, "ask with a filter or a smaller limit"),
            _asked(stats, views),
            instead(stats.instead, views.boundary),
            unread(company),
        ]
    )
    result: StatisticsResult = {
        "leads": company.leads,
        "customers": company.customers,
        "total": stats.total,
        "certainty": stats.proof.certainty.value,
        "company": company_result(company),
        "as_of": as_of,
    }
    if grouping is not None:
        result["groups"] = groups
    if note:
        result["note"] = note
    columns = [*names, "contacts", "leads", "customers", "share", "of them customers"]
    table = grid(
        [*columns, "certainty"] if by_period else columns,
        (
            (
                *g["key"].values(),
                *(g["contacts"], g["leads"], g["customers"]),
                f"{g['share']:.1%}" if "share" in g else "",
                f"{g['customer_share']:.1%}",
                *([g["certainty"]] if "certainty" in g else []),
            )
            for g in groups
        ),
    )
    return View(result, lines([about(_heading(stats), as_of, company), table, note]))


def _heading(stats: Statistics) -> str:
    company = stats.company
    counted = f"{bound(stats.total, stats.proof)} {noun(stats.total, 'contact')}"
    if stats.unfiltered:
        heading = (
            f"{many(company.leads, 'lead')} and {many(company.customers, 'customer')}, by "
            f"SMOC's own count; {counted} in all."
        )
    else:
        heading = f"{counted[0].upper()}{counted[1:]} match."
    return f"{heading} Certainty: {stats.proof.certainty}."


def _group(
    group: Group,
    names: Sequence[str],
    dimensions: Sequence[Dimension],
    stats: Statistics,
    views: Views,
) -> GroupResult:
    values = (_value(v, d, views) for v, d in zip(group.values, dimensions, strict=True))
    if group.keys:
        named = (
            v if v not in (NONE, OTHER) or key is None else f'"{v}"'
            for v, key in zip(values, group.keys, strict=True)
        )
    else:
        named = (v for v in group.values)
    result: GroupResult = {
        "key": dict(zip(names, named, strict=True)),
        "contacts": group.contacts,
        "leads": group.leads,
        "customers": group.customers,
        "customer_share": _share(group.customers, group.contacts),
    }
    if not stats.own_counts or stats.proof.complete:
        result["share"] = _share(group.contacts, stats.total)
    if stats.sure is not None and _is_trend(dimensions):
        result["certainty"] = _certainty(group, dimensions, stats.sure, views)
    return result


def _certainty(
    group: Group, dimensions: Sequence[Dimension], sure: Sure, views: Views
) -> CertaintyWord:
    """Return what is proven of a period: as much as of all contacts since it began."""
    at = next(i for i, d in enumerate(dimensions) if d.kind is Kind.TIME)
    period = group.keys[at] if group.keys else None
    if period is None or begins(period, views.zone) < sure.since:
        return Certainty.AT_LEAST.value
    return sure.proof.certainty.value


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
        return lingering(stats.proof)
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
            reach(company),
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
        return f"Answers to: {_quoted(stats.questions, views)}."
    if stats.other_questions is None:
        return ""
    if not stats.other_questions:
        return "Nobody in hand has answered a survey question."
    return (
        "No survey question that somebody in hand has answered has these words or this id. "
        f"Answered were: {_quoted(stats.other_questions, views)}."
    )


def _quoted(questions: Sequence[str], views: Views) -> str:
    shown = [f'"{views.boundary.text(q)}"' for q in questions[:_QUESTIONS_SHOWN]]
    more = len(questions) - len(shown)
    return f"{'; '.join(shown)}{f' and {more:,} more' if more else ''}"
