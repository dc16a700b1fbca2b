"""What is done beside the questions: the store is kept to its retention, and refreshed."""

import logging
from collections.abc import Awaitable, Callable

import anyio.to_thread

from smoc_mcp.directory.report import SyncReport
from smoc_mcp.directory.sync import WindowSync
from smoc_mcp.errors import SmocError, StoreError
from smoc_mcp.proof.history import refresh_interval
from smoc_mcp.text.times import Clock, Moment

__all__ = ["Upkeep"]

logger = logging.getLogger(__name__)

_TIDY_EVERY: Moment = 3600 * 1_000_000


class Upkeep:
    """Looks after a store while questions come.

    Args:
        sync: The store, and what runs beside the questions.
        clock: Tells when something is due.
        refresh: Fetches all windows.
        refresh_seconds: How often a store that is kept is refreshed at least.
    """

    def __init__(
        self,
        sync: WindowSync,
        clock: Clock,
        refresh: Callable[[], Awaitable[SyncReport]],
        refresh_seconds: float,
    ) -> None:
        self._sync = sync
        self._clock = clock
        self._refresh = refresh
        self._refresh_every: Moment = round(refresh_seconds * 1_000_000)
        self._refresh_at = self._tidy_at = clock.elapsed()

    async def tidy_if_due(self) -> None:
        """Keep to the retention, also where SMOC cannot be asked."""
        now = self._clock.elapsed()
        if now < self._tidy_at:
            return
        self._tidy_at = now + _TIDY_EVERY
        try:
            async with self._sync.settled:
                await anyio.to_thread.run_sync(self._tidy)
        except StoreError as error:
            # Another process holds the store; what it keeps longer is dropped the next time.
            logger.warning("the store could not be tidied: %s", error)

    def _tidy(self) -> None:
        store, now = self._sync.store, self._clock()
        if ahead := store.mend_moments(now):
            logger.warning(
                "the store had %d moments of the future: the clock was wrong when it was written, "
                "or is wrong now",
                ahead,
            )
        store.keep_to_retention(now)

    def refresh_if_due(self) -> None:
        """Keep the history of a store that is kept unbroken while the server is used."""
        now = self._clock.elapsed()
        if self._sync.store.is_kept and now >= self._refresh_at:
            self._refresh_at = now + self._refresh_every
            self._sync.in_background(self._refresh_now)

    async def _refresh_now(self) -> None:
        try:
            report = await self._sync.once("refresh", self._is_fresh, self._refresh_and_note)
        except SmocError as failure:
            # Such as a database that is away: the next question tries again.
            logger.warning("the refresh in the background failed: %s", failure)
            return
        except Exception:  # a refresh that nobody asked for must not end the server
            logger.exception("the refresh in the background failed")
            return
        if report is None:
            # Another replica did it; if it dies, we do it as soon as it is due.
            self._refresh_at = (self._sync.refreshed or 0) + self._every()
            return
        for sort, error in report.failed.items():
            logger.warning("refresh of %s: %s", sort, error)
        self._refresh_at = min(self._refresh_at, self._clock.elapsed() + self._every())

    def _every(self) -> Moment:
        """Return how often all windows must be fetched: more often where the company grows fast."""
        interval = refresh_interval(self._sync.live.all(-(2**62)))
        return min(interval or self._refresh_every, self._refresh_every)

    def _is_fresh(self) -> bool:
        """Say whether another replica has refreshed the store of late."""
        at = self._sync.refreshed
        return at is not None and at + self._every() > self._clock.elapsed()

    async def _refresh_and_note(self) -> SyncReport:
        report = await self._refresh()
        if report.complete:
            await self._sync.note_refresh()
        return report
