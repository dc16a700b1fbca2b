"""Filters through the real tools: what one means, and that each leads to the people of a group."""

from collections.abc import Iterator
from typing import Any

import pytest
from mcp import Client

from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from tests.serving import KEY, ask, memory_server

pytestmark = pytest.mark.anyio


@pytest.fixture
def company() -> Company:
    return Company("Empty", seed=8, size=0)


@pytest.fixture
def url(company: Company) -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


async def found(client: Client, **filters: Any) -> set[str]:
    """Return the ids that a search finds; it must be exact."""
    answer = await ask(client, "contacts_search", **filters, limit=100)
    assert answer["certainty"] == "exact"
    assert answer["total"] == len(answer["contacts"])
    return {contact["id"] for contact in answer["contacts"]}


async def groups(client: Client, by: str) -> dict[str, int]:
    """Return the size of each group."""
    answer = await ask(client, "contacts_stats", group_by=by, limit=100)
    return {next(iter(group["key"].values())): group["contacts"] for group in answer["groups"]}


async def test_those_who_were_never_asked_are_a_group_and_a_filter(
    url: str, company: Company
) -> None:
    [yes] = company.add(acceptedCommunication=True)
    [no] = company.add(acceptedCommunication=False)
    unasked = {*company.add(acceptedCommunication=None), *company.add(acceptedCommunication=None)}
    async with memory_server(url) as client:
        by_answer = await groups(client, "accepted_communication")
        assert by_answer == {"unasked": 2, "yes": 1, "no": 1}
        assert await found(client, accepted_communication="unasked") == unasked
        assert await found(client, accepted_communication="no") == {no}
        assert await found(client, accepted_communication="-no") == {yes, *unasked}
        assert await found(client, accepted_communication="yes, no") == {yes, no}
