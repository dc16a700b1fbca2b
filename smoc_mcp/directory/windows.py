"""An answer of the API as a window: what it shows, and what it proves."""

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from smoc_mcp.api.client import SortField
from smoc_mcp.api.facts import keys_of
from smoc_mcp.api.models import ApiAnswer
from smoc_mcp.proof.windows import ABSENT, Counts, Keys, Sort, Status, Tick, Window, sort_key
from smoc_mcp.text.times import Moment

__all__ = ["SORT_FIELDS", "Arrived", "Sent", "is_stale", "window_of"]

SORT_FIELDS: Mapping[Sort, SortField | None] = {
    Sort.CREATED: "createdAt",
    Sort.UPDATED: "updatedAt",
    Sort.CONVERSATION: "lastConversationDate",
    Sort.NATURAL: None,
}
"""The API's field of each order; None for natural order, which is what it sends unasked."""

_DAY = 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Sent:
    """When a request was sent.

    Attributes:
        tick: What the store had learnt by then.
        at: By the wall clock.
    """

    tick: Tick
    at: Moment


@dataclass(frozen=True, slots=True)
class Arrived:
    """When an answer came.

    Attributes:
        at: By the wall clock.
        elapsed: By the clock that only goes on.
    """

    at: Moment
    elapsed: Moment


def window_of(sort: Sort, page: ApiAnswer, sent: Sent, arrived: Arrived) -> Window:
    """Return what an answer proves.

    One that we could not read whole, or that contradicts itself, proves less. With an entry lost,
    or fewer contacts than asked for and yet not all that the API counts, it is neither complete
    nor has it an edge; with a sort key that we cannot read, or an order that is not the promised
    one, it has no edge. One that a cache gave proves nothing.

    Args:
        sort: The order that was asked for.
        page: The answer.
        sent: When it was asked for.
        arrived: When it came.
    """
    rows = {c.contact.id: keys_of(c) for c in page.contacts}
    counts = Counts(page.leads, page.customers)
    stale = is_stale(page, sent.at)
    full = page.sent >= page.limit
    trusted = not stale and page.lost == 0 and (full or _holds_all(rows, counts))
    return Window(
        sort=sort,
        sent=sent.tick,
        as_of=sent.at if not stale else min(sent.at, _told(page, arrived)),
        arrived=arrived.elapsed,
        api_now=_told(page, arrived),
        rows=rows,
        counts=counts,
        complete=trusted and not full,
        full=full,
        edge=_edge(sort, page, rows) if trusted else None,
        stale=stale,
        unread=_unread(page),
    )


def _unread(page: ApiAnswer) -> Counter[str]:
    unread = Counter(name for contact in page.contacts for name in contact.unread)
    if nothing := page.sent - len(page.contacts):
        unread["entry"] = nothing
    return unread


def is_stale(page: ApiAnswer, asked: Moment) -> bool:
    """Say whether an answer is of an earlier moment than the question.

    A cache says so itself, by an age. One that does not is told by its date, but only where that
    is a day ago: our own clock may be ahead.
    """
    return page.age > 0 or (page.answered is not None and asked - page.answered > _DAY)


def _told(page: ApiAnswer, arrived: Arrived) -> Moment:
    """Return the moment of an answer by the API's clock, no later than our own; less its age."""
    told = arrived.at if page.answered is None else min(page.answered, arrived.at)
    return told - page.age * 1_000_000


def _holds_all(rows: Mapping[str, Keys], counts: Counts) -> bool:
    """Say whether contacts are as many leads and customers as the API counts."""
    statuses = Counter(keys.status for keys in rows.values())
    return counts == (statuses[Status.LEAD], statuses[Status.CUSTOMER])


def _edge(sort: Sort, page: ApiAnswer, rows: Mapping[str, Keys]) -> Moment | None:
    """Return the key of the last contact, where the answer is in the promised order."""
    if sort is Sort.NATURAL:
        return None
    if page.sent < page.limit:
        return ABSENT
    keys = [sort_key(rows[c.contact.id], sort) for c in page.contacts]
    unread = any(SORT_FIELDS[sort] in c.unread for c in page.contacts)
    in_order = all(a >= b for a, b in itertools.pairwise(keys))
    return keys[-1] if in_order and not unread else None
