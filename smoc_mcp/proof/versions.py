"""Two versions of one contact: which of them is newer, as far as anybody can tell. Pure.

Answers that were under way at the same time have no order. Only updatedAt, which grows with every
change, can tell their versions of a contact apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from smoc_mcp.proof.windows import Window
from smoc_mcp.text.times import Moment

__all__ = ["Compared", "Known", "compare"]


class Known(NamedTuple):
    """What is stored of a contact that a window shows too.

    Attributes:
        digest: Of its content.
        seen: When the answer that last held it was received.
        updated: Its updatedAt.
    """

    digest: bytes
    seen: Moment
    updated: Moment


@dataclass(slots=True)
class Compared:
    """What a window says of the contacts that were known before it.

    Attributes:
        changed: The ids whose content differs.
        superseded: Those of them that are stored in a newer version than the window's.
        undecided: Those of them of which nobody can tell which version is newer.
        doubtful: The window contradicts an answer that was under way at the same time.
    """

    changed: set[str] = field(default_factory=set)
    superseded: set[str] = field(default_factory=set)
    undecided: set[str] = field(default_factory=set)
    doubtful: bool = False


def compare(known: Mapping[str, Known], window: Window) -> Compared:
    """Return what a window says of what was known of its contacts, by id."""
    found = Compared()
    for contact_id, (digest, seen, updated) in known.items():
        shown = window.rows[contact_id]
        if digest == shown.digest:
            continue
        found.changed.add(contact_id)
        if seen < window.sent:
            continue
        found.doubtful = True
        if updated > shown.updated:
            found.superseded.add(contact_id)
        elif updated == shown.updated:
            found.undecided.add(contact_id)
    return found
