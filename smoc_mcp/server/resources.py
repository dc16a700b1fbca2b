"""The resources: what a client can read without a tool: the company, a contact, a guide."""

import json
from collections.abc import Mapping
from typing import Any

from mcp.server.caching import CacheHint
from mcp.server.context import (
    CallNext,
    HandlerResult,
    ServerMiddleware,
    ServerRequestContext,
)
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.server.mcpserver.resources import FunctionResource, Resource, TextResource

from smoc_mcp.directory.answers import Catalogue, Overview
from smoc_mcp.directory.directory import FindDirectory
from smoc_mcp.errors import ContactNotFoundError, SmocError
from smoc_mcp.proof.windows import ABSENT
from smoc_mcp.questions.choices import spelt
from smoc_mcp.server.guide import GUIDE
from smoc_mcp.server.unexpected import sentence_of
from smoc_mcp.views.boundary import error_text
from smoc_mcp.views.lists import Views
from smoc_mcp.views.profile import profile

__all__ = [
    "CATALOGUE_URI",
    "COMPANY_URI",
    "CONTACT_URI",
    "GUIDE_URI",
    "add_contact_resource",
    "build_resources",
    "share_what_is_public",
]

CATALOGUE_URI = "smoc://catalogue"
COMPANY_URI = "smoc://company"
CONTACT_URI = "smoc://contacts/{id}"
GUIDE_URI = "smoc://guide"
_JSON = "application/json"


def build_resources(directory: FindDirectory, views: Views) -> list[Resource]:
    """Return the resources that have one address."""

    async def company() -> str:
        try:
            overview = await directory().overview(looks=True)
            return _as_text(_company_as_data(overview, views))
        except Exception as error:
            raise _told(error, COMPANY_URI) from error

    async def catalogue() -> str:
        try:
            return _as_text(_catalogue_as_data(await directory().catalogue(), views))
        except Exception as error:
            raise _told(error, CATALOGUE_URI) from error

    return [
        FunctionResource(
            uri=COMPANY_URI,
            name="company",
            title="Company",
            description="SMOC's counts, what the windows show, how far back nothing is missing, "
            "the gaps, and how often a refresh is needed.",
            mime_type=_JSON,
            fn=company,
        ),
        FunctionResource(
            uri=CATALOGUE_URI,
            name="catalogue",
            title="Catalogue",
            description="Campaigns, sources, media, flows, promos and survey questions as seen in "
            "hand, with how many contacts in hand have each.",
            mime_type=_JSON,
            fn=catalogue,
        ),
        TextResource(
            uri=GUIDE_URI,
            name="guide",
            title="Guide",
            description="What can be seen and asked: fields, statuses, filters, groups, certainty, "
            "limits.",
            mime_type="text/markdown",
            text=GUIDE,
        ),
    ]


def share_what_is_public(hint: CacheHint) -> ServerMiddleware[Any]:
    """Return a middleware that lets what holds no contacts be cached as a hint says.

    That is the guide, and the page of the dashboard.
    """

    async def share(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        result = await call_next(ctx)
        uri = str((ctx.params or {}).get("uri")) if ctx.method == "resources/read" else ""
        is_public = uri == GUIDE_URI or uri.startswith("ui://")
        # An older protocol has no such hints.
        if is_public and isinstance(result, Mapping) and "cacheScope" in result:
            return {**result, "ttlMs": hint.ttl_ms, "cacheScope": hint.scope}
        return result

    return share


def add_contact_resource(server: MCPServer[Any], directory: FindDirectory, views: Views) -> None:
    """Let a server answer `smoc://contacts/{id}`."""

    @server.resource(
        CONTACT_URI,
        name="contact",
        title="Contact",
        description="One contact by id, as a digest; the same as contacts_get.",
        mime_type=_JSON,
    )
    async def contact(id: str) -> str:  # noqa: A002  the address says so
        try:
            found = await directory().get_contact(id)
            return _as_text(profile(found, (), views).result)
        except Exception as error:
            raise _told(error, CONTACT_URI) from error


def _told(error: Exception, address: str) -> ResourceError:
    """Return the error of the SDK that tells of one of ours, or of one that nobody foresaw."""
    if isinstance(error, ContactNotFoundError):
        return ResourceNotFoundError(error_text(str(error)))
    if isinstance(error, SmocError):
        return ResourceError(error_text(str(error)))
    return ResourceError(sentence_of(error, address))


def _as_text(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1)


def _company_as_data(overview: Overview, views: Views) -> dict[str, Any]:
    company = overview.company
    every = overview.refresh_every
    return {
        "leads": company.leads,
        "customers": company.customers,
        "at_least": company.at_least,
        "in_hand": company.in_hand,
        "as_of": views.time(company.as_of),
        "windows": {
            w.sort.value: {
                "contacts": len(w.rows),
                "complete": w.complete,
                "all_since": None if w.all_since is None else views.time(w.all_since),
                "as_of": views.time(w.as_of),
            }
            for w in overview.windows
        },
        "unbroken_since": {
            sort.value: views.all_after(reach) for sort, reach in overview.reach.items()
        },
        "gaps": [
            {"order": g.sort.value, "from": _moment(g.older, views), "to": _moment(g.newer, views)}
            for g in overview.gaps
        ],
        "kept_in_a_store": overview.kept,
        "refresh_needed_every_minutes": None if every is None else every // 60_000_000,
        **({"note": company.failure} if company.failure else {}),
    }


def _catalogue_as_data(found: Catalogue, views: Views) -> dict[str, Any]:
    company = found.company
    data: dict[str, Any] = {
        "note": f"As seen in the {company.in_hand:,} contacts in hand, not in the whole company "
        f"(at least {company.at_least:,}): there may be others, and the numbers are of those in "
        "hand only. In order of names, as the filters take them.",
        "as_of": views.time(company.as_of),
    }
    for kind, (values, more) in found.kinds.items():
        shown = ((views.boundary.text(value), contacts) for value, contacts in values)
        if kind == "survey_questions":
            data[kind] = [{"question": value, "contacts": number} for value, number in shown]
        else:
            data[kind] = [{"value": spelt(value), "contacts": number} for value, number in shown]
        if more:
            data[f"more_{kind}"] = more
    if company.failure:
        data["failure"] = company.failure
    return data


def _moment(moment: int | None, views: Views) -> str | None:
    return None if moment is None or moment <= ABSENT else views.time(moment)
