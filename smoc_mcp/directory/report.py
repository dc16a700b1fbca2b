"""What a refresh of all windows brought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from smoc_mcp.errors import SmocError
from smoc_mcp.proof.history import Gap
from smoc_mcp.proof.live import LiveWindows
from smoc_mcp.proof.windows import Counts, Sort
from smoc_mcp.store.store import Absorbed, ContactStore
from smoc_mcp.text.times import Moment

__all__ = ["SyncReport"]


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a refresh brought; a partial one says so.

    Attributes:
        seen: How many different contacts the windows showed.
        added: How many of them were not known before.
        changed: How many of them differ from what was known.
        removed: How many known contacts were proven to be deleted.
        gaps: What may have gone unseen since the refresh before; empty where nothing can have.
        failed: Why windows could not be fetched or stored, by order.
        counts: The API's own counts; None if no window came.
        in_hand: How many contacts are in the store now.
        reach: Whoever was created later than this has been seen; None if this refresh proves no
            such thing.
    """

    seen: int
    added: int
    changed: int
    removed: int
    gaps: Sequence[Gap]
    failed: Mapping[Sort, SmocError]
    counts: Counts | None
    in_hand: int
    reach: Moment | None

    @property
    def complete(self) -> bool:
        """Whether all four windows were fetched and stored."""
        return not self.failed

    @classmethod
    def of(
        cls,
        brought: Mapping[Sort, Absorbed],
        failed: Mapping[Sort, SmocError],
        live: LiveWindows,
        store: ContactStore,
    ) -> Self:
        """Return the report of what each window brought."""
        added = frozenset().union(*(a.added for a in brought.values()))
        changed = frozenset().union(*(a.changed for a in brought.values()))
        removed = frozenset().union(*(a.deleted for a in brought.values()))
        windows = [w for w in live.all(0) if w.sort in brought]
        history = store.history(Sort.CREATED)
        extends = history is not None and any(
            w.sort is Sort.CREATED and w.received == history.received for w in windows
        )
        newest = max(windows, key=lambda w: w.received, default=None)
        return cls(
            seen=len({i for w in windows for i in w.rows}),
            added=len(added - removed),
            changed=len(changed - added - removed),
            removed=len(removed - added),
            gaps=[a.gap for a in brought.values() if a.gap is not None],
            failed=failed,
            counts=None if newest is None else newest.counts,
            in_hand=sum(store.count().values()),
            reach=history.reach if history is not None and extends else None,
        )
