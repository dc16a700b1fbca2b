"""The part of a question that is proven though the whole is not: those created since a moment."""

from dataclasses import replace

from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.proof.windows import ABSENT, Sort
from smoc_mcp.questions.filters import ContactFilter, Listing, Span
from smoc_mcp.text.times import Moment

__all__ = ["proven_since"]

_SECOND = 1_000_000


async def proven_since(directory: ContactDirectory, wanted: ContactFilter) -> Moment | None:
    """Return since when whoever was created and matches a filter is proven to be in hand.

    It is a whole second, as a caller can write it; ABSENT where that is proven of all who match,
    None where it is proven of nobody.

    Raises:
        UpstreamError: The API gave no usable answer, and nothing is in hand.
    """
    if await _is_proven(directory, wanted):
        return ABSENT
    overview = await directory.overview()
    edges = [w.edge for w in overview.windows if w.sort is Sort.CREATED and w.edge is not None]
    edges += [reach for sort, reach in overview.reach.items() if sort is Sort.CREATED]
    span = wanted.spans.get(Sort.CREATED, Span())
    # The oldest first: a history may reach further back than the window, and may be no proof.
    for since in sorted((edge // _SECOND + 1) * _SECOND for edge in edges if edge > ABSENT):
        if span.before is not None and span.before <= since:
            continue
        newer = Span(max(since, since if span.after is None else span.after), span.before)
        part = replace(wanted, spans={**wanted.spans, Sort.CREATED: newer})
        if await _is_proven(directory, part):
            return since
    return None


async def _is_proven(directory: ContactDirectory, wanted: ContactFilter) -> bool:
    # By relevance, for a page in order of time can be proven by itself, without those behind it.
    page = await directory.search_contacts(Listing(wanted=wanted, limit=1, by_relevance=True))
    return page.proof.complete
