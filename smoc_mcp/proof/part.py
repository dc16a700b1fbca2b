"""The part of a question that is proven, and the shares that may be taken of it. Pure.

A count has a lower bound. A share, an order of groups, a trend, a zero has none: taken of whoever
happens to be in hand they are simply wrong. So shares are made here and nowhere else, of a part
in which nobody is missing.
"""

from dataclasses import dataclass
from typing import NewType

from smoc_mcp.proof.certainty import Proof
from smoc_mcp.proof.windows import Status
from smoc_mcp.text.times import Moment

__all__ = ["Part", "Share"]

Share = NewType("Share", float)
"""A share from 0 to 1; only `Part.share` makes one."""


@dataclass(frozen=True, slots=True)
class Part:
    """The contacts of a question of whom it is proven that none is missing: all, or some.

    Attributes:
        proof: That none is missing.
        contacts: How many they are.
        since: They are only those created at or after this; None where that is no matter.
        statuses: They are only those of these statuses; None where that is no matter.

    Raises:
        ValueError: The proof leaves open whether somebody is missing.
    """

    proof: Proof
    contacts: int
    since: Moment | None = None
    statuses: frozenset[Status] | None = None

    def __post_init__(self) -> None:
        """Refuse what is only a sample."""
        if not self.proof.complete:
            raise ValueError("nothing can be compared where contacts may be missing")

    @property
    def of_statuses(self) -> list[str]:
        """The words of its statuses, in the order of `Status`; empty where that is no matter."""
        return [status.value for status in Status if status in (self.statuses or ())]

    @property
    def is_whole(self) -> bool:
        """Whether it is all that was asked for."""
        return self.since is None and self.statuses is None

    def share(self, some: int, of: int | None = None) -> Share | None:
        """Return which share some of its contacts are of all of them, or of a group of them.

        Returns:
            The share, to four digits; None of nobody.
        """
        whole = self.contacts if of is None else of
        return Share(round(some / whole, 4)) if whole else None
