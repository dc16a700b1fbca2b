"""Opens a company's directory: client and store, put together from the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import anyio
import anyio.to_thread
from pydantic import SecretStr

from smoc_mcp.api.client import SmocClient, Watch
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.settings import Settings
from smoc_mcp.store.store import ContactStore

__all__ = ["open_directory"]


@asynccontextmanager
async def open_directory(
    settings: Settings,
    key: SecretStr | None = None,
    openings: anyio.CapacityLimiter | None = None,
    watch: Watch = lambda *_: None,
) -> AsyncIterator[ContactDirectory]:
    """Open a company's directory, and close it afterwards.

    Args:
        settings: Where the API and the store are, and how long things may take.
        key: A caller's key instead of the settings'; the API must have accepted it lately for an
            answer from what is in hand.
        openings: How many stores may be opened at once. A server of many companies gives one, so
            that stores that are slow to open do not take the threads that answers need.
        watch: Is told of each request to SMOC.

    Raises:
        StoreError: The store's file cannot be used.
    """
    own = settings if key is None else replace(settings, api_key=key)
    # Another process can hold a file for seconds, and nobody else is to wait for that. Callers'
    # keys are nobody's but their own, whatever their contacts say.
    store = await anyio.to_thread.run_sync(
        partial(_store, own, joins=key is None), limiter=openings
    )
    async with (
        _client(settings, key, watch) as client,
        ContactDirectory(
            client,
            store=store,
            cache_seconds=settings.cache_seconds,
            timeout_seconds=settings.timeout_seconds,
            zone=settings.timezone,
            strict=key is not None,
        ) as directory,
    ):
        yield directory


def _client(settings: Settings, key: SecretStr | None, watch: Watch) -> SmocClient:
    how = settings.base_url, key or settings.api_key, settings.timeout_seconds
    if key is None:
        return SmocClient(*how, watch=watch)
    return SmocClient(*how, use_key="send it in X-SMOC-Token", watch=watch)


def _store(settings: Settings, *, joins: bool) -> ContactStore:
    return ContactStore(
        settings.store,
        address=settings.base_url,
        key_hash=settings.key_hash,
        keep_days=settings.retention_days,
        joins=joins,
    )
