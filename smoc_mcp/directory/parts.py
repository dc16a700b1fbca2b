"""Which part of a question is proven where not all of it is: the largest that a proof covers."""

from collections.abc import Iterator
from dataclasses import replace

from smoc_mcp.directory.reading import Reading
from smoc_mcp.proof.history import History
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import ABSENT, COUNTED, Sort
from smoc_mcp.questions.dimensions import Count
from smoc_mcp.questions.filters import ContactFilter, Span
from smoc_mcp.text.times import Moment

__all__ = ["may_reach_further", "only_counted", "proven_part"]

_SECOND = 1_000_000


def proven_part(reading: Reading, asked: Count) -> tuple[Part, ContactFilter] | None:
    """Return the proven part of whoever is to be grouped, and the filter that admits only it."""
    if whole := _part(reading, asked, asked.wanted):
        return whole
    parts = [
        *(_created_since(reading, asked, since) for since in _beginnings(reading)),
        _of_counted(reading, asked),
    ]
    known = [part for part in parts if part is not None]
    # The largest says most; among equals what is exact.
    return max(known, key=lambda p: (p[0].contacts, p[0].proof.exact), default=None)


def only_counted(wanted: ContactFilter) -> ContactFilter:
    """Return the filter that admits only those of its contacts whose status the API counts."""
    statuses = COUNTED if wanted.statuses is None else wanted.statuses & COUNTED
    return replace(wanted, statuses=statuses)


def may_reach_further(reading: Reading) -> bool:
    """Say whether history goes back further than the live `created` window."""
    history, window = _history(reading), reading.live.sound(Sort.CREATED, reading.since)
    if history is None or window is None or window.edge is None:
        return False
    return history.reach < window.edge


def _history(reading: Reading) -> History | None:
    return reading.store.history(Sort.CREATED)


def _beginnings(reading: Reading) -> Iterator[Moment]:
    """Yield the moments since when everybody who was created may be in hand."""
    window = reading.live.sound(Sort.CREATED, reading.since)
    if window is not None and window.edge is not None:
        # Where its last contact has no time, every dated one is in it, from the oldest on.
        dated = [k.created for k in window.rows.values() if k.created > ABSENT]
        yield window.edge if window.edge > ABSENT else min(dated, default=ABSENT) - _SECOND
    updated = reading.live.get(Sort.UPDATED, reading.since)
    history, changes = _history(reading), reading.store.history(Sort.UPDATED)
    if history is not None and changes is not None and updated is not None:
        after = max(history.reach, ABSENT) + 1
        outdated = reading.store.newest_outdated(after, changes.began, updated)
        yield history.reach if outdated is None else outdated


def _created_since(
    reading: Reading, asked: Count, unproven: Moment
) -> tuple[Part, ContactFilter] | None:
    """Return the part of those created after a moment."""
    if unproven < ABSENT // 2:
        return None
    # A whole second, as a caller can write it.
    since = (unproven // _SECOND + 1) * _SECOND
    span = asked.wanted.spans.get(Sort.CREATED, Span())
    if (span.after or since) > since or (span.before or since + 1) <= since:
        return None
    spans = {**asked.wanted.spans, Sort.CREATED: Span(since, span.before)}
    return _part(reading, asked, replace(asked.wanted, spans=spans), since=since)


def _of_counted(reading: Reading, asked: Count) -> tuple[Part, ContactFilter] | None:
    """Return the part of the leads and customers."""
    counted = only_counted(asked.wanted)
    return _part(reading, asked, counted) if counted.statuses else None


def _part(
    reading: Reading, asked: Count, wanted: ContactFilter, since: Moment | None = None
) -> tuple[Part, ContactFilter] | None:
    proof = reading.prove(replace(asked, wanted=wanted).region)
    if proof is None:
        return None
    admitted = replace(wanted, among=proof.among)
    contacts = sum(reading.store.count(admitted).values())
    statuses = wanted.statuses if wanted.statuses != asked.wanted.statuses else None
    return Part(proof, contacts, since, statuses), admitted
