"""The contract of the tools: definitions, both forms of an answer, refusals."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from mcp import Client, MCPError

from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.views.boundary import Boundary
from smoc_mcp.views.lists import MAX_CHARS, Views
from tests.serving import KEY, ask, memory_server, refusal, text_of

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def company() -> Company:
    return Company("Small", seed=8, size=120)


@pytest.fixture(scope="module")
def url(company: Company) -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


@pytest.fixture(scope="module")
async def client(url: str, engine_of_module: None) -> AsyncIterator[Client]:  # noqa: ARG001
    """The one that all tests ask which change nothing."""
    async with memory_server(url) as opened:
        yield opened


@pytest.fixture(scope="module")
async def of_hostile(engine_of_module: None) -> AsyncIterator[Client]:  # noqa: ARG001
    hostile = Company("Hostile", seed=2, size=600, hostile="everywhere")
    with run_in_thread(Sandbox(keys={KEY: hostile})) as url:
        async with memory_server(url) as opened:
            yield opened


@pytest.mark.parametrize("name", ["contacts_lost", "", "list"])
async def test_an_unknown_tool_is_invalid_params(client: Client, name: str) -> None:
    with pytest.raises(MCPError) as refused:
        await client.call_tool(name, {})
    assert refused.value.code == -32602
    assert "contacts_list" in refused.value.message


async def test_an_unknown_prompt_is_invalid_params(client: Client) -> None:
    with pytest.raises(MCPError) as refused:
        await client.get_prompt("weekly")
    assert refused.value.code == -32602


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("contacts_list", {"limit": 100}),
        ("contacts_search", {"query": "a", "limit": 100}),
        ("contacts_stats", {"group_by": "city,utm_campaign", "limit": 100}),
        ("contacts_changes", {"since": "9999d", "limit": 100}),
        ("contacts_duplicates", {"by": "name", "limit": 100}),
        ("contacts_dashboard", {"group_by": "landing_page"}),
    ],
)
async def test_no_answer_is_longer_than_25000_characters_in_either_form(
    of_hostile: Client, tool: str, arguments: dict[str, Any]
) -> None:
    answer = await of_hostile.call_tool(tool, arguments)
    assert not answer.is_error
    assert len(text_of(answer)) <= MAX_CHARS
    assert len(json.dumps(answer.structured_content, ensure_ascii=False)) <= MAX_CHARS


async def test_a_list_that_is_cut_for_its_size_goes_on_where_it_was_cut() -> None:
    wordy = Company("Wordy", seed=4, size=150)
    for contact in [str(c["id"]) for c in wordy.contacts()]:
        wordy.update(contact, firstName="n" * 200, company="c" * 200, city="t" * 200)
    seen: list[str] = []
    with run_in_thread(Sandbox(keys={KEY: wordy})) as url:
        async with memory_server(url) as client:
            page = await ask(client, "contacts_list", limit=100)
            assert "fit into one answer" in page["note"]
            while True:
                seen += [c["id"] for c in page["contacts"]]
                if "next_cursor" not in page:
                    break
                page = await ask(client, "contacts_list", limit=100, cursor=page["next_cursor"])
    assert len(seen) == len(set(seen)) == 150


async def test_both_forms_of_a_list_hold_the_same_facts(client: Client) -> None:
    answer = await client.call_tool("contacts_list", {"limit": 7})
    text, found = text_of(answer), answer.structured_content
    assert found is not None
    for contact in found["contacts"]:
        for value in contact.values():
            assert value.replace("|", "\\|") in text
    assert found["next_cursor"] in text
    assert found["as_of"] in text


async def test_ip_and_user_agent_leave_only_where_they_are_asked_for(
    url: str, company: Company
) -> None:
    contact = next(c for c in company.contacts() if c.get("visitList"))
    visits = contact["visitList"]
    assert isinstance(visits, list)
    address = next(str(v["ip"]) for v in visits if v.get("ip"))
    for views, shown in ((Views(), False), (Views(boundary=Boundary(technical=True)), True)):
        async with memory_server(url, views=views) as client:
            answer = await client.call_tool(
                "contacts_get", {"contact_id": contact["id"], "include": "all"}
            )
        assert (address in text_of(answer)) is shown
        assert (address in json.dumps(answer.structured_content)) is shown


async def test_masked_kinds_leave_in_no_answer(url: str, company: Company) -> None:
    contact = next(
        c
        for c in company.contacts()
        if c.get("msisdn") and str(c.get("email")).isascii() and "@" in str(c.get("email"))
    )
    email, phone = str(contact["email"]), str(contact["msisdn"])
    views = Views(boundary=Boundary(frozenset({"email", "phone"})))
    async with memory_server(url, views=views) as client:
        answers = [
            await client.call_tool("contacts_find_by_email", {"email": email}),
            await client.call_tool("contacts_get", {"contact_id": contact["id"]}),
            await client.call_tool("contacts_search", {"query": email}),
        ]
    for answer in answers:
        said = text_of(answer) + json.dumps(answer.structured_content)
        assert email.lower() not in said.lower()
        assert phone not in said


async def test_statistics_by_status_are_the_truth(client: Client, company: Company) -> None:
    words = {None: "lead", "1": "lead", "2": "customer", "3": "lost", "4": "converted"}
    stats = await ask(client, "contacts_stats", group_by="status")
    truth: dict[str, int] = {}
    for contact in company.contacts():
        status = contact.get("status")
        assert status is None or isinstance(status, str)
        truth[words[status]] = truth.get(words[status], 0) + 1
    assert {g["key"]["status"]: g["contacts"] for g in stats["groups"]} == truth
    assert stats["groups_certainty"] == stats["total_certainty"] == "exact"
    assert sum(g["share"] for g in stats["groups"]) == pytest.approx(1, abs=0.001)


async def test_leads_alone_are_counted_with_one_small_request() -> None:
    sandbox = Sandbox(keys={KEY: Company("Large", seed=7, size=3000)})
    with run_in_thread(sandbox) as url:
        async with memory_server(url) as client:
            stats = await ask(client, "contacts_stats", status="lead")
    assert stats["total_certainty"] == stats["status_certainty"] == "exact"
    assert stats["total"] == stats["leads"]
    assert [r.limit for r in sandbox.requests] == [1]


async def test_all_leads_of_a_company_that_four_windows_hold_are_exact() -> None:
    company = Company("Middle", seed=11, size=900)
    sandbox = Sandbox(keys={KEY: company})
    with run_in_thread(sandbox) as url:
        async with memory_server(url) as client:
            stats = await ask(
                client, "contacts_stats", status="customer", group_by="utm_source", limit=100
            )
    assert stats["groups_certainty"] == "exact"
    assert "proven_since" not in stats
    assert stats["grouped"] == stats["total"] == company.customer_count
    assert len(sandbox.requests) == 6


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("contacts_list", {"colour": "red"}, "contacts_list has no parameter 'colour'. It takes"),
        (
            "contacts_list",
            {"city": "Oslo"},
            "city works in contacts_search, contacts_stats, contacts_dashboard.",
        ),
        ("contacts_list", {"statu": "lead"}, "Did you mean status?"),
        ("contacts_search", {"campaign": "x"}, "Did you mean utm_campaign?"),
        ("contacts_search", {"name": "anna"}, "Did you mean query?"),
        ("contacts_search", {"email": "a@x.no"}, "Did you mean contacts_find_by_email or query?"),
        ("contacts_stats", {"from": "7d"}, "Did you mean created_after?"),
        ("contacts_stats", {"group": "city"}, "Did you mean group_by?"),
        ("contacts_changes", {"after": "7d"}, "Did you mean since?"),
        ("contacts_list", {"campaign": "x"}, "utm_campaign works in contacts_search, contacts_st"),
        ("contacts_list", {"until": "7d"}, "created_before works in contacts_search, contacts_s"),
        ("contacts_search", {"created_after": "2999-01-01"}, "created_after lies in the future: n"),
        ("contacts_search", {"created_after": "1 month"}, "write 30d, or the date itself, such as"),
        ("contacts_list", {"limit": 0}, "limit must be a whole number from 1 to 100."),
        ("contacts_list", {"limit": 101}, "limit must be a whole number from 1 to 100."),
        ("contacts_list", {"status": "gone"}, "status does not know 'gone': give any, or"),
        ("contacts_search", {"created_after": "31 May"}, "created_after is not a time: write an"),
        ("contacts_search", {"created_after": "2026-02-30"}, "created_after is not a time: write"),
        ("contacts_search", {"has": "phones"}, "has does not know 'phones': give a comma-separ"),
        ("contacts_list", {"cursor": "AAAA"}, "The cursor is damaged: pass it exactly as the last"),
        ("contacts_get", {"contact_id": "nope"}, "No contact of this company has this id. Take"),
        ("contacts_get", {}, "contacts_get needs contact_id: an id from another answer."),
        ("contacts_find_by_email", {"email": "ada"}, "email is not an address: it has no @."),
        ("contacts_stats", {"group_by": "planet"}, "group_by does not know 'planet': choose up to"),
        ("contacts_changes", {"since": "soon"}, "since is not a time: write an ISO 8601 date"),
    ],
)
async def test_a_mistake_is_answered_with_a_sentence_that_says_what_to_do(
    client: Client, tool: str, arguments: dict[str, Any], sentence: str
) -> None:
    said = await refusal(client, tool, **arguments)
    assert sentence in said
    assert len(said) <= 2000
    assert "pydantic" not in said.lower()


async def test_what_known_clients_add_by_themselves_is_left_out(client: Client) -> None:
    added = {"wait_for_previous": True, "toolCallId": "call_1", "_sessionID": "x", "tool": "t"}
    answer = await client.call_tool("contacts_list", {"limit": 3, **added})
    assert not answer.is_error, text_of(answer)
    assert answer.structured_content is not None
    plain = await ask(client, "contacts_list", limit=3)
    assert answer.structured_content["contacts"] == plain["contacts"]
    said = await refusal(client, "contacts_list", wait_for_next=True)
    assert "has no parameter 'wait_for_next'" in said


async def test_a_cursor_of_another_question_is_refused(client: Client) -> None:
    page = await ask(client, "contacts_list", sort="created")
    said = await refusal(client, "contacts_list", sort="updated", cursor=page["next_cursor"])
    assert "The cursor belongs to another question" in said


async def test_what_a_client_writes_loosely_is_understood(client: Client) -> None:
    answer = await client.call_tool(
        "contacts_list", {"limit": "5", "status": " Lead ", "cursor": None, "sort": ""}
    )
    assert not answer.is_error, text_of(answer)
    assert answer.structured_content is not None
    assert len(answer.structured_content["contacts"]) == 5


async def test_a_filter_that_matches_nobody_is_answered_with_the_values_there_are(
    client: Client,
) -> None:
    page = await ask(client, "contacts_search", country="Norway")
    stats = await ask(client, "contacts_stats", flow="no such flow")
    assert (page["total"], page["certainty"]) == (0, "exact")
    assert 'Some country in hand: "NO"' in page["note"]
    assert "Some flow in hand: " in stats["note"]


async def test_a_value_that_is_nearly_right_is_answered_with_the_nearest_first(
    client: Client, company: Company
) -> None:
    cities = Counter(
        str(c["city"]) for c in company.contacts() if len(str(c.get("city") or "")) > 4
    )
    rarest = min(cities, key=cities.__getitem__)
    wrong = rarest[:-1] + ("x" if rarest[-1] != "x" else "y")
    page = await ask(client, "contacts_search", city=wrong)
    assert f"Nearest city in hand: {json.dumps(rarest, ensure_ascii=False)}" in page["note"]
    assert "Some city in hand: " in page["note"]


async def test_words_that_nobody_holds_all_of_are_counted_one_by_one(
    client: Client, company: Company
) -> None:
    cities = [str(c.get("city")) for c in company.contacts()]
    found = await ask(client, "contacts_search", query="Oslo qqqqqqqq")
    assert found["contacts"] == []
    assert re.search(r'each word alone: "oslo" \d+, "qqqqqqqq" 0\.', found["note"])
    assert int(re.findall(r'"oslo" (\d+)', found["note"])[0]) >= cities.count("Oslo")
