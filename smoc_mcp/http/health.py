"""Answers /healthz and /readyz: does the server live, and can it reach the API."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from smoc_mcp.http.fresh import Fresh

__all__ = ["health_routes"]

_READY_SECONDS = 10.0
"""How long an answer of the API on whether it can be asked is good for."""


def health_routes(is_ready: Callable[[], Awaitable[str]]) -> list[Route]:
    """Return the routes of /healthz and /readyz.

    Args:
        is_ready: Returns why the API cannot be asked; empty where it can.
    """
    failure = Fresh(is_ready, "")

    async def healthz(_: Request) -> Response:
        return JSONResponse({"alive": True})

    async def readyz(_: Request) -> Response:
        if why := await failure.get(_READY_SECONDS):
            return JSONResponse({"ready": False, "why": why}, 503)
        return JSONResponse({"ready": True})

    return [
        Route("/healthz", healthz, methods=["GET", "HEAD"]),
        Route("/readyz", readyz, methods=["GET", "HEAD"]),
    ]
