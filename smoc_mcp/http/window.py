"""The dashboard in a browser, without an MCP client: a host of its own, on loopback.

The page is the one that clients show. Whoever opens the address first has a session; it lasts as
long as the tab and this process do.
"""

import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

from mcp import Client, MCPError
from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from smoc_mcp.server.apps import PAGE
from smoc_mcp.variables import LOOPBACK

__all__ = ["Window"]

_OF_HOST = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
)
_OF_PAGE = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "connect-src 'none'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'; "
    "sandbox allow-scripts"
)
"""As the specification has it for a page that names no other origin."""
_MOST_BYTES = 65_536
"""More than any call of the page takes."""
_OVER = (
    "This page has no session: open the address that smoc-mcp dashboard printed, or start it again."
)


class Window:
    """The ASGI app, and the token that opens it.

    Args:
        server: Answers the page's calls.
        asked: The arguments of contacts_dashboard that the page begins with.
    """

    def __init__(self, server: MCPServer[Any], asked: Mapping[str, str]) -> None:
        self._server = server
        self._asked = dict(asked)
        self._client: Client | None = None
        self._session = secrets.token_urlsafe(32)
        self._token: str | None = secrets.token_urlsafe(32)

    @property
    def token(self) -> str:
        """What stands behind the # of the address: good for one session; empty once it is used."""
        return self._token or ""

    def app(self) -> Starlette:
        """Return the app."""
        return Starlette(
            routes=[
                Route("/", self._host),
                Route("/page", self._page),
                Route("/enter", self._enter, methods=["POST"]),
                Route("/asked", self._what_was_asked, methods=["POST"]),
                Route("/call", self._call, methods=["POST"]),
            ],
            # A name of somebody else's that leads to loopback is not ours.
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK])],
            lifespan=self._running,
        )

    @asynccontextmanager
    async def _running(self, _: Starlette) -> AsyncIterator[None]:
        async with Client(self._server) as self._client:
            yield

    async def _host(self, _: Request) -> HTMLResponse:
        host = (files("smoc_mcp.http") / "window.html").read_text("utf-8")
        return _html(host, _OF_HOST)

    async def _page(self, _: Request) -> HTMLResponse:
        return _html(PAGE.html, _OF_PAGE)

    async def _enter(self, request: Request) -> JSONResponse:
        given = await _body(request)
        if self._token is None or not _same(str(given.get("token")), self._token):
            return _refusal(_OVER)
        self._token = None
        return JSONResponse({"session": self._session}, headers=_PRIVATE)

    async def _what_was_asked(self, request: Request) -> JSONResponse:
        if not self._knows(request):
            return _refusal(_OVER)
        return JSONResponse({"asked": self._asked}, headers=_PRIVATE)

    async def _call(self, request: Request) -> JSONResponse:
        if not self._knows(request) or self._client is None:
            return _refusal(_OVER)
        given = await _body(request)
        arguments = given.get("arguments")
        if not given:
            return _refusal(f"This is no JSON of at most {_MOST_BYTES:,} bytes from our page.", 400)
        try:
            result = await self._client.call_tool(
                str(given.get("name")), arguments if isinstance(arguments, dict) else {}
            )
        except MCPError as error:
            return _refusal(error.message, 400)
        shown = result.model_dump(mode="json", by_alias=True, exclude_none=True)
        return JSONResponse(shown, headers=_PRIVATE)

    def _knows(self, request: Request) -> bool:
        # A header of its own: no page of another origin can send one here.
        return _same(request.headers.get("x-session", ""), self._session)


_PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def _html(text: str, policy: str) -> HTMLResponse:
    headers = {**_PRIVATE, "Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
    return HTMLResponse(text, headers=headers)


def _refusal(message: str, status: int = 403) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status, headers=_PRIVATE)


def _same(given: str, secret: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "replace"), secret.encode())


async def _body(request: Request) -> Mapping[str, Any]:
    """Return the JSON of a request; nothing where it is none, too long, or of another origin."""
    if request.headers.get("origin", _origin(request)) != _origin(request):
        return {}
    read = bytearray()
    async for part in request.stream():
        read += part
        if len(read) > _MOST_BYTES:
            return {}
    try:
        body = json.loads(read)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _origin(request: Request) -> str:
    return f"http://{request.headers.get('host', '')}"
