"""The contract of ChatGPT: search and fetch take a text and give an object, also as a JSON text."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import jsonschema
import pytest
from mcp import Client
from mcp_types import TextContent

from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from tests.serving import KEY, NAMES, refusal, stdio_server

pytestmark = pytest.mark.anyio

PAGE = "https://crm.example.com/contacts/{id}"
TEXT = {"type": "string", "minLength": 1}
LINK = {"id": TEXT, "title": TEXT, "url": {"type": "string", "pattern": "^(https|smoc)://.+"}}
SEARCH = {
    "type": "object",
    "properties": {
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": LINK,
                "required": list(LINK),
                "additionalProperties": False,
            },
        }
    },
    "required": ["results"],
    "additionalProperties": False,
}
FETCH = {
    "type": "object",
    "properties": {
        **LINK,
        "text": TEXT,
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": [*LINK, "text", "metadata"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    company = Company("Small", seed=8, size=120)
    company.add(firstName="Zebulon", lastName="Quist", company="Fjord AS")
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


@asynccontextmanager
async def chatgpt(url: str, mask: str = "", page: str = "") -> AsyncIterator[Client]:
    env = {"SMOC_MCP_TOOLS": "chatgpt", "SMOC_MCP_MASK": mask, "SMOC_MCP_CONTACT_URL": page}
    async with stdio_server(url, KEY, "auto", **env) as client:
        yield client


async def answer(client: Client, tool: str, schema: dict[str, Any], **given: str) -> dict[str, Any]:
    """Return an answer that must keep the contract."""
    got = await client.call_tool(tool, given)
    assert not got.is_error
    (content,) = got.content
    assert isinstance(content, TextContent)
    found: dict[str, Any] = json.loads(content.text)
    assert got.structured_content == found
    jsonschema.validate(found, schema)
    return found


async def test_the_two_tools_take_one_text_and_come_beside_the_others(url: str) -> None:
    async with chatgpt(url) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert len(tools) == len(NAMES) + 2
    for name, argument in (("search", "query"), ("fetch", "id")):
        schema = tools[name].input_schema
        assert list(schema["properties"]) == [argument] == schema["required"]
        assert schema["properties"][argument]["type"] == "string"
        assert (annotations := tools[name].annotations) is not None
        assert annotations.read_only_hint


async def test_what_search_finds_can_be_fetched(url: str) -> None:
    async with chatgpt(url) as client:
        (link,) = (await answer(client, "search", SEARCH, query="quist zebulon"))["results"]
        whole = await answer(client, "fetch", FETCH, id=link["id"])
    assert link["title"] == whole["title"] == "Zebulon Quist"
    assert "Fjord AS" in whole["text"]
    assert whole["metadata"]["company"] == "Fjord AS"


async def test_words_that_nobody_holds_do_not_hide_the_others(url: str) -> None:
    async with chatgpt(url) as client:
        found = await answer(client, "search", SEARCH, query="qqqqqq zebulon")
        nobody = await answer(client, "search", SEARCH, query="qqqqqq")
    assert [link["title"] for link in found["results"]] == ["Zebulon Quist"]
    assert nobody == {"results": []}


async def test_links_lead_to_the_page_that_the_settings_name(url: str) -> None:
    async with chatgpt(url, page=PAGE) as client:
        found = await answer(client, "search", SEARCH, query="a")
    assert found["results"]
    for link in found["results"]:
        assert link["url"] == PAGE.replace("{id}", link["id"])


async def test_names_are_masked_in_titles_too(url: str) -> None:
    async with chatgpt(url, mask="name,email") as client:
        (link,) = (await answer(client, "search", SEARCH, query="zebulon"))["results"]
    assert link["title"] == "Z*** Q***"


async def test_a_mistake_is_a_sentence(url: str) -> None:
    async with chatgpt(url) as client:
        assert "query is empty" in await refusal(client, "search", query=" ")
        assert "id is empty" in await refusal(client, "fetch", id=" ")
        assert "id" in await refusal(client, "fetch", id="nobody")
