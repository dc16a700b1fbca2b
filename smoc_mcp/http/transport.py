"""Answers in Streamable HTTP: with one document of JSON, or with a stream where progress is told.

The SDK decides that once for a whole app, so there are two of its apps here.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import anyio.abc
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from smoc_mcp.http.body import MOST_BODY_BYTES, Body
from smoc_mcp.http.company_file import View

__all__ = ["PATH", "Transport", "Transports"]

PATH = "/mcp"

_PROGRESS = b'"progressToken"'


class Transport:
    """The SDK's ASGI apps: one that answers in JSON, and one that can stream.

    To clients of the older era the SDK either streams every answer as events, which costs as much
    again as the answer, or none, and then nobody is told of progress. So each gets what it needs.
    To clients of the newer era it streams only where something comes before the answer.

    Args:
        server: Answers.
        security: The hosts and origins that may ask.
        streams: Every answer is a stream, for tools that tell more than their progress.
    """

    def __init__(
        self, server: MCPServer, security: TransportSecuritySettings, *, streams: bool = False
    ) -> None:
        self._streams = streams
        self._in_json, self._streaming = (
            server.streamable_http_app(
                streamable_http_path=PATH,
                stateless_http=True,
                json_response=in_json,
                max_request_body_size=MOST_BODY_BYTES,
                transport_security=security,
            )
            for in_json in (True, False)
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run what the SDK needs beside the requests."""
        async with (
            self._in_json.router.lifespan_context(self._in_json),
            self._streaming.router.lifespan_context(self._streaming),
        ):
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self._streams:
            await self._streaming(scope, receive, send)
            return
        if scope["method"] != "POST":
            # There is no session to end, and nothing is said but in an answer: a stream for more
            # would only be held open, one by each client.
            await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)
            return
        version = Headers(scope=scope).get("mcp-protocol-version")
        if version not in (None, *HANDSHAKE_PROTOCOL_VERSIONS):
            await self._streaming(scope, receive, send)
            return
        body = Body(receive)
        if _PROGRESS in await body.read():
            await self._streaming(scope, body.receive, send)
            return
        async with anyio.create_task_group() as tasks:
            # The SDK watches for callers that go away only where it streams.
            tasks.start_soon(body.cancel_when_gone, tasks.cancel_scope)
            await self._in_json(scope, body.receive, send)
            tasks.cancel_scope.cancel()


@dataclass
class _Held:
    transport: Transport
    runs: anyio.Event = field(default_factory=anyio.Event)


class Transports:
    """A transport for each way in which companies want their answers shown; most servers have one.

    Args:
        make: Makes that of a view.
    """

    def __init__(self, make: Callable[[View], Transport]) -> None:
        self._make = make
        self._held: dict[View, _Held] = {}
        self._tasks: anyio.abc.TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run what they need beside the requests."""
        async with anyio.create_task_group() as self._tasks:
            await self.of(View())
            yield
            self._tasks.cancel_scope.cancel()

    async def of(self, view: View) -> Transport:
        """Return the transport of a view, made when it is first asked for."""
        held = self._held.get(view)
        if held is None:
            if self._tasks is None:
                raise RuntimeError("not running")
            held = self._held[view] = _Held(self._make(view))
            self._tasks.start_soon(self._run, held)
        await held.runs.wait()
        return held.transport

    async def _run(self, held: _Held) -> None:
        async with held.transport.running():
            held.runs.set()
            await anyio.sleep_forever()
