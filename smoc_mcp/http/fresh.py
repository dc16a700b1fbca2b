"""Keeps a value that another server has, and fetches it again when it is old.

Used for the keys of an issuer and for whether the API can be asked.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio

__all__ = ["Fresh"]

T = TypeVar("T")

_NEVER = float("-inf")


class Fresh(Generic[T]):
    """A value, and when it was last asked for. Those who need it at the same time ask once.

    Args:
        fetch: Asks for the value.
        nothing: What stands for it until it could be fetched.
    """

    def __init__(self, fetch: Callable[[], Awaitable[T]], nothing: T) -> None:
        self._fetch = fetch
        self._value = nothing
        self._asked = _NEVER
        self._has_value = False
        self._lock = anyio.Lock()

    async def get(self, seconds: float) -> T:
        """Return the value, asked for anew where that was longer ago than so many seconds.

        Raises what `fetch` raises. Until it could be fetched once, a failure counts as asked, so
        that whoever is down is not asked at each call; afterwards the next call asks again.
        """
        async with self._lock:
            if time.monotonic() - self._asked > seconds:
                self._asked = time.monotonic()
                try:
                    self._value = await self._fetch()
                except BaseException as failure:
                    # A caller that went away meanwhile says nothing of whom it asked.
                    if self._has_value or not isinstance(failure, Exception):
                        self._asked = _NEVER
                    raise
                self._has_value = True
            return self._value
