"""Keeps a value that another server has, and fetches it again when it is old.

Used for the keys of an issuer and for whether the API can be asked.
"""

import asyncio
import copy
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio

__all__ = ["Fresh"]

T = TypeVar("T")

_NEVER = float("-inf")
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class Fresh(Generic[T]):
    """A value, and when it was last asked for. Those who need it at the same time ask once.

    Whoever has it does not wait for it: where it cannot be fetched now, the old one stays, and who
    is down is asked less and less often.

    Args:
        fetch: Asks for the value.
        nothing: What stands for it until it could be fetched.

    Attributes:
        failure: Why it could not be fetched the last time; None where it could.
    """

    def __init__(self, fetch: Callable[[], Awaitable[T]], nothing: T) -> None:
        self._fetch = fetch
        self._value = nothing
        self._asked = self._fetched = _NEVER
        self._has_value = False
        self._pause = 0.0
        self._lock = anyio.Lock()
        self._asking: asyncio.Task[None] | None = None
        self.failure: Exception | None = None

    async def get(self, seconds: float) -> T:
        """Return the value, asked for anew where that was longer ago than so many seconds.

        Raises what `fetch` raises, where there is no older value.
        """
        if self._has_value and self._lock.locked():
            return self._value
        async with self._lock:
            if time.monotonic() - self._asked > max(seconds if self._has_value else 0, self._pause):
                await self._ask()
            if self.failure is not None and not self._has_value:
                raise copy.copy(self.failure)
            return self._value

    async def at_hand(self, seconds: float, spare: float) -> T:
        """Return the value as `get` does, but without waiting where it is only a little too old.

        It is then asked for anew in the background. While it cannot be fetched, any age will do.

        Args:
            seconds: When it is too old.
            spare: For so much longer nobody waits for a newer one.
        """
        age = time.monotonic() - self._fetched
        if not self._has_value or (age > seconds + spare and self.failure is None):
            return await self.get(seconds)
        if age > seconds and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._renew(seconds))
        return self._value

    async def _renew(self, seconds: float) -> None:
        await self.get(seconds)

    async def _ask(self) -> None:
        before, self._asked = self._asked, time.monotonic()
        try:
            self._value = await self._fetch()
        except Exception as failure:  # noqa: BLE001  it is kept, and raised where nothing else is
            self.failure = failure
            self._pause = min(max(_FIRST_PAUSE, 2 * self._pause), _LONGEST_PAUSE)
        except BaseException:
            # A caller that went away meanwhile says nothing of whom it asked.
            self._asked = before
            raise
        else:
            self.failure, self._pause, self._has_value = None, 0.0, True
            self._fetched = self._asked
