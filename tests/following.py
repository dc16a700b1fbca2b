"""A scripted model that does what a prompt says: it makes the calls that the text names.

It reads a text as the models are told to: what stands in quotes is data, `tool name=value` is a
call. Where a call wants an id that is to be taken from an answer, it takes those of the last one.
"""

import json
import re
from typing import Any, NamedTuple

from mcp import Client
from mcp_types import TextContent

from tests.serving import ask

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_CALL = re.compile(rf"{_QUOTED}|\b(contacts_\w+)((?:\s+\w+=(?:{_QUOTED}|[^\s\"]+))*)")
_ARGUMENT = re.compile(rf"(\w+)=({_QUOTED}|[^\s\"]+)")
_MOST = 5


class Step(NamedTuple):
    """A call and its answer."""

    tool: str
    arguments: dict[str, Any]
    answer: dict[str, Any]


async def prompt_text(client: Client, name: str, **given: str) -> str:
    """Return a prompt as it is rendered for arguments."""
    [message] = (await client.get_prompt(name, given)).messages
    assert isinstance(message.content, TextContent)
    return message.content.text


def calls_in(text: str) -> list[tuple[str, dict[str, str]]]:
    """Return the calls that a text names, in order; none that stands in quotes."""
    return [
        (call[1], {a[1]: _value(a[2]) for a in _ARGUMENT.finditer(call[2])})
        for call in _CALL.finditer(text)
        if call[1]
    ]


def _value(written: str) -> str:
    # Behind a bare value may stand the sign that ends a sentence.
    return str(json.loads(written)) if written.startswith('"') else written.rstrip(".,:;)")


async def follow(client: Client, text: str) -> list[Step]:
    """Make the calls of a text, each of which must be accepted, and return them."""
    tools = {t.name: t.input_schema for t in (await client.list_tools()).tools}
    steps: list[Step] = []
    for tool, written in calls_in(text):
        assert tool in tools
        needed = set(tools[tool].get("required", ())) - set(written)
        known = tools[tool]["properties"]
        given: dict[str, Any] = {
            name: int(value) if known[name]["type"] == "integer" else value
            for name, value in written.items()
        }
        assert needed <= {"contact_id"}
        for more in [{"contact_id": i} for i in _ids(steps)] if needed else [{}]:
            arguments = {**given, **more}
            steps.append(Step(tool, arguments, await ask(client, tool, **arguments)))
    return steps


def _ids(steps: list[Step]) -> list[str]:
    """Return the ids of the last answer that lists contacts, as many as are looked at."""
    for step in reversed(steps):
        rows = step.answer.get("contacts", step.answer.get("matches"))
        if rows is not None:
            return [row["id"] for row in rows[:_MOST]]
    return []
