"""Who came in a gap of history, and is seen when it is over, is news all the same."""

import pytest
from pydantic import SecretStr

from smoc_mcp.api.client import SmocClient
from smoc_mcp.directory.answers import News
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.proof.certainty import Certainty
from smoc_mcp.questions.changes import Progress
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.store.store import ContactStore
from tests.serving import KEY
from tests.simulation import LogicalClock

pytestmark = pytest.mark.anyio

DAY = 24 * 3600


async def test_who_came_in_a_gap_is_new_when_it_becomes_known() -> None:
    company = Company("Small", seed=8, size=3, hostile=0)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with (
            SmocClient(url, SecretStr(KEY), 20) as api,
            ContactDirectory(api, window_limit=10, cache_seconds=0) as directory,
        ):
            first = await directory.list_changes(Progress(0), 100)
            added = company.add(count=20)
            await directory.refresh()
            for contact_id in added[4:]:
                company.delete(contact_id)
            second = await directory.list_changes(first.changes.progress, 100)
    # The first four were in no window until the company was small again.
    assert {row.id for row in second.changes.new} == set(added[:4])
    assert second.proof.certainty is not Certainty.AT_LEAST


async def test_whom_retention_forgot_is_not_called_new_and_nothing_is_proven_then() -> None:
    company = Company("Small", seed=8, size=30, hostile=0)
    clock = LogicalClock()

    async def ask(directory: ContactDirectory, progress: Progress) -> News:
        return await directory.list_changes(progress, 100)

    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with (
            SmocClient(url, SecretStr(KEY), 20) as api,
            ContactDirectory(
                api, store=ContactStore(keep_days=30), window_limit=10, cache_seconds=0, clock=clock
            ) as directory,
        ):
            first = await ask(directory, Progress(0))
            seen = {row.id for row in (*first.changes.new, *first.changes.updated)}
            company.add(count=10)
            second = await ask(directory, first.changes.progress)
            clock.advance(31 * DAY)
            company.add(count=1)
            third = await ask(directory, second.changes.progress)
            [back] = list(seen)[:1]
            company.update(back, city="Voss")
            fourth = await ask(directory, third.changes.progress)
    assert back not in {row.id for row in fourth.changes.new}
    assert back in {row.id for row in fourth.changes.updated}
    assert fourth.proof.certainty is Certainty.AT_LEAST
