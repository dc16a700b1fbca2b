"""The ASGI app of the server over HTTP, and the process that serves it.

/mcp answers many callers; /healthz, /readyz and /metrics say how it is. Nothing is kept between
requests but what companies have in hand, so any replica can answer any request.
"""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.routing import Mount

from smoc_mcp.http.access import Access
from smoc_mcp.http.companies import Companies
from smoc_mcp.http.company_file import View
from smoc_mcp.http.gate import Gate
from smoc_mcp.http.health import health_routes
from smoc_mcp.http.metadata import metadata_routes, no_registration
from smoc_mcp.http.metrics import Metrics
from smoc_mcp.http.settings import HttpSettings
from smoc_mcp.http.slow_clients import PatientProtocol
from smoc_mcp.http.transport import Transport, Transports
from smoc_mcp.variables import LOOPBACK

__all__ = ["build_app", "run", "serve", "uvicorn_config"]

GRACE_SECONDS = 8
"""How long calls in flight may take when the server is told to end."""


def build_app(
    server_of: Callable[[View], MCPServer],
    access: Access,
    companies: Companies,
    settings: HttpSettings,
    is_ready: Callable[[], Awaitable[str]],
    *,
    port: int,
    streams: bool = False,
    metrics: Metrics | None = None,
    store: Path | None = None,
) -> Starlette:
    """Return the ASGI app.

    Args:
        server_of: Returns what answers companies of a view, from `asking.current_directory`.
        access: Who may call.
        companies: Their directories; opened and closed with the app.
        settings: Hosts, origins, limits.
        is_ready: Returns why nobody can be answered; empty where they can.
        port: The port that the app will listen on, for the hosts of loopback.
        streams: Every answer is a stream, for tools that tell more than their progress.
        metrics: What /metrics shows.
        store: The file of the store, whose size /metrics shows.
    """
    security = _security(settings, port)
    metrics = metrics or Metrics()
    transports = Transports(lambda view: Transport(server_of(view), security, streams=streams))
    gate = Gate(transports, access, companies, security, settings, metrics)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(companies)
            await stack.enter_async_context(transports.running())
            yield

    routes = [*health_routes(is_ready), metrics.route(companies, store), no_registration(access)]
    if settings.oauth_issuer and settings.oauth_audience:
        routes += metadata_routes(settings.oauth_audience, settings.oauth_issuer)
    return Starlette(routes=[*routes, Mount("/", app=gate)], lifespan=lifespan)


def _security(settings: HttpSettings, port: int) -> TransportSecuritySettings:
    """Return the hosts and origins that may ask: those of the settings, and this machine's own."""
    own = [f"[{host}]" if ":" in host else host for host in LOOPBACK]
    return TransportSecuritySettings(
        allowed_hosts=[*settings.allowed_hosts, *own, *(f"{host}:{port}" for host in own)],
        allowed_origins=[*settings.allowed_origins, *(f"http://{host}:{port}" for host in own)],
    )


def run(app: Starlette, listener: socket.socket) -> None:
    """Serve on a socket until SIGTERM or SIGINT, then answer what is in flight, and end."""
    uvicorn.Server(uvicorn_config(app)).run(sockets=[listener])


async def serve(app: Starlette, listener: socket.socket) -> None:
    """Do the same within a loop that runs."""
    await uvicorn.Server(uvicorn_config(app)).serve(sockets=[listener])


def uvicorn_config(app: Starlette | Callable[[], Starlette]) -> uvicorn.Config:
    """Return how we serve an app, or what makes one."""
    return uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        # Anybody can write X-Forwarded-For: who calls is whose connection it is.
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=32_768,
    )
