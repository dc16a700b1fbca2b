"""Answers that are counts: how many contacts there are, how they divide, what is known of them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from smoc_mcp.directory.answers import Groups, Overview, Standing, Statistics, Tally
from smoc_mcp.directory.hints import had_by_nobody, instead, named_questions
from smoc_mcp.directory.parts import proven_part
from smoc_mcp.directory.reading import Reading
from smoc_mcp.proof.certainty import Proof
from smoc_mcp.proof.history import refresh_interval
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import LATE, NOT_COUNTED, Status
from smoc_mcp.questions.choices import OTHER
from smoc_mcp.questions.dimensions import Count, Kind, Scope
from smoc_mcp.questions.filters import EVERYBODY, TIMES, ContactFilter, Span
from smoc_mcp.questions.groups import Group, Grouping, merge
from smoc_mcp.text.times import Moment

__all__ = ["count_up", "look_over", "stand"]


def count_up(reading: Reading, asked: Count) -> Statistics:
    """Return counts and groups.

    Raises:
        InputError: A dimension is a survey question that nobody in hand has answered.
    """
    questions = _questions(reading, asked)
    tally = reading.tally(asked.wanted)
    whole = tally.proof.complete
    in_hand = tally.total if whole else reading.in_hand_of(asked.wanted)
    groups = _groups(reading, asked, tally) if asked.divides_or_measures else None
    if groups is not None and any(d.kind is Kind.QUESTION for d in asked.dimensions):
        groups = replace(groups, question_ids=reading.store.question_ids())
    counts_only = groups is None or not (asked.dimensions or asked.measure or groups.periods)
    found = proven_part(reading, asked) if counts_only and not whole else None
    return Statistics(
        company=reading.company(),
        tally=tally,
        in_hand=in_hand,
        groups=groups,
        part=None if found is None else found[0],
        questions=questions,
        unfiltered=asked.wanted == EVERYBODY,
        ahead=_ahead(reading, asked),
        instead={} if tally.total or in_hand else instead(reading, asked.wanted),
        had_by_nobody=had_by_nobody(reading, asked.wanted),
    )


def _ahead(reading: Reading, asked: Count) -> int:
    """Return how many bear a time of the future, where a reader would take them to be new.

    So would one who asks who came since a moment, and one who reads a trend.
    """
    sort = asked.sort_of_trend
    span = asked.wanted.spans.get(sort, Span())
    if span.before is not None or (span.after is None and not asked.is_trend):
        return 0
    spans = {**asked.wanted.spans, sort: Span(max(span.after or 0, reading.now + LATE))}
    return reading.in_hand_of(replace(asked.wanted, spans=spans))


def _questions(reading: Reading, asked: Count) -> list[str]:
    """Return the questions and fields that the question names."""
    found: list[str] = []
    for named in asked.questions:
        found += named_questions(reading, named)
    return found


def _groups(reading: Reading, asked: Count, tally: Tally) -> Groups | None:
    """Return the groups of the proven part, or of all in hand if that was asked for.

    Groups by status alone have the API's own counts where not everybody is in hand.
    """
    compared = _compared(reading, asked)
    found = proven_part(reading, asked) if compared is None else compared.of
    is_whole = found is not None and found[0].is_whole
    if asked.scope is Scope.IN_HAND and not is_whole:
        return Groups(_in_order_of_names(_merged(reading, asked, None, reading.now)), None)
    if asked.by_status_alone and not asked.measure and not is_whole:
        return _by_status(reading, asked, tally)
    if found is None:
        return None
    part, wanted = found
    asked = replace(asked, wanted=wanted)
    before = compared and replace(asked, wanted=compared.before)
    as_one = replace(asked, dimensions=())
    before_as_one = before and replace(before, dimensions=())
    together = _merged(reading, as_one, None, part.proof.as_of, before_as_one)
    return Groups(
        _merged(reading, asked, _ends(reading, asked, part), part.proof.as_of, before),
        part,
        together.groups[0] if together.groups else Group(()),
        compared and compared.periods,
    )


class _Compared(NamedTuple):
    """Two periods that are proven by one proof.

    Attributes:
        of: What is counted, and the filter of it: the period that is asked for.
        before: The filter of the one before.
        periods: When they begin and end; see `Count.periods`.
    """

    of: tuple[Part, ContactFilter]
    before: ContactFilter
    periods: tuple[Moment, Moment, Moment]


def _compared(reading: Reading, asked: Count) -> _Compared | None:
    """Return the period that is asked for and the one before, where both are proven."""
    most = asked.periods(reading.now)
    # What is proven is proven of all later times too.
    proof = None if most is None else reading.prove(asked.created(*most[:2]).region)
    periods = None if proof is None else asked.periods(_end(reading, proof))
    if proof is None or periods is None:
        return None
    first, after, before = periods
    asked = replace(asked, wanted=replace(asked.wanted, among=proof.among))
    wanted = asked.created(after, before).wanted
    part = Part(proof, reading.in_hand_of(wanted))
    return _Compared((part, wanted), asked.created(first, after).wanted, periods)


def _end(reading: Reading, proof: Proof) -> Moment:
    """Return until when a proof knows what came, by the slower of the clocks."""
    return min([proof.as_of, *(w.api_now for w in reading.live.all(reading.since))])


def _ends(reading: Reading, asked: Count, part: Part) -> tuple[Moment | None, Moment]:
    """Return from when to when a trend goes."""
    span = asked.wanted.spans.get(asked.sort_of_trend, Span())
    end = _end(reading, part.proof)
    return span.after, end if span.before is None else min(end, span.before - 1)


def _merged(
    reading: Reading,
    asked: Count,
    ends: tuple[Moment | None, Moment] | None,
    as_of: Moment,
    before: Count | None = None,
) -> Grouping:
    # SMOC's clock may be a little ahead of ours.
    rows = reading.store.group(asked, as_of + LATE)
    if asked.measure is not None and asked.measure.is_up_to_now:
        rows = [
            r if r.number is None else r._replace(number=max(0, r.number + as_of)) for r in rows
        ]
    previous = None if before is None else reading.store.group(before, as_of + LATE)
    grouping = merge(rows, asked, reading.zone, ends, previous)
    if grouping.left_out and grouping.other is None and not asked.is_trend:
        # A contact may be in several groups that are left out, and counts once in the rest.
        other = Group((OTHER,) * len(asked.dimensions))
        kept = [group.keys for group in grouping.groups]
        other.counts.update(reading.store.count_ungrouped(asked, kept))
        grouping = replace(grouping, other=other)
    return grouping


def _in_order_of_names(grouping: Grouping) -> Grouping:
    """Return groups in an order that nobody takes for one of size."""
    return replace(grouping, groups=sorted(grouping.groups, key=lambda g: g.values))


def _by_status(reading: Reading, asked: Count, tally: Tally) -> Groups:
    """Return a group of each status: those of leads and of customers as the API counts them."""
    counts = dict(tally.statuses)
    if asked.wanted.only_counted and tally.status_proof.complete:
        return Groups(_of_statuses(counts), Part(tally.status_proof, sum(counts.values())))
    proofs = {status.value: tally.status_proof for status in counts}
    for status in NOT_COUNTED if reading.live.all(reading.since) else ():
        # The same as for a question about this status alone.
        counts[status] = reading.least_of(frozenset({status}))
        proofs[status.value] = reading.lower_bound()
    return Groups(_of_statuses(counts), None, by_status=proofs)


def _of_statuses(counts: Mapping[Status, int]) -> Grouping:
    """Return a group of each status that somebody has, the largest first."""
    made = [
        Group((status.value,), Counter({status: number}), (status.value,))
        for status, number in counts.items()
        if number
    ]
    every = {status.value: status.value for status in counts}
    return Grouping(sorted(made, key=lambda group: -group.contacts), every=[every])


def stand(reading: Reading, elapsed: Moment) -> Standing:
    """Return what is in hand, at a moment of the clock that only goes on."""
    arrived = [window.arrived for window in reading.live.all(reading.since)]
    return Standing(
        contacts=sum(reading.store.count().values()),
        gaps=len(reading.store.gaps()),
        age=(elapsed - min(arrived)) / 1_000_000 if arrived else None,
    )


def look_over(reading: Reading) -> Overview:
    """Return what is known of the company, and how far back."""
    histories = {sort: reading.store.history(sort) for sort in TIMES}
    return Overview(
        company=reading.company(),
        windows=reading.live.all(reading.since),
        reach={sort: h.reach for sort, h in histories.items() if h is not None},
        gaps=reading.store.gaps(),
        refresh_every=refresh_interval(reading.live.all(0)),
        kept=reading.store.is_kept,
    )
