"""Answers that are counts: how many contacts there are, how they divide, what is known of them."""

from dataclasses import replace

from smoc_mcp.directory.answers import Overview, Statistics, Sure
from smoc_mcp.directory.hints import instead
from smoc_mcp.directory.reading import Reading
from smoc_mcp.proof.certainty import Proof
from smoc_mcp.proof.history import refresh_interval
from smoc_mcp.proof.windows import COUNTED, Sort, Status
from smoc_mcp.questions.dimensions import Count
from smoc_mcp.questions.filters import EVERYBODY, TIMES, Span
from smoc_mcp.questions.groups import OTHER, Group, Grouping, merge

__all__ = ["count_up", "look_over"]

_SECOND = 1_000_000


def count_up(reading: Reading, asked: Count) -> Statistics:
    """Return counts and groups."""
    proven = reading.prove(asked.region)
    # Of groups by status the API counts the large ones itself.
    own = asked.by_status_alone and proven is None
    ungrouped = own or not asked.dimensions
    total, proof = reading.total_of(asked.wanted, proven, whole=ungrouped)
    questions = _questions(reading, asked)
    in_hand = total if proof.complete else reading.in_hand_of(asked.wanted)
    return Statistics(
        company=reading.company(),
        total=total,
        proof=proof,
        in_hand=in_hand,
        grouping=_grouped(reading, asked, proven, own_counts=own) if asked.dimensions else None,
        questions=questions,
        other_questions=reading.store.survey_questions()
        if asked.survey_questions and not questions
        else None,
        unfiltered=asked.wanted == EVERYBODY and ungrouped,
        sure=None if proof.complete or own else _sure(reading, asked),
        own_counts=own,
        instead={} if total or in_hand else instead(reading, asked.wanted),
    )


def _questions(reading: Reading, asked: Count) -> list[str]:
    """Return the survey questions that the dimensions stand for."""
    return [q for words in asked.survey_questions for q in reading.store.survey_questions(words)]


def _grouped(reading: Reading, asked: Count, proven: Proof | None, *, own_counts: bool) -> Grouping:
    """Return the groups of what is in hand; those of leads and customers as the API counts them."""
    if own_counts:
        grouping = _merged(reading, replace(asked, limit=len(Status)))
        return _with_own_counts(reading, grouping, asked.wanted.statuses)
    if proven is not None:
        asked = replace(asked, wanted=replace(asked.wanted, among=proven.among))
    return _merged(reading, asked)


def _merged(reading: Reading, asked: Count) -> Grouping:
    span = asked.wanted.spans.get(Sort.CREATED, Span())
    end = reading.now if span.before is None else min(span.before - 1, reading.now)
    grouping = merge(reading.store.group(asked), asked, reading.zone, (span.after, end))
    if grouping.left_out and grouping.other is None and not asked.is_trend:
        # A contact may be in several groups that are left out, and counts once in the rest.
        other = Group((OTHER,) * len(asked.dimensions))
        kept = [group.keys for group in grouping.groups]
        for status, count in reading.store.count_ungrouped(asked, kept).items():
            other.count(status, count)
        grouping = replace(grouping, other=other)
    return grouping


def _with_own_counts(
    reading: Reading, grouping: Grouping, wanted: frozenset[Status] | None
) -> Grouping:
    """Return groups of statuses, those of leads and customers as the API counts them."""
    counts, _ = reading.last_counts()
    groups: list[Group] = []
    for status in sorted(COUNTED if wanted is None else wanted):
        if known := counts.of([status]):
            groups.append(Group((status.value,), keys=(status.value,)))
            groups[-1].count(status, known)
    groups += [g for g in grouping.groups if g.keys[0] not in {s.value for s in COUNTED}]
    return replace(grouping, groups=sorted(groups, key=lambda g: -g.contacts))


def _sure(reading: Reading, asked: Count) -> Sure | None:
    """Return the part of a question that the live `created` window proves."""
    window = reading.live.get(Sort.CREATED, reading.since)
    if window is None or window.edge is None:
        return None
    # A whole second, as a caller can write it.
    since = (window.edge // _SECOND + 1) * _SECOND
    span = asked.wanted.spans.get(Sort.CREATED, Span())
    if span.before is not None and span.before <= since:
        return None
    spans = {**asked.wanted.spans, Sort.CREATED: Span(since, span.before)}
    narrowed = replace(asked, wanted=replace(asked.wanted, spans=spans))
    proof = reading.prove(narrowed.region)
    if proof is None:
        return None
    held = reading.store.count(replace(narrowed.wanted, among=proof.among))
    return Sure(since, sum(held.values()), proof)


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
