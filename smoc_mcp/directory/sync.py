"""Windows from the API into the store: each asked for once, however many wait for it."""

import copy
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, Self, TypeVar

import anyio
import anyio.abc
import anyio.to_thread

from smoc_mcp.api.client import MAX_LIMIT, SortField
from smoc_mcp.api.facts import keys_of
from smoc_mcp.api.models import ContactsPage, ReadContact
from smoc_mcp.directory.progress import telling
from smoc_mcp.directory.report import SyncReport
from smoc_mcp.errors import SmocError, UnreachableError
from smoc_mcp.proof.live import LiveWindows, last_look_agrees
from smoc_mcp.proof.windows import ABSENT, COUNTED, Counts, Sort, Status, Window, sort_key
from smoc_mcp.store.store import Absorbed, ContactStore
from smoc_mcp.text.times import Clock, Moment

__all__ = ["Asked", "ContactSource", "WindowSync", "window_of"]

T = TypeVar("T")

_FIELDS: dict[Sort, SortField | None] = {
    Sort.CREATED: "createdAt",
    Sort.UPDATED: "updatedAt",
    Sort.CONVERSATION: "lastConversationDate",
    Sort.NATURAL: None,
}
_LOOK_LIMIT = 4
"""How many of the newest a last look asks for: enough that they are seldom all of one time."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question's demands on what it rests on.

    Attributes:
        since: What was received before this is not live for it.
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
    ) -> ContactsPage:
        """Return one answer of the endpoint, or raise an UpstreamError."""
        ...


def window_of(sort: Sort, page: ContactsPage, sent: Moment, received: Moment) -> Window:
    """Return what an answer proves.

    One that we could not read whole, or that contradicts itself, proves less. With an entry lost,
    or fewer contacts than asked for and yet not all that the API counts, it is neither complete
    nor has it an edge; with a sort key that we cannot read, or an order that is not the promised
    one, it has no edge.
    """
    rows = {c.contact.id: keys_of(c) for c in page.contacts}
    unread: frozenset[str] = frozenset().union(*(c.unread for c in page.contacts))
    counts = Counts(page.leads, page.customers)
    statuses = Counter(keys.status for keys in rows.values())
    short = page.sent < page.limit
    whole = counts == (statuses[Status.LEAD], statuses[Status.CUSTOMER])
    trusted = page.lost == 0 and (whole or not short)
    edge: Moment | None = None
    if trusted and sort is not Sort.NATURAL:
        keys = [sort_key(rows[c.contact.id], sort) for c in page.contacts]
        if short:
            edge = ABSENT
        elif _FIELDS[sort] not in unread and all(a >= b for a, b in itertools.pairwise(keys)):
            edge = keys[-1]
    return Window(sort, sent, received, rows, counts, trusted and short, edge, unread)


class WindowSync:
    """Keeps the live windows and the store.

    Use it as an async context manager: requests run in its task group, so that one who stops
    waiting does not take the answer from the others; a request that nobody waits for is cancelled.

    Attributes:
        live: The windows, for proofs. Read it and the store together, holding `settled`.
        store: The contacts.
        window_limit: How many contacts a window holds at most.
        settled: Held while the store and `live` do not agree yet.
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
        self._counts: tuple[Counts, Moment] | None = None
        self._unread: dict[Sort, Counter[str]] = {}
        self._others_version = store.others_version()
        # A key always stands for the same type of result.
        self._flights: dict[Hashable, _Flight[Any]] = {}
        self._exits = AsyncExitStack()
        self._tasks: anyio.abc.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._tasks = await self._exits.enter_async_context(anyio.create_task_group())
        return self

    async def __aexit__(self, *error: object) -> bool | None:
        if self._tasks is not None:
            self._tasks.cancel_scope.cancel()
        await self._exits.aclose()
        self._tasks = None
        return None

    def counts(self, since: Moment) -> tuple[Counts, Moment] | None:
        """Return the newest counts and when we asked for them, if received at or after `since`."""
        windows = [(w.counts, w.sent, w.received) for w in self.live.all(since)]
        if self._counts is not None and self._counts[1] >= since:
            windows.append((*self._counts, self._counts[1]))
        newest = max(windows, key=lambda w: w[2], default=None)
        return None if newest is None else newest[:2]

    def unread(self, since: Moment) -> Counter[str]:
        """Return what could not be read in the live windows: entries by wire name of the field."""
        worst: Counter[str] = Counter()
        for window in self.live.all(since):
            worst |= self._unread[window.sort]
        return worst

    async def ensure_counts(self, asked: Asked) -> None:
        """Have the company's counts, with a request for one contact if nothing live has them."""
        if self.counts(asked.since) is None:
            await self._shared("counts", lambda: self._fetch_counts(asked))

    async def ensure(self, sorts: Iterable[Sort], asked: Asked) -> None:
        """Have a live window of each order; what is live and uncontradicted is not fetched again.

        Raises:
            UpstreamError: A window could not be fetched; the others are in hand.
        """
        wanted = list(sorts)
        # Twice: the company may change between two windows, and then the older proves nothing.
        for _ in range(2):
            await self._fetch(self.missing(wanted, asked.since), asked)

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
        if not self.in_turn(asked.since):
            await self._fetch([Sort.UPDATED], asked)

    def in_turn(self, since: Moment) -> bool:
        """Say whether what `ensure_in_turn` would fetch is live."""
        created, updated = self.live.sound(Sort.CREATED, since), self.live.get(Sort.UPDATED, since)
        return created is not None and updated is not None and updated.sent > created.received

    def notice_others(self) -> None:
        """Drop the live windows if another process has written to the store meanwhile."""
        version = self.store.others_version()
        if version != self._others_version:
            self._others_version = version
            self.live.forget()

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
        # A question admits one status or all; that it may be both counted ones changes nothing.
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
        for _ in range(2):
            await self._fetch(
                [
                    sort
                    for sort in others
                    if (w := self.live.sound(sort, since)) is None or w.sent <= first.received
                ],
                asked,
            )
        found = [self.live.sound(sort, since) for sort in (Sort.UPDATED, *others)]
        windows = [w for w in found if w is not None]
        if len(windows) < len(found) or windows[0] is not first:
            return
        look = await self._shared(("look", first.sent), lambda: self._fetch_look(asked))
        # It proves nothing either where an entry of it is lost, or it contradicts itself.
        seen = window_of(Sort.UPDATED, look, first.sent, first.received)
        if seen.edge is not None and last_look_agrees(
            windows, seen.rows, seen.counts, seen.complete
        ):
            self.live.admit_union(windows)

    async def _fetch(self, sorts: Sequence[Sort], asked: Asked) -> None:
        if not sorts:
            return
        errors: list[SmocError] = []

        async def fetch(sort: Sort) -> None:
            try:
                await self._shared(sort, lambda: self._fetch_window(sort, asked))
            except SmocError as error:
                errors.append(error)
            else:
                await arrived()

        async with telling(len(sorts)) as arrived, anyio.create_task_group() as tasks:
            for sort in sorts:
                tasks.start_soon(fetch, sort)
        if errors:
            raise errors[0]

    async def _fetch_window(self, sort: Sort, asked: Asked) -> Absorbed:
        sent = self._clock()
        page = await self._source.fetch_contacts(
            _FIELDS[sort], self.window_limit, seconds=asked.seconds
        )
        window = window_of(sort, page, sent, self._clock())
        # What has come is taken in whole, even if nobody waits for it any more.
        with anyio.CancelScope(shield=True):
            absorbed = await self._take_in(window, page)
        return absorbed  # noqa: RET504  mypy believes that the scope may swallow a return

    async def _take_in(self, window: Window, page: ContactsPage) -> Absorbed:
        sort = window.sort
        async with self.settled:
            absorbed = await anyio.to_thread.run_sync(self._absorb, window, page.contacts)
            if absorbed.moved:
                self.live.forget()
            self.live.admit(window, deleted=absorbed.deleted, doubtful=absorbed.doubtful)
            self._unread[sort] = Counter(name for c in page.contacts for name in c.unread)
            if nothing := page.sent - len(page.contacts):
                self._unread[sort]["entry"] = nothing
        return absorbed

    def _absorb(self, window: Window, contacts: Sequence[ReadContact]) -> Absorbed:
        self.notice_others()
        return self.store.absorb(window, contacts)

    async def _fetch_counts(self, asked: Asked) -> None:
        sent = self._clock()
        page = await self._source.fetch_contacts(None, 1, seconds=asked.seconds)
        self._counts = Counts(page.leads, page.customers), sent

    async def _fetch_look(self, asked: Asked) -> ContactsPage:
        return await self._source.fetch_contacts("updatedAt", _LOOK_LIMIT, seconds=asked.seconds)

    def in_background(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run something beside the questions, until it ends or the sync is left."""
        if self._tasks is not None:
            self._tasks.start_soon(run)

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
                brought[sort] = await self._shared(sort, lambda: self._fetch_window(sort, asked))
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

    async def _shared(self, key: Hashable, fetch: Callable[[], Awaitable[T]]) -> T:
        """Return what `fetch` returns; equal calls at the same time are one.

        It is cancelled when nobody waits for it any more.
        """
        if self._tasks is None:
            raise RuntimeError("WindowSync is used outside `async with`")
        flight: _Flight[T] | None = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight()
            self._tasks.start_soon(self._fly, key, flight, fetch)
        flight.waiting += 1
        try:
            await flight.done.wait()
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.done.is_set():
                flight.scope.cancel()
                self._forget(key, flight)
        if flight.error is not None:
            # Each waiter raises its own, so that tracebacks do not pile up on a shared one.
            raise copy.copy(flight.error)
        return flight.result[0]

    async def _fly(
        self, key: Hashable, flight: "_Flight[T]", fetch: Callable[[], Awaitable[T]]
    ) -> None:
        flight.error = UnreachableError("smoc-mcp is shutting down; ask again when it is back.")
        try:
            with flight.scope:
                flight.result.append(await fetch())
                flight.error = None
        except Exception as error:  # noqa: BLE001  it is raised again, where it is waited for
            flight.error = error
        finally:
            flight.done.set()
            self._forget(key, flight)

    def _forget(self, key: Hashable, flight: "_Flight[T]") -> None:
        # Another of the same key may already be under way.
        if self._flights.get(key) is flight:
            del self._flights[key]


@dataclass(eq=False)
class _Flight(Generic[T]):
    """One request under way, and how many wait for it."""

    done: anyio.Event = field(default_factory=anyio.Event)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    waiting: int = 0
    result: list[T] = field(default_factory=list)
    error: Exception | None = None
