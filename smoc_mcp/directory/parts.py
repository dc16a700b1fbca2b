"""Which part of a question is proven where not all of it is: the largest that a proof covers."""

from collections.abc import Iterator
from dataclasses import Field, replace
from typing import Any, ClassVar, Protocol

from smoc_mcp.directory.reading import Reading
from smoc_mcp.proof.certainty import Region
from smoc_mcp.proof.history import History
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import ABSENT, COUNTED, Sort, sort_key
from smoc_mcp.questions.filters import ContactFilter, Span
from smoc_mcp.text.times import SECOND, Moment, whole_second_after

__all__ = ["Divided", "admitting_counted", "may_reach_further", "proven_part"]


class Divided(Protocol):
    """A question that can be answered of a part: a `Count`, or a `Pairing`."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def wanted(self) -> ContactFilter:
        """Which contacts it is about."""

    @property
    def region(self) -> Region:
        """The part of the company that it can admit, and the fields that it reads."""

    @property
    def is_trend(self) -> bool:
        """Whether it is divided by time."""

    @property
    def sort_of_trend(self) -> Sort:
        """By which time its parts are made."""


def proven_part(reading: Reading, asked: Divided) -> tuple[Part, ContactFilter] | None:
    """Return the proven part of what is asked, and the filter that admits only it.

    It is all of it, or those created since a moment. Leads and customers alone are a part only
    where there is no other, and of no trend: who became lost or converted is missing from them, so
    they tell nothing of how many become customers.
    """
    if whole := _part(reading, asked, asked.wanted):
        return whole
    sort = asked.sort_of_trend
    parts = [_since(reading, asked, sort, moment) for moment in _beginnings(reading, sort)]
    known = [part for part in parts if part is not None and part[0].contacts]
    if not known and not asked.is_trend and (counted := _of_counted(reading, asked)):
        return counted
    # The largest says most; among equals what is exact.
    return max(known, key=lambda p: (p[0].contacts, p[0].proof.exact), default=None)


def admitting_counted(wanted: ContactFilter) -> ContactFilter:
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


def _beginnings(reading: Reading, sort: Sort) -> Iterator[Moment]:
    """Yield moments after which everybody who was created, or talked to last, may be in hand."""
    window = reading.live.sound(sort, reading.since)
    if window is not None and window.edge is not None:
        # Where its last contact has no time, every dated one is in it, from the oldest on.
        dated = [key for k in window.rows.values() if (key := sort_key(k, sort)) > ABSENT]
        yield window.edge if window.edge > ABSENT else min(dated, default=ABSENT) - SECOND
    if sort is not Sort.CREATED:
        return
    updated = reading.live.get(Sort.UPDATED, reading.since)
    history, changes = _history(reading), reading.store.history(Sort.UPDATED)
    if history is not None and changes is not None and updated is not None:
        after = max(history.reach, ABSENT) + 1
        outdated = reading.store.newest_outdated(after, changes.began, updated)
        yield history.reach if outdated is None else outdated


def _since(
    reading: Reading, asked: Divided, sort: Sort, moment: Moment
) -> tuple[Part, ContactFilter] | None:
    """Return the part of those with a time after a moment; None where that is none or all."""
    if moment <= ABSENT:
        return None
    since = whole_second_after(moment)
    span = asked.wanted.spans.get(sort, Span())
    if span.after is not None and span.after > since:
        return None
    if span.before is not None and span.before <= since:
        return None
    spans = {**asked.wanted.spans, sort: Span(since, span.before)}
    return _part(reading, asked, replace(asked.wanted, spans=spans), since=since, sort=sort)


def _of_counted(reading: Reading, asked: Divided) -> tuple[Part, ContactFilter] | None:
    """Return the part of the leads and customers."""
    counted = admitting_counted(asked.wanted)
    return _part(reading, asked, counted) if counted.statuses else None


def _part(
    reading: Reading,
    asked: Divided,
    wanted: ContactFilter,
    since: Moment | None = None,
    sort: Sort = Sort.CREATED,
) -> tuple[Part, ContactFilter] | None:
    proof = reading.prove(replace(asked, wanted=wanted).region)
    if proof is None:
        return None
    admitted = replace(wanted, among=proof.among)
    contacts = sum(reading.store.count(admitted).values())
    statuses = wanted.statuses if wanted.statuses != asked.wanted.statuses else None
    return Part(proof, contacts, since, statuses, sort), admitted
