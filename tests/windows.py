"""Windows for tests, with the times that matter to them and plain ones for the rest."""

from collections.abc import Mapping, Sequence

from smoc_mcp.api.facts import keys_of
from smoc_mcp.api.models import ReadContact
from smoc_mcp.proof.windows import ABSENT, Counts, Keys, Sort, Status, Window
from smoc_mcp.text.times import Moment

PRESENT: Moment = 10**16
"""The API's clock, later than every time of these tests."""


def window(
    rows: Mapping[str, Keys],
    *,
    sort: Sort = Sort.CREATED,
    sent: int = 0,
    received: int | None = None,
    as_of: Moment | None = None,
    api_now: Moment = PRESENT,
    edge: Moment | None = None,
    complete: bool = False,
    counts: Counts | None = None,
) -> Window:
    """Return a window; its moments are its ticks, unless they are given."""
    received = sent + 1 if received is None else received
    leads = sum(k.status is Status.LEAD for k in rows.values())
    customers = sum(k.status is Status.CUSTOMER for k in rows.values())
    return Window(
        sort=sort,
        sent=sent,
        received=received,
        as_of=sent if as_of is None else as_of,
        arrived=received,
        api_now=api_now,
        rows=rows,
        counts=counts or Counts(leads, customers),
        complete=complete,
        full=not complete,
        edge=ABSENT if complete else edge,
    )


def whole(
    reads: Sequence[ReadContact], *, sort: Sort = Sort.CREATED, sent: int = 0, as_of: Moment = 0
) -> Window:
    """Return a window that shows these contacts as the whole company."""
    rows = {c.contact.id: keys_of(c) for c in reads}
    return window(rows, sort=sort, sent=sent, as_of=as_of, complete=True)
