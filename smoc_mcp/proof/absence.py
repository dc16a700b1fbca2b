"""Who is missing from a window and should be in it: deleted, or not known yet. Pure.

One wrong answer must not erase what is remembered. So an answer that claims to be the whole company
needs a second one, in another order, before anybody is taken to be deleted; and so do many
deletions at once, in whatever order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from smoc_mcp.proof.windows import Sort, Tick, Window

__all__ = ["Absence", "Absent", "decide"]

MANY = 10
"""So many may be taken to be deleted on the word of one full window."""


class Absent(NamedTuple):
    """What is stored of a contact that a window lacks.

    Attributes:
        seen: When an answer that held it was taken in last.
        missed: When an answer that should have held it was taken in first, since then.
        missed_by: The order of that answer.
        ahead: Its key in the window's order lay ahead when it was seen: at the next change it falls
            back to the present, so it need not be in the window.
    """

    seen: Tick
    missed: Tick | None = None
    missed_by: Sort | None = None
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class Absence:
    """What a window says of those that it lacks.

    Attributes:
        gone: The ids that are proven to be deleted.
        missed: The ids that a second answer may prove to be deleted.
        doubtful: The window says something that nobody can decide yet.
        lacks: See `Window.lacks`.
    """

    gone: frozenset[str]
    missed: frozenset[str]
    doubtful: bool
    lacks: bool = False


def decide(absent: Mapping[str, Absent], window: Window) -> Absence:
    """Return who is gone, of those that a window must hold and does not."""
    undecidable = {i for i, a in absent.items() if a.ahead and not window.complete}
    absent = {i: a for i, a in absent.items() if i not in undecidable}
    # Who was seen after the window was asked for may be newer than it.
    older = {i: a for i, a in absent.items() if a.seen <= window.sent}
    if not window.complete and len(older) <= MANY:
        gone = frozenset(older)
    else:
        gone = frozenset(i for i, a in older.items() if _is_second(a, window))
    missed = frozenset(older) - gone
    return Absence(gone, missed, len(gone) < len(absent), lacks=bool(undecidable))


def _is_second(absent: Absent, window: Window) -> bool:
    """Say whether another answer, taken in before this one was asked for, lacked it as well."""
    if absent.missed is None or absent.missed > window.sent:
        return False
    return not window.complete or absent.missed_by is not window.sort
