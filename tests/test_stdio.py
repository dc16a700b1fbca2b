"""Over stdio, as a client sees it: the server is a real process, the API is the sandbox on HTTP."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal

import anyio
import pytest
from mcp import Client

from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from tests.serving import KEY, NAMES, ask, refusal, stdio_server

pytestmark = pytest.mark.anyio

WIRE = {
    "created": "createdAt",
    "updated": "updatedAt",
    "conversation": "lastConversationDate",
}


@pytest.fixture(scope="module")
def large() -> Iterator[tuple[str, Company]]:
    company = Company("Large", seed=7, size=3000)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        yield url, company


@pytest.fixture(scope="module")
def small() -> Iterator[tuple[str, Company]]:
    company = Company("Small", seed=8, size=120)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        yield url, company


Asked = tuple[Client, Company]
"""A server that runs, and the company that it is asked about."""


@pytest.fixture(scope="module")
async def of_large(large: tuple[str, Company]) -> AsyncIterator[Asked]:
    async with stdio_server(large[0]) as client:
        yield client, large[1]


@pytest.fixture(scope="module")
async def of_small(small: tuple[str, Company]) -> AsyncIterator[Asked]:
    async with stdio_server(small[0]) as client:
        yield client, small[1]


def newest(company: Company, sort: str, count: int) -> list[str]:
    rows = [(str(c.get(WIRE[sort]) or ""), str(c["id"])) for c in company.contacts()]
    return [contact_id for _, contact_id in sorted(rows, reverse=True)[:count]]


def ids(contacts: list[dict[str, Any]]) -> list[str]:
    return [c["id"] for c in contacts]


@pytest.mark.parametrize("sort", WIRE)
async def test_the_newest_30_of_3000_are_the_truth_by_each_order(
    of_large: Asked, sort: str
) -> None:
    client, company = of_large
    page = await ask(client, "contacts_list", sort=sort, limit=30)
    assert ids(page["contacts"]) == newest(company, sort, 30)
    assert page["certainty"] == "exact"
    assert page["company"]["leads"] == company.leads_count
    assert page["company"]["customers"] == company.customer_count


async def test_paging_to_the_end_of_a_window_neither_loses_nor_repeats(
    of_large: Asked,
) -> None:
    client, company = of_large
    seen: list[str] = []
    cursor = ""
    while len(seen) < 500:
        page = await ask(client, "contacts_list", limit=37, cursor=cursor)
        exact = len(seen) + len(page["contacts"]) < 500
        assert page["certainty"] == ("exact" if exact else "at_least")
        seen += ids(page["contacts"])
        cursor = page["next_cursor"]
    assert seen[:499] == newest(company, "created", 499)
    assert len(set(seen)) == len(seen)


async def test_paging_ends_after_every_contact_that_is_in_hand(of_small: Asked) -> None:
    client, company = of_small
    seen: list[str] = []
    page = await ask(client, "contacts_search", limit=50, sort="updated")
    while True:
        seen += ids(page["contacts"])
        assert page["certainty"] == page["total_certainty"] == "exact"
        if "next_cursor" not in page:
            break
        page = await ask(
            client, "contacts_search", limit=50, sort="updated", cursor=page["next_cursor"]
        )
    assert seen == newest(company, "updated", 120)


async def test_an_address_that_only_the_natural_window_holds_is_found(
    of_large: Asked,
) -> None:
    client, company = of_large
    contact = next(
        c
        for i in company.ids_only_in_natural_window()
        if (c := company.get(i)) and str(c.get("email", "")).isascii() and "@" in str(c["email"])
    )
    found = await ask(
        client, "contacts_find_by_email", email=f" Somebody <{str(contact['email']).upper()}> "
    )
    assert contact["id"] in ids(found["matches"])


async def test_nobody_is_at_least_with_how_many_were_searched_in_a_company_of_3000(
    of_large: Asked,
) -> None:
    client, company = of_large
    found = await ask(client, "contacts_find_by_email", email="nobody.at.all@example.com")
    windows = {c["id"] for s in [None, *WIRE.values()] for c in company.page(s, 500)}
    assert found["matches"] == []
    assert found["certainty"] == "at_least"
    assert found["searched"] == len(windows)
    assert f"{len(windows):,}" in found["note"]
    assert found["company"]["at_least"] >= company.leads_count + company.customer_count


async def test_nobody_is_exact_in_a_company_of_120(of_small: Asked) -> None:
    client, _ = of_small
    found = await ask(client, "contacts_find_by_email", email="nobody.at.all@example.com")
    assert (found["matches"], found["certainty"], found["searched"]) == ([], "exact", 120)


async def test_ten_equal_questions_at_once_cost_one_upstream_request() -> None:
    sandbox = Sandbox(keys={KEY: Company("Busy", seed=3, size=700)})
    sandbox.latency = 0.2
    with run_in_thread(sandbox) as url:
        async with stdio_server(url) as client, anyio.create_task_group() as together:
            for _ in range(10):
                together.start_soon(client.call_tool, "contacts_list", {"sort": "updated"})
    assert len(sandbox.requests) == 1


async def test_ten_equal_addresses_at_once_cost_at_most_four_upstream_requests() -> None:
    sandbox = Sandbox(keys={KEY: Company("Busy", seed=3, size=700)})
    sandbox.latency = 0.2
    question = {"email": "nobody.at.all@example.com"}
    with run_in_thread(sandbox) as url:
        async with stdio_server(url) as client, anyio.create_task_group() as together:
            for _ in range(10):
                together.start_soon(client.call_tool, "contacts_find_by_email", question)
    assert len(sandbox.requests) == 4


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_both_eras_of_the_protocol_get_the_same_answer(
    small: tuple[str, Company], mode: Literal["auto", "legacy"]
) -> None:
    url, company = small
    async with stdio_server(url, mode=mode) as client:
        assert [t.name for t in (await client.list_tools()).tools] == NAMES
        stats = await ask(client, "contacts_stats")
    assert stats["total"] == len(company)
    assert stats["total_certainty"] == "exact"


async def test_a_mistake_is_answered_with_a_sentence_and_the_next_call_works(
    of_small: Asked,
) -> None:
    client, _ = of_small
    said = await refusal(client, "contacts_list", limit=101)
    page = await ask(client, "contacts_list", limit=100)
    assert said == "limit must be a whole number from 1 to 100."
    assert len(page["contacts"]) > 50


async def test_a_poller_sees_each_new_contact_once() -> None:
    company = Company("Poll", seed=5, size=900)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with stdio_server(url, SMOC_MCP_CACHE_SECONDS="0") as client:
            first = await ask(client, "contacts_changes", since="1h")
            while first["new"] or first["updated"]:
                first = await ask(client, "contacts_changes", since=first["cursor"])
            cursor = first["cursor"]
            added = company.add(70)
            company.update(added[3], city="Tromsø")
            old = company.ids_only_in_natural_window()[0]
            company.talk(old)
            new: list[str] = []
            updated: list[str] = []
            for _ in range(5):
                page = await ask(client, "contacts_changes", since=cursor, limit=30)
                assert page["certainty"] == "exact"
                new += ids(page["new"])
                updated += ids(page["updated"])
                cursor = page["cursor"]
    assert new == added
    assert updated == [old]


@pytest.mark.parametrize(
    ("key", "said"),
    [("", "SMOC_API_KEY is not set."), ("sk_live_123", "SMOC_API_KEY holds a Clerk key")],
)
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_server_without_a_key_lives_and_says_how_to_get_one(
    key: str, said: str, mode: Literal["auto", "legacy"]
) -> None:
    async with stdio_server("", key=key, mode=mode) as client:
        assert [t.name for t in (await client.list_tools()).tools] == NAMES
        for tool, arguments in (("contacts_list", {}), ("contacts_get", {"contact_id": "x"})):
            told = await refusal(client, tool, **arguments)
            assert told.startswith(said)
            assert "SMOC Console" in told
            assert told.endswith("in your MCP client; restart the client then.")
            assert "live_123" not in told
