"""What a client sees before it calls anything: names, schemas, sizes, cache hints.

All of it also stands in snapshots/, so that a change is seen in review: after one that is meant,
`pytest tests/test_definitions.py --update-snapshots`.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpe_openai
import pytest
from mcp import MCPError
from mcp_types import CacheableResult, Tool

from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.server.apps import PAGE
from smoc_mcp.server.server import INSTRUCTIONS
from tests.serving import KEY, NAMES, memory_server

pytestmark = pytest.mark.anyio

SNAPSHOTS = Path(__file__).parent / "snapshots"

Rule = Callable[[Tool], bool]


def keys_in(schema: Any) -> Iterator[str]:
    """Yield every key of a schema, but for the names of properties."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            yield key
            yield from keys_in(list(value.values()) if key == "properties" else value)
    elif isinstance(schema, list):
        for value in schema:
            yield from keys_in(value)


def no(*keys: str) -> Rule:
    """Return a rule: these keys are nowhere in the input schema."""
    return lambda tool: not set(keys) & set(keys_in(tool.input_schema))


def properties(tool: Tool) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = tool.input_schema["properties"]
    return found


RULES: dict[str, Rule] = {
    # What the design names, and the client that it was seen to break.
    "Gemini refuses additionalProperties: false": no("additionalProperties"),
    "Cursor and older LangChain adapters resolve no $ref": no("$ref", "$defs", "definitions"),
    "Gemini and Windsurf take no unions": no("anyOf", "oneOf", "allOf", "not", "const"),
    "Gemini knows two formats only": no("format"),
    "Gemini refuses an enum with an empty text": lambda tool: all(
        "" not in p.get("enum", ()) for p in properties(tool).values()
    ),
    "OpenAI's strict mode wants no patterns and lengths": no("pattern", "minLength", "maxLength"),
    "Codex and Gemini want one type, a scalar": lambda tool: all(
        p["type"] in ("string", "integer") for p in properties(tool).values()
    ),
    "titles are paid for and say nothing": no("title"),
    "OpenAI and Anthropic: names of letters, digits, _ and -, at most 64": lambda tool: bool(
        re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", tool.name)
    ),
    "Cursor: at most 60 characters with the server's name": lambda tool: (
        len(f"smoc-mcp:{tool.name}") <= 60
    ),
    "Anthropic: parameters of letters, digits, _, . and -": lambda tool: all(
        re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", name) for name in properties(tool)
    ),
    "VS Code: the schema is of an object with properties": lambda tool: (
        tool.input_schema["type"] == "object" and bool(properties(tool))
    ),
    "each parameter has a default, is required, or is a text to leave out": lambda tool: all(
        not ("default" in p and name in tool.input_schema.get("required", ()))
        and (p["type"] == "string" or "default" in p)
        for name, p in properties(tool).items()
    ),
    "ChatGPT: every object of a result is named in the output schema": lambda tool: (
        tool.output_schema is not None and tool.output_schema["type"] == "object"
    ),
}
"""By client: what it chokes on, or asks for."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: Company("Small", seed=8, size=20)})) as address:
        yield address


async def definitions(url: str) -> list[Tool]:
    async with memory_server(url) as client:
        return (await client.list_tools()).tools


@pytest.mark.parametrize("rule", RULES)
async def test_no_client_chokes_on_a_definition(url: str, rule: str) -> None:
    for tool in await definitions(url):
        assert RULES[rule](tool), f"{tool.name}: {rule}"


@pytest.mark.parametrize(
    "schema",
    [
        {"additionalProperties": False},
        {"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}},
        {"properties": {"a": {"$ref": "#/$defs/A"}}},
        {"properties": {"a": {"type": "string", "enum": ["", "x"]}}},
        {"properties": {"a": {"type": "string", "format": "email"}}},
        {"properties": {"a": {"type": "array"}}},
        {"properties": {"a b": {"type": "string"}}},
    ],
    ids=str,
)
def test_a_definition_that_some_client_chokes_on_breaks_a_rule(schema: dict[str, Any]) -> None:
    whole = {"type": "object", "properties": {}, **schema}
    tool = Tool(name="contacts_x", input_schema=whole)

    def holds(rule: Rule) -> bool:
        try:
            return rule(tool)
        except KeyError:
            return False

    assert not all(holds(rule) for rule in RULES.values())


async def test_a_result_refers_only_to_what_it_uses_more_than_once(url: str) -> None:
    for tool in await definitions(url):
        schema = json.dumps(tool.output_schema)
        for name in (tool.output_schema or {}).get("$defs", {}):
            assert schema.count(f'"#/$defs/{name}"') > 1, f"{tool.name}: {name}"


async def test_there_are_eight_tools_in_a_fixed_order(url: str) -> None:
    assert [tool.name for tool in await definitions(url)] == NAMES


async def test_every_tool_says_that_it_only_reads(url: str) -> None:
    for tool in await definitions(url):
        hints = tool.annotations
        assert hints is not None
        assert tool.title
        assert (hints.read_only_hint, hints.destructive_hint) == (True, False)
        assert (hints.idempotent_hint, hints.open_world_hint) == (True, True)


async def test_descriptions_are_at_most_three_sentences(url: str) -> None:
    for tool in await definitions(url):
        assert tool.description is not None
        assert 1 <= tool.description.count(". ") + 1 <= 3
        assert len(tool.description) < 300


async def test_every_parameter_is_described_by_its_tool_or_as_a_filter_of_contacts_search(
    url: str,
) -> None:
    tools = {tool.name: tool for tool in await definitions(url)}
    search = properties(tools["contacts_search"])
    for tool in tools.values():
        for name, schema in properties(tool).items():
            described = schema.get("description")
            if not described:
                assert "filters of contacts_search" in (tool.description or "").replace("\n", " ")
                described = search[name].get("description")
            assert described, f"{tool.name}: {name}"


@pytest.mark.parametrize(
    "method", ["list_tools", "list_prompts", "list_resources", "list_resource_templates"]
)
async def test_a_cursor_that_no_list_gave_is_invalid_params(url: str, method: str) -> None:
    async with memory_server(url) as client:
        with pytest.raises(MCPError) as refused:
            await getattr(client, method)(cursor="made up")
    assert refused.value.code == -32602


async def test_all_definitions_together_are_at_most_5000_tokens(url: str) -> None:
    dumped = [
        t.model_dump(mode="json", by_alias=True, exclude_none=True) for t in await definitions(url)
    ]
    tokens = bpe_openai.get_encoding("o200k_base").encode(json.dumps(dumped))
    assert len(tokens) <= 5000


def test_the_instructions_are_at_most_2_kb() -> None:
    assert len(INSTRUCTIONS.encode()) <= 2048


async def test_lists_of_definitions_are_public_and_contacts_private(url: str) -> None:
    async with memory_server(url) as client:
        lists: list[CacheableResult] = [
            await client.list_tools(),
            await client.list_prompts(),
            await client.list_resources(),
            await client.list_resource_templates(),
            await client.read_resource("smoc://guide"),
        ]
        contacts = [await client.read_resource("smoc://company")]
        ids = (await client.call_tool("contacts_list", {"limit": 1})).structured_content
        assert ids is not None
        contact_id = ids["contacts"][0]["id"]
        contacts.append(await client.read_resource(f"smoc://contacts/{contact_id}"))
    for result in lists:
        assert result.cache_scope == "public"
        assert result.ttl_ms is not None
        assert result.ttl_ms >= 60_000
    for read in contacts:
        assert (read.cache_scope, read.ttl_ms) == ("private", 0)


async def test_an_older_client_gets_the_guide_too(url: str) -> None:
    async with memory_server(url, mode="legacy") as client:
        read = await client.read_resource("smoc://guide")
    assert "at_least" in str(read.contents)


async def test_definitions_are_as_in_the_snapshots(url: str, update_snapshots: bool) -> None:
    async with memory_server(url) as client:
        offered: dict[str, list[Any]] = {
            "tools": (await client.list_tools()).tools,
            "prompts": (await client.list_prompts()).prompts,
            "resources": (await client.list_resources()).resources,
            "templates": (await client.list_resource_templates()).resource_templates,
        }
        texts = {
            prompt.name: (await client.get_prompt(prompt.name, _examples(prompt))).messages
            for prompt in offered["prompts"]
        }
        guide = (await client.read_resource("smoc://guide")).contents
    made = {
        # But for the version of the page, which any change of it changes.
        f"{name}.json": json.dumps(
            [_dumped(it) for it in items], indent=1, ensure_ascii=False
        ).replace(PAGE.uri, "ui://smoc/dashboard-….html")
        for name, items in offered.items()
    }
    made |= {
        f"prompt_{name}.md": str(_dumped(m[0])["content"]["text"]) for name, m in texts.items()
    }
    made |= {"guide.md": str(_dumped(guide[0])["text"]), "instructions.md": INSTRUCTIONS}
    if update_snapshots:
        SNAPSHOTS.mkdir(exist_ok=True)
        for name, text in made.items():
            (SNAPSHOTS / name).write_text(text.rstrip() + "\n", "utf-8")
    kept = {path.name: path.read_text("utf-8") for path in SNAPSHOTS.iterdir()}
    assert kept == {name: text.rstrip() + "\n" for name, text in made.items()}


def _examples(prompt: Any) -> dict[str, str]:
    return {argument.name: "…" for argument in prompt.arguments if argument.required}


def _dumped(item: Any) -> dict[str, Any]:
    dumped: dict[str, Any] = item.model_dump(mode="json", by_alias=True, exclude_none=True)
    return dumped
