"""What a database gives up because two writers wait for each other is done again."""

from collections.abc import Callable
from typing import TypeVar

from smoc_mcp.errors import StoreConflictError

__all__ = ["done_again"]

T = TypeVar("T")

_ATTEMPTS = 3


def done_again(run: Callable[[], T]) -> T:
    """Return what `run` returns, which is run again where it stood in another's way.

    Args:
        run: All of a transaction, from its beginning.

    Raises:
        StoreConflictError: It did so every time.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return run()
        except StoreConflictError:
            continue
    return run()
