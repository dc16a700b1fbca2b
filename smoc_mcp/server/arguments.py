"""Checks the arguments of a call: what is meant is taken, what is wrong is said in one sentence.

The SDK drops unknown arguments silently and answers a wrong one with pydantic's report, so a
middleware looks at every call first.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver.tools import Tool
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, CallToolResult, TextContent
from pydantic import ValidationError

from smoc_mcp.errors import (
    ApiKeyError,
    InputError,
    InvalidKeyError,
    KeyWithoutCompanyError,
    MissingTokenError,
    SmocError,
    UpstreamError,
)
from smoc_mcp.questions.filters import without_aliases
from smoc_mcp.server.prompts import Argument
from smoc_mcp.server.unexpected import sentence_of
from smoc_mcp.text.cleaning import cut
from smoc_mcp.views.boundary import error_text

__all__ = ["ArgumentCheck", "checked", "clean_errors", "error_result", "failure_kind"]

FAILURE = "smoc-mcp/failure"
"""Where a failed call says of which kind it is."""
_OF_THE_KEY = (ApiKeyError, InvalidKeyError, KeyWithoutCompanyError, MissingTokenError)
_LISTS = {"tools/list", "prompts/list", "resources/list", "resources/templates/list"}


_MEANT: Mapping[str, Sequence[str]] = {
    "campaign": ("utm_campaign",),
    "source": ("utm_source",),
    "medium": ("utm_medium",),
    "name": ("query",),
    "first_name": ("query",),
    "last_name": ("query",),
    "email": ("contacts_find_by_email", "query"),
    "phone": ("query",),
    "text": ("query",),
    "search": ("query",),
    "q": ("query",),
    "since": ("created_after",),
    "from": ("created_after", "since"),
    "start": ("created_after", "since"),
    "after": ("created_after", "since"),
    "until": ("created_before",),
    "to": ("created_before",),
    "end": ("created_before",),
    "before": ("created_before",),
    "tag": ("group_by",),
    "group": ("group_by",),
    "by": ("group_by",),
    "groupby": ("group_by",),
    "dimension": ("group_by",),
    "id": ("contact_id",),
    "order": ("sort",),
    "order_by": ("sort",),
    "sort_by": ("sort",),
    "page": ("cursor",),
    "offset": ("cursor",),
    "max": ("limit",),
    "top": ("limit",),
    "count": ("limit",),
    "employer": ("company",),
    "consent": ("accepted_communication",),
}
"""What people call a parameter, and which it may be: the first that the tool has, or a tool."""

_OF_CLIENTS = {
    # Gemini CLI, with every call: documented by servers that broke on it (Mnemion's changelog,
    # Infinity Context's notes on Gemini CLI).
    "wait_for_previous",
    # n8n's MCP Client Tool: n8n-io/n8n#21500, #21716, makenotion/notion-mcp-server#146; what else
    # its agent puts beside: sansan0/TrendRadar#768.
    "toolCallId",
    "sessionId",
    "chatInput",
    "action",
    "tool",
    # SiYuan: siyuan-note/siyuan#17927.
    "_sessionID",
}
"""Arguments that known clients add by themselves: they mean nothing to us, and are left out."""


def error_result(message: str, kind: str = "") -> CallToolResult:
    """Return a failed call: one text of at most 2,000 characters that says what to do next.

    Args:
        message: The text.
        kind: Of `failure_kind`, for a page that shows each kind in another way.
    """
    return CallToolResult(
        content=[TextContent(type="text", text=error_text(message))],
        is_error=True,
        _meta={FAILURE: kind} if kind else None,
    )


def failure_kind(error: SmocError) -> str:
    """Return what somebody can do about a failure: `key`, `upstream` or `input`; else nothing."""
    if isinstance(error, _OF_THE_KEY):
        return "key"
    if isinstance(error, UpstreamError):
        return "upstream"
    return "input" if isinstance(error, InputError) else ""


async def clean_errors(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Let no error leave but through the boundary: the SDK repeats what was asked, or raised."""
    try:
        return await call_next(ctx)
    except MCPError as error:
        data = {"uri": error_text(str(error.data["uri"]))} if _names_uri(error.data) else None
        raise MCPError(error.code, error_text(error.message), data) from None
    except ValidationError:
        raise  # the SDK's own check of what was sent
    except Exception as error:  # noqa: BLE001  whatever it is, it is told in a sentence
        raise MCPError(INTERNAL_ERROR, sentence_of(error, ctx.method)) from None


def _names_uri(data: object) -> bool:
    return isinstance(data, Mapping) and "uri" in data


class ArgumentCheck:
    """The middleware that refuses what is unknown, with -32602.

    Args:
        tools: By name.
        prompts: The arguments of each prompt by name.
        check_argument: Raises InputError where a prompt's argument cannot have a value.
    """

    def __init__(
        self,
        tools: Mapping[str, Tool],
        prompts: Mapping[str, Sequence[Argument]],
        check_argument: Callable[[Argument, str], None],
    ) -> None:
        self._tools = tools
        self._prompts = {name: {a.name: a for a in known} for name, known in prompts.items()}
        self._check_argument = check_argument

    async def __call__(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """Check a `tools/call`, a `prompts/get` or a list; let everything else pass."""
        if ctx.method in _LISTS and (ctx.params or {}).get("cursor") is not None:
            # Our lists are of one page: no cursor is one of ours.
            raise MCPError(INVALID_PARAMS, "This list has one page: leave the cursor out.")
        if ctx.method == "prompts/get" and ctx.params is not None:
            self._check_prompt(ctx.params)
        if ctx.method != "tools/call" or ctx.params is None:
            return await call_next(ctx)
        name = ctx.params.get("name")
        tool = self._tools.get(name) if isinstance(name, str) else None
        if tool is None:
            raise MCPError(
                INVALID_PARAMS, f"This server has no such tool; it has {', '.join(self._tools)}."
            )
        if not isinstance(ctx.params.get("arguments") or {}, Mapping):
            raise MCPError(INVALID_PARAMS, "arguments must be an object.")
        return await call_next(ctx)

    def _check_prompt(self, params: Mapping[str, Any]) -> None:
        name, given = params.get("name"), params.get("arguments") or {}
        known = self._prompts.get(name) if isinstance(name, str) else None
        if known is None:
            raise MCPError(
                INVALID_PARAMS,
                f"This server has no such prompt; it has {', '.join(self._prompts)}.",
            )
        if not isinstance(given, Mapping):
            raise MCPError(INVALID_PARAMS, "arguments must be an object.")
        for argument in given:
            if argument not in known:
                raise MCPError(
                    INVALID_PARAMS,
                    f"{name} has no argument '{cut(str(argument), 40)}'. It takes "
                    f"{', '.join(known)}.",
                )
        for argument in known.values():
            value = str(given.get(argument.name) or "").strip()
            if not value and argument.default is None:
                raise MCPError(INVALID_PARAMS, f"{name} needs {argument.name}.")
            try:
                self._check_argument(argument, value)
            except InputError as error:
                raise MCPError(INVALID_PARAMS, str(error)) from None


def checked(tool: Tool, given: Mapping[str, Any], tools: Iterable[Tool]) -> dict[str, Any]:
    """Return the arguments of a call as the tool takes them.

    Args:
        tool: The tool.
        given: What the caller gave.
        tools: Those that may take what this one does not.

    Raises:
        InputError: One is unknown, missing or wrong; the message says what to write.
    """
    known: Mapping[str, Mapping[str, Any]] = tool.parameters["properties"]
    given = without_aliases(
        {name: v for name, v in given.items() if name in known or name not in _OF_CLIENTS}, known
    )
    for name in given:
        if name not in known:
            raise _unknown(tool, name, list(tools))
    arguments = {
        name: _forgiven(value, known[name])
        for name, value in given.items()
        # Clients fill what they leave out with null, or with an empty text.
        if value is not None
        and not (value == "" and name not in tool.parameters.get("required", ()))
    }
    try:
        tool.fn_metadata.arg_model.model_validate(arguments)
    except ValidationError as error:
        name = str(error.errors(include_url=False)[0]["loc"][0])
        raise InputError(_explained(tool, name, missing=name not in arguments)) from None
    return arguments


def _unknown(tool: Tool, name: str, tools: Sequence[Tool]) -> InputError:
    """Return the error for an argument that a tool does not take: what may be meant instead."""
    known = tool.parameters["properties"]
    offered = {t.name: t.parameters["properties"] for t in tools}
    meant = [m for m in _MEANT.get(name.lower(), ()) if m in known or m in offered]
    # What sounds like another parameter, but is a name of something else, comes first.
    close = meant or difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    wanted = [name, *(() if meant else _MEANT.get(name.lower(), ()))]
    where = "".join(
        f" {other} works in {', '.join(takers)}."
        for other in wanted
        if (takers := [t for t, properties in offered.items() if other in properties])
    )
    return InputError(
        f"{tool.name} has no parameter '{cut(name, 40)}'.{hint} It takes {', '.join(known)}.{where}"
    )


def _forgiven(value: object, schema: Mapping[str, Any]) -> object:
    """Return a value as the schema wants it, where there is no doubt what is meant."""
    if schema.get("type") == "string" and isinstance(value, int | float):
        return value if isinstance(value, bool) else str(value)
    if "enum" in schema and isinstance(value, str):
        word = value.strip().lower()
        return word if word in schema["enum"] else value
    return value


def _explained(tool: Tool, name: str, *, missing: bool) -> str:
    schema = tool.parameters["properties"][name]
    if missing:
        return f"{tool.name} needs {name}: {schema.get('description', 'a text')}."
    if "enum" in schema:
        return f"{name} must be one of {', '.join(schema['enum'])}."
    if schema.get("type") == "integer":
        return f"{name} must be a whole number from {schema['minimum']} to {schema['maximum']}."
    return f"{name} must be a text: {schema.get('description', '')}.".replace(": .", ".")
