"""The answer of contacts_stats: counts and groups, as structure and as text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from smoc_mcp.directory.answers import Statistics, Tally
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import COUNTED, Sort, Status
from smoc_mcp.questions.choices import EARLIER, OTHER
from smoc_mcp.questions.dimensions import Count, Scope
from smoc_mcp.questions.fields import WIRE_FIELDS
from smoc_mcp.questions.filters import TIMES
from smoc_mcp.questions.groups import Grouping
from smoc_mcp.views.groups import GroupWriter, numbers
from smoc_mcp.views.lists import View, Views, company_result, until_full
from smoc_mcp.views.phrases import (
    cut_short,
    everybody_of,
    first_line,
    lines,
    looked_at,
    lower_total,
    many,
    may_be_deleted,
    must_be_gone,
    nobody_has,
    noun,
    quoted,
    remembered,
    remembered_more,
    sentences,
    suggestions,
    total_words,
    unread,
    why_not_fresh,
)
from smoc_mcp.views.results import GroupResult, StatisticsResult

__all__ = ["figures"]

_QUESTIONS_SHOWN = 5
_MOST_GROUPS = 100
"""What limit may be at most."""


def figures(
    stats: Statistics, asked: Count, views: Views, elsewhere: str = ""
) -> View[StatisticsResult]:
    """Return the answer of contacts_stats.

    Args:
        stats: What was counted.
        asked: The question.
        views: How it is shown.
        elsewhere: What stands before parameters to ask with, where it is not contacts_stats that
            answers.
    """
    return _Figures(stats, asked, views, elsewhere).answer()


@dataclass(frozen=True, slots=True)
class _Figures:
    """One answer of contacts_stats.

    Attributes:
        stats: What was counted.
        asked: The question.
        views: How it is shown.
        elsewhere: What stands before parameters to ask with.
    """

    stats: Statistics
    asked: Count
    views: Views
    elsewhere: str = ""

    def answer(self) -> View[StatisticsResult]:
        """Return both forms."""
        groups = self._writer.groups()
        fitting = until_full(groups)
        as_of = self.views.time(self._as_of())
        note = self._note(as_of, kept=len(fitting), every=len(groups))
        whole = self.stats.unfiltered
        first = first_line(_heading(self.stats), as_of, self.stats.company, says_all=whole)
        text = lines([first, note, self._writer.table(fitting)])
        return View(self._result(fitting, as_of, note), text)

    @property
    def _writer(self) -> GroupWriter:
        return GroupWriter(self.stats.groups, self.asked, self.views)

    def _result(self, groups: Sequence[GroupResult], as_of: str, note: str) -> StatisticsResult:
        tally, found = self.stats.tally, self.stats.groups
        result: StatisticsResult = {
            "total": tally.total,
            "total_certainty": tally.proof.certainty.value,
        }
        result.update(cast("StatisticsResult", numbers(tally.statuses)))
        result["status_certainty"] = tally.status_proof.certainty.value
        if found is not None:
            if self.asked.dimensions:
                result["groups"] = list(groups)
            if found.part is not None:
                result |= self._of_part(found.part)
                result.update(cast("StatisticsResult", self._writer.together()))
            elif not found.by_status:
                result["grouped"] = self.stats.in_hand
                result["scope"] = "in_hand"
        if left := remembered_more(tally.total, tally.proof, self.stats.in_hand):
            result["remembered"] = left
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
            if part.sort is Sort.CONVERSATION:
                result["proven_by"] = "conversation"
        if part.statuses is not None:
            result["proven_statuses"] = part.of_statuses
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
                self._about_time(),
                self._why_not_exact(),
                must_be_gone(stats.company),
                *(_about_groups(grouping, self.asked, self.elsewhere) if grouping else ()),
                self._ahead(),
                cut_short(kept, every, "ask with a filter or a smaller limit"),
                _questions(stats.questions, self.views),
                nobody_has(stats.had_by_nobody),
                suggestions(stats.instead, self.views.boundary),
                unread(stats.company),
            ]
        )

    def _about_part(self) -> str:
        """Return of whom the groups are, and how to stay where all is proven."""
        found = self.stats.groups
        counts_only = not self.asked.dimensions and not self.asked.measure
        if counts_only and (found is None or found.periods is None):
            return self._about_sure(self.stats.part)
        if found is None:
            nothing = "groups" if self.asked.dimensions else "averages"
            return (
                f"No {nothing}: contacts may be missing everywhere in this. "
                f"{self.elsewhere}scope=in_hand counts those in hand."
            )
        if found.by_status:
            together = sum(group.contacts for group in found.grouping.groups)
            return sentences(
                [
                    "Leads and customers are SMOC's own counts; of the others only those that its "
                    "windows show are counted, so there are no shares.",
                    "They were seen at different moments, so they add up to more than the total."
                    if together > self.stats.tally.total
                    else "",
                ]
            )
        if found.part is None:
            return (
                f"Groups are of the {many(self.stats.in_hand, 'contact')} in hand, as last seen: "
                "no share, order, trend or zero can be read from them."
            )
        if found.part.is_whole:
            return may_be_deleted(found.part.proof)
        who = self._everybody_of(found.part)
        what = "Groups are" if self.asked.dimensions else "Measured are"
        return sentences(
            [
                f"{what} of {found.part.contacts:,} of them: {who}",
                may_be_deleted(found.part.proof),
            ]
        )

    def _about_time(self) -> str:
        """Return what was measured, and with what it was compared."""
        found, measured = self.stats.groups, self._about_measure()
        if not self.asked.compare:
            return measured
        if found is None or found.periods is None or found.part is None:
            return sentences(
                [measured, "Nothing is compared: of the time before, contacts may be missing."]
            )
        earlier, began, ended = map(self.views.time, found.periods)
        compared = many(found.part.contacts, "contact")
        are = "is" if found.part.contacts == 1 else "are"
        return sentences(
            [
                measured,
                f"Compared {are} {compared} created from {began} to {ended} with those from "
                f"{earlier} to {began}.",
            ]
        )

    def _about_measure(self) -> str:
        """Return what was measured, and beside groups also the average and median of all."""
        found, measure = self.stats.groups, self.asked.measure
        if measure is None or found is None or found.part is None:
            return ""
        together = self._writer.together()
        if not self.asked.dimensions or "average" not in together:
            return f"Measured: {measure.of}."
        return (
            f"Measured: {measure.of}; average {together['average']}, median {together['median']} "
            f"of {many(together.get('measured', found.part.contacts), 'contact')} together."
        )

    def _ahead(self) -> str:
        """Return how many bear a time of the future; of two periods they are in neither."""
        contacts, found = self.stats.ahead, self.stats.groups
        if not contacts:
            return ""
        compared = found is not None and found.periods is not None
        bear = "bears" if contacts == 1 else "bear"
        which = "who match" if compared else "of them"
        field = WIRE_FIELDS[TIMES[self.asked.sort_of_trend]][0]
        neither = ", and are in neither of these periods" if compared else ""
        return f"{contacts:,} {which} {bear} a {field} of the future{neither}."

    def _about_sure(self, part: Part | None) -> str:
        return f"Proven are {part.contacts:,} of them: {self._everybody_of(part)}" if part else ""

    def _everybody_of(self, part: Part) -> str:
        """Return who a part is, what is proven of it, and how to ask for it alone."""
        since = "" if part.since is None else self.views.time(part.since)
        how = (
            f"{TIMES[part.sort]}_after={since}" if since else f"status={','.join(part.of_statuses)}"
        )
        who = everybody_of(part, since)
        return f"{who} ({part.proof.certainty}); {how} gives only these."

    def _why_not_exact(self) -> str:
        stats = self.stats
        tally = stats.tally
        if tally.proof.complete:
            grouped = stats.groups is not None and stats.groups.part is not None
            return "" if grouped else may_be_deleted(tally.proof)
        why = looked_at(stats.company)
        if stats.unfiltered:
            why = "" if self.asked.dimensions else lower_total()
        return sentences(
            [
                why,
                remembered(remembered_more(tally.total, tally.proof, stats.in_hand)),
                self.views.gaps(stats.company.gaps, "came"),
            ]
        )


def _heading(stats: Statistics) -> str:
    tally = stats.tally
    more = remembered_more(tally.total, tally.proof, stats.in_hand)
    if stats.company.failure and more:
        heading = f"{many(stats.in_hand, 'contact')} matched as they were last seen."
        return f"{heading} Certainty: {tally.proof.certainty}."
    if not tally.total and not tally.proof.complete:
        heading = "Nobody was found, which does not prove that nobody matches."
        return f"{heading} Certainty: {tally.proof.certainty}."
    counted = f"{total_words(tally.total, tally.proof)} {noun(tally.total, 'contact')}"
    verb = "" if stats.unfiltered else " matches" if tally.total == 1 else " match"
    heading = f"{counted[0].upper()}{counted[1:]}{verb}{_by_status(tally)}."
    total, statuses = tally.proof.certainty, tally.status_proof.certainty
    if total is statuses or not tally.statuses:
        return f"{heading} Certainty: {total}."
    return f"{heading} Total: {total}. By status: {statuses}."


def _by_status(tally: Tally) -> str:
    """Return how many are of each status, as the end of a sentence."""
    if len(tally.statuses) < 2 or not tally.total:
        return ""
    shown = [
        many(number, status.value)
        if status in COUNTED
        else f"{number:,} {status.value if status is not Status.UNKNOWN else 'of another status'}"
        for status, number in tally.statuses.items()
    ]
    least = "" if tally.status_proof.complete else "at least "
    return f": {', '.join(f'{least}{number}' for number in shown)}"


def _about_groups(grouping: Grouping, asked: Count, elsewhere: str) -> Iterator[str]:
    if grouping.several and grouping.groups:
        yield (
            f"A contact counts once per value of {' and '.join(grouping.several)}, so shares can "
            "add up to more than 100%."
        )
    if grouping.left_out:
        which = "earlier" if asked.is_trend else "more"
        name = EARLIER if asked.is_trend else OTHER
        together = f"counted together as {name}" if grouping.other else "left out"
        every = len(grouping.groups) + grouping.left_out
        hint = f"; {elsewhere}limit={every} shows all" if every <= _MOST_GROUPS else ""
        yield f"{grouping.left_out:,} {which} {noun(grouping.left_out, 'group')} {together}{hint}."
    if asked.sort_of_trend is Sort.CONVERSATION:
        yield "A contact counts at its last conversation only."
    if (
        asked.is_trend
        and not grouping.left_out
        and len(asked.dimensions) > 1
        and asked.scope is Scope.PROVEN
    ):
        yield "A pair that is not shown has nobody."


def _questions(questions: Sequence[str], views: Views) -> str:
    if not questions:
        return ""
    shown = [quoted(views.boundary.text(q)) for q in questions[:_QUESTIONS_SHOWN]]
    more = len(questions) - len(shown)
    return f"Answers to: {'; '.join(shown)}{f' and {more:,} more' if more else ''}."
