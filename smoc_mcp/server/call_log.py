"""Logs what each call of a tool cost, as a line and on its span; no contact is in either.

The SDK opens a span of OpenTelemetry for every request; without an exporter that does nothing.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from opentelemetry import trace

from smoc_mcp.api.client import REQUESTS, Requests

__all__ = ["Asking", "CallLog", "WatchCall"]

_ROWS = ("contacts", "matches", "groups", "new", "updated", "contact")

logger = logging.getLogger(__name__)

WatchCall = Callable[[str, float, bool], None]


class Asking(NamedTuple):
    """Who asks, for the log.

    Attributes:
        caller: A short hash of who it is.
        company: The operatorId of the company, where it is known.
        request: What the caller or the proxy calls the request.
    """

    caller: str = "stdio"
    company: str = ""
    request: str = ""


class CallLog:
    """A middleware that writes one line for each call of a tool.

    Args:
        tools: The names that may be written; what else a caller asks for is text of theirs.
        asking: Returns who asks.
        watch: Is told of each call: the tool, the seconds, whether it failed.
    """

    def __init__(
        self, tools: frozenset[str], asking: Callable[[], Asking], watch: WatchCall
    ) -> None:
        self._tools = tools
        self._asking = asking
        self._watch = watch

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
        answer = result if isinstance(result, Mapping) else {}
        failed = bool(answer.get("isError", not answer))
        self._watch(tool, seconds, failed)
        span = trace.get_current_span()
        if not span.is_recording() and not logger.isEnabledFor(logging.INFO):
            return
        content = answer.get("structuredContent") or {}
        call: dict[str, str | int | float | bool] = {
            "tool": tool,
            "milliseconds": round(seconds * 1_000, 1),
            "rows": sum(_size(content[name]) for name in _ROWS if name in content),
            "requests": requests,
            "certainty": str(content.get("certainty", "")),
            "failed": failed,
            **self._asking()._asdict(),
        }
        span.set_attributes({f"smoc.{name}": value for name, value in call.items()})
        logger.info("%s", tool, extra={"call": call})


def _size(part: object) -> int:
    return len(part) if isinstance(part, list) else 1
