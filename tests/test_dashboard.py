"""contacts_dashboard: several answers of one moment, and the page that clients show them by."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from importlib.resources import files
from typing import Any

import pytest
from mcp import Client
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp_types import TextResourceContents

from smoc_mcp.questions.look import UNITS
from smoc_mcp.sandbox import Company, Fault, Sandbox, run_in_thread
from smoc_mcp.server.apps import PAGE
from tests.serving import KEY, NAMES, ask, memory_server, refusal, stdio_server, text_of

pytestmark = pytest.mark.anyio

PARTS = ("page.html", "style.css", "host.js", "words.js", "pictures.js", "people.js", "view.js")


@pytest.fixture(scope="module")
def company() -> Company:
    return Company("Small", seed=8, size=300, hostile=0)


@pytest.fixture(scope="module")
def large() -> Company:
    return Company("Large", seed=3, size=3000, hostile=0)


@pytest.fixture(scope="module")
def url(company: Company, large: Company) -> Iterator[str]:
    sandbox = Sandbox(keys={KEY: company, "key-of-large": large})
    with run_in_thread(sandbox) as address:
        yield address


@pytest.fixture(scope="module")
async def client(url: str, engine_of_module: None) -> AsyncIterator[Client]:  # noqa: ARG001
    """The one that all tests ask which change nothing."""
    async with memory_server(url) as opened:
        yield opened


def inside(part: dict[str, Any], whole: dict[str, Any]) -> bool:
    """Say whether each group of a part has the numbers that it has in the whole answer."""
    pairs = zip(part["groups"], whole["groups"], strict=True)
    return all(group.items() <= known.items() for group, known in pairs)


@pytest.mark.parametrize("key", [KEY, "key-of-large"])
async def test_its_parts_are_what_the_other_tools_answer(url: str, key: str) -> None:
    async with memory_server(url, key) as client:
        found = await ask(client, "contacts_dashboard", group_by="utm_source")
        numbers = await ask(client, "contacts_stats")
        trend = await ask(
            client, "contacts_stats", group_by=found["unit"], limit=UNITS[found["unit"]]
        )
        groups = await ask(client, "contacts_stats", group_by="utm_source", limit=8)
        newest = await ask(client, "contacts_list", limit=5)
    assert found["numbers"].items() <= numbers.items()
    assert found["company"] == numbers["company"]
    assert inside(found["trend"], trend)
    assert inside(found["groups"], groups)
    for part, whole in ((found["trend"], trend), (found["groups"], groups)):
        for name in ("grouped", "groups_certainty", "proven_since"):
            assert part.get(name) == whole.get(name)
    assert found["newest"]["contacts"] == newest["contacts"]
    assert found["newest"]["certainty"] == newest["certainty"] == "exact"


async def test_the_text_says_what_the_page_draws(url: str) -> None:
    async with memory_server(url, "key-of-large") as client:
        answer = await client.call_tool("contacts_dashboard", {})
    text, found = text_of(answer), answer.structured_content
    assert found is not None
    lines = text.splitlines()
    for group in found["trend"]["groups"]:
        assert any(
            line.startswith(f"{group['key'][found['unit']]}|{group['contacts']}|") for line in lines
        )
    for group in found["groups"]["groups"]:
        shares = (
            f"{group['share']:.1%}|{group['customer_share']:.1%}|{group['converted_share']:.1%}"
        )
        row = f"{group['key']['utm_campaign']}|{group['contacts']}|{group['customers']}|{shares}"
        assert row in lines
    for contact in found["newest"]["contacts"]:
        assert any(line.startswith(contact["id"]) for line in lines)
    assert found["note"] in text
    assert f"contacts_changes since={found['cursor']}" in text
    assert len(text) < 6_000


@pytest.mark.parametrize(
    ("days", "unit"), [(3, "created_day"), (60, "created_week"), (300, "created_month")]
)
async def test_a_trend_is_of_periods_of_which_there_are_more_than_a_few(
    client: Client, days: int, unit: str
) -> None:
    found = await ask(client, "contacts_dashboard", created_after=f"{days}d")
    assert found["unit"] == unit
    assert found["trend"]["groups"]


async def test_what_is_not_proven_has_no_groups_to_draw(url: str) -> None:
    async with memory_server(url, "key-of-large") as client:
        found = await ask(
            client, "contacts_dashboard", created_before="400d", group_by="city", status="lost"
        )
    for part in (found["trend"], found["groups"]):
        assert part["groups"] == []
        assert "groups_certainty" not in part
        assert "contacts may be missing everywhere" in part["note"]
    assert found["numbers"]["total_certainty"] == "at_least"


async def test_a_period_that_is_cut_is_said_to_be_among_the_groups_too(url: str) -> None:
    async with memory_server(url, "key-of-large") as client:
        answer = await client.call_tool("contacts_dashboard", {"group_by": "conversation_month"})
        whole = await ask(client, "contacts_stats", group_by="conversation_month", limit=8)
    found = answer.structured_content
    assert found is not None
    marks = [group.get("partial") for group in found["groups"]["groups"]]
    assert marks == [group.get("partial") for group in whole["groups"]]
    assert True in marks
    assert "|partial" in text_of(answer)


async def test_those_who_may_not_be_the_newest_are_not_called_so(url: str) -> None:
    async with memory_server(url, "key-of-large") as client:
        old = text_of(await client.call_tool("contacts_dashboard", {"created_before": "300d"}))
        new = text_of(await client.call_tool("contacts_dashboard", {}))
    assert "Newest of those in hand, newer ones may be missing (at_least):" in old
    assert "Newest (exact):" in new
    assert "contacts_stats with scope=in_hand" not in new


async def test_with_its_cursor_one_is_told_who_came_since() -> None:
    company = Company("Growing", seed=8, size=40, hostile=0)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url, cache_seconds=0) as client:
            found = await ask(client, "contacts_dashboard")
            before = await ask(client, "contacts_changes", since=found["cursor"])
            added = company.add(2)
            after = await ask(client, "contacts_changes", since=before["cursor"])
    assert {contact["id"] for contact in before["new"]} <= {
        contact["id"] for contact in found["newest"]["contacts"]
    }
    assert {contact["id"] for contact in after["new"]} == set(added)


async def test_it_takes_one_dimension(client: Client) -> None:
    why = await refusal(client, "contacts_dashboard", group_by="city,status")
    assert "one dimension" in why
    assert (await ask(client, "contacts_dashboard", group_by="created_weekday"))["group_by"]


async def test_an_empty_company_has_an_answer_too() -> None:
    with run_in_thread(Sandbox(keys={KEY: Company("Empty", size=0)})) as url:
        async with memory_server(url) as client:
            answer = await client.call_tool("contacts_dashboard", {})
    assert answer.structured_content is not None
    assert answer.structured_content["numbers"]["total"] == 0
    assert text_of(answer).startswith("0 contacts.")


async def failure_of(client: Client, **arguments: object) -> str:
    answer = await client.call_tool("contacts_dashboard", arguments)
    assert answer.is_error
    assert answer.meta is not None
    return str(answer.meta["smoc-mcp/failure"])


async def test_a_failure_says_of_which_kind_it_is() -> None:
    sandbox = Sandbox(keys={KEY: Company("Small", seed=8, size=40, hostile=0)})
    with run_in_thread(sandbox) as url:
        async with memory_server(url, "a-key-that-nobody-has") as client:
            assert await failure_of(client) == "key"
        async with memory_server(url) as client:
            assert await failure_of(client, created_after="soon") == "input"
    async with memory_server(url) as client:
        assert await failure_of(client) == "upstream"


async def test_where_smoc_is_down_it_shows_what_was_known_and_says_so() -> None:
    sandbox = Sandbox(keys={KEY: Company("Small", seed=8, size=40, hostile=0)})
    with run_in_thread(sandbox) as url:
        async with memory_server(url, cache_seconds=0) as client:
            known = await ask(client, "contacts_dashboard")
            sandbox.fail(Fault.from_json({"kind": "server_error", "times": None}))
            found = await ask(client, "contacts_dashboard")
    assert "failure" not in known
    assert found["failure"] in found["note"]
    assert found["numbers"]["total_certainty"] == "at_least"
    assert [c["id"] for c in found["newest"]["contacts"]] == [
        c["id"] for c in known["newest"]["contacts"]
    ]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_clients_of_both_protocols_are_told_of_the_page(url: str, mode: Any) -> None:
    async with stdio_server(url, mode=mode) as client:
        extensions = client.server_capabilities.extensions
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        listed = {r.uri: r for r in (await client.list_resources()).resources}
        read = await client.read_resource(PAGE.uri)
        older = await client.read_resource("ui://smoc/dashboard-0123abcd.html")
    assert extensions == {EXTENSION_ID: {}}
    assert [name for name, tool in tools.items() if tool.meta] == ["contacts_dashboard"]
    assert tools["contacts_dashboard"].meta == {
        "ui": {"resourceUri": PAGE.uri, "visibility": ["model", "app"]},
        "ui/resourceUri": PAGE.uri,
    }
    assert listed[PAGE.uri].mime_type == APP_MIME_TYPE
    for answer in (read, older):
        (content,) = answer.contents
        assert isinstance(content, TextResourceContents)
        assert content.mime_type == APP_MIME_TYPE
        assert content.meta == {"ui": {"csp": {}, "prefersBorder": False}}
        assert content.text == PAGE.html


async def test_no_tool_has_a_schema_that_stops_a_client_with_pages(client: Client) -> None:
    tools = (await client.list_tools()).tools
    assert {tool.name for tool in tools} == set(NAMES)
    schemas = json.dumps([tool.model_dump(mode="json") for tool in tools])
    assert "anyOf" not in schemas
    assert "oneOf" not in schemas


def test_the_page_is_whole_and_at_most_40_kb() -> None:
    html = PAGE.html
    assert len(html.encode()) <= 40_000
    for name in PARTS:
        assert f"/* {name} */" not in html
    for function in ("drawTrend", "peopleTable", "ui/initialize"):
        assert function in html
    # Nothing of it is loaded, and nothing a contact holds is ever read as markup or as code.
    for banned in (
        *("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("),
        *("http:", "https:", "src=", "href", "import(", "fetch(", "XMLHttpRequest", "localStorage"),
        *("100vh", "onmessage", "WebSocket"),
    ):
        assert banned not in html, banned
    assert not re.search(r"\son\w+=", html)


def test_no_text_of_the_page_has_what_is_shortened_in_its_code() -> None:
    folder = files("smoc_mcp.server") / "page"
    for name in PARTS[2:]:
        for text in re.findall(r'"[^"\n]*"|`[^`\n]*`', (folder / name).read_text("utf-8")):
            shown = re.sub(r"\$\{[^}]*\}", "", text)
            assert not re.search(r" (=>|===|!==|&&|\|\||=|\+=) ", shown), shown


def test_every_part_of_the_page_is_package_data() -> None:
    folder = files("smoc_mcp.server") / "page"
    assert {part.name for part in folder.iterdir()} == set(PARTS)
    assert (files("smoc_mcp.http") / "window.html").is_file()
