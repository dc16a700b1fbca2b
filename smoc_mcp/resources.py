"""What a client can read beside the tools."""

import json
from typing import Any

from mcp.server.mcpserver.exceptions import ResourceError
from mcp.server.mcpserver.resources import FunctionResource, Resource

from smoc_mcp.answers import Overview
from smoc_mcp.coverage import ABSENT
from smoc_mcp.directory import ContactDirectory
from smoc_mcp.errors import SmocError
from smoc_mcp.history import BEGINNING
from smoc_mcp.views import Views

__all__ = ["build_resources"]


def build_resources(directory: ContactDirectory, views: Views) -> list[Resource]:
    """Return the resources, answering from one directory."""

    async def company() -> str:
        try:
            overview = await directory.overview()
        except SmocError as error:
            raise ResourceError(str(error)) from error
        return json.dumps(_described(overview, views), indent=2)

    return [
        FunctionResource(
            uri="smoc://company",
            name="company",
            title="Company",
            description="SMOC's counts, what the windows show, how far back nothing is missing, "
            "the gaps, and how often a refresh is needed.",
            mime_type="application/json",
            fn=company,
        )
    ]


def _described(overview: Overview, views: Views) -> dict[str, Any]:
    company = overview.company
    every = overview.refresh_every
    return {
        "leads": company.leads,
        "customers": company.customers,
        "in_hand": company.in_hand,
        "as_of": views.time(company.as_of),
        "windows": {
            w.sort.value: {
                "contacts": len(w.rows),
                "complete": w.complete,
                "all_since": _moment(w.edge, views),
                "as_of": views.time(w.sent),
            }
            for w in overview.windows
        },
        "unbroken_since": {
            sort.value: "the beginning" if reach == BEGINNING else _moment(reach, views)
            for sort, reach in overview.reach.items()
        },
        "gaps": [
            {"order": g.sort.value, "from": _moment(g.older, views), "to": _moment(g.newer, views)}
            for g in overview.gaps
        ],
        "kept_in_a_file": overview.kept,
        "refresh_needed_every_minutes": None if every is None else every // 60_000_000,
        **({"note": company.failure} if company.failure else {}),
    }


def _moment(moment: int | None, views: Views) -> str | None:
    return None if moment is None or moment <= ABSENT else views.time(moment)
