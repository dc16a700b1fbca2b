"""Most engaged first: order and reasons of every row, counted anew from what the API sends."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from mcp import Client

from smoc_mcp.questions.filters import Listing
from smoc_mcp.questions.rows import Position
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.store.sql import listing
from smoc_mcp.store.sqlite import SqliteDatabase
from tests.serving import KEY, ask, memory_server, refusal, text_of

pytestmark = pytest.mark.anyio

Raw = dict[str, Any]
NO = "said no to communication"


@pytest.fixture(scope="module")
def company() -> Company:
    return Company("Small", seed=8, size=300, hostile=0)


@pytest.fixture(scope="module")
def url(company: Company) -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


@pytest.fixture(scope="module")
async def client(url: str, engine_of_module: None) -> AsyncIterator[Client]:  # noqa: ARG001
    """The one that all tests ask which change nothing."""
    async with memory_server(url) as opened:
        yield opened


def people(company: Company) -> dict[str, Raw]:
    return {str(c["id"]): dict(c) for c in company.contacts()}


def days_since(contact: Raw) -> float | None:
    talked = contact.get("lastConversationDate")
    if not talked:
        return None
    return (datetime.now(UTC) - datetime.fromisoformat(talked)) / timedelta(days=1)


def many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def reasons(c: Raw) -> list[str]:
    """Return what a contact has a point for, each in words."""
    days = days_since(c)
    numbers = {
        name: len(c.get(name) or [])
        for name in ("visitList", "answeredSurveyQuestions", "rewardFlows", "usersReferred")
    }
    rewarded = [
        many(numbers[name], what)
        for name, what in (("rewardFlows", "reward"), ("usersReferred", "referral"))
        if numbers[name]
    ]
    ago = "less than a day" if (days or 0) < 1 else many(int(days or 0), "day")
    told = [
        f"talked {ago} ago" if days is not None and days <= 30 else "",
        f"{numbers['visitList']} visits" if numbers["visitList"] >= 3 else "",
        many(numbers["answeredSurveyQuestions"], "answer")
        if numbers["answeredSurveyQuestions"]
        else "",
        " and ".join(rewarded),
        "said yes" if c.get("acceptedCommunication") is True else "",
    ]
    return [reason for reason in told if reason]


def order(c: Raw) -> tuple[int, str, str]:
    said_no = c.get("acceptedCommunication") is False
    points = -1 if said_no else len(reasons(c))
    return points, str(c.get("lastConversationDate") or ""), str(c["id"])


def told(c: Raw) -> str:
    if c.get("acceptedCommunication") is False:
        return NO
    return "; ".join(reasons(c)) or "none"


async def all_pages(client: Any, limit: int, **given: str) -> list[Raw]:
    rows: list[Raw] = []
    cursor = ""
    while True:
        found = await ask(
            client, "contacts_search", sort="engagement", limit=limit, cursor=cursor, **given
        )
        rows += found["contacts"]
        cursor = found.get("next_cursor", "")
        if not cursor:
            return rows


@pytest.mark.parametrize("limit", [7, 100])
async def test_order_and_reasons_are_those_counted_anew_and_pages_lose_and_repeat_nobody(
    client: Client, company: Company, limit: int
) -> None:
    rows = await all_pages(client, limit)
    truth = people(company)
    expected = sorted(truth.values(), key=order, reverse=True)
    assert [row["id"] for row in rows] == [c["id"] for c in expected]
    assert [row["reasons"] for row in rows] == [told(c) for c in expected]
    assert {len(reasons(c)) for c in expected} == {0, 1, 2, 3, 4, 5}
    assert rows[-1]["reasons"] == NO


async def test_filters_and_words_hold_and_the_order_is_among_those_who_match(
    client: Client, company: Company
) -> None:
    leads = await all_pages(client, 50, status="customer", accepted_communication="yes,unasked")
    oslo = await all_pages(client, 2, query="oslo")
    found = await ask(client, "contacts_search", query="oslo", limit=100)
    truth = people(company)
    customers = [
        c
        for c in truth.values()
        if c.get("status") == "2" and c.get("acceptedCommunication") is not False
    ]
    assert [row["id"] for row in leads] == [
        c["id"] for c in sorted(customers, key=order, reverse=True)
    ]
    held = [truth[row["id"]] for row in found["contacts"]]
    assert [row["id"] for row in oslo] == [c["id"] for c in sorted(held, key=order, reverse=True)]
    assert all("matched" in row for row in oslo)


async def test_the_heading_says_the_order_and_the_table_has_the_reasons(client: Client) -> None:
    answer = await client.call_tool("contacts_search", {"sort": "engagement", "limit": 3})
    plain = await ask(client, "contacts_search", limit=3)
    text = text_of(answer)
    assert "most engaged first. Rows: exact." in text
    assert answer.structured_content is not None
    assert all(row["reasons"] in text for row in answer.structured_content["contacts"])
    assert all("reasons" not in row for row in plain["contacts"])


async def test_the_first_page_of_a_large_company_is_no_more_than_a_lower_bound() -> None:
    company = Company("Large", seed=3, size=3_000, hostile=0)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            every = await ask(client, "contacts_search", sort="engagement")
            new = await ask(client, "contacts_search", sort="engagement", created_after="14d")
            newest = await ask(client, "contacts_search", sort="conversation")
    assert every["certainty"] == "at_least"
    assert newest["certainty"] == new["certainty"] == "exact"


async def test_what_could_not_be_read_has_no_point_is_said_and_takes_the_proof_away() -> None:
    company = Company("Tiny", seed=3, size=12, hostile=0)
    unread, consent, ahead, *_ = people(company)
    talked = datetime.now(UTC).isoformat()
    company.update(
        unread,
        visitList="?",
        answeredSurveyQuestions=[],
        rewardFlows=[],
        usersReferred="?",
        acceptedCommunication=True,
        lastConversationDate=talked,
    )
    company.update(consent, acceptedCommunication=["?"], lastConversationDate=talked)
    company.update(
        ahead,
        visitList=[],
        answeredSurveyQuestions=[],
        rewardFlows=[],
        usersReferred=[],
        acceptedCommunication=True,
        lastConversationDate=(datetime.now(UTC) + timedelta(days=400)).isoformat(),
    )
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            found = await ask(client, "contacts_search", sort="engagement")
            plain = await ask(client, "contacts_search")
    rows = {row["id"]: row["reasons"] for row in found["contacts"]}
    assert rows[unread] == (
        "talked less than a day ago; said yes; visits, referrals could not be read"
    )
    assert rows[consent].endswith("; consent could not be read")
    assert "talked" not in rows[ahead]
    points = [
        -1 if told == NO else len([r for r in told.split("; ") if r[-4:] not in ("read", "none")])
        for told in rows.values()
    ]
    assert points == sorted(points, reverse=True)
    assert plain["certainty"] == "exact"
    assert found["certainty"] == "at_least"


async def test_a_cursor_of_another_order_is_refused(client: Client) -> None:
    found = await ask(client, "contacts_search", sort="engagement", limit=2)
    said = await refusal(
        client, "contacts_search", sort="conversation", limit=2, cursor=found["next_cursor"]
    )
    assert "belongs to another question" in said


def test_points_are_read_from_the_index_of_facts_and_of_rows_only_those_shown() -> None:
    db = SqliteDatabase()
    db.see(1)
    for after in (None, Position(3, 5, "x")):
        sql = listing(Listing(engaged_at=0, after=after))
        plan = [r["detail"] for r in db.fetch(f"EXPLAIN QUERY PLAN {sql.text}", sql.values)]
        ranked, shown = (step for step in plan if " contacts" in step)
        assert "COVERING INDEX contacts_facts" in ranked
        assert "INTEGER PRIMARY KEY" in shown
    db.close()


async def test_pages_agree_on_the_moment_of_the_first_one() -> None:
    company = Company("Tiny", seed=3, size=12, hostile=0)
    until = datetime.now(UTC) - timedelta(days=30) + timedelta(seconds=2)
    for contact_id in people(company):
        company.update(contact_id, lastConversationDate=until.isoformat())
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            given = {"sort": "engagement", "accepted_communication": "yes,unasked"}
            first = await ask(client, "contacts_search", limit=3, **given)
            await anyio.sleep(2)
            second = await ask(
                client, "contacts_search", limit=100, cursor=first["next_cursor"], **given
            )
            later = await ask(client, "contacts_search", limit=100, **given)
    rows = [*first["contacts"], *second["contacts"]]
    assert len({row["id"] for row in rows}) == len(rows) == len(later["contacts"])
    assert all(row["reasons"].startswith("talked 29 days ago") for row in rows)
    assert not any("talked" in row["reasons"] for row in later["contacts"])
