"""Callers of a server over HTTP, as plain as can be: what is measured is the server."""

import json
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import anyio
import anyio.abc
from anyio.streams.buffered import BufferedByteReceiveStream

__all__ = ["Caller", "Load", "calling", "load"]

_LONGEST_HEAD = 65_536
_HEADERS = {
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": "2025-11-25",
}


class Caller:
    """One who calls tools over one connection; made by `calling`."""

    def __init__(self, stream: anyio.abc.SocketStream, url: str) -> None:
        parts = urlsplit(url)
        self._stream = stream
        self._received = BufferedByteReceiveStream(stream)
        self._head = "".join(
            f"{line}\r\n"
            for line in (
                f"POST {parts.path} HTTP/1.1",
                f"host: {parts.netloc}",
                *(f"{name}: {value}" for name, value in _HEADERS.items()),
            )
        )

    async def ask(self, tool: str, arguments: dict[str, Any], key: str = "") -> float:
        """Return the milliseconds until an answer, which must be no error, is whole.

        Args:
            tool: What is called.
            arguments: With what.
            key: Of a company, where callers bring their own.
        """
        params = {"name": tool, "arguments": arguments}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        content = json.dumps(message).encode()
        whose = f"x-smoc-token: {key}\r\n" if key else ""
        head = f"{self._head}{whose}content-length: {len(content)}\r\n\r\n"
        began = time.perf_counter()
        await self._stream.send(head.encode() + content)
        status, body = await self._answer()
        took = (time.perf_counter() - began) * 1_000
        assert status == 200, body
        assert b'"result"' in body, body
        assert b'"isError":true' not in body, body
        return took

    async def _answer(self) -> tuple[int, bytes]:
        head = await self._received.receive_until(b"\r\n\r\n", _LONGEST_HEAD)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        body = b""
        if "content-length" in headers:
            body = await self._received.receive_exactly(int(headers["content-length"]))
        else:
            while size := int(await self._received.receive_until(b"\r\n", 32), 16):
                body += (await self._received.receive_exactly(size + 2))[:-2]
            await self._received.receive_exactly(2)
        return int(first.split()[1]), body


@asynccontextmanager
async def calling(url: str) -> AsyncIterator[Caller]:
    """Connect to a server, and yield who can call it."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    async with await anyio.connect_tcp(parts.hostname, parts.port) as stream:
        yield Caller(stream, url)


class Load(NamedTuple):
    """What callers got, and how long each waited, in milliseconds."""

    calls_a_second: float
    p50: float
    p95: float


async def load(url: str, tool: str, arguments: dict[str, Any], callers: int, calls: int) -> Load:
    """Return what as many callers get who share a number of calls, connected beforehand."""
    waited: list[float] = []
    left = iter(range(calls))

    async def call_on(caller: Caller) -> None:
        for _ in left:
            waited.append(await caller.ask(tool, arguments))  # noqa: PERF401  shared by all

    async with AsyncExitStack() as stack:
        connected = [await stack.enter_async_context(calling(url)) for _ in range(callers)]
        async with anyio.create_task_group() as first:
            for caller in connected:
                first.start_soon(caller.ask, tool, arguments)
        began = time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for caller in connected:
                tasks.start_soon(call_on, caller)
        took = time.perf_counter() - began
    percentiles = statistics.quantiles(waited, n=20, method="inclusive")
    return Load(calls / took, statistics.median(waited), percentiles[18])
