"""The answer of contacts_stats: counts and groups, as structure and as text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from smoc_mcp.directory.answers import Groups, Statistics, Tally
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import COUNTED, Status
from smoc_mcp.questions.choices import spelt
from smoc_mcp.questions.dimensions import Count, Dimension, Kind, Scope
from smoc_mcp.questions.fields import Match
from smoc_mcp.questions.groups import ALL, OTHER, Group, Grouping
from smoc_mcp.views.identities import identity, person, told_apart
from smoc_mcp.views.lists import View, Views, company_result, until_full
from smoc_mcp.views.phrases import (
    cut_short,
    everybody_of,
    first_line,
    grid,
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
from smoc_mcp.views.results import GroupResult, Shares, StatisticsResult, StatusNumbers

__all__ = ["figures"]

_QUESTIONS_SHOWN = 5
_MOST_GROUPS = 100
"""What limit may be at most."""
_STATUS_NAMES = {
    Status.LEAD: "leads",
    Status.CUSTOMER: "customers",
    Status.LOST: "lost",
    Status.CONVERTED: "converted",
    Status.UNKNOWN: "unknown",
}
"""The name of the number of each status."""
_EARLIER = "(earlier)"


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
                self._why_not_exact(),
                must_be_gone(stats.company),
                *(_about_groups(grouping, self.asked) if grouping else ()),
                _ahead(stats.ahead),
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
        if not self.asked.dimensions:
            return self._about_sure(self.stats.part)
        if found is None:
            return (
                "No groups: contacts may be missing everywhere in this. scope=in_hand counts those "
                "in hand."
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
        who = self._everybody_of(found.part)
        return sentences(
            [
                f"Groups are of {found.part.contacts:,} of them: {who}",
                may_be_deleted(found.part.proof),
            ]
        )

    def _about_sure(self, part: Part | None) -> str:
        return f"Proven are {part.contacts:,} of them: {self._everybody_of(part)}" if part else ""

    def _everybody_of(self, part: Part) -> str:
        """Return who a part is, what is proven of it, and how to ask for it alone."""
        since = "" if part.since is None else self.views.time(part.since)
        how = f"created_after={since}" if since else f"status={','.join(part.of_statuses)}"
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

    def _names(self) -> list[str]:
        return [self.views.boundary.text(d.name) for d in self.asked.dimensions]

    def _groups(self) -> list[GroupResult]:
        found = self.stats.groups
        if found is None:
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
            numbers = _numbers(self._counted(group, found))
            result.update(cast("GroupResult", numbers))
        if found.part is not None:
            result.update(cast("GroupResult", self._shares(group, found.part)))
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
            return [_EARLIER if self.asked.is_trend else OTHER] * len(group.values)
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
        return told_apart(shown, partial(identity, boundary=boundary))

    def _texts(
        self, dimension: Dimension, every: Mapping[str, str], keys: Sequence[str | None]
    ) -> Mapping[str, str]:
        """Return texts so that the filter of the same name finds just those who have them."""
        by_part = dimension.field is not None and dimension.field.match is Match.PART
        texts: dict[str, str] = {}
        for key in filter(None, keys):
            part_of_another = by_part and any(key in other != key for other in every)
            text = self.views.boundary.text(every.get(key, key))
            texts[key] = spelt(text, exact=part_of_another or text in (OTHER, _EARLIER))
        return texts


def _heading(stats: Statistics) -> str:
    tally = stats.tally
    more = remembered_more(tally.total, tally.proof, stats.in_hand)
    if stats.company.failure and more:
        heading = f"{many(stats.in_hand, 'contact')} matched as they were last seen."
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


def _numbers(counts: Mapping[Status, int]) -> StatusNumbers:
    named = {_STATUS_NAMES[status]: number for status, number in counts.items()}
    return cast("StatusNumbers", named)


def _table(names: Sequence[str], groups: Sequence[GroupResult]) -> str:
    """Return groups as lines of cells, without the columns that none of them has."""
    optional = [*StatusNumbers.__annotations__, *Shares.__annotations__, "partial", "certainty"]
    columns = ["contacts", *(n for n in optional if any(n in group for group in groups))]
    return grid(
        [*names, *columns],
        (
            [*(group["key"].get(n, "") for n in names), *(_cell(group, n) for n in columns)]
            for group in groups
        ),
    )


def _cell(group: Mapping[str, object], name: str) -> str:
    value = group.get(name, "")
    if isinstance(value, float):
        return f"{value:.1%}"
    return "yes" if value is True else str(value)


def _about_groups(grouping: Grouping, asked: Count) -> Iterator[str]:
    if grouping.several and grouping.groups:
        yield (
            f"A contact counts once per value of {' and '.join(grouping.several)}, so shares can "
            "add up to more than 100%."
        )
    if grouping.left_out:
        which = "earlier" if asked.is_trend else "more"
        name = _EARLIER if asked.is_trend else OTHER
        together = f"counted together as {name}" if grouping.other else "left out"
        every = len(grouping.groups) + grouping.left_out
        hint = f"; limit={every} shows all" if every <= _MOST_GROUPS else ""
        yield f"{grouping.left_out:,} {which} {noun(grouping.left_out, 'group')} {together}{hint}."
    elif asked.is_trend and len(asked.dimensions) > 1 and asked.scope is Scope.PROVEN:
        yield "A pair that is not shown has nobody."


def _ahead(contacts: int) -> str:
    if not contacts:
        return ""
    bear = "bears" if contacts == 1 else "bear"
    return f"{contacts:,} of them {bear} a createdAt of the future."


def _questions(questions: Sequence[str], views: Views) -> str:
    if not questions:
        return ""
    shown = [quoted(views.boundary.text(q)) for q in questions[:_QUESTIONS_SHOWN]]
    more = len(questions) - len(shown)
    return f"Answers to: {'; '.join(shown)}{f' and {more:,} more' if more else ''}."
