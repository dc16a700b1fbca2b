"""Who is new or changed, each once, in the order in which it was learnt, in pages. Pure.

A *run* is the pages from one question until nothing is left. It gives what was known when it began:
first who is new, then who else has changed; what is learnt while it is read belongs to the next
run. The first run of a poller begins at a moment: new is who was created since. Each later one
begins where the one before ended, by ticks (`proof.windows.Tick`): new is who became known since,
whatever times the contact bears, unless it is older than all that was asked for and was only out of
reach. So nobody is lost who becomes visible late, bears a time of the future, or came in a gap.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

from smoc_mcp.proof.windows import Tick
from smoc_mcp.questions.cursors import Value
from smoc_mcp.questions.rows import ContactRow
from smoc_mcp.text.times import Moment

__all__ = ["Changes", "Now", "Progress", "Stream", "next_changes"]

Stream = Literal["new", "changed"]
_STREAMS: Sequence[Stream] = ("new", "changed")
_FIRST = (-(2**63), "")
"""The place before every contact."""


@dataclass(frozen=True, slots=True)
class Now:
    """What is known when a run begins.

    Attributes:
        series: Tells the ticks of a store from those of another.
        tick: How far the store has learnt.
        covered: Whoever came or changed before this moment was visible by now.
    """

    series: str
    tick: Tick
    covered: Moment


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a poller is.

    Attributes:
        since: Whoever came or changed before this moment was given, or was known before.
        base: All that was known at this tick was given; -1 where `since` alone says so.
        series: Of the ticks.
        up_to: What the present run gives was known at this tick; -1 between two runs.
        next_since: What `since` will be in the next run.
        stream: Which stream of the run is being read.
        place: The key and the id of the last contact of that stream that was given.
        origin: The moment at which the first run began; None in that run.
    """

    since: Moment
    base: Tick = -1
    series: str = ""
    up_to: Tick = -1
    next_since: Moment = 0
    stream: Stream = "new"
    place: tuple[int, str] = _FIRST
    origin: Moment | None = None

    @property
    def floor(self) -> Moment:
        """From when on whoever becomes known has not been given, and is news."""
        return self.since if self.origin is None else self.origin

    @property
    def by_time(self) -> bool:
        """Whether the run is told by the contacts' times, not by ticks."""
        return self.base < 0

    def values(self) -> list[Value]:
        """Return it for a cursor."""
        return [
            *(self.since, self.base, self.series, self.up_to, self.next_since),
            *(self.stream, *self.place, self.floor),
        ]

    @classmethod
    def of(cls, values: Sequence[Value]) -> Self:
        """Return what `values` gave.

        Raises:
            TypeError: These are the values of something else.
        """
        match values:
            case [
                int(since),
                int(base),
                str(series),
                int(up_to),
                int(next_since),
                ("new" | "changed") as stream,
                int(key),
                str(contact_id),
                int(origin),
            ]:
                place = key, contact_id
                return cls(since, base, series, up_to, next_since, stream, place, origin)
        raise TypeError("no progress of changes")

    def begun(self, now: Now) -> "Progress":
        """Return it with a run under way; a run that another store began begins anew by time."""
        if self.up_to >= 0 and self.series == now.series and self.up_to <= now.tick:
            return self
        known = self.series == now.series and self.base <= now.tick and not self.by_time
        return Progress(
            since=self.since,
            base=self.base if known else -1,
            series=now.series,
            up_to=now.tick,
            next_since=now.covered,
            origin=self.floor,
        )

    def ended(self) -> "Progress":
        """Return it with the run behind it."""
        return Progress(
            since=self.next_since, base=self.up_to, series=self.series, origin=self.floor
        )


@dataclass(frozen=True, slots=True)
class Changes:
    """One page.

    Attributes:
        new: Contacts that are new, the oldest news first.
        updated: Others that changed, the oldest news first.
        progress: Where to go on.
        more: More is waiting already.
    """

    new: Sequence[ContactRow]
    updated: Sequence[ContactRow]
    progress: Progress
    more: bool


Read = Callable[[Progress, int], Sequence[tuple[int, ContactRow]]]
"""(progress, limit): the next contacts of its stream, each with its key in the stream's order."""


def next_changes(progress: Progress, now: Now, read: Read, limit: int) -> Changes:
    """Return the next page of at most `limit` contacts.

    A run that ends on the page is followed by the next one, as far as there is room: so where no
    more is waiting, all that is known now was given.

    Args:
        progress: Where the poller is.
        now: What is known now.
        read: Reads the store.
        limit: The most contacts.
    """
    page = _Page(limit)
    while True:
        progress, more = page.fill(progress.begun(now), read)
        if more or progress.base == now.tick:
            return Changes(page.rows["new"], page.rows["changed"], progress, more)


class _Page:
    """The contacts of one page, at most as many as there is room for."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._given: set[tuple[str, Tick]] = set()
        self.rows: dict[Stream, list[ContactRow]] = {"new": [], "changed": []}

    def fill(self, progress: Progress, read: Read) -> tuple[Progress, bool]:
        """Read on in a run; return how far that is, and whether more of it is waiting."""
        for stream in _STREAMS[_STREAMS.index(progress.stream) :]:
            if stream != progress.stream:
                progress = replace(progress, stream=stream, place=_FIRST)
            left = self._limit - len(self._given)
            # One more than there is room for: it shows that more is waiting.
            found = read(progress, left + 1)
            for key, row in found[:left]:
                progress = replace(progress, place=(key, row.id))
                if (row.id, row.revision) not in self._given:
                    self._given.add((row.id, row.revision))
                    self.rows[stream].append(row)
            if len(found) > left:
                return progress, True
        return progress.ended(), False
