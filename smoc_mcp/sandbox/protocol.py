"""uvicorn with two things more: an application may hang up, and nothing is printed.

Import this lazily: it imports uvicorn.
"""

import asyncio
import logging
import socket
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from smoc_mcp.sandbox.exchange import HANG_UP, Receive, Scope, Send

if TYPE_CHECKING:
    from smoc_mcp.sandbox.app import Sandbox

__all__ = ["QuietServer"]

_logger = logging.getLogger("smoc_mcp.sandbox")
_logger.addHandler(logging.NullHandler())
_logger.propagate = False


class _Protocol(H11Protocol):
    """HTTP/1.1 that gives the application a way to close its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # uvicorn's own loggers belong to whoever else runs uvicorn in this process.
        self.logger = _logger
        self.access_log = False
        application = self.app

        async def with_hang_up(scope: Scope, receive: Receive, send: Send) -> None:
            extensions = {**scope.get("extensions", {}), HANG_UP: transport.close}
            await application({**scope, "extensions": extensions}, receive, send)

        self.app = with_hang_up


class QuietServer(uvicorn.Server):
    """A server of the sandbox that does not wait for anybody when it stops."""

    def __init__(self, sandbox: "Sandbox") -> None:
        super().__init__(
            uvicorn.Config(
                sandbox,
                http=_Protocol,
                loop="asyncio",
                ws="none",
                lifespan="off",
                proxy_headers=False,
                server_header=False,
                date_header=False,
                log_config=None,
                timeout_graceful_shutdown=1,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close every connection, then stop."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)
