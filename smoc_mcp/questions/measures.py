"""What of a contact is measured: numbers of visits and the like, and days. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from smoc_mcp.errors import InputError
from smoc_mcp.text.folding import fold, quoted

__all__ = ["MEASURES", "Measure", "Measured", "parse_measure"]

DAY = 24 * 3600 * 1_000_000

Measured = Counter[int]
"""How many contacts have which number, before it is divided."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of a contact.

    Attributes:
        name: As callers write it.
        reads: The names of `fields.WIRE_FIELDS` that it is read from.
        of: What is measured, in words.
        unit: What the store's number is divided by.
        is_up_to_now: The store's number is one up to the moment 0, to which the present is added.
    """

    name: str
    reads: tuple[str, ...]
    of: str
    unit: int = 1
    is_up_to_now: bool = False


MEASURES: Mapping[str, Measure] = {
    m.name: m
    for m in (
        Measure("visits", ("visits",), "visits a contact"),
        Measure("rewards", ("rewards",), "rewards a contact"),
        Measure("referrals", ("referrals",), "people referred by a contact"),
        Measure("surveys", ("surveys",), "survey answers a contact"),
        Measure(
            "days_quiet",
            ("conversation",),
            "days since the last conversation, of those who have talked",
            DAY,
            is_up_to_now=True,
        ),
        Measure(
            "days_to_conversation",
            ("created", "conversation"),
            "days from createdAt to the last conversation, of those who have talked: SMOC keeps no "
            "first one",
            DAY,
        ),
    )
}
"""Every measure by name."""


def parse_measure(text: str) -> Measure | None:
    """Return the measure of a name; None for an empty one.

    Raises:
        InputError: There is no such measure.
    """
    name = fold(text).strip()
    if not name:
        return None
    if name not in MEASURES:
        raise InputError(
            f"measure does not know {quoted(text)}: it must be one of {', '.join(MEASURES)}."
        )
    return MEASURES[name]
