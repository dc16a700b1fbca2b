"""The page of the dashboard as MCP Apps know it: its address, and what hosts are told of it.

The extension is `io.modelcontextprotocol/ui` of 2026-01-26. A host reads the page as a resource,
shows it in a sandbox without a network, and hands it the tool's answer.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any

from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID, Apps, ResourceCsp
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import MCPServer

__all__ = ["PAGE", "Page", "add_older_addresses", "build_apps", "declare_apps"]

_ADDRESS = "ui://smoc/dashboard-{version}.html"
_PARTS = ("style.css", "host.js", "words.js", "pictures.js", "people.js", "view.js")
_NEEDLESS_BREAK = re.compile(r"(?<=[{(\[,;])\n|\n(?=[})\]])")
_IN_CSS = (("; }", "}"), ("; ", ";"), (": ", ":"), (", ", ","), (" { ", "{"), (" > ", ">"))
_IN_JS = tuple((f" {sign} ", sign) for sign in ("=>", "===", "!==", "&&", "||", "=", "+="))
"""What is shorter and means the same in our parts; the page travels each time it is shown."""


@dataclass(frozen=True)
class Page:
    """The page, put together of its files: nothing of it is loaded from elsewhere."""

    @cached_property
    def html(self) -> str:
        """The page as one document."""
        folder = files("smoc_mcp.server") / "page"
        document = (folder / "page.html").read_text("utf-8")
        for name in _PARTS:
            part = (folder / name).read_text("utf-8")
            short = _without_remarks(part)
            for longer, shorter in _IN_CSS if name.endswith(".css") else _IN_JS:
                short = short.replace(longer, shorter)
            document = document.replace(f"/* {name} */", short)
        return document

    @cached_property
    def uri(self) -> str:
        """Its address: another one for each version, for hosts keep what they have read by it."""
        return _ADDRESS.format(version=hashlib.sha256(self.html.encode()).hexdigest()[:8])


def _without_remarks(text: str) -> str:
    """Return a part without indentation, lines of comment, and breaks that end nothing."""
    lines = (line.strip() for line in text.splitlines())
    kept = "\n".join(line for line in lines if line and not line.startswith(("//", "/**")))
    return _NEEDLESS_BREAK.sub("", kept)


PAGE = Page()


def build_apps() -> Apps:
    """Return the extension, which offers the page."""
    apps = Apps()
    apps.add_html_resource(
        PAGE.uri,
        PAGE.html,
        name="contacts_dashboard",
        title="Contacts dashboard",
        description="The page that shows what contacts_dashboard answers.",
        # No other origin at all.
        csp=ResourceCsp(),
        prefers_border=False,
    )
    return apps


def add_older_addresses(server: MCPServer[Any]) -> None:
    """Let a server answer the address of any version: a host may have kept one for a day."""

    @server.resource(
        _ADDRESS,
        name="contacts_dashboard_of_any_version",
        title="Contacts dashboard, by an older address",
        mime_type=APP_MIME_TYPE,
        meta={"ui": {"csp": {}, "prefersBorder": False}},
    )
    def page(version: str) -> str:  # noqa: ARG001  there is one page, whichever is asked for
        return PAGE.html


async def declare_apps(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Say at the older handshake too that there are apps: the SDK leaves it out there."""
    result = await call_next(ctx)
    if ctx.method == "initialize" and isinstance(result, Mapping):
        capabilities = {**result["capabilities"], "extensions": {EXTENSION_ID: {}}}
        return {**result, "capabilities": capabilities}
    return result
