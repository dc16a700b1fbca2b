"""Clocks that are wrong, or are set while the server runs: nothing false, nothing stands still."""

import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from smoc_mcp.api.client import SmocClient
from smoc_mcp.api.facts import keys_of
from smoc_mcp.api.models import read_contact
from smoc_mcp.directory.answers import Page
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.errors import InvalidKeyError
from smoc_mcp.proof.certainty import Certainty
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.changes import Progress
from smoc_mcp.questions.filters import ContactFilter, Listing, Span
from smoc_mcp.sandbox import Company, Fault, Sandbox, run_in_thread
from smoc_mcp.store.store import ContactStore
from smoc_mcp.text.times import Clock, Moment
from tests import windows
from tests.serving import KEY

pytestmark = pytest.mark.anyio

HOUR = 3600 * 1_000_000
AHEAD = 12 * HOUR
NEWEST = Listing(limit=5)


class SetClock(Clock):
    """The machine's clocks, but that the wall clock is set by somebody, and time can go on."""

    def __init__(self, ahead: Moment = 0) -> None:
        self.ahead = ahead
        self.later: Moment = 0

    def __call__(self) -> Moment:
        return super().__call__() + self.ahead + self.later

    def elapsed(self) -> Moment:
        return super().elapsed() + self.later


@pytest.fixture
def company() -> Company:
    # Its clock is behind ours, so that what is added is of the past.
    return Company("Timely", seed=4, size=700, now=time.time() - 3600, hostile=0)


@pytest.fixture
def sandbox(company: Company) -> Sandbox:
    return Sandbox(keys={KEY: company})


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    with run_in_thread(sandbox) as address:
        yield address


@asynccontextmanager
async def opened(
    url: str, clock: Clock, path: Path | None = None, *, strict: bool = False
) -> AsyncIterator[ContactDirectory]:
    store = ContactStore(path, address=url, key_hash="key")
    async with (
        SmocClient(url, SecretStr(KEY)) as api,
        ContactDirectory(api, store=store, clock=clock, strict=strict, refresh_seconds=1e9) as made,
    ):
        yield made


async def newest(directory: ContactDirectory) -> Page:
    return await directory.list_contacts(NEWEST)


async def test_an_answer_is_no_longer_live_though_the_wall_clock_was_set_back(
    url: str, company: Company
) -> None:
    clock = SetClock(ahead=HOUR)
    async with opened(url, clock) as directory:
        await newest(directory)
        clock.ahead = 0
        company.advance(1)
        (added,) = company.add()
        assert (await newest(directory)).rows[0].id != added
        clock.later = 61 * 1_000_000
        page = await newest(directory)
    assert page.rows[0].id == added
    assert abs(page.proof.as_of - clock()) < 60 * 1_000_000


async def test_a_sync_under_a_clock_that_is_ahead_poisons_no_later_process(
    url: str, company: Company, tmp_path: Path
) -> None:
    path = tmp_path / "store"
    async with opened(url, SetClock(ahead=AHEAD), path) as directory:
        await directory.refresh()
    company.advance(1)
    (added,) = company.add()
    clock = SetClock()
    async with opened(url, clock, path) as directory:
        page = await newest(directory)
        clock.later = 61 * 1_000_000
        company.advance(1)
        (another,) = company.add()
        later = await newest(directory)
        news = await directory.list_changes(Progress(clock() - 2 * HOUR), 100)
    assert [page.rows[0].id, later.rows[0].id] == [added, another]
    assert {added, another} <= {row.id for row in news.changes.new}
    assert max(page.proof.as_of, later.proof.as_of, news.proof.as_of) < clock() + HOUR


async def test_moments_of_the_future_in_a_store_are_brought_back_and_said(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "store"
    async with opened(url, SetClock(ahead=AHEAD), path) as directory:
        await directory.refresh()
    clock = SetClock()
    async with opened(url, clock, path):
        pass
    assert "moments of the future" in caplog.text
    with closing(sqlite3.connect(path)) as db:
        (latest,) = db.execute("SELECT max(seen_at) FROM contacts").fetchone()
    assert latest <= clock() + HOUR


async def test_a_revoked_key_ends_within_the_cache_time_whatever_the_wall_clock_shows(
    url: str, sandbox: Sandbox
) -> None:
    clock = SetClock(ahead=AHEAD)
    async with opened(url, clock, strict=True) as directory:
        await newest(directory)
        assert directory.accepted
        clock.ahead = 0
        sandbox.fail(Fault("unauthorized", times=None))
        clock.later = 61 * 1_000_000
        assert not directory.accepted
        with pytest.raises(InvalidKeyError):
            await newest(directory)


async def test_a_contact_of_the_future_hides_no_gap_in_the_history(
    url: str, company: Company, tmp_path: Path
) -> None:
    clock = SetClock()
    company.add(createdAt="2076-01-01T00:00:00.000Z")
    before = clock() - HOUR
    async with opened(url, clock, tmp_path / "store") as directory:
        await directory.refresh()
        for _ in range(900):
            company.advance(1)
            company.add()
        clock.later = 901 * 1_000_000
        await directory.refresh()
        since = ContactFilter(spans={Sort.CREATED: Span(after=before)})
        page = await directory.search_contacts(Listing(wanted=since, limit=5))
        overview = await directory.overview()
    assert page.total_proof.certainty is Certainty.AT_LEAST
    assert any(gap.sort is Sort.CREATED for gap in overview.gaps)


async def test_a_company_in_which_nobody_has_talked_has_no_gaps_in_its_talks(
    tmp_path: Path,
) -> None:
    silent = Company("Silent", now=time.time() - 3600, hostile=0)
    silent.add(600, lastConversationDate=None)
    with run_in_thread(Sandbox(keys={KEY: silent})) as address:
        clock = SetClock()
        async with opened(address, clock, tmp_path / "store") as directory:
            for _ in range(3):
                await directory.refresh()
                clock.later += 61 * 1_000_000
            overview = await directory.overview()
    assert [gap for gap in overview.gaps if gap.sort is Sort.CONVERSATION] == []


async def test_the_same_gap_is_remembered_once_and_only_the_newest_hundred() -> None:
    store = ContactStore()
    for n in range(300):
        reads = (
            [read] if (read := read_contact({"id": f"{n}", "createdAt": DAY_OF[n % 150]})) else []
        )
        rows = {c.contact.id: keys_of(c) for c in reads}
        edge = next(iter(rows.values())).created
        store.absorb(windows.window(rows, sent=store.tick(), edge=edge), reads)
    gaps = store.gaps()
    assert len(gaps) == len(set(gaps)) == 100
    store.close()


DAY_OF = [f"2026-{1 + n // 28:02}-{1 + n % 28:02}" for n in range(150)]
