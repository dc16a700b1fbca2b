"""The server over HTTP: Streamable HTTP at /mcp for many callers, and two answers on its health.

Stateless: any replica can answer any request. A request passes the gate (host, origin, who may
call, how often), then the SDK answers it from the caller's company.
"""

import json
import logging
import socket
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar

import anyio
import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.errors import AccessError, BusyError, SmocError
from smoc_mcp.http.access import Access, Caller
from smoc_mcp.http.companies import Companies
from smoc_mcp.http.settings import HttpSettings
from smoc_mcp.http.slowness import PatientProtocol
from smoc_mcp.http.tokens import SCOPE
from smoc_mcp.http.transport import PATH, Transport
from smoc_mcp.variables import LOOPBACK

__all__ = ["build_app", "caller_name", "current_directory", "run"]

GRACE_SECONDS = 8
"""How long calls in flight may take when the server is told to end."""

_LOOPBACK = tuple(f"[{host}]" if ":" in host else host for host in LOOPBACK)
_READY_SECONDS = 10.0
_MOST_CALLERS = 10_000
_UNAUTHORIZED, _INVALID_REQUEST = -32001, -32600
_FOREIGN = {
    421: "This server does not answer for the host of this request. Whoever runs it names the "
    "hosts that clients use in SMOC_MCP_ALLOWED_HOSTS.",
    403: "This server does not answer pages of this origin. Whoever runs it names the origins that "
    "may ask in SMOC_MCP_ALLOWED_ORIGINS.",
}

logger = logging.getLogger(__name__)

_directory: ContextVar[ContactDirectory] = ContextVar("directory")
_caller: ContextVar[str] = ContextVar("caller", default="stdio")


def current_directory() -> ContactDirectory:
    """Return the directory of the company whose caller's request is being answered."""
    return _directory.get()


def caller_name() -> str:
    """Return the short hash of whose request is being answered."""
    return _caller.get()


def build_app(
    server: MCPServer,
    access: Access,
    companies: Companies,
    settings: HttpSettings,
    is_ready: Callable[[], Awaitable[str]],
    *,
    port: int,
    streams: bool = False,
) -> Starlette:
    """Return the ASGI app.

    Args:
        server: Answers from `current_directory`.
        access: Who may call.
        companies: Their directories; opened and closed with the app.
        settings: Hosts, origins, limits.
        is_ready: Returns why the API cannot be asked; empty where it can.
        port: The port that the app will listen on, for the hosts of loopback.
        streams: Every answer is a stream, for tools that tell more than their progress.
    """
    security = TransportSecuritySettings(
        allowed_hosts=[*settings.allowed_hosts, *_LOOPBACK, *(f"{h}:{port}" for h in _LOOPBACK)],
        allowed_origins=[
            *settings.allowed_origins,
            *(f"http://{h}:{port}" for h in _LOOPBACK),
        ],
    )
    inner = Transport(server, security, streams=streams)
    gate = _Gate(inner, access, companies, security, settings.calls_per_minute)
    ready = _Ready(is_ready)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(companies)
            await stack.enter_async_context(inner.running())
            yield

    routes: list[Route | Mount] = [
        Route("/healthz", _healthz, methods=["GET", "HEAD"]),
        Route("/readyz", ready.answer, methods=["GET", "HEAD"]),
    ]
    if settings.oauth_issuer and settings.oauth_audience:
        metadata = _metadata(settings.oauth_audience, settings.oauth_issuer)
        routes += [
            Route(f"/.well-known/oauth-protected-resource{path}", metadata) for path in ("", PATH)
        ]
    return Starlette(routes=[*routes, Mount("/", app=gate)], lifespan=lifespan)


class _Gate:
    """Lets a request through to the SDK once it is clear who asks, and with whose key."""

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        companies: Companies,
        security: TransportSecuritySettings,
        calls_per_minute: int,
    ) -> None:
        self._app = app
        self._access = access
        self._companies = companies
        self._security = TransportSecurityMiddleware(security)
        self._calls = _Calls(calls_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await Response("Not Found", 404)(scope, receive, send)
            return
        refusal = await self._security.validate_request(Request(scope))
        if refusal is not None:
            if refusal.status_code in _FOREIGN:
                refusal = _refusal(
                    _FOREIGN[refusal.status_code], refusal.status_code, _INVALID_REQUEST, {}
                )
            await refusal(scope, receive, send)
            return
        try:
            caller = await self._access.admit(Headers(scope=scope))
            self._calls.count(caller.name)
            async with self._companies.use(caller.company, caller.key) as directory:
                await self._answer(directory, caller, scope, receive, send)
        except AccessError as error:
            headers = {"WWW-Authenticate": error.challenge} if error.challenge else {}
            answer = _refusal(str(error), error.status, _UNAUTHORIZED, headers)
            await answer(scope, receive, send)
        except BusyError as error:
            headers = {"Retry-After": str(error.seconds)}
            answer = _refusal(str(error), error.status, _INVALID_REQUEST, headers)
            await answer(scope, receive, send)
        except SmocError as error:
            await _refusal(str(error), 503, _INVALID_REQUEST, {})(scope, receive, send)

    async def _answer(
        self,
        directory: ContactDirectory,
        caller: Caller,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        # Whatever task the SDK starts for this request inherits these.
        company, name = _directory.set(directory), _caller.set(caller.name)
        try:
            await self._app(scope, receive, send)
        finally:
            _directory.reset(company)
            _caller.reset(name)


class _Calls:
    """Counts the calls of each caller in the last minute."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, caller: str) -> None:
        """Count a call.

        Raises:
            BusyError: The caller has asked too often; it says when to come back.
        """
        now = time.monotonic()
        times = self._times.setdefault(caller, deque())
        self._times.move_to_end(caller)
        while times and times[0] <= now - 60:
            times.popleft()
        if len(times) >= self._most:
            seconds = int(times[0] + 60 - now) + 1
            raise BusyError(
                f"More than {self._most:,} calls in a minute. Come back in {seconds} seconds.",
                429,
                seconds,
            )
        times.append(now)
        while len(self._times) > _MOST_CALLERS:
            self._times.popitem(last=False)


class _Ready:
    """Whether the API can be asked; asked itself at most every ten seconds."""

    def __init__(self, is_ready: Callable[[], Awaitable[str]]) -> None:
        self._is_ready = is_ready
        self._lock = anyio.Lock()
        self._asked = float("-inf")
        self._failure = ""

    async def answer(self, _: Request) -> Response:
        """Return 200, or 503 with the reason."""
        async with self._lock:
            if time.monotonic() - self._asked > _READY_SECONDS:
                self._failure = await self._is_ready()
                self._asked = time.monotonic()
        if self._failure:
            return JSONResponse({"ready": False, "why": self._failure}, 503)
        return JSONResponse({"ready": True})


async def _healthz(_: Request) -> Response:
    return JSONResponse({"alive": True})


def _metadata(resource: str, issuer: str) -> Callable[[Request], Awaitable[Response]]:
    async def metadata(_: Request) -> Response:
        return JSONResponse(
            {
                "resource": resource,
                "authorization_servers": [issuer],
                "scopes_supported": [SCOPE],
                "bearer_methods_supported": ["header"],
            },
            headers={"Access-Control-Allow-Origin": "*"},
        )

    return metadata


def _refusal(message: str, status: int, code: int, headers: dict[str, str]) -> Response:
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
    return Response(json.dumps(error, ensure_ascii=False), status, headers, "application/json")


def run(app: Starlette, listener: socket.socket) -> None:
    """Serve on a socket until SIGTERM or SIGINT, then answer what is in flight, and end."""
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=32_768,
    )
    uvicorn.Server(config).run(sockets=[listener])
