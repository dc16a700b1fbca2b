"""Weekdays, hours, days, weeks and months of a zone, as groups and as filters."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from mcp import Client
from pydantic import SecretStr

from smoc_mcp.api.client import SmocClient
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.errors import InputError
from smoc_mcp.questions.dimensions import Count, parse_group_by
from smoc_mcp.questions.filters import Listing, parse_filter
from smoc_mcp.questions.periods import PERIODS
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from tests.serving import KEY, ask, memory_server

pytestmark = pytest.mark.anyio

OSLO = ZoneInfo("Europe/Oslo")
WIRE = {"created": "createdAt", "conversation": "lastConversationDate"}


@pytest.fixture(scope="module")
def company() -> Company:
    made = Company("Small", seed=8, size=200, hostile=0)
    # The night that summer time ends, and contacts without a time.
    for hour in range(24):
        made.add(createdAt=f"2025-10-25T{hour:02}:40:00.000Z")
    made.add(count=3, createdAt=None)
    return made


@pytest.fixture(scope="module")
def url(company: Company) -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


@pytest.fixture(scope="module")
async def client(url: str, engine_of_module: None) -> AsyncIterator[Client]:  # noqa: ARG001
    """The one that all tests ask which change nothing."""
    async with memory_server(url) as opened:
        yield opened


def period(contact: dict[str, Any], name: str) -> str:
    """Return the period that a contact is in, as groups show it."""
    stem, unit = name.split("_")
    text = contact.get(WIRE[stem])
    if not text:
        return "(none)"
    local = datetime.fromisoformat(str(text)).astimezone(OSLO)
    monday = local.date() - timedelta(days=local.weekday())
    return {
        "day": f"{local:%Y-%m-%d}",
        "week": monday.isoformat(),
        "month": f"{local:%Y-%m}",
        "weekday": f"{local:%A}",
        "hour": f"{local:%H}",
    }[unit]


@pytest.mark.parametrize("name", PERIODS)
async def test_each_row_of_times_leads_to_its_people(url: str, company: Company, name: str) -> None:
    people = [dict(contact) for contact in company.contacts()]
    truth = Counter(period(contact, name) for contact in people)
    async with (
        SmocClient(url, SecretStr(KEY), 20) as api,
        ContactDirectory(api, zone=OSLO) as directory,
    ):
        asked = Count(dimensions=parse_group_by(name), limit=1_000)
        groups = (await directory.count_contacts(asked)).groups
        assert groups is not None
        shown = {g.values[0]: g.contacts for g in groups.grouping.groups if g.contacts}
        assert shown == truth
        for value in list(shown)[:: max(1, len(shown) // 12)]:
            wanted = parse_filter({name: value}, now=directory.clock(), zone=OSLO)
            page = await directory.search_contacts(Listing(wanted=wanted, limit=500))
            assert {row.id for row in page.rows} == {
                str(c["id"]) for c in people if period(c, name) == value
            }
            assert page.proof.exact


async def test_weekdays_and_hours_are_in_their_order_and_none_is_left_out(
    client: Client, company: Company
) -> None:
    del company
    days = await ask(client, "contacts_stats", group_by="created_weekday")
    hours = await ask(client, "contacts_stats", group_by="created_hour", limit=5)
    assert [g["key"]["created_weekday"] for g in days["groups"]] == [
        *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "(none)")
    ]
    assert [g["key"]["created_hour"] for g in hours["groups"]] == [
        *(f"{hour:02}" for hour in range(24)),
        "(none)",
    ]


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ({"created_weekday": "mon, TUE"}, {"created_weekday": "Monday, Tuesday"}),
        ({"created_hour": "9"}, {"created_hour": "09:00"}),
    ],
)
def test_a_period_may_be_written_shorter(given: dict[str, str], same: dict[str, str]) -> None:
    assert parse_filter(given, now=0, zone=OSLO) == parse_filter(same, now=0, zone=OSLO)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("created_week", "2026-11-24"),
        ("created_month", "2026-13"),
        ("created_month", "November"),
        ("created_day", "2026-02-30"),
        ("created_weekday", "mo"),
        ("created_hour", "24"),
    ],
)
def test_no_period_is_refused_with_how_it_is_written(name: str, text: str) -> None:
    with pytest.raises(InputError, match=f"{name} does not know .*: write an? "):
        parse_filter({name: text}, now=0, zone=OSLO)


def test_periods_that_leave_no_time_are_refused() -> None:
    given = {"created_month": "2026-01", "created_after": "2026-03-01"}
    with pytest.raises(InputError, match="leaves no time"):
        parse_filter(given, now=1_790_000_000_000_000, zone=OSLO)


async def test_who_went_quiet_or_never_talked(client: Client, company: Company) -> None:
    found = await ask(client, "contacts_search", quiet_since="2026-01-01", limit=100)
    quiet = {
        str(c["id"])
        for c in company.contacts()
        if str(c.get("lastConversationDate") or "") < "2026-01-01"
    }
    assert found["total"] == len(quiet)
    assert {c["id"] for c in found["contacts"]} <= quiet


async def test_a_trend_of_conversations_is_proven_by_conversations() -> None:
    company = Company("Large", seed=3, size=3000, hostile=0)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            found = await ask(client, "contacts_stats", group_by="conversation_week", limit=100)
    assert found["proven_by"] == "conversation"
    assert "at its last conversation only" in found["note"]
    truth: Counter[str] = Counter()
    for contact in company.contacts():
        if text := contact.get("lastConversationDate"):
            day = datetime.fromisoformat(str(text)).date()
            truth[(day - timedelta(days=day.weekday())).isoformat()] += 1
    whole = {
        g["key"]["conversation_week"]: g["contacts"] for g in found["groups"] if "partial" not in g
    }
    assert whole
    assert whole == {week: truth[week] for week in whole}
