"""uvicorn with two things more: an application may hang up, and nothing is printed.

Import this lazily: it imports uvicorn.
"""

import asyncio
import logging
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from smoc_mcp.sandbox.exchange import HANG_UP, Receive, Scope, Send

if TYPE_CHECKING:
    from smoc_mcp.sandbox.app import Sandbox

__all__ = ["QuietServer"]

_LOOK_SECONDS = 0.1
_GRACE_SECONDS = 1.0

_logger = logging.getLogger("smoc_mcp.sandbox")
_logger.addHandler(logging.NullHandler())
_logger.propagate = False


class _Protocol(H11Protocol):
    """HTTP/1.1 that gives the application a way to close its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # narrower, as in uvicorn
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
            )
        )
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Serve until it is told to stop, and then do not wait for the next look at the clock."""
        self._told, self._loop = asyncio.Event(), asyncio.get_running_loop()
        looks = 0
        # A signal sets a flag alone, which is looked at as uvicorn does.
        while not await self.on_tick(looks):
            looks += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), _LOOK_SECONDS)

    def stop(self) -> None:
        """Let it end; this may be called from any thread."""
        self.should_exit = True
        # Where it has not begun, or has ended meanwhile, nobody need be woken.
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._told.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close every connection, give what is being answered a moment to notice, and stop."""
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        if self.server_state.tasks:
            _, late = await asyncio.wait(list(self.server_state.tasks), timeout=_GRACE_SECONDS)
            for task in late:
                task.cancel()
