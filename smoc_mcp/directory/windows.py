"""An answer of the API as a window: what it shows, and what it proves."""

import itertools
from collections import Counter
from collections.abc import Mapping

from smoc_mcp.api.client import SortField
from smoc_mcp.api.facts import keys_of
from smoc_mcp.api.models import ApiAnswer
from smoc_mcp.proof.windows import ABSENT, Counts, Sort, Status, Window, sort_key
from smoc_mcp.text.times import Moment

__all__ = ["SORT_FIELDS", "window_of"]

SORT_FIELDS: Mapping[Sort, SortField | None] = {
    Sort.CREATED: "createdAt",
    Sort.UPDATED: "updatedAt",
    Sort.CONVERSATION: "lastConversationDate",
    Sort.NATURAL: None,
}
"""The API's field of each order; None for natural order, which is what it sends unasked."""


def window_of(sort: Sort, page: ApiAnswer, sent: Moment, received: Moment) -> Window:
    """Return what an answer proves.

    One that we could not read whole, or that contradicts itself, proves less. With an entry lost,
    or fewer contacts than asked for and yet not all that the API counts, it is neither complete
    nor has it an edge; with a sort key that we cannot read, or an order that is not the promised
    one, it has no edge.
    """
    rows = {c.contact.id: keys_of(c) for c in page.contacts}
    unread: frozenset[str] = frozenset().union(*(c.unread for c in page.contacts))
    counts = Counts(page.leads, page.customers)
    statuses = Counter(keys.status for keys in rows.values())
    short = page.sent < page.limit
    whole = counts == (statuses[Status.LEAD], statuses[Status.CUSTOMER])
    trusted = page.lost == 0 and (whole or not short)
    edge: Moment | None = None
    if trusted and sort is not Sort.NATURAL:
        keys = [sort_key(rows[c.contact.id], sort) for c in page.contacts]
        if short:
            edge = ABSENT
        elif SORT_FIELDS[sort] not in unread and all(a >= b for a, b in itertools.pairwise(keys)):
            edge = keys[-1]
    return Window(sort, sent, received, rows, counts, trusted and short, edge, unread)
