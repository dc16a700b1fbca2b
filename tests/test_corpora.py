"""Attacks that others have collected, as contact data and as arguments.

Every text of every attack case of mcp-defense-bench and of every fixture of mcp-adversarial is what
a stranger typed here: through the boundary, and through the whole server. What their cases say of
transports and delegation is not ours to defend; the texts in them are, whatever they were for.
"""

import json
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import pytest

from smoc_mcp.boundary import clean
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from tests.hidden import hidden_in
from tests.serving import KEY, memory_server, text_of
from tests.test_contract import check_structure, check_tables, check_text, texts_in
from tests.test_definitions import NAMES

pytestmark = pytest.mark.anyio

BENCH = files("mcp_defense_bench") / "_bench"
FIXTURES = files("mcp_adversarial") / "fixtures"
REQUIRED = {"email": "ada@example.com", "contact_id": "x"}
PER_CONTACT = 6


def cases(folder: Traversable) -> Iterator[tuple[str, Any]]:
    """Yield the name and content of every JSON file below a folder."""
    for item in sorted(folder.iterdir(), key=lambda it: it.name):
        if item.is_dir():
            yield from cases(item)
        elif item.name.endswith(".json"):
            yield item.name, json.loads(item.read_text("utf-8"))


def texts(folder: Traversable) -> list[str]:
    """Return every text of every case below a folder, each once."""
    return sorted({text for _, case in cases(folder) for text in texts_in(case)})


ATTACKS = texts(BENCH / "testcases") + texts(FIXTURES)
BENIGN = [
    text
    for name in ("tool-result", "tool-call")
    for text in texts(BENCH / "testcases-benign" / name)
]


def test_the_corpora_are_there_whole() -> None:
    assert len(list(cases(BENCH / "testcases"))) >= 60
    assert len(list(cases(FIXTURES))) >= 12
    assert len(ATTACKS) > 500
    assert len(BENIGN) > 100
    assert any(hidden_in(text) for text in ATTACKS)


def test_no_attack_gets_through_the_boundary_with_anything_hidden() -> None:
    for text in ATTACKS:
        assert hidden_in(clean(text)) == []
        assert "\n" not in clean(text)


def test_what_is_in_plain_sight_stays_as_it_was() -> None:
    for text in BENIGN:
        if not hidden_in(text) and text == text.strip() and "&" not in text:
            assert clean(text) == text


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve a company whose contacts' texts are the attacks, six to a contact."""
    company = Company("Attacked", seed=1, size=0)
    for start in range(0, len(ATTACKS), PER_CONTACT):
        six = (ATTACKS[start : start + PER_CONTACT] * PER_CONTACT)[:PER_CONTACT]
        company.add(
            firstName=six[0],
            lastName=six[1],
            company=six[2],
            city=six[3],
            email=six[4],
            msisdn=six[5],
            status="1",
            textFields=[{"key": six[0], "value": six[1], "flowName": six[2]}],
            answeredSurveyQuestions=[{"question": six[3], "answer": six[4], "questionId": six[5]}],
            visitList=[{"utmSource": six[0], "utmCampaign": six[1], "landingPage": six[2]}],
            usersReferred=[],
            rewardFlows=[{"id": "1", "title": six[3]}],
        )
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


async def test_no_attack_forges_a_line_a_row_or_a_cell_of_a_list(url: str) -> None:
    async with memory_server(url) as client:
        arguments: dict[str, Any] = {"limit": 30}
        pages = 0
        while pages < 40:
            answer = await client.call_tool("contacts_list", arguments)
            content = answer.structured_content
            assert content is not None, text_of(answer)
            check_structure(content)
            check_text(text_of(answer))
            check_tables(text_of(answer), len(content["contacts"]))
            pages += 1
            if "next_cursor" not in content:
                break
            arguments["cursor"] = content["next_cursor"]
    assert pages > 3
    assert "next_cursor" not in content


@pytest.mark.parametrize("by", ["company", "city", "flow", "utm_source,utm_campaign", "survey:a"])
async def test_no_attack_forges_a_group(url: str, by: str) -> None:
    async with memory_server(url) as client:
        answer = await client.call_tool("contacts_stats", {"group_by": by, "limit": 100})
    content = answer.structured_content
    assert content is not None
    check_structure(content)
    check_text(text_of(answer))
    check_tables(text_of(answer), len(content["groups"]))


async def test_no_attack_forges_a_line_of_a_contact(url: str) -> None:
    async with memory_server(url) as client:
        page = (await client.call_tool("contacts_list", {"limit": 50})).structured_content
        assert page is not None
        for contact in page["contacts"][:25]:
            answer = await client.call_tool(
                "contacts_get", {"contact_id": contact["id"], "include": "all"}
            )
            content = answer.structured_content
            assert content is not None
            check_structure(content)
            check_text(text_of(answer))


@pytest.mark.parametrize("tool", NAMES)
async def test_no_fixture_as_an_argument_breaks_a_tool(url: str, tool: str) -> None:
    async with memory_server(url) as client:
        [definition] = [t for t in (await client.list_tools()).tools if t.name == tool]
        given = {name: REQUIRED[name] for name in definition.input_schema.get("required", ())}
        for text in texts(FIXTURES):
            for name in definition.input_schema["properties"]:
                answer = await client.call_tool(tool, {**given, name: text})
                said = text_of(answer)
                check_text(said)
                if answer.is_error:
                    assert len(said) <= 2_000
                    assert "\n" not in said
                    assert "Error executing" not in said


@pytest.mark.parametrize("case", list(cases(FIXTURES)), ids=lambda case: str(case[0]))
async def test_no_fixture_is_taken_as_it_is(url: str, case: tuple[str, Any]) -> None:
    """Every fixture names arguments that no tool has: refused by name, in one clean line."""
    arguments = case[1]["args"]
    async with memory_server(url) as client:
        for tool in NAMES:
            answer = await client.call_tool(tool, arguments)
            said = text_of(answer)
            assert answer.is_error
            assert "has no parameter" in said
            assert hidden_in(said) == []
            assert len(said) <= 2_000
