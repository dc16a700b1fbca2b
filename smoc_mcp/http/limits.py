"""Limits how often one caller may ask.

It is one list of times for each caller, so no library does it.
"""

import time
from collections import OrderedDict, deque

from smoc_mcp.errors import BusyError

__all__ = ["MOST_CALLERS", "CallLimit"]

MOST_CALLERS = 10_000
"""How many callers are counted at once; who has not called for the longest is forgotten first."""


class CallLimit:
    """Counts the calls of each caller in the last minute.

    Args:
        most: How many one caller may make in a minute.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, caller: str) -> None:
        """Count a call.

        Raises:
            BusyError: The caller has asked too often; it says when to come back.
        """
        now = time.monotonic()
        times = self._times.setdefault(caller, deque())
        self._times.move_to_end(caller)
        while times and times[0] <= now - 60:
            times.popleft()
        if len(times) >= self._most:
            seconds = int(times[0] + 60 - now) + 1
            raise BusyError(
                f"More than {self._most:,} calls in a minute. Come back in {seconds} seconds.",
                429,
                seconds,
            )
        times.append(now)
        while len(self._times) > MOST_CALLERS:
            self._times.popitem(last=False)
