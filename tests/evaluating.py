"""The server that evals are run against, in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from evals.serving import Form, Served, key_of
from tests.serving import memory_server

__all__ = ["open_here"]


@asynccontextmanager
async def open_here(url: str, size: int, form: Form) -> AsyncIterator[Served]:
    """Open the server for one company, and yield it."""
    async with memory_server(url, key_of(size)) as client:
        yield Served(client, (await client.list_tools()).tools, form)
