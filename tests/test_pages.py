"""What an answer says beside its rows: what moved since the first page, where a word was found."""

from collections.abc import Iterator

import pytest

from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from tests.serving import KEY, ask, memory_server, text_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def company() -> Company:
    return Company("Small", seed=8, size=40, hostile=0)


@pytest.fixture
def url(company: Company) -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


async def test_a_later_page_says_how_many_came_in_front_of_the_first(
    url: str, company: Company
) -> None:
    async with memory_server(url, cache_seconds=0) as client:
        first = await ask(client, "contacts_list", limit=5)
        company.add(2)
        second = await ask(client, "contacts_list", limit=5, cursor=first["next_cursor"])
        text = await client.call_tool("contacts_list", {"limit": 5, "cursor": first["next_cursor"]})
    assert "2 contacts moved in front of this list since its first page" in second["note"]
    assert "2 contacts moved in front of this list" in text_of(text)
    assert {c["id"] for c in first["contacts"]}.isdisjoint(c["id"] for c in second["contacts"])


async def test_a_later_page_of_a_list_that_nothing_came_in_front_of_does_not_speak_of_it(
    url: str,
) -> None:
    async with memory_server(url, cache_seconds=0) as client:
        first = await ask(client, "contacts_list", limit=5)
        second = await ask(client, "contacts_list", limit=5, cursor=first["next_cursor"])
    assert "in front" not in first.get("note", "") + second.get("note", "")


async def test_a_word_deep_in_a_long_text_is_shown_with_what_stands_around_it(
    url: str, company: Company
) -> None:
    long = f"{'before ' * 30}a quetzal of gold{' after' * 30}"
    company.add(textFields=[{"key": "wish", "value": long}])
    company.add(textFields=[{"key": "wish", "value": "quetzal"}])
    async with memory_server(url) as client:
        found = await ask(client, "contacts_search", query="quetzal", sort="created")
    short, around = (c["matched"] for c in found["contacts"])
    assert short == "wish: quetzal"
    assert around.startswith("wish: …")
    assert "before a quetzal of gold after" in around
    assert around.endswith("…")
    assert len(around) < 80
