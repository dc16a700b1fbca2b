"""What a client reads, starts and completes beside the tools."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from mcp import Client, MCPError
from mcp_types import (
    GetPromptResult,
    PromptReference,
    ResourceTemplateReference,
    TextContent,
    TextResourceContents,
)

from smoc_mcp.questions.dimensions import DIMENSIONS
from smoc_mcp.questions.filters import FILTERS, HAS
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.server.apps import PAGE
from smoc_mcp.server.prompts import PROMPTS
from smoc_mcp.views.boundary import Boundary
from smoc_mcp.views.lists import Views
from tests.serving import KEY, ask, memory_server

pytestmark = pytest.mark.anyio

CONTACT = ResourceTemplateReference(type="ref/resource", uri="smoc://contacts/{id}")


@pytest.fixture(scope="module")
def company() -> Company:
    return Company("Small", seed=8, size=120)


@pytest.fixture(scope="module")
def sandbox(company: Company) -> Sandbox:
    return Sandbox(keys={KEY: company})


@pytest.fixture(scope="module")
def url(sandbox: Sandbox) -> Iterator[str]:
    with run_in_thread(sandbox) as address:
        yield address


@pytest.fixture(scope="module")
async def client(url: str, engine_of_module: None) -> AsyncIterator[Client]:  # noqa: ARG001
    """The one that all tests ask which change nothing."""
    async with memory_server(url) as opened:
        yield opened


async def read(client: Client, uri: str) -> str:
    [item] = (await client.read_resource(uri)).contents
    assert isinstance(item, TextResourceContents)
    return item.text


async def complete(
    client: Client, ref: PromptReference | ResourceTemplateReference, name: str, value: str
) -> list[str]:
    return (await client.complete(ref, {"name": name, "value": value})).completion.values


def prompt(name: str) -> PromptReference:
    return PromptReference(type="ref/prompt", name=name)


def said(made: GetPromptResult) -> str:
    [message] = made.messages
    assert isinstance(message.content, TextContent)
    return message.content.text


async def test_a_contact_as_a_resource_is_its_digest(client: Client, company: Company) -> None:
    [contact_id] = company.sample(1)
    found = json.loads(await read(client, f"smoc://contacts/{contact_id}"))
    asked = await ask(client, "contacts_get", contact_id=contact_id)
    assert found["contact"] == asked["contact"]


@pytest.mark.parametrize("name", ["nope", "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "a%00b", "x" * 3_000])
async def test_a_contact_that_is_not_there_is_invalid_params(client: Client, name: str) -> None:
    with pytest.raises(MCPError) as refused:
        await client.read_resource(f"smoc://contacts/{name}")
    assert refused.value.code == -32602
    assert len(refused.value.message) <= 2_000


async def test_a_resource_says_why_smoc_could_not_be_asked() -> None:
    sandbox = Sandbox(keys={KEY: Company("Small", seed=8, size=20)})
    with run_in_thread(sandbox) as address:
        async with memory_server(address, key="wrong") as client:
            for uri in ("smoc://company", "smoc://catalogue", "smoc://contacts/x"):
                with pytest.raises(MCPError, match="Integrations"):
                    await client.read_resource(uri)


async def test_the_resources_are_the_company_the_catalogue_the_guide_and_the_page(
    client: Client,
) -> None:
    listed = [str(resource.uri) for resource in (await client.list_resources()).resources]
    assert listed == ["smoc://company", "smoc://catalogue", "smoc://guide", PAGE.uri]


async def test_the_catalogue_is_what_is_in_hand_and_looks_by_itself(
    client: Client, company: Company
) -> None:
    visits = [c.get("visitList") for c in company.contacts()]
    firsts = [v[0] for v in visits if isinstance(v, list) and v]
    truth = Counter(v["utmCampaign"] for v in firsts if v.get("utmCampaign"))
    answers = [c.get("answeredSurveyQuestions") or [] for c in company.contacts()]
    asked = Counter(
        question
        for given in answers
        if isinstance(given, list)
        for question in {a["question"] for a in given if a.get("answer")}
    )
    found = json.loads(await read(client, "smoc://catalogue"))
    # A campaign of the catalogue is a value of the filter.
    first = found["campaigns"][0]
    stats = await ask(client, "contacts_stats", utm_campaign=first["value"])
    assert "120 contacts in hand, not in the whole company" in found["note"]
    assert {c["value"]: c["contacts"] for c in found["campaigns"]} == truth
    assert [c["value"] for c in found["campaigns"]] == sorted(truth)
    assert {q["question"]: q["contacts"] for q in found["survey_questions"]} == asked
    assert stats["total"] == first["contacts"]
    assert found["flows"]


async def test_the_catalogue_has_at_most_fifty_of_a_kind_and_says_how_many_more() -> None:
    company = Company("Many", seed=8, size=0)
    for n in range(60):
        # Two contacts of the first ten.
        company.add(1 + (n < 10), visitList=[{"utmCampaign": f"Campaign {n:02}"}])
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        async with memory_server(address) as client:
            found = json.loads(await read(client, "smoc://catalogue"))
    names = [c["value"] for c in found["campaigns"]]
    assert len(names) == 50
    assert names == sorted(names)
    assert {f"Campaign {n:02}" for n in range(10)} <= set(names)
    assert found["more_campaigns"] == 10


async def test_the_guide_names_every_filter_and_group(client: Client) -> None:
    guide = await read(client, "smoc://guide")
    for name in (*DIMENSIONS, *HAS, "exact_unless_deleted", "at_least", "last_verified", "matched"):
        assert name in guide
    for name in FILTERS:
        stem, _, end = name.rpartition("_")
        assert name in guide or (end in ("after", "before") and stem in guide) or "utm_*" in guide


async def test_every_prompt_names_tools_that_exist_and_parameters_that_they_take(
    client: Client,
) -> None:
    tools = {t.name: t.input_schema["properties"] for t in (await client.list_tools()).tools}
    for name, arguments in PROMPTS.items():
        made = await client.get_prompt(
            name, {a.name: "7d" for a in arguments if a.kind != "status"}
        )
        text = said(made)
        called = [tool for tool in tools if tool in text]
        assert called
        taken = {parameter for tool in called for parameter in tools[tool]}
        for word in text.replace('"', " ").split():
            parameter, equals, _ = word.partition("=")
            if equals and parameter.isidentifier():
                assert parameter in taken, (name, parameter)


async def test_a_prompt_without_its_optional_arguments_takes_their_defaults(client: Client) -> None:
    made = await client.get_prompt("follow_up_list")
    text = said(made)
    assert '"14d"' in text
    assert '"lead"' in text


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("weekly", {}),
        ("weekly_review", {"week": "1"}),
        ("contact_brief", {}),
        ("contact_brief", {"contact": " "}),
    ],
)
async def test_an_unknown_prompt_or_argument_is_invalid_params(
    client: Client, name: str, arguments: dict[str, str]
) -> None:
    with pytest.raises(MCPError) as refused:
        await client.get_prompt(name, arguments)
    assert refused.value.code == -32602


async def test_a_contact_is_completed_by_the_beginning_of_its_id(
    client: Client, company: Company
) -> None:
    [contact_id] = company.sample(1)
    assert contact_id in await complete(client, CONTACT, "id", contact_id[:-1])


async def test_a_contact_is_completed_by_its_name(client: Client, company: Company) -> None:
    known = next(c for c in company.contacts() if len(str(c.get("lastName") or "")) > 5)
    half = str(known["lastName"])[:5].upper()
    ids = await complete(client, CONTACT, "id", half)
    named = await complete(client, prompt("contact_brief"), "contact", half)
    assert known["id"] in ids
    assert any(value.endswith(f", id {known['id']}") for value in named)


async def test_what_a_completion_offers_brings_a_brief_to_the_right_contact(client: Client) -> None:
    [first, *_] = await complete(client, prompt("contact_brief"), "contact", "")
    made = await client.get_prompt("contact_brief", {"contact": first})
    assert first in said(made)
    found = await ask(client, "contacts_get", contact_id=first.rpartition("id ")[2])
    assert found["contact"]["id"] in first


async def test_a_campaign_is_completed_by_a_part_of_it_the_largest_first(
    client: Client, company: Company
) -> None:
    visits = [c.get("visitList") for c in company.contacts()]
    firsts = [visit[0] for visit in visits if isinstance(visit, list) and visit]
    truth = {visit["utmCampaign"] for visit in firsts if visit.get("utmCampaign")}
    every = await complete(client, prompt("campaign_report"), "campaign", "")
    some = await complete(client, prompt("campaign_report"), "campaign", "ARSALG")
    assert set(every) == truth
    assert some == [c for c in every if "arsalg" in c]


@pytest.mark.parametrize(
    ("name", "argument", "value", "offered"),
    [
        ("follow_up_list", "status", "l", ["lead", "lost"]),
        ("follow_up_list", "quiet_for", "1", ["14d"]),
        ("weekly_review", "since", "", ["7d", "14d", "30d", "90d"]),
        ("contact_brief", "contact", "x" * 900, []),
    ],
)
async def test_other_arguments_are_completed_from_what_there_is(
    client: Client, name: str, argument: str, value: str, offered: list[str]
) -> None:
    assert await complete(client, prompt(name), argument, value) == offered


async def test_a_completion_of_nothing_that_exists_is_invalid_params(client: Client) -> None:
    for ref, argument in ((prompt("weekly"), "since"), (prompt("weekly_review"), "week")):
        with pytest.raises(MCPError) as refused:
            await client.complete(ref, {"name": argument, "value": ""})
        assert refused.value.code == -32602


async def test_a_completion_is_empty_where_smoc_cannot_be_asked(url: str) -> None:
    async with memory_server(url, key="wrong") as client:
        assert await complete(client, CONTACT, "id", "a") == []


async def test_a_completion_under_a_mask_still_leads_to_the_contact(
    url: str, company: Company
) -> None:
    known = next(c for c in company.contacts() if len(str(c.get("lastName") or "")) > 5)
    name = str(known["lastName"])
    views = Views(boundary=Boundary(frozenset({"name"})))
    async with memory_server(url, views=views) as client:
        values = await complete(client, prompt("contact_brief"), "contact", name)
    assert any(str(known["id"]) in value for value in values)
    assert not any(name in value for value in values)
