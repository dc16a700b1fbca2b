"""What a caller who waits is told, and that nobody is asked on behalf of one who has gone."""

from collections.abc import Iterator
from typing import Literal

import anyio
import pytest
from mcp import Client

from smoc_mcp.directory import progress as waiting
from smoc_mcp.sandbox import Company, Fault, Sandbox, run_in_thread
from tests.hosting import Served, http_client, http_server
from tests.serving import KEY, memory_server, stdio_server, until

pytestmark = pytest.mark.anyio

Mode = Literal["auto", "legacy"]


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.steps: list[float] = []
        self.said: list[str] = []

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        assert total is None
        self.steps.append(progress)
        self.said.append(message or "")


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(keys={KEY: Company("Large", seed=3, size=1_200)})


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    with run_in_thread(sandbox) as address:
        yield address


@pytest.fixture
def served(url: str) -> Iterator[Served]:
    with http_server(url) as it:
        yield it


async def listen(client: Client) -> Listener:
    told = Listener()
    answer = await client.call_tool(
        "contacts_find_by_email", {"email": "nobody@example.com"}, progress_callback=told
    )
    assert not answer.is_error
    return told


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_who_asks_for_progress_is_told_of_each_window_over_http(
    served: Served, mode: Mode
) -> None:
    async with http_client(served.url, mode, x_smoc_token=KEY) as client:
        check(await listen(client))
        # What is in hand is not waited for.
        assert (await listen(client)).said == []


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_who_asks_for_progress_is_told_of_each_window_over_stdio(
    url: str, mode: Mode
) -> None:
    async with stdio_server(url, mode=mode) as client:
        check(await listen(client))


def check(told: Listener) -> None:
    assert told.steps == sorted(set(told.steps))
    assert told.said[-1] == "SMOC answered: 4 of 4 windows of contacts have come."


async def test_who_waits_long_is_told_that_the_server_lives(
    sandbox: Sandbox, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_EVERY_SECONDS", 0.05)
    sandbox.latency = 0.5
    async with memory_server(url) as client:
        told = await listen(client)
    assert told.said[0].endswith("s so far: 0 of 4 windows of contacts have come.")
    assert told.steps == sorted(set(told.steps))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_who_hangs_up_is_no_longer_waited_for(
    sandbox: Sandbox, served: Served, mode: Mode
) -> None:
    sandbox.fail(Fault("slow", seconds=30))

    async def call() -> None:
        async with http_client(served.url, mode, x_smoc_token=KEY) as client:
            await client.call_tool("contacts_list", {})

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        await until(lambda: bool(sandbox.requests), 20)
        tasks.cancel_scope.cancel()
    await until(lambda: sandbox.requests[0].abandoned)
