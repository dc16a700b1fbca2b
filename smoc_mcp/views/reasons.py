"""Why a contact is worth a call, in words: one reason for each point of `questions.engagement`."""

from collections.abc import Mapping, Sequence

from smoc_mcp.proof.windows import ABSENT
from smoc_mcp.questions.engagement import AHEAD, COUNTED, DAY, READS, RECENT, VISITS
from smoc_mcp.questions.fields import WIRE_FIELDS, Consent
from smoc_mcp.questions.rows import Cell, Column, ContactRow
from smoc_mcp.text.times import Moment
from smoc_mcp.views.columns import UNREADABLE
from smoc_mcp.views.phrases import many

__all__ = ["reasons"]

_CALLED = {
    "conversation": "last conversation",
    "surveys": "answers",
    "accepted_communication": "consent",
}


def reasons(row: ContactRow, cells: Mapping[Column, Sequence[Cell]], now: Moment) -> str:
    """Return what a contact has points for, with what could not be read; "none" for no point.

    Args:
        row: The contact.
        cells: What it has in the columns that points are counted of.
        now: The moment of the list.
    """
    if row.consent is Consent.NO:
        return "said no to communication"
    have = {
        column.source: sum(int(cell.value) for cell in cells.get(column, ())) for column in COUNTED
    }
    rewarded = [
        many(have[name], word)
        for name, word in (("rewards", "reward"), ("referrals", "referral"))
        if have[name]
    ]
    points = {
        "conversation": _talked(row.conversation, now),
        "visits": many(have["visits"], "visit") if have["visits"] >= VISITS else "",
        "surveys": many(have["surveys"], "answer") if have["surveys"] else "",
        "rewards": " and ".join(rewarded),
        "accepted_communication": "said yes" if row.consent is Consent.YES else "",
    }
    # One of the two is enough.
    points["referrals"] = points["rewards"]
    missing = [
        _CALLED.get(name, name)
        for name in READS
        if not points[name] and row.unread & {*WIRE_FIELDS[name]}
    ]
    earned = [reason for name, reason in points.items() if reason and name != "referrals"]
    if missing:
        earned.append(f"{', '.join(missing)} {UNREADABLE}")
    return "; ".join(earned) or "none"


def _talked(conversation: Moment, now: Moment) -> str:
    """Return how long ago somebody talked; nothing where that was long ago, or never."""
    if conversation == ABSENT or not now - RECENT <= conversation <= now + AHEAD:
        return ""
    days = max(0, now - conversation) // DAY
    return f"talked {many(days, 'day')} ago" if days else "talked less than a day ago"
