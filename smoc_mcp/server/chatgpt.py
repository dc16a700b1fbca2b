"""Adds `search` and `fetch`, the two tools that ChatGPT wants of a server that it searches.

By OpenAI's contract ("Building MCP servers for ChatGPT") each takes one text, and answers with an
object and with the same as JSON in one text.
"""

import json
from dataclasses import replace
from typing import Annotated, TypedDict, TypeVar
from urllib.parse import quote

from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from smoc_mcp.directory.directory import FindDirectory
from smoc_mcp.errors import InputError
from smoc_mcp.questions.filters import ContactFilter, Listing
from smoc_mcp.questions.rows import ContactRow
from smoc_mcp.questions.search import parse_query
from smoc_mcp.server.resources import CONTACT_URI
from smoc_mcp.server.tool_factory import define_tool
from smoc_mcp.views.lists import View, Views
from smoc_mcp.views.profile import profile

__all__ = ["build_chatgpt_tools"]

R = TypeVar("R")

_MOST = 20


class FoundLink(TypedDict):
    """One contact that was found."""

    id: str
    title: str
    url: str


class SearchResult(TypedDict):
    """Of search."""

    results: list[FoundLink]


class FetchResult(TypedDict):
    """Of fetch."""

    id: str
    title: str
    text: str
    url: str
    metadata: dict[str, str]


def build_chatgpt_tools(directory: FindDirectory, views: Views, contact_url: str) -> list[Tool]:
    """Return the two tools.

    Args:
        directory: Returns where the answers come from.
        views: How they are shown.
        contact_url: The address of a contact's page, with {id}; without one, links are those of
            our own resource, since an empty one is no link.
    """
    tools = _ChatGptTools(directory, views, contact_url or CONTACT_URI)
    return [
        define_tool(
            tools.search,
            "Search",
            "Returns contacts that hold words, a name, an e-mail address or a phone number, the "
            "best first. Use contacts_search for filters, contacts_stats for numbers.",
            SearchResult,
            query=(Annotated[str, Field(description="words, name, e-mail or phone number")], ...),
        ),
        define_tool(
            tools.fetch,
            "Fetch",
            "Returns what is known of one contact that search found.",
            FetchResult,
            id=(Annotated[str, Field(description="an id that search returned")], ...),
        ),
    ]


class _ChatGptTools:
    """What the two tools do."""

    def __init__(self, directory: FindDirectory, views: Views, contact_url: str) -> None:
        self._directory = directory
        self._views = views
        self._contact_url = contact_url

    async def search(self, *, query: str) -> View[SearchResult]:
        rows = await self._rows(query)
        return _as_json(SearchResult(results=[self._link(row) for row in rows]))

    async def _rows(self, query: str) -> list[ContactRow]:
        """Return who holds all words or, if nobody does, all that somebody holds."""
        terms = parse_query(query)
        if not terms:
            raise InputError("query is empty: give words, a name, an e-mail address or a number.")
        directory = self._directory()
        asked = Listing(wanted=ContactFilter(terms=terms), limit=_MOST, by_relevance=True)
        page = await directory.search_contacts(asked)
        held = tuple(term for term in terms if page.by_word.get(term.said))
        if not page.rows and 0 < len(held) < len(terms):
            asked = replace(asked, wanted=ContactFilter(terms=held))
            page = await directory.search_contacts(asked)
        return list(page.rows)

    async def fetch(self, *, id: str) -> View[FetchResult]:  # noqa: A002  the contract's name
        if not (contact_id := id.strip()):
            raise InputError("id is empty: take one from search.")
        found = await self._directory().get_contact(contact_id)
        shown = profile(found, (), self._views)
        metadata = {
            name: str(value)
            for name, value in shown.result["contact"].items()
            if isinstance(value, str | int)
        }
        return _as_json(
            FetchResult(
                **self._link(found.row),
                text=shown.text,
                metadata={**metadata, "as_of": shown.result["as_of"]},
            )
        )

    def _link(self, row: ContactRow) -> FoundLink:
        boundary = self._views.boundary
        shown = boundary.id(row.id)
        title = (
            boundary.name(row.name or "")
            or boundary.email(row.email or "")
            or boundary.text(row.company or "")
            or f"Contact {shown}"
        )
        return FoundLink(
            id=shown, title=title, url=self._contact_url.replace("{id}", quote(row.id, safe=""))
        )


def _as_json(result: R) -> View[R]:
    return View(result, json.dumps(result, ensure_ascii=False))
