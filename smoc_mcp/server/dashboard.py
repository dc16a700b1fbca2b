"""The dashboard: a tool whose answer clients that can show pages show as pictures."""

from mcp.server.mcpserver.tools import Tool

from smoc_mcp.directory.directory import FindDirectory
from smoc_mcp.questions.filters import parse_filter
from smoc_mcp.questions.look import Look, parse_grouping
from smoc_mcp.server.apps import PAGE
from smoc_mcp.server.parameters import BARE_FILTERS, text
from smoc_mcp.server.tool_factory import define_tool
from smoc_mcp.server.tools import DATA, cursor_of
from smoc_mcp.views.dashboard import dashboard
from smoc_mcp.views.lists import View, Views
from smoc_mcp.views.results import DashboardResult

__all__ = ["build_dashboard"]


def build_dashboard(directory: FindDirectory, views: Views) -> Tool:
    """Return the tool."""

    async def contacts_dashboard(*, group_by: str, **filters: str) -> View[DashboardResult]:
        found = directory()
        wanted = parse_filter(filters, now=found.clock(), zone=found.zone)
        asked = Look(wanted, parse_grouping(group_by))
        picture = await found.overlook(asked)
        return dashboard(picture, asked, views, cursor_of(picture.progress))

    tool = define_tool(
        contacts_dashboard,
        "Contacts dashboard",
        "Returns numbers, a trend, one grouping and the newest contacts as pictures, where clients "
        "can. Use it when a person wants to look; it takes the filters of contacts_search. "
        f"{DATA}",
        DashboardResult,
        group_by=(text("one dimension of contacts_stats"), "utm_campaign"),
        **BARE_FILTERS,
    )
    # Hosts from before the specification was stable read the second.
    shown = {"resourceUri": PAGE.uri, "visibility": ["model", "app"]}
    tool.meta = {"ui": shown, "ui/resourceUri": PAGE.uri}
    return tool
