"""What is proven of duplicates, and what is said where it is not."""

import random
from collections.abc import Sequence

import pytest

from smoc_mcp.directory.answers import Duplicates
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.proof.certainty import Certainty
from smoc_mcp.questions.duplicates import By, Pairing
from smoc_mcp.text.times import iso
from tests.simulation import EPOCH, LIMIT, STEP, UTC, LogicalClock, SimulatedCompany

pytestmark = pytest.mark.anyio


def add_all(company: SimulatedCompany, numbers: Sequence[str]) -> None:
    """Add a contact with each number, each later than those before."""
    for number in numbers:
        n = len(company.contacts)
        time = iso(EPOCH - 10_000 * STEP + n * STEP, UTC)
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
