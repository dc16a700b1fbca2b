"""What is proven of an answer, and the part of the company that a question is about. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from smoc_mcp.proof.windows import Sort, Status
from smoc_mcp.text.times import Moment

__all__ = ["Certainty", "Proof", "Region"]


class Certainty(StrEnum):
    """What is proven of rows or of a count."""

    EXACT = "exact"
    EXACT_UNLESS_DELETED = "exact_unless_deleted"
    AT_LEAST = "at_least"


@dataclass(frozen=True, slots=True)
class Region:
    """The part of the company that a filter can admit, as far as a proof can use it.

    Attributes:
        after: For each sort order, the oldest key that it admits.
        statuses: The statuses that it admits; None for all.
        fields: The wire names of the fields that the question reads.
    """

    after: Mapping[Sort, Moment] = field(default_factory=dict)
    statuses: frozenset[Status] | None = None
    fields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Proof:
    """What is proven, and the moment of which it is true.

    Attributes:
        among: The proof is of these contacts only; whoever else is remembered as of the region
            has changed or is gone since. None where whoever is in hand belongs to it.
    """

    certainty: Certainty
    as_of: Moment
    among: frozenset[str] | None = None

    @property
    def exact(self) -> bool:
        """Whether this is the truth, not a lower bound."""
        return self.certainty is Certainty.EXACT

    @property
    def complete(self) -> bool:
        """Whether nothing is missing, though something that was deleted may linger."""
        return self.certainty is not Certainty.AT_LEAST
