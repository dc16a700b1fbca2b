"""The contacts of a company in the order of one time field, quick to page and to change."""

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable

__all__ = ["MAX_CONTACTS", "Order"]

_ROW_BITS = 21
_ROW_MASK = (1 << _ROW_BITS) - 1

MAX_CONTACTS = 1 << _ROW_BITS
"""How many contacts a company may ever have."""


class Order:
    """Rows sorted by a time, in 8 bytes each.

    A time in ms (42 bits, until 2109) and a row (21 bits) fit in one number, so that bisection
    over a plain array finds a row's place. No time is 0, which sorts last in descending order.
    The row is scrambled by `salt`: equal times come in an order that is always the same, but from
    which nobody should conclude anything.
    """

    def __init__(self, entries: Iterable[tuple[int, int]], salt: int) -> None:
        """Take (time in ms, row) pairs."""
        self._salt = salt & _ROW_MASK
        self._keys = array("q", sorted(self._key(ms, row) for ms, row in entries))

    def _key(self, ms: int, row: int) -> int:
        return ms << _ROW_BITS | (row ^ self._salt)

    def add(self, ms: int, row: int) -> None:
        """Take a row in."""
        insort(self._keys, self._key(ms, row))

    def remove(self, ms: int, row: int) -> None:
        """Take a row out; `ms` is the time that it was added with."""
        del self._keys[bisect_left(self._keys, self._key(ms, row))]

    def newest(self, limit: int) -> list[int]:
        """Return up to `limit` rows, newest first, those without a time last."""
        window = self._keys[max(0, len(self._keys) - limit) :]
        return [(key & _ROW_MASK) ^ self._salt for key in reversed(window)]
