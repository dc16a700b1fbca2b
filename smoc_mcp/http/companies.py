"""Holds the directories of the companies that a server answers for, each apart from the others.

A key is held by its hash. Companies never share a directory, a cache or a store's rows, so none can
see another's contacts, and none waits for another's slow answer.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

import anyio
import anyio.abc

from smoc_mcp.directory.answers import Standing
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.errors import BusyError, SmocError
from smoc_mcp.http.access import Caller

__all__ = ["Companies"]

_MOST_REMEMBERED = 10_000
"""Keys, by their hashes, that SMOC has accepted: they stay known when their company has gone."""

Open = Callable[[Caller], AbstractAsyncContextManager[ContactDirectory]]


@dataclass
class _Held:
    """A directory that is being opened, is open, or could not be opened.

    Attributes:
        left: Nobody new may use it.
        empty: Nobody uses it any more, and it may be closed.
        uses: What ends the uses that it has now.
    """

    opened: anyio.Event = field(default_factory=anyio.Event)
    left: anyio.Event = field(default_factory=anyio.Event)
    empty: anyio.Event = field(default_factory=anyio.Event)
    directory: ContactDirectory | None = None
    failure: SmocError | None = None
    uses: set[anyio.CancelScope] = field(default_factory=set)


class Companies:
    """Directories by key, opened when first asked for. Use it as an async context manager.

    Args:
        open_directory: Opens the directory of a caller's company.
        most: How many are held; the least recently used goes first, a stranger (whose key the API
            has never accepted) before all others. At most half of them are strangers.

    Attributes:
        dropped: How many had to go for others so far.
    """

    def __init__(self, open_directory: Open, most: int) -> None:
        self._open = open_directory
        self._most = most
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._accepted: OrderedDict[str, None] = OrderedDict()
        self._tasks: anyio.abc.TaskGroup | None = None
        self.dropped = 0

    async def __aenter__(self) -> Self:
        self._tasks = await anyio.create_task_group().__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._tasks is not None:
            for held in self._held.values():
                held.left.set()
                held.empty.set()
            await self._tasks.__aexit__(None, None, None)
            self._tasks = None

    def __len__(self) -> int:
        return len(self._held)

    @asynccontextmanager
    async def use(self, caller: Caller) -> AsyncIterator[ContactDirectory]:
        """Yield the directory of a caller's company, which stays open meanwhile.

        Args:
            caller: Who asks, and with whose key.

        Raises:
            BusyError: No more companies can be held now, or the room was needed for one whose key
                SMOC has accepted, and this one's it has not.
            SmocError: The directory cannot be opened, as with a store that is locked.
        """
        name = caller.company
        held = self._held.get(name)
        if held is None or held.left.is_set():
            held = self._hold(name, caller)
        self._held.move_to_end(name)
        use = anyio.CancelScope()
        held.uses.add(use)
        try:
            with use:
                await held.opened.wait()
                if held.directory is None:
                    raise held.failure or BusyError("The server is going down.", 503, 30)
                yield held.directory
        finally:
            if held.directory is not None:
                self._note(name, held.directory)
            held.uses.discard(use)
            if held.left.is_set() and not held.uses:
                held.empty.set()
        if use.cancelled_caught:
            raise self._full()

    async def standings(self) -> list[Standing]:
        """Return what is in hand of each company that is open, and can be looked at now."""
        found = []
        for held in list(self._held.values()):
            if held.directory is not None:
                with suppress(SmocError):
                    found.append(await held.directory.standing())
        return found

    def knows(self, name: str) -> bool:
        """Say whether SMOC has accepted a key, by its hash, and has not refused it since."""
        return name in self._accepted

    def _note(self, name: str, directory: ContactDirectory) -> None:
        """Remember what SMOC said of a key last."""
        if directory.refused:
            self._accepted.pop(name, None)
        elif directory.has_been_accepted:
            self._accepted[name] = None
            self._accepted.move_to_end(name)
            while len(self._accepted) > _MOST_REMEMBERED:
                self._accepted.popitem(last=False)

    def _hold(self, name: str, caller: Caller) -> _Held:
        if self._tasks is None:
            raise RuntimeError("not entered")
        for other, other_held in self._held.items():
            # One whose first answer is still being sent is no stranger either.
            if other_held.directory is not None:
                self._note(other, other_held.directory)
        self._make_room(name)
        held = self._held[name] = _Held()
        self._tasks.start_soon(self._live, name, caller, held)
        return held

    def _make_room(self, name: str) -> None:
        """Drop a company where another can only be held instead of it.

        Raises:
            BusyError: Nobody may be dropped for this one.
        """
        strangers = [n for n in self._held if not self.knows(n)]
        idle = [n for n, held in self._held.items() if not held.uses]
        idle_strangers = [n for n in strangers if n in idle]
        if self.knows(name):
            # A stranger may be nobody, so even one that is being answered makes room.
            may_go = [*idle_strangers, *strangers, *idle]
            is_full = len(self._held) >= self._most
        elif len(strangers) >= max(1, self._most // 2):
            may_go, is_full = idle_strangers, True
        else:
            may_go, is_full = [*idle_strangers, *idle], len(self._held) >= self._most
        if is_full:
            if not may_go:
                raise self._full()
            self._drop(may_go[0])

    def _drop(self, name: str) -> None:
        held = self._held.pop(name)
        self.dropped += 1
        held.left.set()
        if not held.uses:
            held.empty.set()
        for use in held.uses:
            use.cancel()

    def _full(self) -> BusyError:
        return BusyError(
            f"This server holds {self._most:,} companies at once, and all that could make room are "
            "being asked right now. Ask again in a few seconds.",
            503,
            5,
        )

    async def _live(self, name: str, caller: Caller, held: _Held) -> None:
        """Keep a directory open until it is left: it must be closed in the task that opened it."""
        try:
            async with self._open(caller) as directory:
                held.directory = directory
                held.opened.set()
                await held.left.wait()
                await held.empty.wait()
        except SmocError as error:
            held.failure = error
            if self._held.get(name) is held:
                del self._held[name]
        finally:
            held.directory = None
            held.opened.set()
