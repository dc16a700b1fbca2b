"""Contacts as CSV or JSON lines, for other programs; cleaned and masked as answers are."""

import csv
import json
from collections.abc import AsyncIterator
from typing import Literal, TextIO

from smoc_mcp.directory.answers import Page
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.proof.certainty import Certainty
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.filters import ContactFilter, Listing
from smoc_mcp.views.boundary import DETAIL_CHARS, spreadsheet_cell
from smoc_mcp.views.lists import Views
from smoc_mcp.views.results import ContactSummary

__all__ = ["Format", "export"]

Format = Literal["csv", "jsonl"]
COLUMNS = tuple(ContactSummary.__annotations__)
_PAGE = 1_000


async def export(
    directory: ContactDirectory, wanted: ContactFilter, views: Views, form: Format, out: TextIO
) -> tuple[int, Certainty, str]:
    """Write all contacts of a filter, newest first.

    Returns:
        How many were written, what is proven of them all, and why the API could not be asked
        (empty where it could).

    Raises:
        UpstreamError: The API gave no usable answer, and nothing is in hand.
    """
    table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    if form == "csv":
        table.writeheader()
    written, failure = 0, ""
    proven: set[Certainty] = set()
    async for page in _pages(directory, wanted):
        written += len(page.rows)
        proven.add(page.proof.certainty)
        failure = failure or page.company.failure
        for row in page.rows:
            contact = views.summary(row, page.live, DETAIL_CHARS)
            if form == "csv":
                table.writerow(
                    {name: spreadsheet_cell(str(value)) for name, value in contact.items()}
                )
            else:
                out.write(json.dumps(contact, ensure_ascii=False) + "\n")
    return written, max(proven, key=list(Certainty).index), failure


async def _pages(directory: ContactDirectory, wanted: ContactFilter) -> AsyncIterator[Page]:
    after = None
    while True:
        page = await directory.search_contacts(Listing(wanted=wanted, limit=_PAGE, after=after))
        yield page
        if not page.more:
            return
        after = page.rows[-1].position(Sort.CREATED)
