"""Windows from the API into the store: each asked for once, however many wait for it."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

import anyio
import anyio.to_thread

from smoc_mcp.api.client import MAX_LIMIT, SortField
from smoc_mcp.api.models import ApiAnswer, ReadContact
from smoc_mcp.directory.flights import Flights
from smoc_mcp.directory.progress import telling
from smoc_mcp.directory.report import SyncReport
from smoc_mcp.directory.turns import take_turn
from smoc_mcp.directory.windows import SORT_FIELDS, Arrived, Sent, window_of
from smoc_mcp.errors import SmocError, StoreError
from smoc_mcp.proof.live import LiveWindows, last_look_agrees
from smoc_mcp.proof.windows import COUNTED, Counts, Sort, Status, Tick, Window
from smoc_mcp.store.shared_windows import Told
from smoc_mcp.store.store import Absorbed, ContactStore
from smoc_mcp.text.times import Clock, Moment

__all__ = ["Asked", "ContactSource", "WindowSync"]

T = TypeVar("T")

logger = logging.getLogger(__name__)

_LOOK_LIMIT = 4
"""How many of the newest a last look asks for: enough that they are seldom all of one time."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question's demands on what it rests on.

    Attributes:
        since: What came before this, by the clock that only goes on, is not live for it.
        deadline: When it must be answered, by the event loop's clock.
    """

    since: Moment
    deadline: float

    @property
    def seconds(self) -> float:
        """How many seconds are left; a little less, so that a request's own error comes first."""
        return max(0.1, self.deadline - anyio.current_time() - 0.25)


class ContactSource(Protocol):
    """Where pages of contacts come from: the client, or a simulated company."""

    async def fetch_contacts(
        self, sort: SortField | None, limit: int = ..., *, seconds: float | None = ...
    ) -> ApiAnswer:
        """Return one answer of the endpoint, or raise an UpstreamError."""


class WindowSync:
    """Keeps the live windows and the store. Use it as an async context manager.

    Attributes:
        live: The windows, for proofs. Read it and the store together, holding `settled`.
        store: The contacts.
        window_limit: How many contacts a window holds at most.
        settled: Held while the store and `live` do not agree yet.
        told: The counts that came last without a window, and the moment of which they are true.
        refreshed: When a replica fetched all windows in the background last, by our clock that
            only goes on; None for never, or where there are no replicas.
    """

    def __init__(
        self,
        source: ContactSource,
        store: ContactStore,
        clock: Clock,
        window_limit: int = MAX_LIMIT,
    ) -> None:
        self.window_limit = window_limit
        self.live = LiveWindows()
        self.store = store
        self.settled = anyio.Lock()
        self._source = source
        self._clock = clock
        self.told: tuple[Counts, Moment] | None = None
        self._counts: Told | None = None
        self.refreshed: Moment | None = None
        self._others_version = store.others_version()
        self._tick: Tick = store.tick()
        # What is live does not agree with the store: it could not be read.
        self._is_behind = False
        self._flights = Flights()
        # Who waits for another replica is not to take the threads that answers need.
        self._waiting = anyio.CapacityLimiter(len(Sort))
        self._recall()

    async def __aenter__(self) -> Self:
        await self._flights.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._flights.__aexit__(*error)

    def counts(self, since: Moment) -> tuple[Counts, Moment] | None:
        """Return the newest counts and when we asked for them, if they came at or after `since`."""
        known = [(w.counts, w.as_of, w.arrived) for w in self.live.all(since) if not w.stale]
        if self._counts is not None and self._counts.arrived >= since:
            known.append((self._counts.counts, self._counts.as_of, self._counts.arrived))
        newest = max(known, key=lambda counts: counts[2], default=None)
        return None if newest is None else newest[:2]

    def unread(self, since: Moment) -> Counter[str]:
        """Return what could not be read in the live windows: entries by wire name of the field."""
        worst: Counter[str] = Counter()
        for window in self.live.all(since):
            worst |= Counter(window.unread)
        return worst

    async def ensure_counts(self, asked: Asked) -> None:
        """Have the company's counts, with a request for one contact if nothing live has them."""

        def known() -> bool:
            return self.counts(asked.since) is not None

        if not known():
            await self.once("counts", known, lambda: self._fetch_counts(asked))

    async def ensure(self, sorts: Iterable[Sort], asked: Asked) -> None:
        """Have a live window of each order; what is live and uncontradicted is not fetched again.

        Raises:
            UpstreamError: A window could not be fetched; the others are in hand.
        """
        wanted = list(sorts)

        def is_there(sort: Sort) -> bool:
            return self.live.sound(sort, asked.since) is not None

        # Twice: the company may change between two windows, and then the older proves nothing.
        for _ in range(2):
            await self._fetch(wanted, is_there, asked)

    def missing(self, sorts: Iterable[Sort], since: Moment) -> list[Sort]:
        """Return the orders of which there is no live and uncontradicted window."""
        return [sort for sort in sorts if self.live.sound(sort, since) is None]

    async def index_words(self, _: Asked) -> None:
        """Have the words of all contacts indexed."""
        async with self.settled:
            await anyio.to_thread.run_sync(self.store.index_words)

    async def ensure_in_turn(self, asked: Asked) -> None:
        """Have a live `created` window, and a live `updated` one that was asked for after it."""
        await self.ensure([Sort.CREATED], asked)
        await self._fetch([Sort.UPDATED], lambda _: self.in_turn(asked.since), asked)

    def in_turn(self, since: Moment) -> bool:
        """Say whether what `ensure_in_turn` would fetch is live."""
        created, updated = self.live.sound(Sort.CREATED, since), self.live.get(Sort.UPDATED, since)
        return created is not None and updated is not None and updated.sent >= created.received

    def notice_others(self) -> None:
        """Notice what another process has written to the store: what was live may not be now."""
        version = self.store.others_version()
        if version != self._others_version or self._is_behind:
            # Until all of it has been read: the database can go away at any moment.
            self._is_behind = True
            self._tick = self.store.tick()
            if not self._recall():
                self.live.forget()
            self._others_version, self._is_behind = version, False

    def _recall(self) -> bool:
        """Have the live windows of all replicas, where they share them."""
        if self.store.shared is None:
            return False
        recalled = self.store.shared.recall(self._clock)
        self.live, self.refreshed = recalled.live, recalled.refreshed
        self._counts = recalled.told
        if recalled.told is not None:
            self.told = recalled.told.counts, recalled.told.as_of
        return True

    async def forget(self) -> None:
        """Drop what is live: the API has just refused our key."""
        self.live.forget()
        if self.store.shared is not None:
            try:
                await anyio.to_thread.run_sync(self.store.shared.forget)
            except StoreError as error:
                # The refusal is what is told; the other replicas will be refused too.
                logger.warning("the refusal could not be told to the other replicas: %s", error)

    async def ensure_all(self, asked: Asked, statuses: frozenset[Status] | None = None) -> None:
        """Have all four windows and, where it can pay, the proof that they hold all of `statuses`.

        The API counts leads and customers. If the windows together hold as many, and nothing
        changed while they were fetched one after the other, they hold them all.
        """
        if statuses is not None and statuses <= COUNTED:
            await self.ensure([Sort.UPDATED], asked)
        await self.ensure(Sort, asked)
        if self._worth_a_look(statuses, asked.since):
            await self._take_last_look(asked)

    def may_learn(self, statuses: frozenset[Status] | None, since: Moment) -> bool:
        """Say whether `ensure_all` would ask for anything."""
        return bool(self.missing(Sort, since)) or self._worth_a_look(statuses, since)

    def _worth_a_look(self, statuses: frozenset[Status] | None, since: Moment) -> bool:
        if statuses is None or not statuses <= COUNTED or self.live.union_holds(since):
            return False
        known = self.counts(since)
        held = sum(k.status in statuses for k in self.live.union(since).values())
        return known is not None and held == known[0].of(statuses)

    async def _take_last_look(self, asked: Asked) -> None:
        since = asked.since
        first = self.live.sound(Sort.UPDATED, since)
        if first is None:
            return
        others = [Sort.NATURAL, Sort.CREATED, Sort.CONVERSATION]

        # A window from before the `updated` one cannot be part of the proof: fetch it again. One
        # that was under way when we asked is fetched once more.
        def is_later(sort: Sort) -> bool:
            window = self.live.sound(sort, since)
            return window is not None and window.sent >= first.received

        for _ in range(2):
            await self._fetch(others, is_later, asked)
        found = [self.live.sound(sort, since) for sort in (Sort.UPDATED, *others)]
        windows = [w for w in found if w is not None]
        if len(windows) < len(found) or windows[0] is not first:
            return
        await self.once(
            f"look after {first.received}",
            lambda: self.live.union_holds(since),
            lambda: self._look(windows, asked),
        )

    async def _look(self, windows: Sequence[Window], asked: Asked) -> None:
        look = await self._fetch_look(asked)
        if last_look_agrees(windows, look):
            self.live.admit_union(windows)
            if (shared := self.store.shared) is not None:
                await anyio.to_thread.run_sync(shared.admit_union, windows)

    async def _fetch(
        self, sorts: Iterable[Sort], is_there: Callable[[Sort], bool], asked: Asked
    ) -> None:
        """Have the window of each order that is not there."""
        missing = [sort for sort in sorts if not is_there(sort)]
        if not missing:
            return
        errors: list[SmocError] = []

        async def fetch(sort: Sort) -> None:
            try:
                await self.once(
                    sort, lambda: is_there(sort), lambda: self._fetch_window(sort, asked)
                )
            except SmocError as error:
                errors.append(error)
            else:
                await arrived()

        async with telling(len(missing)) as arrived, anyio.create_task_group() as tasks:
            for sort in missing:
                tasks.start_soon(fetch, sort)
        if errors:
            raise errors[0]

    async def once(
        self, name: str, is_there: Callable[[], bool], fetch: Callable[[], Awaitable[T]]
    ) -> T | None:
        """Fetch what is not there: once, whoever asks for it here or in another replica.

        Returns:
            What was fetched; None where another replica had it, or has brought it.
        """

        async def is_there_now() -> bool:
            async with self.settled:
                await anyio.to_thread.run_sync(self._notice)
            return is_there()

        async def fetch_in_turn() -> T | None:
            turn = self.store.turn(name)
            if turn is None:
                return await fetch()
            return await take_turn(turn, is_there_now, fetch, self._waiting)

        return await self._flights.share(name, fetch_in_turn)

    def _notice(self) -> None:
        with self.store.snapshot():
            self.notice_others()

    async def _fetch_anyway(self, sort: Sort, asked: Asked) -> Absorbed:
        while True:
            # A question's may be under way, and end with what another replica has brought.
            absorbed: Absorbed | None = await self._flights.share(
                sort, lambda: self._fetch_window(sort, asked)
            )
            if absorbed is not None:
                return absorbed

    async def _fetch_window(self, sort: Sort, asked: Asked) -> Absorbed:
        sent = self._now()
        page = await self._source.fetch_contacts(
            SORT_FIELDS[sort], self.window_limit, seconds=asked.seconds
        )
        window = window_of(sort, page, sent, self._arrived())
        # What has come is taken in whole, even if nobody waits for it any more.
        with anyio.CancelScope(shield=True):
            absorbed = await self._take_in(window, page)
        return absorbed  # noqa: RET504  mypy believes that the scope may swallow a return

    async def _take_in(self, window: Window, page: ApiAnswer) -> Absorbed:
        async with self.settled:
            return await anyio.to_thread.run_sync(self._absorb, window, page.contacts)

    def _absorb(self, window: Window, contacts: Sequence[ReadContact]) -> Absorbed:
        self.notice_others()
        # What fails from here on may have been written.
        self._is_behind = True
        absorbed = self.store.absorb(window, contacts, self._clock)
        self._tick = absorbed.window.received
        if not self._recall():
            if absorbed.moved:
                self.live.forget()
            if not absorbed.window.stale:
                self.live.admit(
                    absorbed.window, deleted=absorbed.deleted, doubtful=absorbed.doubtful
                )
        self._is_behind = False
        return absorbed

    async def _fetch_counts(self, asked: Asked) -> None:
        sent = self._now()
        page = await self._source.fetch_contacts(None, 1, seconds=asked.seconds)
        window = window_of(Sort.NATURAL, page, sent, self._arrived())
        self.told = window.counts, window.as_of
        if not window.stale:
            self._counts = Told(window.counts, window.as_of, window.arrived)
            if (shared := self.store.shared) is not None:
                await anyio.to_thread.run_sync(shared.tell, window.counts, window.as_of)

    async def _fetch_look(self, asked: Asked) -> Window:
        sent = self._now()
        page = await self._source.fetch_contacts("updatedAt", _LOOK_LIMIT, seconds=asked.seconds)
        return window_of(Sort.UPDATED, page, sent, self._arrived())

    def _arrived(self) -> Arrived:
        return Arrived(self._clock(), self._clock.elapsed())

    def _now(self) -> Sent:
        # The tick may be older than the store's own by now: then less is proven, never more.
        return Sent(self._tick, self._clock())

    async def note_refresh(self) -> None:
        """Tell the other replicas that all windows have just been fetched."""
        if (shared := self.store.shared) is not None:
            await anyio.to_thread.run_sync(shared.note_refresh, self._clock())

    def in_background(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run something beside the questions, until it ends or the sync is left."""
        self._flights.in_background(run)

    async def refresh(
        self, asked: Asked, done: Callable[[Sort], None] = lambda _: None
    ) -> SyncReport:
        """Fetch all four windows into the store, whatever is live; return what came of it.

        Args:
            asked: The deadline of each.
            done: Called when a window is in the store.
        """
        brought: dict[Sort, Absorbed] = {}
        failed: dict[Sort, SmocError] = {}

        async def fetch(sort: Sort) -> None:
            try:
                brought[sort] = await self._fetch_anyway(sort, asked)
            except SmocError as error:
                failed[sort] = error
            else:
                done(sort)

        async with anyio.create_task_group() as tasks:
            for sort in (Sort.CREATED, Sort.NATURAL, Sort.CONVERSATION):
                tasks.start_soon(fetch, sort)
        # Last: a claim that nothing is missing rests on the newest window being this one.
        await fetch(Sort.UPDATED)
        return SyncReport.of(brought, failed, self.live, self.store)
