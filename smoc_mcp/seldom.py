"""Logs what may happen a thousand times a minute: once a minute for each cause, with a count."""

import logging
import time
from collections import OrderedDict

__all__ = ["Seldom"]

_SECONDS = 60.0
_MOST_CAUSES = 1_000
"""Whose turn was the longest ago is forgotten first: a cause may hold what a caller made up."""


class Seldom:
    """Writes warnings to a logger, each cause once a minute.

    Args:
        logger: Where to.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._causes: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def warning(self, cause: str, message: str) -> None:
        """Write a message, unless one of the same cause was written less than a minute ago.

        Args:
            cause: What it is counted by.
            message: What is written, with how many of its cause were left out since the last one.
        """
        now = time.monotonic()
        written, left_out = self._causes.pop(cause, (float("-inf"), 0))
        if now - written < _SECONDS:
            self._causes[cause] = written, left_out + 1
            return
        more = f" ({left_out:,} more like this since the last line)" if left_out else ""
        self._logger.warning("%s%s", message, more)
        self._causes[cause] = now, 0
        while len(self._causes) > _MOST_CAUSES:
            self._causes.popitem(last=False)
