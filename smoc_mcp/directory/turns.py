"""One replica does what all would do; the others wait for what it brings, and go on if it dies."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import anyio.to_thread

from smoc_mcp.store.database import Turn

__all__ = ["take_turn"]

T = TypeVar("T")

_PATIENCE = 0.5
"""Seconds for which we wait to be told before we look ourselves: what is told may be lost."""


async def take_turn(
    turn: Turn,
    is_there: Callable[[], Awaitable[bool]],
    fetch: Callable[[], Awaitable[T]],
    waiting: anyio.CapacityLimiter,
) -> T | None:
    """Fetch what is not there, when it is our turn.

    Args:
        turn: Our place in the queue; it is closed afterwards.
        is_there: Says whether another replica has brought it meanwhile.
        fetch: Brings it.
        waiting: The threads for waiting; answers do not need them.

    Returns:
        What was fetched; None where another replica has brought it.
    """
    try:
        while not await anyio.to_thread.run_sync(turn.take, limiter=waiting):
            await anyio.to_thread.run_sync(turn.wait, _PATIENCE, limiter=waiting)
            if await is_there():
                return None
        return None if await is_there() else await fetch()
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(turn.close, limiter=waiting)
