"""How far back we have seen everything: windows of one order, joined where they overlap. Pure.

Two windows of an order join where the later one reaches strictly past the *top* of the one before
(`Window.top`): nothing can have come and gone between them unseen, but for deletions. Where it does
not, there is a gap, and history begins anew at the new edge.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from smoc_mcp.proof.windows import ABSENT, Sort, Tick, Window
from smoc_mcp.text.times import Moment

__all__ = ["BEGINNING", "Gap", "History", "extended", "follows", "refresh_interval"]

_LEAST_INTERVAL = 60 * 1_000_000

BEGINNING: Moment = ABSENT - 1
"""The reach of a history that goes back to the first contact, even one without the time."""


@dataclass(frozen=True, slots=True)
class History:
    """The unbroken history of one sort order.

    Attributes:
        reach: Whoever had a key newer than this, at any moment since `began`, was seen.
        began: When the first window of it was taken in: it may be true of any moment up to then.
        top: See `Window.top`, of its last window.
        received: When its last window was taken in; no other window was then.
    """

    reach: Moment
    began: Tick
    top: Moment
    received: Tick

    def reaches(self, after: Moment) -> bool:
        """Say whether whoever had a key of `after` or newer was seen; BEGINNING for everybody."""
        return after > self.reach or after == self.reach == BEGINNING


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of keys in which contacts may have gone unseen.

    Attributes:
        sort: The order.
        older: The newest key that was seen before it.
        newer: The edge of the window after it; both ends belong to the gap.
    """

    sort: Sort
    older: Moment
    newer: Moment


def refresh_interval(windows: Iterable[Window]) -> Moment | None:
    """Return how often windows must be taken for none to miss a contact; None if it is unknown.

    Half the time that the newest `created` or `updated` window spans: it was filled in that time,
    and the next one must overlap it even if the company grows twice as fast.
    """
    spans = [
        w.top - w.edge
        for w in windows
        if w.sort in (Sort.CREATED, Sort.UPDATED) and w.edge is not None and w.top > w.edge > ABSENT
    ]
    return max(_LEAST_INTERVAL, min(spans) // 2) if spans else None


def extended(old: History | None, window: Window) -> tuple[History | None, Gap | None]:
    """Return the history after a window, and the gap before the window if there is one.

    A window without an edge proves nothing and changes nothing.
    """
    if window.sort is Sort.NATURAL or window.edge is None:
        return old, None
    # Where its last contact has no time, every dated contact is in it.
    joined = old is not None and (window.complete or window.edge == ABSENT or window.edge < old.top)
    began = old.began if old is not None and joined else window.received
    if window.complete:
        reach = BEGINNING
    elif old is not None and joined:
        reach = old.reach
    else:
        reach = window.edge
    gap = None if old is None or joined else Gap(window.sort, old.top, window.edge)
    return History(reach, began, window.top, window.received), gap


def follows(updated: Window, created: Window, arrivals: History, changes: History) -> bool:
    """Say whether an `updated` window is the newest of all and takes up where `created` ended.

    A window that contradicts itself is part of no history: what it should have shown is unseen.

    Args:
        updated: The live `updated` window.
        created: The live `created` window.
        arrivals: The history of `created` windows, which must end with this one.
        changes: The history of `updated` windows, which must end with this one.
    """
    if arrivals.received != created.received or changes.received != updated.received:
        return False
    if updated.sent < created.received:
        return False
    return updated.complete or (updated.edge is not None and updated.edge < created.top)
