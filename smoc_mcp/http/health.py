"""Answers /healthz and /readyz: does the server live, and can it answer."""

from collections.abc import Awaitable, Callable
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from smoc_mcp.http.fresh import Fresh

__all__ = ["health_routes"]

VERSION = version("smoc-mcp")
_READY_SECONDS = 10.0
"""How long an answer of the API on whether it can be asked is good for."""


def health_routes(is_ready: Callable[[], Awaitable[str]]) -> list[Route]:
    """Return the routes of /healthz and /readyz.

    Args:
        is_ready: Returns why nobody can be answered; empty where they can.
    """
    failure = Fresh(is_ready, "")

    async def healthz(_: Request) -> Response:
        return JSONResponse({"alive": True, "version": VERSION})

    async def readyz(_: Request) -> Response:
        if why := await failure.get(_READY_SECONDS):
            return JSONResponse({"ready": False, "why": why}, 503)
        return JSONResponse({"ready": True})

    return [
        Route("/healthz", healthz, methods=["GET", "HEAD"]),
        Route("/readyz", readyz, methods=["GET", "HEAD"]),
    ]
