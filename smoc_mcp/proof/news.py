"""Whether somebody who is seen for the first time is news, or only new to us. Pure.

A contact can become known long after it was created: SMOC shows the newest 500 of each order only.
It is new if it would have been seen before, had it been there.
"""

from dataclasses import dataclass

from smoc_mcp.proof.history import History
from smoc_mcp.proof.windows import Keys, Tick

__all__ = ["News"]


@dataclass(frozen=True, slots=True)
class News:
    """How far back everything was seen before a window came.

    Attributes:
        created: The history of `created` windows; None where there was none.
        updated: The history of `updated` windows.
    """

    created: History | None
    updated: History | None

    def ticks(self, keys: Keys, now: Tick) -> tuple[Tick, Tick]:
        """Return the ticks at which somebody seen for the first time was new, and last changed.

        Both are 0 where it was old already.
        """
        if self.created is not None and keys.created > self.created.reach:
            return now, now
        if self.updated is None or keys.updated <= self.updated.reach:
            return 0, 0
        # Since it came its updatedAt was newer than that, so it would have been seen.
        return (now if keys.created > self.updated.reach else 0), now
