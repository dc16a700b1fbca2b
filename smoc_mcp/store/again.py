"""What most answers read again and again, remembered until anything is written."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["ReadAgain"]

T = TypeVar("T")


class ReadAgain(Generic[T]):
    """The results of some reads, all of one version of what is read."""

    def __init__(self) -> None:
        self._version: Hashable = None
        self._known: dict[Hashable, T] = {}

    def get(self, version: Hashable, question: Hashable, read: Callable[[], T]) -> T:
        """Return what a question reads: what it read before, if nothing was written since."""
        if self._version != version:
            self._version, self._known = version, {}
        if question not in self._known:
            self._known[question] = read()
        return self._known[question]
