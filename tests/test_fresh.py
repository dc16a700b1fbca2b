"""A value that is fetched when it is needed: once for all who wait, and again when it is old."""

import anyio
import pytest

from smoc_mcp.http.fresh import Fresh


class Source:
    """Somebody who is asked, and counts how often."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails = False
        self.answers = anyio.Event()

    async def fetch(self) -> int:
        self.asked += 1
        if self.fails:
            raise ConnectionError
        await self.answers.wait()
        return self.asked


@pytest.mark.anyio
async def test_all_who_need_it_at_once_ask_once() -> None:
    source, found = Source(), list[int]()
    fresh = Fresh(source.fetch, 0)

    async def caller() -> None:
        found.append(await fresh.get(60))

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(caller)
        await anyio.wait_all_tasks_blocked()
        source.answers.set()
    assert found == [1] * 5


@pytest.mark.anyio
async def test_an_old_value_is_asked_for_again() -> None:
    source = Source()
    source.answers.set()
    fresh = Fresh(source.fetch, 0)
    assert [await fresh.get(60), await fresh.get(60), await fresh.get(-1)] == [1, 1, 2]


@pytest.mark.anyio
async def test_who_was_never_reached_is_not_asked_at_each_call() -> None:
    source = Source()
    source.fails = True
    fresh = Fresh(source.fetch, 0)
    for _ in range(5):
        with pytest.raises(ConnectionError):
            await fresh.get(60)
    assert source.asked == 1
    assert isinstance(fresh.failure, ConnectionError)


@pytest.mark.anyio
async def test_what_was_known_stays_while_it_cannot_be_fetched_and_nobody_waits_for_it() -> None:
    source = Source()
    source.answers.set()
    fresh = Fresh(source.fetch, 0)
    assert await fresh.get(60) == 1
    source.fails = True
    assert [await fresh.get(-1) for _ in range(5)] == [1] * 5
    assert source.asked == 2
    assert isinstance(fresh.failure, ConnectionError)


@pytest.mark.anyio
async def test_who_has_a_value_does_not_wait_for_a_newer_one() -> None:
    source = Source()
    source.answers.set()
    fresh = Fresh(source.fetch, 0)
    await fresh.get(60)
    source.answers = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fresh.get, -1)
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(1):
            assert await fresh.get(-1) == 1
        source.answers.set()
    assert await fresh.get(60) == 2


@pytest.mark.anyio
async def test_a_caller_that_goes_away_does_not_keep_others_from_asking() -> None:
    source = Source()
    fresh = Fresh(source.fetch, 0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fresh.get, 60)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    source.answers.set()
    assert await fresh.get(60) == 2
