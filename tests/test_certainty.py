"""No claim of certainty is ever false: random histories of a company, checked against the truth."""

import random
from collections import Counter

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.proof.windows import COUNTED, Status
from smoc_mcp.questions.dimensions import DIMENSIONS, Count
from smoc_mcp.questions.filters import ContactFilter, Span
from tests.audit import Audit
from tests.histories import play, play_in_a_file, play_in_good_weather
from tests.simulation import LIMIT, LogicalClock, Raw, SimulatedCompany, key
from tests.truth import WIRE, moment, status_of


@given(st.integers(0, 2**63))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_exact_answer_is_ever_false(seed: int) -> None:
    anyio.run(play, random.Random(seed))


@given(st.integers(0, 2**63))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_claim_is_ever_false_with_a_store_of_two_processes_that_restart(seed: int) -> None:
    play_in_a_file(random.Random(seed))


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_no_claim_is_ever_false_over_thousands_of_histories(part: int) -> None:
    claims: Counter[str] = Counter()
    for seed in range(part * 600, (part + 1) * 600):
        claims += anyio.run(play, random.Random(seed))
    for seed in range(part * 150, (part + 1) * 150):
        claims += play_in_a_file(random.Random(seed))
    assert claims["list rows exact"] > 200
    # Rare in harsh weather, where one answer in the wrong order breaks the chain that it needs.
    assert claims["search total exact_unless_deleted"] > 1
    assert claims["news exact_unless_deleted"] > 15
    assert claims["poll exact True"] > 80


@pytest.mark.parametrize("histories", [80, pytest.param(200, marks=pytest.mark.long)])
def test_exact_is_claimed_often_enough_to_be_of_use(histories: int) -> None:
    claims: Counter[str] = Counter()
    for seed in range(histories):
        claims += anyio.run(play_in_good_weather, random.Random(f"often/{seed}"))
    for name in ("list rows", "list total", "search rows", "search total", "stats"):
        exact, weaker = claims[f"{name} exact"], claims[f"{name} at_least"]
        assert exact > (exact + weaker) / 4, (name, exact, weaker)
    for claim in (
        "email exact True",
        "email exact False",
        "search total exact_unless_deleted",
        "stats exact_unless_deleted",
        "statuses exact",
        "part exact",
        "groups of those since",
        "groups in hand",
        "groups by city exact",
        "groups by survey exact",
        "groups by survey:q1 exact",
        "groups by text exact",
    ):
        assert claims[claim] > 0, claims


async def ask_where_the_rules_allow(chance: random.Random) -> tuple[int, int]:
    """Ask a company that is quiet meanwhile; return how often exact was allowed, and claimed."""
    clock = LogicalClock()
    company = SimulatedCompany(chance, clock, size=chance.choice([3, 7, 9, 12, 16, 24, 40]))
    allowed = claimed = 0
    async with ContactDirectory(company, clock=clock, window_limit=LIMIT) as directory:
        audit = Audit(chance, company, directory)
        for _ in range(8):
            for _ in range(chance.choice([0, 1, 4, 12])):
                company.change()
            clock.advance(chance.choice([1, 61]))
            wanted = audit.filter()
            stats = await directory.count_contacts(
                Count(wanted=wanted, dimensions=(DIMENSIONS["status"],), limit=100)
            )
            if _allowed(wanted, list(company.contacts.values())):
                allowed += 1
                claimed += stats.tally.proof.exact
    return allowed, claimed


@pytest.mark.parametrize("companies", [40, pytest.param(100, marks=pytest.mark.long)])
def test_exact_is_claimed_in_98_of_100_cases_where_the_rules_allow_it(companies: int) -> None:
    chances = (random.Random(f"a{n}") for n in range(companies))
    counts = [anyio.run(ask_where_the_rules_allow, chance) for chance in chances]
    allowed, claimed = (sum(column) for column in zip(*counts, strict=True))
    assert allowed > 2.5 * companies
    assert claimed >= 0.98 * allowed, (allowed, claimed)


def _allowed(wanted: ContactFilter, company: list[Raw]) -> bool:
    """Say whether fresh windows of a quiet company prove all of a filter, by the design's rules."""
    if len(company) < LIMIT:
        return True
    sure = {str(c["id"]) for c in company[:LIMIT]}
    for sort, name in WIRE.items():
        edge = sorted((key(c, name) for c in company), reverse=True)[LIMIT - 1]
        sure |= {str(c["id"]) for c in company if key(c, name) > edge}
        after = wanted.spans.get(sort, Span()).after
        if after is not None and (not edge or after > moment(edge)):
            return True
    times = sorted((key(c, "updatedAt") for c in company), reverse=True)
    look_is_told_apart = times[0] != times[3] != times[4]
    statuses = wanted.statuses or frozenset(Status)
    counted = statuses <= COUNTED
    return (
        counted
        and look_is_told_apart
        and all(str(c["id"]) in sure for c in company if status_of(c) in statuses)
    )
