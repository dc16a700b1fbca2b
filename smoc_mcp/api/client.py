"""The client of SMOC's API: one GET, tried again where that can help.

The retries are written out, because one deadline holds over waiting and retries, and a Retry-After
that is longer than we wait is told to the caller. A library for retries would save twelve lines.
"""

import logging
import random
import time
import zlib
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, Self

import anyio
import anyio.to_thread
from pydantic import SecretStr

from smoc_mcp.api.answer import read_answer
from smoc_mcp.api.connections import MAX_CONCURRENT, open_connections
from smoc_mcp.api.failures import (
    cut_off,
    foreign_encoding,
    oversized,
    refusal,
    timed_out,
    translated,
)
from smoc_mcp.api.models import ApiAnswer
from smoc_mcp.errors import (
    CutOffAnswerError,
    RateLimitedError,
    ServerFailureError,
    TimedOutError,
    UnreachableError,
    UpstreamError,
)
from smoc_mcp.seldom import Seldom

if TYPE_CHECKING:
    import httpx

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_LIMIT",
    "REQUESTS",
    "Requests",
    "SmocClient",
    "SortField",
    "Watch",
]

SortField = Literal["createdAt", "updatedAt", "lastConversationDate"]
"""The sort fields of the API; its alias companyUsers.lastConversationDate adds nothing."""

Watch = Callable[[str, float], None]
"""Is told of each request: `ok` or the name of the failure, and its seconds."""

logger = logging.getLogger(__name__)
_failures = Seldom(logger)

PATH = "/api/company/mongocontact"
MAX_LIMIT = 500
MAX_BODY_BYTES = 64 * 1024 * 1024
LONGEST_WAIT = 10.0
"""Seconds of Retry-After that we wait ourselves; past them the error says how long."""

_PIECE_BYTES = 1024 * 1024
_ATTEMPTS = 4
_FIRST_BACKOFF = 0.25


@dataclass
class Requests:
    """How many requests one question has sent."""

    sent: int = 0


REQUESTS: ContextVar[Requests | None] = ContextVar("requests", default=None)
"""How many the present question has sent. One that several wait for counts for the first."""


class SmocClient:
    """Asks the SMOC API for contacts over one long-lived connection pool.

    Use it as an async context manager, or close it with `aclose`.

    Args:
        base_url: The API's address, such as https://v2.api.smoc.ai.
        api_key: The company's key; it goes into the `token` header and nowhere else.
        timeout_seconds: The most that one call may take, waiting and retries included.
        use_key: What to do with a new key, for the error that the API refuses this one.
        watch: Is told of each request.
        logs: Failures go to the log; not for one who only tries whether SMOC is there.
    """

    def __init__(
        self,
        base_url: str,
        api_key: SecretStr,
        timeout_seconds: float = 20.0,
        *,
        use_key: str = "set SMOC_API_KEY to it and restart the server",
        watch: Watch = lambda *_: None,
        logs: bool = True,
    ) -> None:
        self._watch = watch
        self._logs = logs
        self._base_url = base_url
        self._api_key = api_key
        self._timeout = timeout_seconds
        self._use_key = use_key
        self._slots = anyio.Semaphore(MAX_CONCURRENT)
        # One answer at a time: as Python reads them, each takes ten times its size.
        self._readers = anyio.CapacityLimiter(1)
        self._http: httpx.AsyncClient | None = None
        self.requests_sent = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()

    async def fetch_contacts(
        self, sort: SortField | None, limit: int = MAX_LIMIT, *, seconds: float | None = None
    ) -> ApiAnswer:
        """Return the newest contacts by a field, or the first in natural order for None.

        Args:
            sort: The field; the API sorts descending.
            limit: 1 to 500.
            seconds: The most it may take, where that is less than `timeout_seconds`.

        Raises:
            UpstreamError: The API gave no usable answer; its subclasses say why.
        """
        params: dict[str, str | int] = {"limit": limit}
        if sort is not None:
            params["sortByField"] = sort
        try:
            return await self._fetch(params, limit, seconds)
        except UpstreamError as error:
            if self._logs:
                _failures.warning(type(error).__name__, f"SMOC: {error}")
            raise

    async def _fetch(
        self, params: dict[str, str | int], limit: int, seconds: float | None
    ) -> ApiAnswer:
        budget = min(self._timeout, seconds or self._timeout)
        deadline = anyio.current_time() + budget
        failure: UpstreamError = timed_out(budget)
        with anyio.move_on_at(deadline):
            async with self._slots:
                for attempt in range(_ATTEMPTS):
                    try:
                        return await self._watched(params, limit)
                    except (
                        CutOffAnswerError,
                        RateLimitedError,
                        ServerFailureError,
                        TimedOutError,
                        UnreachableError,
                    ) as error:
                        failure = error
                    pause = _pause(failure, attempt)
                    if pause is None or anyio.current_time() + pause >= deadline:
                        break
                    await anyio.sleep(pause)
        raise failure

    async def _watched(self, params: dict[str, str | int], limit: int) -> ApiAnswer:
        """Send one request, and tell of it: to whoever watches, and as a span."""
        from opentelemetry import trace

        tracer = trace.get_tracer("smoc_mcp")
        began, outcome = time.perf_counter(), "cancelled"
        with tracer.start_as_current_span("GET contacts", kind=trace.SpanKind.CLIENT) as span:
            try:
                answer = await self._attempt(params, limit)
                outcome = "ok"
            except UpstreamError as error:
                outcome = type(error).__name__
                raise
            finally:
                self._watch(outcome, time.perf_counter() - began)
                span.set_attributes({"smoc.limit": limit, "smoc.outcome": outcome})
        return answer

    async def _attempt(self, params: dict[str, str | int], limit: int) -> ApiAnswer:
        if self._http is None:
            self._http = open_connections(self._base_url, self._api_key)
        self.requests_sent += 1
        if (of_call := REQUESTS.get()) is not None:
            of_call.sent += 1
        async with (
            translated(self._base_url),
            self._http.stream("GET", PATH, params=params) as answer,
        ):
            body = await _read(answer)
            if not answer.is_success:
                raise refusal(answer, body, self._base_url, self._use_key)
        # Half a second of parsing would hold up every other caller.
        return await anyio.to_thread.run_sync(
            partial(read_answer, headers=answer.headers), body, limit, limiter=self._readers
        )


async def _read(answer: "httpx.Response") -> bytes:
    """Return the body, decompressed; a connection that breaks here cuts off an answer."""
    import httpx

    encoding = answer.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        if answer.is_success:
            raise foreign_encoding()
        # The status alone says what to do.
        return b""
    body = _Body(packed=encoding.endswith("gzip"))
    try:
        async for chunk in answer.aiter_raw():
            body.add(chunk)
        return body.whole()
    except (httpx.RemoteProtocolError, httpx.ReadError, zlib.error) as error:
        raise cut_off() from error


class _Body:
    """A body as it comes, unpacked in pieces, so that a small one cannot become a huge one.

    Args:
        packed: Whether it is gzip.
    """

    def __init__(self, *, packed: bool) -> None:
        self._unpacked = bytearray()
        self._received = 0
        self._gzip = zlib.decompressobj(zlib.MAX_WBITS | 16) if packed else None

    def add(self, chunk: bytes) -> None:
        """Take what came.

        Raises:
            OversizedAnswerError: Packed or unpacked it is more than we hold.
            zlib.error: It is no gzip.
        """
        self._received += len(chunk)
        if self._gzip is None:
            self._unpacked += chunk
        while self._gzip is not None and chunk and not self._gzip.eof:
            self._unpacked += self._gzip.decompress(chunk, _PIECE_BYTES)
            chunk = self._gzip.unconsumed_tail
            self._check()
        self._check()

    def _check(self) -> None:
        if max(self._received, len(self._unpacked)) > MAX_BODY_BYTES:
            raise oversized(MAX_BODY_BYTES)

    def whole(self) -> bytes:
        """Return the body.

        Raises:
            CutOffAnswerError: It ended early.
        """
        if self._gzip is not None and self._received and not self._gzip.eof:
            raise cut_off()
        return bytes(self._unpacked)


def _pause(failure: UpstreamError, attempt: int) -> float | None:
    """Return the seconds to wait before the next attempt; None if we should not try again."""
    if attempt == _ATTEMPTS - 1:
        return None
    if isinstance(failure, RateLimitedError) and failure.retry_after is not None:
        return failure.retry_after if failure.retry_after <= LONGEST_WAIT else None
    # Jitter spreads the retries of many servers.
    return _FIRST_BACKOFF * (1 << attempt) * random.uniform(0.5, 1.5)  # noqa: S311  it is no secret
