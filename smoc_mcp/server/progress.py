"""Tells callers that have asked for progress what their answer waits for."""

import itertools
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

from smoc_mcp.directory.progress import TELL

__all__ = ["tell_progress"]


async def tell_progress(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Let `directory.progress` tell the caller of this request what it waits for; a middleware."""
    steps = itertools.count(1)

    async def tell(message: str) -> None:
        # Nothing is sent to those who have not asked for it.
        await ctx.session.report_progress(next(steps), None, message)

    outer = TELL.set(tell)
    try:
        return await call_next(ctx)
    finally:
        TELL.reset(outer)
