"""The answer of contacts_stats: counts and groups, as structure and as text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from smoc_mcp.directory.answers import Groups, Statistics, Tally
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import Status
from smoc_mcp.questions.dimensions import Count, Dimension, Kind
from smoc_mcp.questions.fields import FIELDS
from smoc_mcp.questions.groups import NONE, OTHER, Group, Grouping
from smoc_mcp.views.identities import identity, person, told_apart
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
from smoc_mcp.views.results import GroupResult, Shares, StatisticsResult, StatusNumbers

__all__ = ["figures"]

_QUESTIONS_SHOWN = 5
_MOST_GROUPS = 100
"""What limit may be at most."""
_STATUS_WORDS = {
    Status.LEAD: ("leads", "lead"),
    Status.CUSTOMER: ("customers", "customer"),
    Status.LOST: ("lost", "lost"),
    Status.CONVERTED: ("converted", "converted"),
}
"""The name of the number of each status, and one of them in words."""


def figures(stats: Statistics, asked: Count, views: Views) -> View[StatisticsResult]:
    """Return the answer of contacts_stats."""
    return _Figures(stats, asked, views).answer()


@dataclass(frozen=True, slots=True)
class _Figures:
    """One answer of contacts_stats.

    Attributes:
        stats: What was counted.
        asked: The question.
        views: How it is shown.
    """

    stats: Statistics
    asked: Count
    views: Views

    def answer(self) -> View[StatisticsResult]:
        """Return both forms."""
        groups = self._groups()
        fitting = until_full(groups)
        as_of = self.views.time(self._as_of())
        note = self._note(as_of, kept=len(fitting), every=len(groups))
        whole = self.stats.unfiltered
        first = first_line(_heading(self.stats), as_of, self.stats.company, says_all=whole)
        text = lines([first, note, _table(self._names(), fitting)])
        return View(self._result(fitting, as_of, note), text)

    def _result(self, groups: Sequence[GroupResult], as_of: str, note: str) -> StatisticsResult:
        tally, found = self.stats.tally, self.stats.groups
        result: StatisticsResult = {
            "total": tally.total,
            "total_certainty": tally.proof.certainty.value,
        }
        result.update(cast("StatisticsResult", _numbers(tally.statuses)))
        result["status_certainty"] = tally.status_proof.certainty.value
        if found is not None:
            result["groups"] = list(groups)
            if found.part is not None:
                result |= self._of_part(found.part)
            elif not found.by_status:
                result["grouped"] = self.stats.in_hand
                result["scope"] = "in_hand"
        result["company"] = company_result(self.stats.company)
        result["as_of"] = as_of
        if note:
            result["note"] = note
        return result

    def _of_part(self, part: Part) -> StatisticsResult:
        """Return whom the groups are of, and what is proven of them."""
        result: StatisticsResult = {
            "grouped": part.contacts,
            "groups_certainty": part.proof.certainty.value,
        }
        if part.since is not None:
            result["proven_since"] = self.views.time(part.since)
        if part.statuses is not None:
            result["proven_statuses"] = sorted(part.statuses, reverse=True)
        return result

    def _as_of(self) -> int:
        tally, found = self.stats.tally, self.stats.groups
        proofs = [tally.proof, tally.status_proof]
        if found is not None and found.part is not None:
            proofs.append(found.part.proof)
        return min(proof.as_of for proof in proofs)

    def _note(self, as_of: str, kept: int, every: int) -> str:
        stats = self.stats
        grouping = stats.groups.grouping if stats.groups else None
        return sentences(
            [
                why_not_fresh(stats.company, as_of),
                self._about_part(),
                self._why_not_exact(),
                must_be_gone(stats.company),
                *(_about_groups(grouping, self.asked.dimensions) if grouping else ()),
                cut_short(kept, every, "ask with a filter or a smaller limit"),
                _questions(stats.questions, self.views),
                suggestions(stats.instead, self.views.boundary),
                unread(stats.company),
            ]
        )

    def _about_part(self) -> str:
        """Return of whom the groups are, and how to stay where all is proven."""
        found = self.stats.groups
        if not self.asked.dimensions:
            return self._about_sure(self.stats.part)
        if found is None:
            return (
                "Of no part of this is it proven that nobody is missing, so there are no groups; "
                "scope=in_hand counts those in hand."
            )
        if found.by_status:
            return (
                "Leads and customers are SMOC's own counts; of the others only those that its "
                "windows show are counted, so there are no shares."
            )
        if found.part is None:
            return (
                f"Groups are of the {many(self.stats.in_hand, 'contact')} in hand, as last seen: "
                "no share, order, trend or zero can be read from them."
            )
        if found.part.is_whole:
            return may_be_deleted(found.part.proof)
        return sentences(
            [f"Groups are of {self._those_of(found.part)}.", may_be_deleted(found.part.proof)]
        )

    def _about_sure(self, part: Part | None) -> str:
        return f"Proven are {self._those_of(part)}." if part is not None else ""

    def _those_of(self, part: Part) -> str:
        """Return who a part is, what is proven of it, and how to ask for it alone."""
        if part.since is not None:
            since = self.views.time(part.since)
            who, how = f"{many(part.contacts, 'contact')} created since {since}", "created_after"
        else:
            statuses = sorted(part.statuses or (), reverse=True)
            who = f"{part.contacts:,} {' and '.join(f'{status}s' for status in statuses)}"
            how = f"status={','.join(statuses)}"
        return f"the {who} ({part.proof.certainty}); ask with {how} to stay there"

    def _why_not_exact(self) -> str:
        stats = self.stats
        proof = stats.tally.proof
        if proof.complete:
            grouped = stats.groups is not None and stats.groups.part is not None
            return "" if grouped else may_be_deleted(proof)
        why = looked_at(stats.company)
        if stats.unfiltered:
            why = "" if self.asked.dimensions else lower_total()
        return sentences(
            [
                why,
                remembered(stats.tally.total, stats.in_hand),
                self.views.gaps(stats.company.gaps, "came"),
            ]
        )

    def _names(self) -> list[str]:
        return [self.views.boundary.text(d.name) for d in self.asked.dimensions]

    def _groups(self) -> list[GroupResult]:
        found = self.stats.groups
        if found is None:
            return []
        people = self._people(found.grouping.groups)
        shown = (*found.grouping.groups, found.grouping.other)
        return [self._group(group, found, people) for group in shown if group is not None]

    def _group(
        self, group: Group, found: Groups, people: Sequence[Mapping[str, str]]
    ) -> GroupResult:
        result: GroupResult = {
            "key": dict(zip(self._names(), self._named(group, people), strict=True)),
            "contacts": group.contacts,
        }
        if self._shows_statuses:
            result.update(cast("GroupResult", _numbers(_every_status(group.counts))))
        if found.part is not None:
            result.update(cast("GroupResult", self._shares(group, found.part)))
        proof = found.by_status.get(group.keys[0] or "") if group.keys else None
        if proof is not None:
            result["certainty"] = proof.certainty.value
        if self._is_partial(group, found.grouping):
            result["partial"] = True
        return result

    def _shares(self, group: Group, part: Part) -> Shares:
        customers = group.counts[Status.CUSTOMER]
        every = customers + group.counts[Status.CONVERTED]
        shares = {"share": part.share(group.contacts)}
        if self._shows_statuses:
            shares["customer_share"] = part.share(customers, of=group.contacts)
            shares["converted_share"] = part.share(every, of=group.contacts)
        known = {name: share for name, share in shares.items() if share is not None}
        return cast("Shares", known)

    @property
    def _shows_statuses(self) -> bool:
        """Whether a group says how many of each status it has: not if it is of one status."""
        one = self.asked.wanted.statuses is not None and len(self.asked.wanted.statuses) == 1
        return not one and not any(d.source == "status" for d in self.asked.dimensions)

    def _is_partial(self, group: Group, grouping: Grouping) -> bool:
        at = next((i for i, d in enumerate(self.asked.dimensions) if d.kind is Kind.TIME), None)
        return at is not None and bool(group.keys) and group.keys[at] in grouping.partial

    def _named(self, group: Group, people: Sequence[Mapping[str, str]]) -> Sequence[str]:
        """Return the values of a group; in quotes where one reads like a name of ours."""
        if not group.keys:
            return group.values
        shown: list[str] = []
        for value, key, texts in zip(group.values, group.keys, people, strict=True):
            text = value if key is None else texts.get(key) or self.views.boundary.text(value)
            shown.append(f'"{text}"' if text in (NONE, OTHER) and key is not None else text)
        return shown

    def _people(self, groups: Sequence[Group]) -> list[Mapping[str, str]]:
        """Return by key how people are shown, of each dimension that is one of people."""
        boundary = self.views.boundary
        return [
            told_apart(
                {key: person(g.values[at], boundary) for g in groups if (key := g.keys[at])},
                partial(identity, boundary=boundary),
            )
            if d.source in FIELDS and FIELDS[d.source].identity
            else {}
            for at, d in enumerate(self.asked.dimensions)
        ]


def _heading(stats: Statistics) -> str:
    tally = stats.tally
    counted = f"{total_words(tally.total, tally.proof)} {noun(tally.total, 'contact')}"
    verb = "" if stats.unfiltered else " matches" if tally.total == 1 else " match"
    heading = f"{counted[0].upper()}{counted[1:]}{verb}{_by_status(tally)}."
    total, statuses = tally.proof.certainty, tally.status_proof.certainty
    if total is statuses:
        return f"{heading} Certainty: {total}."
    return f"{heading} Total: {total}. By status: {statuses}."


def _by_status(tally: Tally) -> str:
    """Return how many are of each status, as the end of a sentence."""
    least = "" if tally.status_proof.complete else "at least "
    shown = [
        f"{number:,} {noun(number, word) if word in ('lead', 'customer') else word}"
        for status, number in tally.statuses.items()
        for word in [_STATUS_WORDS[status][1]]
    ]
    return f": {least}{', '.join(shown)}" if len(shown) > 1 and tally.total else ""


def _numbers(counts: Mapping[Status, int]) -> StatusNumbers:
    named = {_STATUS_WORDS[status][0]: number for status, number in counts.items()}
    return cast("StatusNumbers", named)


def _every_status(counts: Mapping[Status, int]) -> Mapping[Status, int]:
    return {status: counts.get(status, 0) for status in _STATUS_WORDS}


def _table(names: Sequence[str], groups: Sequence[GroupResult]) -> str:
    """Return groups as lines of cells, without the columns that none of them has."""
    optional = [*StatusNumbers.__annotations__, *Shares.__annotations__, "partial", "certainty"]
    columns = ["contacts", *(n for n in optional if any(n in group for group in groups))]
    return grid(
        [*names, *columns],
        ([*group["key"].values(), *(_cell(group, name) for name in columns)] for group in groups),
    )


def _cell(group: Mapping[str, object], name: str) -> str:
    value = group.get(name, "")
    if isinstance(value, float):
        return f"{value:.1%}"
    return "yes" if value is True else str(value)


def _about_groups(grouping: Grouping, dimensions: Sequence[Dimension]) -> Sequence[str]:
    several = many_values = ""
    if grouping.several:
        several = (
            f"A contact counts once per value of {' and '.join(grouping.several)}, so shares can "
            "add up to more than 100%."
        )
    if grouping.left_out:
        is_trend = any(d.kind is Kind.TIME for d in dimensions)
        which = "earlier" if is_trend else "smaller"
        together = "counted together as (other)" if grouping.other else "left out"
        every = len(grouping.groups) + grouping.left_out
        hint = f"; limit={every} shows all" if every <= _MOST_GROUPS else ""
        many_values = (
            f"{grouping.left_out:,} {which} {noun(grouping.left_out, 'group')} {together}{hint}."
        )
    return several, many_values


def _questions(questions: Sequence[str], views: Views) -> str:
    if not questions:
        return ""
    shown = [quoted(views.boundary.text(q)) for q in questions[:_QUESTIONS_SHOWN]]
    more = len(questions) - len(shown)
    return f"Answers to: {'; '.join(shown)}{f' and {more:,} more' if more else ''}."
