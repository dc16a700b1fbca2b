"""What is proven of duplicates, and what is said where it is not."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from smoc_mcp.directory.answers import Duplicates
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.proof.certainty import Certainty
from smoc_mcp.questions.duplicates import By, Candidate, Pairing, groups_of, traits_of
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.text.times import iso
from tests.serving import KEY, memory_server, text_of
from tests.simulation import EPOCH, LIMIT, STEP, LogicalClock, SimulatedCompany
from tests.test_duplicates import Person, company_of, found_in, grouped, members

pytestmark = pytest.mark.anyio


def test_of_one_number_no_group_of_a_time_lasts_that_more_contacts_could_take_away() -> None:
    """Try all small numbers of contacts with one number in two countries and in none."""
    # The country, and below how many of it are known, and are not.
    kinds = [("46", 4, 2), ("47", 3, 4), ("", 2, 2)]
    counts = list(product(*(range(most) for _, *both in kinds for most in both)))
    for flags in product([False, True], repeat=6):
        for numbers in counts:
            some, whole = [], []
            for (code, *_), at in zip(kinds, (0, 2, 4), strict=True):
                known = _callers(code, numbers[at], in_time=flags[at])
                some += known
                whole += known + _callers(code, numbers[at + 1], in_time=flags[at + 1])
            least = sum(group.lasting for group in groups_of(By.PHONE, some))
            assert least <= sum(group.has_one for group in groups_of(By.PHONE, whole)), numbers


def _callers(code: str, number: int, *, in_time: bool) -> list[Candidate]:
    """Return contacts of one number, of whom the first may be of the time asked for."""
    return [
        Candidate(f"{code}/{at}/{in_time}", at, "701234567", code, "", in_time and at == 0)
        for at in range(number)
    ]


def test_a_number_without_a_country_makes_no_group_of_a_time_that_lasts_beside_another() -> None:
    numbers = [*["+46701234567"] * 3, *["+47701234567"] * 2, "0701234567"]
    people: list[Person] = [(None, None, number, "", "") for number in numbers]
    in_time = [False, False, False, False, True, True]
    known = grouped(By.PHONE, people, in_time)
    assert [(set(g.ids), g.has_one, g.lasting) for g in known] == [
        ({"0", "1", "2", "5"}, True, False),
        ({"3", "4"}, True, True),
    ]
    # Where two more have the number in Norway, the one without a country goes there.
    more: list[Person] = [(None, None, "+47701234567", "", "")] * 2
    whole = grouped(By.PHONE, [*people, *more], [*in_time, False, False])
    assert [set(g.ids) for g in whole if g.has_one] == [{"3", "4", "5", "6", "7"}]


def add_all(company: SimulatedCompany, numbers: Sequence[str]) -> None:
    """Add a contact with each number, each later than those before."""
    for number in numbers:
        n = len(company.contacts)
        time = iso(EPOCH - 10_000 * STEP + n * STEP, ZoneInfo("UTC"))
        company.contacts[f"{n:02}"] = {
            "id": f"{n:02}",
            "msisdn": number,
            "status": "3",
            "createdAt": time,
            "updatedAt": time,
            "lastConversationDate": None,
        }


async def find_where_two_linger(numbers: Sequence[str]) -> Duplicates:
    """Ask for those of one number when the third and fourth of all are gone and nobody knows."""
    company = SimulatedCompany(random.Random(1), LogicalClock(), size=0)
    directory = ContactDirectory(company, clock=company.clock, window_limit=LIMIT)
    async with directory:
        for added in (numbers, [""] * 5, [""] * 5):
            add_all(company, added)
            await directory.refresh()
            company.clock.advance(61)
        del company.contacts["02"], company.contacts["03"]
        return await directory.find_duplicates(Pairing(by=By.PHONE))


async def test_who_lingers_draws_no_number_from_its_group_in_a_proven_answer() -> None:
    found = await find_where_two_linger(["+46 15241895", "15241895", *["+47 15241895"] * 2])
    assert [g.group.ids for g in found.groups] == [("03", "02", "01")]
    # In truth 01 is with 00, which is not shown at all.
    assert found.proof.certainty is Certainty.AT_LEAST
    assert found.part is None


async def test_where_one_country_has_a_number_who_lingers_takes_no_proof_away() -> None:
    found = await find_where_two_linger(["+46 15241895", "15241895", *["+46 15241895"] * 2])
    assert [g.group.ids for g in found.groups] == [("03", "02", "01", "00")]
    assert found.proof.certainty is Certainty.EXACT_UNLESS_DELETED


def hourly(*people: dict[str, Any], size: int = 0) -> tuple[Company, list[str], list[str]]:
    """Return a company, the ids of people each created an hour after the one before, and when."""
    began = datetime.now(UTC) - timedelta(hours=len(people) + 1)
    times = [f"{began + timedelta(hours=n):%Y-%m-%dT%H:%M:%SZ}" for n in range(len(people))]
    made = ({**who, "createdAt": time} for who, time in zip(people, times, strict=True))
    return *company_of(*made, size=size), times


async def test_a_filter_of_time_asks_for_groups_of_which_one_was_created_in_it() -> None:
    company, ids, created = hourly(
        *({"email": e} for e in ("old@x.no", "a@x.no", "old@x.no", "A@x.no", "b@x.no", "a+b@x.no"))
    )
    cases: list[tuple[dict[str, Any], list[set[str]]]] = [
        ({"created_after": created[4]}, [{ids[1], ids[3], ids[5]}]),
        ({"created_before": created[1]}, [{ids[0], ids[2]}]),
        ({"created_after": created[1], "created_before": created[2]}, [{ids[1], ids[3], ids[5]}]),
        ({"created_after": created[2]}, [{ids[1], ids[3], ids[5]}, {ids[0], ids[2]}]),
        ({"created_after": created[4], "created_before": created[5]}, []),
    ]
    for asked, expected in cases:
        found = await found_in(company, **asked)
        assert members(found) == expected, asked
        assert (found["total"], found["certainty"]) == (len(expected), "exact")
        said = "Of each group one at least is of the time asked for" in found.get("note", "")
        assert said is bool(expected)


async def test_a_number_makes_a_group_of_a_time_by_its_own_country_alone() -> None:
    numbers = ["+46 15241895", "+46 15241895", "+47 15241895", "+47 15241895"]
    company, ids, created = hourly(*({"msisdn": number} for number in numbers))
    found = await found_in(company, by="phone", created_after=created[2])
    assert members(found) == [{ids[2], ids[3]}]


async def test_a_twin_from_before_a_time_can_be_anybody_so_the_whole_company_must_be_proven() -> (
    None
):
    company, ids = company_of(
        {"email": "ada@example.com"}, {"email": "ada+x@example.com"}, size=3_000
    )
    found = await found_in(company, limit=100)
    assert found["certainty"] == "at_least"
    assert set(ids) in members(found)
    since = found["proven_since"]
    assert f"No two are missing among all created since {since} (exact)" in found["note"]
    part = await found_in(company, created_after=since, limit=100)
    # All who were created since are in hand; those who were created before are not.
    assert (part["certainty"], part["proven_since"]) == ("at_least", since)
    assert "created_after" not in part["note"]
    groups = members(part)
    assert all(any(pair <= group for group in groups) for pair in truth_of(company, since))
    assert part["total"] <= len(truth_of(company, "", since))


async def test_nobody_is_proven_of_a_time_before_all_who_are_proven() -> None:
    company, _ = company_of({"email": "a@x.no"}, size=3_000)
    since = (await found_in(company))["proven_since"]
    found = await found_in(company, created_before=since)
    assert "proven_since" not in found
    assert "No two are missing" not in found["note"]


def truth_of(company: Company, since: str, one_since: str = "") -> list[set[str]]:
    """Return the groups by address of those created since, with one at least of a later time."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for contact in company.contacts():
        if str(contact["createdAt"] or "") >= since:
            address = traits_of(None, str(contact.get("email") or ""), None).address
            groups.setdefault(address, []).append(dict(contact))
    return [
        {str(c["id"]) for c in group}
        for address, group in groups.items()
        if address and len(group) > 1 and any(str(c["createdAt"] or "") >= one_since for c in group)
    ]


async def test_groups_of_a_time_that_may_be_divided_otherwise_are_in_no_lower_bound() -> None:
    numbers = [*["+46 8765432109"] * 3, "+47 8765432109", "+47 8765432109", "08765432109"]
    company, ids, created = hourly(*({"msisdn": number} for number in numbers), size=3_000)
    found = await found_in(company, by="phone", created_after=created[4])
    ours = [group for group in members(found) if group & set(ids)]
    assert ours == [{ids[0], ids[1], ids[2], ids[5]}, {ids[3], ids[4]}]
    # Only the first is in no lower bound: who is without a country may be with those of Norway.
    assert (found["total"], found["remembered"]) == (len(found["groups"]) - 1, 1)
    assert "1 group more in hand may be gone, or divided otherwise." in found["note"]


async def test_a_number_of_two_countries_takes_a_proof_away_where_somebody_of_the_time_has_it() -> (
    None
):
    numbers = ["+46 8765432109", "+47 8765432109", "08765432109", ""]
    company, _, created = hourly(*({"msisdn": number} for number in numbers), size=3_000)
    for after, is_proven in ((created[2], False), (created[3], True)):
        found = await found_in(company, by="phone", created_after=after)
        assert ("proven_since" in found) is is_proven


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "No two contacts have the same address."),
        ({"by": "phone"}, "No two contacts have the same phone number of seven digits or more."),
        (
            {"by": "name"},
            "No two contacts have the same first and last name with the same employer or city.",
        ),
        (
            {"created_after": "2d"},
            "No contact of the time asked for has the same address as another.",
        ),
    ],
)
async def test_that_nobody_is_alike_is_said_of_what_was_compared_alone(
    asked: dict[str, str], said: str
) -> None:
    company, _ = company_of({"email": "a@x.no"}, {"email": "b@x.no"})
    assert (await text_about(company, asked)).startswith(f"{said} Certainty: exact.")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {},
            "Of those in hand no two contacts have the same phone number of seven digits or more, ",
        ),
        (
            {"created_after": "2d"},
            "Of those in hand no contact of the time asked for has the same phone number of "
            "seven digits or more as another, ",
        ),
    ],
)
async def test_where_not_all_are_in_hand_nothing_is_said_of_the_others(
    asked: dict[str, str], said: str
) -> None:
    company = Company("Alone", seed=5, size=1_200, hostile=0)
    for number, contact in enumerate(list(company.contacts())):
        company.update(str(contact["id"]), msisdn=f"+47 {20_000_000 + number}")
    text = await text_about(company, {"by": "phone", **asked})
    assert text.startswith(f"{said}which does not prove that there are none. Certainty: at_least.")


async def text_about(company: Company, asked: dict[str, str]) -> str:
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            return text_of(await client.call_tool("contacts_duplicates", dict[str, Any](asked)))


async def test_one_group_that_is_a_lower_bound_is_one_group() -> None:
    company = Company("Large", seed=3, size=1500, hostile=0)
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    # The only two of their time: nobody else was created within the last second.
    for _ in range(2):
        company.add(msisdn="+4799911122", createdAt=ahead)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            since = datetime.now(UTC).isoformat()
            asked = {"by": "phone", "created_after": since}
            text = text_of(await client.call_tool("contacts_duplicates", asked))
    assert text.startswith("1 of at least 1 group that may be one person")
