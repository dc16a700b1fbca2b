"""The server under test: the real one over stdio, against the sandbox over real HTTP."""

import json
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

import bpe_openai
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp_types import TextContent, Tool

from evals.models.chat import Offer, Result, ToolCall
from evals.task import Needed
from evals.world import World
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread

__all__ = [
    "SEEDS",
    "Form",
    "OpenServer",
    "Served",
    "key_of",
    "open_server",
    "serve_companies",
    "tokens_of",
]

Form = Literal["text", "structured"]

SEEDS: Mapping[int, int] = {0: 10, 40: 11, 499: 12, 900: 13, 3_000: 14}
"""The companies by their sizes, each with the seed that makes it."""

_DATA = "Answer from the tools alone. Today is {today} (UTC)."


class Served:
    """A server that is up, asked as a client asks it.

    Args:
        client: The SDK's.
        tools: What it offers.
        form: In which form models are given answers.
    """

    def __init__(self, client: Client, tools: Sequence[Tool], form: Form) -> None:
        self._client = client
        self._tools = {tool.name: tool for tool in tools}
        self._form = form

    def offer(self) -> Offer:
        """Return what a model is told before the first question."""
        today = datetime.now(UTC).date().isoformat()
        system = f"{self._client.instructions or ''}\n\n{_DATA.format(today=today)}"
        tools = [(t.name, t.description or "", t.input_schema) for t in self._tools.values()]
        return Offer(system, tools)

    def lacks(self, needed: Needed) -> bool:
        """Return whether the server does not offer what a task needs."""
        tool = self._tools.get(needed.tool)
        if tool is None:
            return True
        if not needed.parameter:
            return False
        parameter = tool.input_schema.get("properties", {}).get(needed.parameter)
        if parameter is None:
            return True
        words = re.findall(r"\w+", json.dumps(parameter))
        return bool(needed.value) and needed.value not in words

    async def call(self, call: ToolCall) -> Result:
        """Return what a tool answers; also of a tool that does not exist."""
        try:
            answer = await self._client.call_tool(call.name, dict(call.arguments))
        except MCPError as refused:
            said = str(refused)
            return Result(call, said, {"error": said}, is_error=True)
        text = "\n".join(c.text for c in answer.content if isinstance(c, TextContent))
        if answer.is_error:
            return Result(call, text, {"error": text}, is_error=True)
        found: dict[str, Any] = answer.structured_content or {}
        compact = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        return Result(call, text if self._form == "text" else compact, found, is_error=False)


OpenServer = Callable[[str, int, Form], AbstractAsyncContextManager[Served]]
"""Starts the server for the company of a size, which a sandbox at an address serves."""


@contextmanager
def serve_companies(
    sizes: Sequence[int], seed: int = 0
) -> Iterator[tuple[str, Mapping[int, World]]]:
    """Serve companies by a sandbox; yield its address, and what is true of each company."""
    companies = {size: Company(f"Company of {size}", SEEDS[size] + seed, size) for size in sizes}
    keys = {key_of(size): company for size, company in companies.items()}
    with run_in_thread(Sandbox(keys=keys)) as url:
        yield url, {size: World(company) for size, company in companies.items()}


@asynccontextmanager
async def open_server(url: str, size: int, form: Form) -> AsyncIterator[Served]:
    """Start the server for one company, and yield it."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "smoc_mcp"],
        env={"SMOC_API_KEY": key_of(size), "SMOC_BASE_URL": url},
    )
    async with Client(stdio_client(server)) as client:
        yield Served(client, (await client.list_tools()).tools, form)


def tokens_of(text: str) -> int:
    """Return how many tokens of o200k a text takes."""
    return len(_encoding().encode(text))


@cache
def _encoding() -> bpe_openai.tokenizer.Encoding:
    """Return o200k, which takes a tenth of a second to build."""
    return bpe_openai.get_encoding("o200k_base")


def key_of(size: int) -> str:
    """Return the key of the company of a size."""
    return f"key-of-the-company-of-{size}"
