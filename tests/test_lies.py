"""Answers of SMOC that are wrong: nothing is lost by one of them, and nothing false is claimed."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from smoc_mcp.api.client import SmocClient, SortField
from smoc_mcp.api.models import ApiAnswer, read_contact
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.proof.certainty import Certainty
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.choices import Choice, Wanted
from smoc_mcp.questions.dimensions import Count
from smoc_mcp.questions.filters import ContactFilter, Listing, Span
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.store.store import ContactStore
from smoc_mcp.text.times import Clock, Moment
from tests.serving import KEY

pytestmark = pytest.mark.anyio

SIZE = 900
Lie = Callable[[SortField | None, ApiAnswer], ApiAnswer]


class LaterClock(Clock):
    """The machine's clocks; time can go on."""

    later: Moment = 0

    def __call__(self) -> Moment:
        return super().__call__() + self.later

    def elapsed(self) -> Moment:
        return super().elapsed() + self.later

    def expire(self) -> None:
        """Let every live window be too old."""
        self.later += 61 * 1_000_000


@dataclass
class Liar:
    """The API, whose answers are changed on their way by whatever the test says."""

    api: SmocClient
    lies: list[Lie] = field(default_factory=list)

    async def fetch_contacts(
        self, sort: SortField | None, limit: int = 500, *, seconds: float | None = None
    ) -> ApiAnswer:
        answer = await self.api.fetch_contacts(sort, limit, seconds=seconds)
        for lie in self.lies:
            answer = lie(sort, answer)
        return answer


@dataclass
class World:
    company: Company
    liar: Liar
    clock: LaterClock
    directory: ContactDirectory

    async def in_hand(self) -> int:
        return (await self.directory.overview()).company.in_hand

    async def refresh_twice(self) -> None:
        """Fetch all windows, then all of them again."""
        for _ in range(2):
            self.clock.expire()
            await self.directory.refresh()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A company of whom most are remembered, for SMOC's windows show but the newest."""
    async with opened(tmp_path / "store") as made:
        yield made


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[World]:
    clock = LaterClock()
    company = Company("Honest", seed=4, size=SIZE, now=time.time() - 3600, hostile=0)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with SmocClient(url, SecretStr(KEY)) as api:
            liar = Liar(api)
            store = ContactStore(path, address=url, key_hash="key")
            async with ContactDirectory(
                liar, store=store, clock=clock, refresh_seconds=1e9
            ) as directory:
                await directory.refresh()
                company.advance(600)
                for _ in range(300):
                    company.advance(1)
                    company.add(status="3")
                clock.expire()
                await directory.refresh()
                yield World(company, liar, clock, directory)


def empty(_: SortField | None, answer: ApiAnswer) -> ApiAnswer:
    return replace(answer, contacts=(), sent=0, leads=0, customers=0)


def short_by(field_name: str, count: int) -> Lie:
    """Return the lie that a window of one order is the whole company, counts and all."""

    def lie(sort: SortField | None, answer: ApiAnswer) -> ApiAnswer:
        if sort != field_name or answer.limit < 500:
            return answer
        kept = answer.contacts[: len(answer.contacts) - count]
        statuses = [c.contact.status for c in kept]
        return replace(
            answer,
            contacts=kept,
            sent=len(kept),
            leads=statuses.count("1") + statuses.count(None),
            customers=statuses.count("2"),
        )

    return lie


def cached(seconds: int) -> Lie:
    return lambda _, answer: replace(answer, age=seconds)


def yesterday(_: SortField | None, answer: ApiAnswer) -> ApiAnswer:
    return replace(answer, answered=time.time_ns() // 1000 - 30 * 3600 * 1_000_000)


def reversed_ends(_: SortField | None, answer: ApiAnswer) -> ApiAnswer:
    first, *between, last = answer.contacts
    return replace(answer, contacts=(last, *between, first))


def only(sort_field: SortField | None, lie: Lie) -> Lie:
    return lambda sort, answer: lie(sort, answer) if sort == sort_field else answer


async def test_one_empty_answer_erases_nobody_and_proves_nothing(world: World) -> None:
    before = await world.in_hand()
    world.clock.expire()
    world.liar.lies = [only("createdAt", empty)]
    report = await world.directory.refresh()
    page = await world.directory.list_contacts(Listing())
    assert report.removed == 0
    assert await world.in_hand() == before
    assert page.total_proof.certainty is Certainty.AT_LEAST


async def test_one_short_answer_whose_counts_agree_erases_nobody_and_proves_nothing(
    world: World,
) -> None:
    before = await world.in_hand()
    world.liar.lies = [short_by("createdAt", 3)]
    for _ in range(3):
        world.clock.expire()
        report = await world.directory.refresh()
        stats = await world.directory.count_contacts(Count())
        assert report.removed == 0
        assert stats.proof.certainty is Certainty.AT_LEAST
        assert await world.in_hand() == before


async def test_a_second_answer_in_another_order_is_needed_to_believe_that_all_are_gone(
    world: World,
) -> None:
    before = await world.in_hand()
    world.clock.expire()
    world.liar.lies = [empty]
    report = await world.directory.refresh()
    assert report.removed == before
    assert await world.in_hand() == 0


async def test_who_was_taken_to_be_deleted_is_back_as_soon_as_smoc_shows_him(
    world: World,
) -> None:
    world.liar.lies = [empty]
    await world.refresh_twice()
    assert await world.in_hand() == 0
    world.liar.lies = []
    world.clock.expire()
    await world.directory.refresh()
    assert await world.in_hand() >= 500


@pytest.mark.parametrize("lie", [cached(86_000), yesterday], ids=["an age", "another day"])
async def test_what_a_cache_answers_is_no_proof_and_true_of_an_earlier_moment(
    world: World, lie: Lie
) -> None:
    world.clock.expire()
    world.liar.lies = [lie]
    page = await world.directory.list_contacts(Listing(limit=5))
    stats = await world.directory.count_contacts(Count())
    assert page.proof.certainty is page.total_proof.certainty is Certainty.AT_LEAST
    assert stats.proof.certainty is Certainty.AT_LEAST


async def test_remembered_contacts_that_were_deleted_are_in_no_lower_bound(world: World) -> None:
    known = [str(c["id"]) for c in world.company.contacts()]
    for contact_id in known[: SIZE // 2]:
        world.company.delete(contact_id)
    world.clock.expire()
    stats = await world.directory.count_contacts(Count())
    wanted = ContactFilter(texts={"country": Choice(frozenset({Wanted("no")}))})
    page = await world.directory.search_contacts(Listing(wanted=wanted, sort=Sort.CREATED))
    truth = list(world.company.contacts())
    assert max(stats.total, stats.company.at_least) <= len(truth)
    assert page.total <= sum(_country(c) == "NO" for c in truth)
    assert stats.company.in_hand >= stats.total


async def test_more_leads_in_hand_than_smoc_counts_are_said_to_be_gone(world: World) -> None:
    leads = [str(c["id"]) for c in world.company.contacts() if c.get("status") in ("1", None)]
    for contact_id in leads[:200]:
        world.company.delete(contact_id)
    world.clock.expire()
    stats = await world.directory.count_contacts(Count())
    assert 0 < stats.company.must_be_gone <= 200
    assert stats.proof.certainty is Certainty.AT_LEAST


async def test_a_window_in_a_wrong_order_does_not_stand_for_those_who_came_before_it(
    world: World,
) -> None:
    start = round(world.company.now() * 1_000_000)
    for _ in range(510):
        world.company.advance(1)
        world.company.add(status="3")
    world.clock.expire()
    world.liar.lies = [only("createdAt", reversed_ends)]
    wanted = ContactFilter(spans={Sort.CREATED: Span(after=start)})
    page = await world.directory.search_contacts(Listing(wanted=wanted, sort=Sort.CREATED))
    assert page.total < 510
    assert page.total_proof.certainty is Certainty.AT_LEAST


def _country(contact: Any) -> str:
    visits: Sequence[Any] = contact.get("visitList") or [{}]
    return str(visits[-1].get("country"))


def test_the_lie_is_one_that_the_reader_cannot_tell() -> None:
    read = read_contact({"id": "a", "status": "1"})
    assert read is not None
    answer = ApiAnswer((read,) * 500, 500, 500, 500, 0)
    told = short_by("createdAt", 3)("createdAt", answer)
    assert (told.sent, told.leads, told.lost) == (497, 497, 0)
