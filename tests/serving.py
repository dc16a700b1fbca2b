"""What tests share: the sandbox on a socket, and the server as a real process over stdio."""

import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Literal

import anyio
from mcp import Client, StdioServerParameters, stdio_client
from mcp.server.mcpserver import MCPServer
from mcp_types import CallToolResult, TextContent
from pydantic import SecretStr

from smoc_mcp.api.client import SmocClient
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.server.dashboard import build_dashboard
from smoc_mcp.server.server import build_server
from smoc_mcp.server.tools import build_tools
from smoc_mcp.views.lists import Views

KEY = "key-of-the-test"


def _no_directory() -> ContactDirectory:
    raise AssertionError("nothing is asked")


NAMES = [
    *(tool.name for tool in build_tools(_no_directory, Views())),
    build_dashboard(_no_directory, Views()).name,
]
"""The tools, by the code; snapshots/tools.json holds that they stay what they are."""


@asynccontextmanager
async def stdio_server(
    url: str, key: str = KEY, mode: Literal["auto", "legacy"] = "auto", **env: str
) -> AsyncIterator[Client]:
    """Start the server as a client would, and yield the SDK's client."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "smoc_mcp"],
        env={"SMOC_API_KEY": key, "SMOC_BASE_URL": url, **env},
    )
    async with Client(stdio_client(server), mode=mode) as client:
        yield client


@asynccontextmanager
async def memory_server(
    url: str,
    key: str = KEY,
    mode: Literal["auto", "legacy"] = "auto",
    views: Views | None = None,
    timeout_seconds: float = 20.0,
    cache_seconds: float = 60.0,
) -> AsyncIterator[Client]:
    """Open the server in this process, and yield the SDK's client."""
    async with (
        SmocClient(url, SecretStr(key), timeout_seconds) as api,
        ContactDirectory(
            api, timeout_seconds=timeout_seconds, cache_seconds=cache_seconds
        ) as directory,
        open_client(directory, views, mode) as client,
    ):
        yield client


@asynccontextmanager
async def open_client(
    directory: ContactDirectory,
    views: Views | None = None,
    mode: Literal["auto", "legacy"] = "auto",
) -> AsyncIterator[Client]:
    """Open a server that answers from a directory, and yield the SDK's client."""
    with _lent(directory, views or Views()) as server:
        async with Client(server, mode=mode) as client:
            yield client


_IDLE: defaultdict[Views, list[tuple[MCPServer, list[ContactDirectory]]]] = defaultdict(list)
"""Servers that nobody uses, by how they show answers, each with the place of its directory."""


@contextmanager
def _lent(directory: ContactDirectory, views: Views) -> Iterator[MCPServer]:
    """Lend a server to one client at a time.

    A server takes 50 ms to define its tools, and may serve one company after another: over HTTP it
    does so too.
    """
    if _IDLE[views]:
        server, present = _IDLE[views].pop()
    else:
        held: list[ContactDirectory] = []
        server, present = build_server(lambda: held[0], views), held
    present.append(directory)
    try:
        yield server
    finally:
        present.clear()
        _IDLE[views].append((server, present))


async def ask(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Return the structured form of an answer that must be no error."""
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, text_of(answer)
    found: dict[str, Any] | None = answer.structured_content
    assert found is not None
    return found


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    """Return the sentence of an answer that must be an error."""
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error
    return text_of(answer)


async def until(happened: Callable[[], bool], seconds: float = 5) -> None:
    """Wait for what another thread does."""
    with anyio.fail_after(seconds):
        while not happened():  # noqa: ASYNC110  no event crosses the thread
            await anyio.sleep(0.01)


def text_of(answer: CallToolResult) -> str:
    """Return the text form of an answer."""
    return "\n".join(c.text for c in answer.content if isinstance(c, TextContent))
