"""Averages, medians and comparisons against the truth of a company."""

import re
import statistics
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client

from smoc_mcp.proof.certainty import Certainty, Proof
from smoc_mcp.proof.part import Part
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from tests.serving import KEY, ask, memory_server, refusal, text_of

pytestmark = pytest.mark.anyio

DAY = 24 * 3600


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


@given(st.lists(st.integers(-50, 50), max_size=30))
def test_average_and_median_are_those_of_the_numbers(numbers: list[int]) -> None:
    part, counted = Part(Proof(Certainty.EXACT, 0), 30), Counter(numbers)
    if not numbers:
        assert part.average(counted, 1) is part.median(counted, 1) is None
        return
    assert part.average(counted, 1) == round(sum(numbers) / len(numbers), 2)
    assert part.median(counted, 1) == statistics.median(numbers)


def people(company: Company) -> list[dict[str, Any]]:
    return [dict(contact) for contact in company.contacts()]


def moment(text: object) -> datetime:
    return datetime.fromisoformat(str(text))


@pytest.mark.parametrize(
    ("measure", "field"),
    [
        ("visits", "visitList"),
        ("rewards", "rewardFlows"),
        ("referrals", "usersReferred"),
        ("surveys", "answeredSurveyQuestions"),
    ],
)
async def test_what_a_contact_has_on_average_is_measured_per_group_and_in_all(
    client: Client, company: Company, measure: str, field: str
) -> None:
    found = await ask(client, "contacts_stats", measure=measure, group_by="city", limit=100)
    everybody = people(company)
    numbers = {str(c["id"]): len(c.get(field) or []) for c in everybody}
    assert found["average"] == round(statistics.mean(numbers.values()), 2)
    assert found["median"] == statistics.median(numbers.values())
    for group in found["groups"]:
        city = group["key"]["city"]
        theirs = [numbers[str(c["id"])] for c in everybody if (c.get("city") or "(none)") == city]
        assert group["average"] == round(statistics.mean(theirs), 2)
        assert group["median"] == statistics.median(theirs)


async def test_days_are_of_those_who_ever_talked_and_the_answer_says_how_many(
    client: Client, company: Company
) -> None:
    quiet = await ask(client, "contacts_stats", measure="days_quiet")
    until = await ask(client, "contacts_stats", measure="days_to_conversation")
    talked = [c for c in people(company) if c.get("lastConversationDate")]
    as_of = moment(quiet["as_of"])
    days = [(as_of - moment(c["lastConversationDate"])).total_seconds() / DAY for c in talked]
    assert quiet["measured"] == until["measured"] == len(talked) < quiet["total"]
    assert quiet["average"] == pytest.approx(statistics.mean(days), abs=0.01)
    assert quiet["median"] == pytest.approx(statistics.median(days), abs=0.01)
    days = [
        (moment(c["lastConversationDate"]) - moment(c["createdAt"])).total_seconds() / DAY
        for c in talked
    ]
    assert until["average"] == pytest.approx(statistics.mean(days), abs=0.01)
    assert "SMOC keeps no first one" in until["note"]


async def test_a_conversation_of_the_future_is_not_measured() -> None:
    company = Company("Ahead", seed=8, size=200, hostile=0)
    for days in (3, 30, 300):
        until = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        company.add(5, lastConversationDate=until)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            quiet = await ask(client, "contacts_stats", measure="days_quiet")
            until_talk = await ask(client, "contacts_stats", measure="days_to_conversation")
    as_of = moment(quiet["as_of"])
    talked = [
        c
        for c in people(company)
        if c.get("lastConversationDate") and moment(c["lastConversationDate"]) <= as_of
    ]
    assert len(talked) + 15 <= quiet["total"]
    assert quiet["measured"] == until_talk["measured"] == len(talked)
    days_quiet = [(as_of - moment(c["lastConversationDate"])).total_seconds() / DAY for c in talked]
    assert quiet["average"] == pytest.approx(statistics.mean(days_quiet), abs=0.01)
    assert quiet["median"] == pytest.approx(statistics.median(days_quiet), abs=0.01)
    days_until = [
        (moment(c["lastConversationDate"]) - moment(c["createdAt"])).total_seconds() / DAY
        for c in talked
    ]
    assert until_talk["average"] == pytest.approx(statistics.mean(days_until), abs=0.01)
    assert "of those who have talked" in quiet["note"]


async def test_groups_are_ordered_by_what_is_asked(client: Client) -> None:
    by_average = await ask(
        client, "contacts_stats", measure="visits", group_by="utm_source", sort="measure"
    )
    by_share = await ask(client, "contacts_stats", group_by="utm_source", sort="customer_share")
    assert (
        f"Measured: visits a contact; average {by_average['average']}, median "
        f"{by_average['median']} of 300 contacts together."
    ) in by_average["note"]
    averages = [g["average"] for g in by_average["groups"]]
    shares = [g["customer_share"] for g in by_share["groups"]]
    assert averages == sorted(averages, reverse=True)
    assert shares == sorted(shares, reverse=True)
    assert len(set(shares)) > 2


async def test_a_period_is_compared_with_the_one_before_of_the_same_length() -> None:
    company = Company("Large", seed=3, size=3000, hostile=0)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            after = (datetime.now(UTC) - timedelta(days=8)).replace(microsecond=0)
            span = {
                "created_after": after.isoformat(),
                "created_before": (after + timedelta(days=7)).isoformat(),
            }
            found = await ask(
                client, "contacts_stats", group_by="utm_source", compare="previous", **span
            )
            text = text_of(
                await client.call_tool("contacts_stats", {"compare": "previous", **span})
            )

    def came(first: datetime, last: datetime) -> Counter[str]:
        visits = (
            (c.get("visitList") or [{}])[0].get("utmSource") or "(none)"
            for c in people(company)
            if c.get("createdAt") and first <= moment(c["createdAt"]) < last
        )
        return Counter(visits)

    now = came(after, after + timedelta(days=7))
    before = came(after - timedelta(days=7), after)
    assert found["groups_certainty"] == "exact"
    assert (found["total"], found["previous"]) == (now.total(), before.total())
    assert found["change"] == now.total() - before.total()
    assert {g["key"]["utm_source"] for g in found["groups"]} == now.keys() | before.keys()
    for group in found["groups"]:
        source = group["key"]["utm_source"]
        assert (group["contacts"], group["previous"]) == (now[source], before[source])
        assert group["change"] == now[source] - before[source]
        if before[source]:
            assert group["change_share"] == round(group["change"] / before[source], 4)
        else:
            assert "change_share" not in group
    earlier, began, ended = (
        (after + timedelta(days=days)).isoformat().replace("+00:00", "Z") for days in (-7, 0, 7)
    )
    compared = f"Compared are {now.total()} contacts created from {began} to {ended}"
    assert f"{compared} with those from {earlier} to {began}." in found["note"]
    assert "previous|change|change_share" in text


async def test_two_periods_that_are_compared_are_equally_long() -> None:
    company = Company("Ahead", seed=8, size=300, hostile=0)
    company.add(5, createdAt=(datetime.now(UTC) + timedelta(days=3)).isoformat())
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            found = await ask(client, "contacts_stats", created_after="30d", compare="previous")
    said = re.search(r"Compared are (\d+) .* from (\S+) to (\S+) with .* (\S+) to", found["note"])
    assert said is not None
    began, ended, earlier = map(moment, said.groups()[1:])
    assert ended - began == began - earlier
    assert timedelta() <= moment(found["as_of"]) - ended <= timedelta(seconds=2)
    times = [moment(c["createdAt"]) for c in people(company) if c.get("createdAt")]
    # Those of the future match what was asked, but are in neither of the two.
    assert found["total"] == sum(time >= began for time in times)
    assert found["grouped"] == int(said[1]) == sum(began <= time < ended for time in times)
    assert found["total"] - found["grouped"] >= 5
    assert "are in neither of these periods" in found["note"]
    assert found["previous"] == sum(earlier <= time < began for time in times)
    assert found["change"] == found["grouped"] - found["previous"]


async def test_nothing_is_compared_with_a_time_of_which_contacts_may_be_missing() -> None:
    company = Company("Large", seed=3, size=3000)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            found = await ask(
                client, "contacts_stats", created_after="30d", compare="previous", group_by="city"
            )
    assert found["groups_certainty"] == "exact"
    assert not {"previous", "change"} & (found.keys() | found["groups"][0].keys())
    assert "Nothing is compared" in found["note"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"compare": "previous"}, "compare=previous needs created_after"),
        (
            {"compare": "previous", "created_after": "7d", "group_by": "created_day"},
            "a trend by created_week or created_month compares by itself",
        ),
        *(
            (
                {"compare": "previous", "created_after": "7d", name: "30d"},
                "what is filtered by updated or conversation times would be two unlike things",
            )
            for name in ("updated_after", "conversation_before", "quiet_since")
        ),
        ({"sort": "measure", "group_by": "city"}, "sort=measure needs measure"),
        ({"sort": "change", "group_by": "city"}, "sort=change needs compare=previous"),
        ({"sort": "contacts", "group_by": "created_day"}, "a trend reads by time"),
        ({"measure": "visits", "scope": "in_hand"}, "scope=in_hand counts only"),
        ({"measure": "height"}, "measure does not know 'height': it must be one of visits"),
    ],
)
async def test_what_does_not_go_together_is_refused_with_what_does(
    client: Client, given: dict[str, str], said: str
) -> None:
    assert said in await refusal(client, "contacts_stats", **given)


async def test_an_average_is_of_the_proven_part_only() -> None:
    company = Company("Large", seed=3, size=3000, hostile=0)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            found = await ask(client, "contacts_stats", measure="visits")
            old = await ask(client, "contacts_stats", measure="visits", created_before="200d")
    part = [
        len(c.get("visitList") or [])
        for c in people(company)
        if str(c["createdAt"]) >= found["proven_since"]
    ]
    assert found["grouped"] == len(part)
    assert found["average"] == round(statistics.mean(part), 2)
    assert not {"average", "median"} & old.keys()
    assert "No averages" in old["note"]
