"""Makes a tool of MCP from a method, the annotations of its parameters, and its texts.

The SDK reads a tool's parameters from the signature of a function, so one is made for each tool:
parameters that are data can be shared. Here our errors become failed calls, and views both forms of
an answer.
"""

import inspect
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import PrivateAttr

from smoc_mcp.errors import InputError, SmocError
from smoc_mcp.server.arguments import checked, error_result, failure_kind
from smoc_mcp.server.unexpected import sentence_of
from smoc_mcp.views.boundary import error_text
from smoc_mcp.views.lists import View

__all__ = ["Answer", "define_tool", "introduce"]

logger = logging.getLogger(__name__)

Answer = Callable[..., Awaitable[View[Any]]]

_DEFS = "#/$defs/"
_MANY_NUMBERS = 6


def define_tool(
    answer: Answer,
    title: str,
    description: str,
    result: type,
    **parameters: tuple[object, object],
) -> Tool:
    """Return a tool.

    Args:
        answer: Answers a call; its name is the tool's.
        title: For people.
        description: For the model: what it returns, and when to use it.
        result: The type of the structured form.
        parameters: By name, the annotation and the default; `...` makes a parameter required.
    """

    async def call(**arguments: object) -> CallToolResult:
        try:
            view = await answer(**arguments)
        except SmocError as error:
            logger.info("%s: %s", answer.__name__, error_text(str(error)))
            return error_result(str(error), failure_kind(error))
        return CallToolResult(
            content=[TextContent(type="text", text=view.text)],
            structured_content=view.result,
        )

    signature = inspect.Signature(
        [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=annotation,
                default=inspect.Parameter.empty if default is ... else default,
            )
            for name, (annotation, default) in parameters.items()
        ],
        return_annotation=Annotated[CallToolResult, result],
    )
    call.__signature__ = signature  # type: ignore[attr-defined]  # the SDK reads it
    call.__annotations__ = {n: p.annotation for n, p in signature.parameters.items()}
    tool = _Tool.from_function(
        call,
        name=answer.__name__,
        title=title,
        description=description,
        annotations=ToolAnnotations(
            title=title,
            read_only_hint=True,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=True,
        ),
    )
    tool.parameters = _plain(tool.parameters)
    if tool.fn_metadata.output_schema is not None:
        tool.fn_metadata.output_schema = _in_place(
            _shortened(_plain(tool.fn_metadata.output_schema))
        )
    return tool


class _Tool(Tool):
    """A tool that says in a sentence what is wrong with a call, whatever it is.

    It does so where the SDK calls it: an answer from any earlier would lack what the SDK adds to
    every result.
    """

    _beside: Sequence[Tool] = PrivateAttr(default=())

    def introduce(self, tools: Sequence[Tool]) -> None:
        """Let it know the tools of its server, which may take what it does not."""
        self._beside = tools

    async def run(
        self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False
    ) -> Any:  # noqa: ANN401  the SDK's own type
        """Answer a call."""
        try:
            known = checked(self, arguments, self._beside)
        except InputError as error:
            return error_result(str(error), failure_kind(error))
        try:
            return await super().run(known, context, convert_result)
        except ToolError as error:
            # The SDK would log it once more if it left.
            return error_result(sentence_of(error.__cause__ or error, self.name))


def introduce(tools: Sequence[Tool]) -> None:
    """Let the tools of a server know each other."""
    for tool in tools:
        if isinstance(tool, _Tool):
            tool.introduce(tools)


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON schema without titles, docstrings of our result types, and empty texts."""
    is_definition = "properties" in schema
    return {
        name: {field: _plain_inside(inner) for field, inner in value.items()}
        if name == "properties"
        else _plain_inside(value)
        for name, value in schema.items()
        # What may be left out is what is not required: an empty default says nothing more.
        if name != "title" and value != "" and not (is_definition and name == "description")
    }


def _shortened(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON schema in which objects of texts alone, or of numbers alone, are said to be so.

    Every row of a list is one: their names, which an answer shows anyway, would be half of all
    that a model has to read of our tools.
    """
    shorter = {name: _map_of(one) for name, one in schema.get("$defs", {}).items()}
    return _any_word(_with_numbers_alike({**schema, "$defs": shorter} if shorter else schema))


def _any_word(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON schema without the words that a text may be: an answer shows which it is."""

    def put(value: object) -> object:
        if isinstance(value, list):
            return [put(item) for item in value]
        if not isinstance(value, dict):
            return value
        words = value.get("type") == "string"
        return {k: put(v) for k, v in value.items() if not (words and k in ("enum", "const"))}

    return {name: put(value) for name, value in schema.items()}


def _map_of(schema: dict[str, Any]) -> dict[str, Any]:
    named = schema.get("properties", {})
    # What is an object itself, as the columns of a row, stays named beside them.
    inside = {name: kind for name, kind in named.items() if kind.get("type") == "object"}
    kinds = [kind for name, kind in named.items() if name not in inside]
    if kinds and all(kind == kinds[0] and set(kind) == {"type"} for kind in kinds):
        beside = {"properties": inside} if inside else {}
        return {"type": "object", **beside, "additionalProperties": kinds[0]}
    return _with_numbers_alike(schema)


def _with_numbers_alike(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object of many numbers without the name of each of them."""
    named = schema.get("properties", {})
    rest = {n: kind for n, kind in named.items() if kind.get("type") not in ("integer", "number")}
    if len(named) - len(rest) < _MANY_NUMBERS:
        return schema
    return {**schema, "properties": rest, "additionalProperties": {"type": "number"}}


def _in_place(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON schema with each definition that is used once where it is used.

    Definitions of tools have a budget, and some clients resolve no references.
    """
    used = Counter(_references(schema))
    once = {name: d for name, d in schema.get("$defs", {}).items() if used[_DEFS + name] == 1}

    def put(value: object) -> object:
        if isinstance(value, list):
            return [put(item) for item in value]
        if not isinstance(value, dict):
            return value
        named = once.get(str(value.get("$ref", "")).removeprefix(_DEFS))
        if named is not None:
            return put(named)
        return {key: put(inner) for key, inner in value.items()}

    kept = {name: put(d) for name, d in schema.get("$defs", {}).items() if name not in once}
    rest = {key: put(value) for key, value in schema.items() if key != "$defs"}
    return {"$defs": kept, **rest} if kept else rest


def _references(value: object) -> Iterator[str]:
    """Yield what a schema refers to, once for each time."""
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)


def _plain_inside(value: object) -> object:
    if isinstance(value, list):
        return [_plain_inside(item) for item in value]
    return _plain(value) if isinstance(value, dict) else value
