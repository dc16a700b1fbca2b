"""The answer of contacts_dashboard: what its page draws, and the same as a short text."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from smoc_mcp.directory.answers import Picture
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.look import Look
from smoc_mcp.views.figures import figures
from smoc_mcp.views.groups import cell
from smoc_mcp.views.lists import View, Views, table
from smoc_mcp.views.phrases import grid, lines
from smoc_mcp.views.results import DashboardResult, PageResult, StatisticsResult

__all__ = ["dashboard"]

_SENTENCE_ENDS = re.compile(r"(?<=[.!?]) ")
_OF_TREND = ("contacts", "partial")
_OF_GROUPS = (
    *("contacts", "customers", "share", "customer_share", "converted_share"),
    *("certainty", "partial"),
)
_OF_PART = (
    *("grouped", "groups_certainty", "proven_since", "proven_by", "proven_statuses"),
    *("scope", "as_of"),
)


def dashboard(picture: Picture, asked: Look, views: Views, cursor: str) -> View[DashboardResult]:
    """Return both forms.

    Args:
        picture: What was looked at.
        asked: The question.
        views: How it is shown.
        cursor: With it contacts_changes tells what is new since.
    """
    numbers = figures(picture.numbers, asked.numbers, views)
    # What these advise is advice on contacts_stats, which takes more.
    elsewhere = "contacts_stats with "
    trend = figures(picture.trend, asked.trend(picture.unit), views, elsewhere).result
    groups = figures(picture.groups, asked.groups, views, elsewhere).result
    newest = views.page(picture.newest, Sort.CREATED, lambda _: "").result
    by = views.boundary.text(asked.by.name)
    note = numbers.result.get("note", "")
    shown_trend = _part(trend, _OF_TREND, said=note)
    shown_groups = _part(groups, _OF_GROUPS, said=f"{note} {shown_trend.get('note', '')}")
    result: DashboardResult = {
        "numbers": _without(numbers.result, "company", "note"),
        "unit": picture.unit,
        "trend": shown_trend,
        "group_by": by,
        "groups": shown_groups,
        "newest": _without(newest, "company", "note", "next_cursor"),
        "cursor": cursor,
        "company": numbers.result["company"],
        "as_of": min(part["as_of"] for part in (numbers.result, trend, groups, newest)),
    }
    if picture.numbers.company.failure:
        result["failure"] = picture.numbers.company.failure
    if note:
        result["note"] = note
    text = lines(
        [
            numbers.text,
            *_lines_of(picture.unit, shown_trend, _OF_TREND),
            *_lines_of(by, shown_groups, _OF_GROUPS),
            _newest(newest) if newest["contacts"] else "",
            table(newest["contacts"]),
            f"New since: contacts_changes since={cursor}",
        ]
    )
    return View(result, text)


def _part(found: StatisticsResult, names: Sequence[str], said: str) -> dict[str, Any]:
    """Return what is drawn of groups, with the sentences about them that were not said before."""
    result: Mapping[str, Any] = {**found}
    part = {name: result[name] for name in _OF_PART if name in result}
    part["groups"] = [
        {name: group[name] for name in ("key", *names) if name in group}
        for group in result.get("groups", ())
    ]
    # Where there are no groups, why not is said in each place.
    known = _SENTENCE_ENDS.split(said) if part["groups"] else []
    new = [s for s in _SENTENCE_ENDS.split(result.get("note", "")) if s not in known]
    if note := " ".join(new):
        part["note"] = note
    return part


def _newest(newest: PageResult) -> str:
    """Return what the newest contacts are called: they are the newest where that is proven."""
    certainty = newest["certainty"]
    if certainty == "at_least":
        return f"Newest of those in hand, newer ones may be missing ({certainty}):"
    return f"Newest ({certainty}):"


def _without(result: Mapping[str, object], *names: str) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name not in names}


def _lines_of(by: str, part: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Return groups as lines of text: by what, a table, what to know about them."""
    groups = part["groups"]
    columns = [name for name in names if any(name in group for group in groups)]
    rows = [[group["key"].get(by, ""), *(cell(group, n) for n in columns)] for group in groups]
    if not groups and "note" not in part:
        return []
    certainty = f" ({part['groups_certainty']})" if "groups_certainty" in part else ""
    return [f"By {by}{certainty}:", grid([by, *columns], rows), part.get("note", "")]
