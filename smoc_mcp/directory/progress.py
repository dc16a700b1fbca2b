"""What somebody who asked for progress is told while an answer waits for the API."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar

import anyio

__all__ = ["TELL", "Tell", "telling"]

Tell = Callable[[str], Awaitable[None]]
"""Sends a sentence to whoever waits, if they listen."""

TELL: ContextVar[Tell | None] = ContextVar("tell", default=None)
"""How whoever waits for the present answer is told."""

_EVERY_SECONDS = 5.0


@asynccontextmanager
async def telling(windows: int) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Tell who waits for windows how many have come, and every few seconds that we still wait.

    Args:
        windows: How many are waited for.

    Yields:
        What to call when one has come.
    """
    tell = TELL.get()
    came = 0

    async def say(what: str) -> None:
        if tell is not None:
            await tell(f"{what}: {came} of {windows} windows of contacts have come.")

    async def arrived() -> None:
        nonlocal came
        came += 1
        await say("SMOC answered")

    async def tick() -> None:
        waited = 0.0
        while True:
            await anyio.sleep(_EVERY_SECONDS)
            waited += _EVERY_SECONDS
            await say(f"SMOC is slow, {waited:g} s so far")

    if tell is None or not windows:
        yield arrived
        return
    async with anyio.create_task_group() as beside:
        beside.start_soon(tick)
        yield arrived
        beside.cancel_scope.cancel()
