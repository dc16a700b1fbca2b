"""What each call of a tool cost: a line of the log, and attributes of its span; no contact in them.

The SDK opens a span of OpenTelemetry for every request; without an exporter that does nothing.
"""

import itertools
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from opentelemetry import trace

from smoc_mcp.api.client import REQUESTS, Requests
from smoc_mcp.directory.progress import TELL

__all__ = ["CallLog", "tell_progress"]

_ROWS = ("contacts", "matches", "groups", "new", "updated", "contact")

logger = logging.getLogger(__name__)


async def tell_progress(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Tell a caller that has asked for progress what its answer waits for; a middleware."""
    steps = itertools.count(1)

    async def tell(message: str) -> None:
        # Nothing is sent to those who have not asked for it.
        await ctx.session.report_progress(next(steps), None, message)

    outer = TELL.set(tell)
    try:
        return await call_next(ctx)
    finally:
        TELL.reset(outer)


class CallLog:
    """The middleware that writes them.

    Args:
        tools: The names that may be written; what else a caller asks for is text of theirs.
        caller: Returns the short hash of who asks.
    """

    def __init__(self, tools: frozenset[str], caller: Callable[[], str]) -> None:
        self._tools = tools
        self._caller = caller

    async def __call__(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """Measure a `tools/call`; let everything else pass."""
        name = (ctx.params or {}).get("name")
        if ctx.method != "tools/call" or name not in self._tools:
            return await call_next(ctx)
        began = time.perf_counter()
        requests = Requests()
        outer = REQUESTS.set(requests)
        result: HandlerResult = None
        try:
            result = await call_next(ctx)
            return result
        finally:
            REQUESTS.reset(outer)
            self._write(str(name), time.perf_counter() - began, requests.sent, result)

    def _write(self, tool: str, seconds: float, requests: int, result: HandlerResult) -> None:
        span = trace.get_current_span()
        if not span.is_recording() and not logger.isEnabledFor(logging.INFO):
            return
        answer = result if isinstance(result, Mapping) else {}
        content = answer.get("structuredContent") or {}
        call: dict[str, str | int | float | bool] = {
            "tool": tool,
            "milliseconds": round(seconds * 1_000, 1),
            "rows": sum(_size(content[name]) for name in _ROWS if name in content),
            "requests": requests,
            "certainty": str(content.get("certainty", "")),
            "failed": bool(answer.get("isError", not answer)),
            "caller": self._caller(),
        }
        span.set_attributes({f"smoc.{name}": value for name, value in call.items()})
        logger.info("%s", tool, extra={"call": call})


def _size(part: object) -> int:
    return len(part) if isinstance(part, list) else 1
