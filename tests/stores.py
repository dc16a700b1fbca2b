"""Stores that tests fill by hand, window by window."""

from dataclasses import replace
from typing import Any

from smoc_mcp.api.facts import keys_of
from smoc_mcp.api.models import ReadContact, read_contact
from smoc_mcp.proof.windows import ABSENT, Sort, Window
from smoc_mcp.questions.filters import Listing
from smoc_mcp.store.store import Absorbed, ContactStore
from tests import windows

DAY = 24 * 3600 * 1_000_000


def contacts(*ids: str, operator: str | None = "10", status: str = "1") -> list[ReadContact]:
    found = [
        read_contact(
            {
                "id": i,
                "operatorId": operator,
                "email": f"{i}@example.com",
                "createdAt": "2026-01-01",
                "updatedAt": "2026-01-02",
                "status": status,
                "rewardFlows": [{"title": "A flow"}],
            }
        )
        for i in ids
    ]
    return [c for c in found if c is not None]


def window(
    store: ContactStore,
    reads: list[ReadContact],
    *,
    sent: int | None = None,
    at: int = 0,
    complete: bool = True,
    sort: Sort = Sort.CREATED,
) -> Window:
    """Return a window that is sent now, or at another tick; `at` is the wall clock's moment."""
    rows = {c.contact.id: keys_of(c) for c in reads}
    made = windows.window(
        rows,
        sort=sort,
        sent=store.tick() if sent is None else sent,
        as_of=at,
        complete=complete,
        edge=min((k.created for k in rows.values()), default=ABSENT),
    )
    return replace(made, api_now=at) if at else made


def absorb(
    store: ContactStore, *ids: str, operator: str | None = "10", at: int = 0, **how: Any
) -> Absorbed:
    reads = contacts(*ids, operator=operator)
    return store.absorb(window(store, reads, at=at, **how), reads)


def ids(store: ContactStore) -> set[str]:
    return {row.id for row in store.list_rows(Listing(limit=1_000))}
