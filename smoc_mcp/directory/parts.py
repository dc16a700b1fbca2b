"""Which part of a question is proven where not all of it is: the largest that a proof covers."""

from collections.abc import Iterator
from dataclasses import Field, replace
from typing import Any, ClassVar, Protocol

from smoc_mcp.directory.reading import Reading
from smoc_mcp.proof.certainty import Region
from smoc_mcp.proof.history import History
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import ABSENT, COUNTED, Sort
from smoc_mcp.questions.filters import ContactFilter, Span
from smoc_mcp.text.times import Moment, whole_second_after

__all__ = ["Divided", "admitting_counted", "may_reach_further", "proven_part"]

_SECOND = 1_000_000


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


def proven_part(reading: Reading, asked: Divided) -> tuple[Part, ContactFilter] | None:
    """Return the proven part of what is asked, and the filter that admits only it.

    It is all of it, or those created since a moment. Leads and customers alone are a part only
    where there is no other, and of no trend: who became lost or converted is missing from them, so
    they tell nothing of how many become customers.
    """
    if whole := _part(reading, asked, asked.wanted):
        return whole
    parts = [_created_since(reading, asked, moment) for moment in _beginnings(reading)]
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


def _beginnings(reading: Reading) -> Iterator[Moment]:
    """Yield moments after which everybody who was created may be in hand."""
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
    reading: Reading, asked: Divided, moment: Moment
) -> tuple[Part, ContactFilter] | None:
    """Return the part of those created after a moment; None where that is none or all of them."""
    if moment <= ABSENT:
        return None
    since = whole_second_after(moment)
    span = asked.wanted.spans.get(Sort.CREATED, Span())
    if span.after is not None and span.after > since:
        return None
    if span.before is not None and span.before <= since:
        return None
    spans = {**asked.wanted.spans, Sort.CREATED: Span(since, span.before)}
    return _part(reading, asked, replace(asked.wanted, spans=spans), since=since)


def _of_counted(reading: Reading, asked: Divided) -> tuple[Part, ContactFilter] | None:
    """Return the part of the leads and customers."""
    counted = admitting_counted(asked.wanted)
    return _part(reading, asked, counted) if counted.statuses else None


def _part(
    reading: Reading, asked: Divided, wanted: ContactFilter, since: Moment | None = None
) -> tuple[Part, ContactFilter] | None:
    proof = reading.prove(replace(asked, wanted=wanted).region)
    if proof is None:
        return None
    admitted = replace(wanted, among=proof.among)
    contacts = sum(reading.store.count(admitted).values())
    statuses = wanted.statuses if wanted.statuses != asked.wanted.statuses else None
    return Part(proof, contacts, since, statuses), admitted
