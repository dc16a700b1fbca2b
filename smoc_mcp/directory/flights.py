"""Single flight: equal requests at the same time are one request.

No library of anyio's world does this and also cancels a request for which nobody waits any more.
"""

import copy
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Generic, Self, TypeVar

import anyio
import anyio.abc

from smoc_mcp.errors import UnreachableError

__all__ = ["Flights"]

T = TypeVar("T")


@dataclass(eq=False)
class _Flight(Generic[T]):
    """One request under way, and how many wait for it."""

    done: anyio.Event = field(default_factory=anyio.Event)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    waiting: int = 0
    result: list[T] = field(default_factory=list)
    error: Exception | None = None


class Flights:
    """The requests under way. Use it as an async context manager.

    They run in a task group of their own, so that one who stops waiting does not take the result
    from the others.
    """

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[Any]] = {}
        self._exits = AsyncExitStack()
        self._tasks: anyio.abc.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._tasks = await self._exits.enter_async_context(anyio.create_task_group())
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._tasks is not None:
            self._tasks.cancel_scope.cancel()
        await self._exits.aclose()
        self._tasks = None

    def in_background(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run something beside the requests, until it ends or the flights are left."""
        if self._tasks is not None:
            self._tasks.start_soon(run)

    async def share(self, key: Hashable, fetch: Callable[[], Awaitable[T]]) -> T:
        """Return what `fetch` returns; calls of one key at the same time are one.

        It is cancelled when nobody waits for it any more.

        Args:
            key: Stands for the same type of result at every call.
            fetch: Gets the result.
        """
        if self._tasks is None:
            raise RuntimeError("Flights are used outside `async with`")
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
