"""contacts_stats against the truth of a company: groups, the rest of them, SMOC's own counts."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from smoc_mcp.api.client import SmocClient
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.questions.dimensions import DIMENSIONS, Count
from smoc_mcp.questions.filters import EVERYBODY
from smoc_mcp.sandbox import Company, Contact, Sandbox, run_in_thread
from smoc_mcp.views.boundary import Boundary
from smoc_mcp.views.lists import Views
from tests.serving import KEY, ask, memory_server

pytestmark = pytest.mark.anyio


@pytest.fixture
def company() -> Company:
    return Company("Small", seed=8, size=120)


@pytest.fixture
def url(company: Company) -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


async def test_the_rest_of_many_flows_counts_each_contact_once(url: str, company: Company) -> None:
    for flows in (("A", "B"), ("A", "B", "C"), ("C", "D"), ("D", "E", "F"), ("A",)):
        company.add(rewardFlows=[{"id": f, "title": f"Flow {f}"} for f in flows], textFields=[])
    async with memory_server(url) as client:
        whole = await ask(client, "contacts_stats", group_by="flow", limit=100)
        few = await ask(client, "contacts_stats", group_by="flow", limit=2)
    kept = {g["key"]["flow"] for g in few["groups"]} - {"(other)"}
    rest = sum(
        1
        for contact in company.contacts()
        if flows_of(contact) - kept or (not flows_of(contact) and "(none)" not in kept)
    )
    assert few["groups"][-1]["key"]["flow"] == "(other)"
    assert few["groups"][-1]["contacts"] == rest
    assert rest < sum(g["contacts"] for g in whole["groups"] if g["key"]["flow"] not in kept)


def flows_of(contact: Contact) -> set[str]:
    rewards, texts = contact.get("rewardFlows") or [], contact.get("textFields") or []
    assert isinstance(rewards, list)
    assert isinstance(texts, list)
    return {r["title"] for r in rewards if r.get("title")} | {
        t["flowName"] for t in texts if t.get("flowName")
    }


async def test_every_group_says_how_many_of_its_contacts_are_customers(
    url: str, company: Company
) -> None:
    async with memory_server(url) as client:
        found = await ask(client, "contacts_stats", group_by="city", limit=5)
    shares = {g["key"]["city"]: g["customer_share"] for g in found["groups"]}
    for city, share in shares.items():
        if not city.startswith("("):
            there = [c for c in company.contacts() if c.get("city") == city]
            customers = sum(c.get("status") == "2" for c in there)
            assert share == pytest.approx(customers / len(there), abs=0.001)


async def test_statuses_of_a_large_company_have_its_own_counts() -> None:
    company = Company("Large", seed=3, size=3000)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            found = await ask(client, "contacts_stats", group_by="status")
    groups = {g["key"]["status"]: g for g in found["groups"]}
    assert groups["lead"]["contacts"] == company.leads_count
    assert groups["customer"]["contacts"] == company.customer_count
    assert found["certainty"] == "at_least"
    assert company.leads_count + company.customer_count < found["total"] <= 3000
    assert not any("share" in group for group in found["groups"])
    assert "SMOC's own counts" in found["note"]


async def test_one_status_of_a_large_company_is_exact_by_its_own_count() -> None:
    company = Company("Large", seed=3, size=3000)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            found = await ask(client, "contacts_stats", status="customer", group_by="status")
    assert found["certainty"] == "exact"
    assert found["total"] == company.customer_count
    assert [g["contacts"] for g in found["groups"]] == [company.customer_count]
    assert found["groups"][0]["share"] == 1


async def test_a_total_is_no_more_than_there_are_though_what_is_remembered_has_changed() -> None:
    company = Company("Small", seed=3, size=60, hostile=0)
    known = [str(contact["id"]) for contact in company.contacts()]
    lost, others = known[28:32], [*known[:28], *known[32:]]

    def become(ids: list[str], status: str) -> None:
        for contact_id in ids:
            company.update(contact_id, status=status)

    become(others, "1")
    become(lost, "3")
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with (
            SmocClient(url, SecretStr(KEY), 20) as api,
            ContactDirectory(api, window_limit=10, cache_seconds=0) as directory,
        ):
            await directory.refresh()
            become(lost, "1")
            become(others, "1")
            found = await directory.count_contacts(
                Count(wanted=EVERYBODY, dimensions=(DIMENSIONS["status"],), limit=10)
            )
    assert found.grouping is not None
    assert sum(group.contacts for group in found.grouping.groups) > 60
    assert found.total == 60


async def test_words_are_counted_before_anybody_has_searched(url: str, company: Company) -> None:
    company.add(count=7, company="Zanzibarine")
    async with memory_server(url) as client:
        counted = await ask(client, "contacts_stats", query="zanzibarine")
        company.add(count=2, company="Zanzibarine")
    assert counted["total"] == 7
    async with memory_server(url) as client:
        grouped = await ask(client, "contacts_stats", query="zanzibarine", group_by="status")
    assert grouped["total"] == sum(g["contacts"] for g in grouped["groups"]) == 9


async def test_a_question_that_nobody_was_asked_is_no_finding(url: str) -> None:
    async with memory_server(url) as client:
        found = await ask(client, "contacts_stats", group_by="survey:no such words")
    assert "No survey question" in found["note"]
    assert 'Answered were: "' in found["note"]


async def test_a_value_that_looks_like_ours_is_in_quotes(url: str, company: Company) -> None:
    company.add(count=2, city="(other)")
    company.add(count=3, city="(none)")
    async with memory_server(url) as client:
        found = await ask(client, "contacts_stats", group_by="city", limit=100)
    groups = {g["key"]["city"]: g["contacts"] for g in found["groups"]}
    assert groups['"(other)"'] == 2
    assert groups['"(none)"'] == 3
    assert groups["(none)"] == sum(not c.get("city") for c in company.contacts())


async def test_a_masked_name_is_no_group_either(url: str, company: Company) -> None:
    company.add(count=2, inviterUser={"id": 7, "firstName": "Ada", "lastName": "Lovelace"})
    company.add(inviterUser={"id": 8, "email": "grace@example.com"})
    views = Views(boundary=Boundary(frozenset({"name", "email"})))
    async with memory_server(url, views=views) as client:
        found = await ask(client, "contacts_stats", group_by="inviter", limit=100)
    groups = [g["key"]["inviter"] for g in found["groups"]]
    assert "A*** L***" in groups
    assert "g***@example.com" in groups
    assert "(none)" in groups


async def test_each_period_of_a_trend_says_what_is_proven_of_it() -> None:
    company = Company("Large", seed=3, size=3000)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            found = await ask(
                client,
                "contacts_stats",
                group_by="created_week",
                created_after="150d",
                limit=100,
            )
    truth: Counter[str] = Counter()
    for contact in company.contacts():
        created = datetime.fromisoformat(str(contact["createdAt"])).date()
        truth[(created - timedelta(days=created.weekday())).isoformat()] += 1
    proven = {g["key"]["created_week"]: g["contacts"] for g in exactly(found["groups"], "exact")}
    open_ = {g["key"]["created_week"]: g["contacts"] for g in exactly(found["groups"], "at_least")}
    assert found["certainty"] == "at_least"
    assert proven
    assert proven == {week: truth[week] for week in proven}
    assert open_
    assert all(truth[week] >= count for week, count in open_.items())


async def test_the_note_says_how_to_ask_for_an_exact_answer() -> None:
    company = Company("Large", seed=3, size=3000)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            wide = await ask(client, "contacts_stats", group_by="city")
            hint = re.search(r"With created_after=(\S+) the answer is exact", wide["note"])
            assert hint
            narrow = await ask(client, "contacts_stats", group_by="city", created_after=hint[1])
    assert narrow["certainty"] == "exact"
    assert f"{narrow['total']} contacts" in wide["note"]


def exactly(groups: list[dict[str, Any]], certainty: str) -> list[dict[str, Any]]:
    return [group for group in groups if group["certainty"] == certainty]


async def test_a_limit_leaves_no_status_out_of_the_companys_own_counts() -> None:
    company = Company("Large", seed=3, size=3000)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            found = await ask(client, "contacts_stats", group_by="status", limit=1)
    counts = {g["key"]["status"]: g["contacts"] for g in found["groups"]}
    assert counts["lead"] == company.leads_count
    assert counts["customer"] == company.customer_count


async def test_a_value_in_two_spellings_counts_a_contact_once(url: str, company: Company) -> None:
    company.add(rewardFlows=[{"title": "Solar Roof"}, {"title": "solar roof"}], textFields=[])
    async with memory_server(url) as client:
        found = await ask(client, "contacts_stats", group_by="flow", limit=100)
    counts = [g["contacts"] for g in found["groups"] if g["key"]["flow"].lower() == "solar roof"]
    assert counts == [1]


async def test_the_id_of_a_question_is_that_question_only(url: str, company: Company) -> None:
    company.add(
        answeredSurveyQuestions=[
            {"questionId": "roof1", "question": "Which roof?", "answer": "flat"},
            {"questionId": "roof2", "question": "Is roof1 what you have?", "answer": "yes"},
        ]
    )
    async with memory_server(url) as client:
        by_id = await ask(client, "contacts_stats", group_by="survey:roof1", limit=100)
        by_words = await ask(client, "contacts_stats", group_by="survey:what you have", limit=100)
    assert {g["key"]["survey:roof1"] for g in by_id["groups"]} == {"flat", "(none)"}
    assert {g["key"]["survey:what you have"] for g in by_words["groups"]} == {"yes", "(none)"}


async def test_an_inviter_of_several_words_is_masked_as_a_name(url: str, company: Company) -> None:
    company.add(invitedBy={"firstName": "Ada", "lastName": "@ Lovelace"})
    views = Views(boundary=Boundary(frozenset({"name"})))
    async with memory_server(url, views=views) as client:
        found = await ask(client, "contacts_stats", group_by="inviter", limit=100)
    assert "Lovelace" not in str(found)
