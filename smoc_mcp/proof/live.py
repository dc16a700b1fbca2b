"""The live windows, which of them are still proofs, and what they prove together. Pure.

Windows are taken at different moments. One stays a proof only while all that came later agrees
with it (`LiveWindows.admit`).
"""

from collections.abc import Collection, Iterable

from smoc_mcp.proof.certainty import Certainty, Proof, Region
from smoc_mcp.proof.windows import COUNTED, Keys, Sort, Window
from smoc_mcp.text.times import Moment

__all__ = ["LiveWindows", "last_look_agrees"]


class LiveWindows:
    """The windows younger than the cache time, and which of them are still proofs.

    Args:
        windows: One of an order.
        unsound: The orders whose window something has contradicted.
        united: A last look found the company unchanged since the first of these windows.
    """

    def __init__(
        self, windows: Iterable[Window] = (), unsound: Iterable[Sort] = (), *, united: bool = False
    ) -> None:
        self._windows = {w.sort: w for w in windows}
        self._unsound = set(unsound)
        self._union = tuple(self._windows.values()) if united else ()

    @property
    def unsound(self) -> frozenset[Sort]:
        """The orders whose window something has contradicted."""
        return frozenset(self._unsound)

    def get(self, sort: Sort, since: Moment) -> Window | None:
        """Return the window of this order if it came at or after `since` (`Window.arrived`)."""
        window = self._windows.get(sort)
        return window if window is not None and window.arrived >= since else None

    def all(self, since: Moment) -> list[Window]:
        """Return every window that came at or after `since`."""
        return [w for w in self._windows.values() if w.arrived >= since]

    def sound(self, sort: Sort, since: Moment) -> Window | None:
        """Return the live window of this order if nothing has contradicted it."""
        return None if sort in self._unsound else self.get(sort, since)

    def admit(self, new: Window, *, deleted: Collection[str], doubtful: bool) -> None:
        """Take in a new window, and drop the proofs that it contradicts.

        Args:
            new: The window; it replaces the one of its order.
            deleted: The ids that it proves to be gone.
            doubtful: It contradicts something that may be older or newer than itself.
        """
        if doubtful:
            self._unsound.add(new.sort)
        else:
            self._unsound.discard(new.sort)
        for old in self._windows.values():
            if old.sort is new.sort or not _contradicts(new, old, deleted):
                continue
            self._unsound.add(old.sort)
            if old.overlaps(new):
                self._unsound.add(new.sort)
        self._windows[new.sort] = new

    def forget(self) -> None:
        """Drop every window: what they were proofs of was changed by somebody else."""
        # New ones, for a reading may be going through the old.
        self._windows, self._unsound, self._union = {}, set(), ()

    def admit_union(self, windows: Iterable[Window]) -> None:
        """Remember that a last look found the company unchanged since the first of these."""
        self._union = tuple(windows)

    def union(self, since: Moment) -> dict[str, Keys]:
        """Return every contact of the live windows."""
        return {i: keys for w in self.all(since) for i, keys in w.rows.items()}

    def shows(self, contact_id: str, since: Moment) -> bool:
        """Say whether one of the live windows holds a contact."""
        return any(contact_id in w.rows for w in self._windows.values() if w.arrived >= since)

    def union_holds(self, since: Moment) -> bool:
        """Say whether the windows of the last union are all live, sound and still ours."""
        return bool(self._union) and all(self.sound(w.sort, since) is w for w in self._union)

    def prove(self, region: Region, since: Moment) -> Proof | None:
        """Return the proof that every contact of the region is in hand; None if there is none."""
        for window in sorted(self.all(since), key=lambda w: w.received, reverse=True):
            if window.sort in self._unsound or window.unread.keys() & region.fields:
                continue
            if window.complete and not self._is_whole(window, since):
                continue
            after = region.after.get(window.sort)
            newer = after is not None and window.edge is not None and after > window.edge
            if window.complete or newer:
                among = frozenset(window.rows) if window.lacks else None
                return Proof(Certainty.EXACT, window.as_of, among)
        return self._prove_by_union(region, since)

    def is_whole(self, since: Moment) -> bool:
        """Say whether a live window is the whole company, and no other contradicts it."""
        return any(
            w.complete and w.sort not in self._unsound and self._is_whole(w, since)
            for w in self.all(since)
        )

    def _is_whole(self, window: Window, since: Moment) -> bool:
        """Say whether no other live window has more than a window that claims to be complete."""
        others = (w for w in self.all(since) if w is not window)
        return not any(w.full or w.rows.keys() - window.rows.keys() for w in others)

    def _prove_by_union(self, region: Region, since: Moment) -> Proof | None:
        statuses = region.statuses
        if statuses is None or not statuses <= COUNTED or not self.union_holds(since):
            return None
        if any(w.unread.keys() & (region.fields | {"status"}) for w in self._union):
            return None
        held = frozenset(
            i for w in self._union for i, keys in w.rows.items() if keys.status in statuses
        )
        # Any of them: the counts of all are the same, or the last look would not have agreed.
        if len(held) != self._union[0].counts.of(statuses):
            return None
        return Proof(Certainty.EXACT, min(self._union, key=lambda w: w.sent).as_of, held)


def last_look_agrees(windows: Iterable[Window], look: Window) -> bool:
    """Say whether nothing changed from the first of the windows to the look after them.

    Args:
        windows: An `updated` window, then others that were all asked for after it came.
        look: The few newest contacts by updatedAt, asked for after all of the windows came.

    A change gives a contact a newer updatedAt, so the newest few would differ; a deletion changes
    a count, or the newest few. Contacts all of one time prove nothing: one more could hide among
    them. Nor do those whose time lies ahead: they stay in front, whatever changes behind them.
    """
    windows = list(windows)
    first = windows[0]
    if first.sort is not Sort.UPDATED or any(w.counts != look.counts for w in windows):
        return False
    if any(w.sent < first.received for w in windows[1:]):
        return False
    # It proves nothing where a cache gave it, an entry of it is lost, or it contradicts itself.
    if look.stale or look.edge is None:
        return False
    times = {keys.updated for keys in look.rows.values()}
    if not all(time <= look.api_now for time in times):
        return False
    if len(times) < 2 and not look.complete:
        return False
    newest = sorted(first.rows.items(), key=lambda row: (-row[1].updated, row[0]))[: len(look.rows)]
    seen = sorted(look.rows.items(), key=lambda row: (-row[1].updated, row[0]))
    return [(i, k.updated, k.status) for i, k in newest] == [
        (i, k.updated, k.status) for i, k in seen
    ]


def _contradicts(new: Window, old: Window, deleted: Collection[str]) -> bool:
    """Say whether the new window shows that the old one is no longer true."""
    if any(i in old.rows for i in deleted):
        return True
    for i, keys in new.rows.items():
        known = old.rows.get(i)
        if known is None:
            if old.covers(keys):
                return True
        elif known.digest != keys.digest:
            return True
    return new.complete and any(i not in new.rows for i in old.rows)
