"""Three servers as processes behind a round-robin, one PostgreSQL store, a company that grows."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import anyio
import pytest

from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from tests.clusters import Cluster
from tests.hosting import Served, http_client, http_server
from tests.serving import KEY, ask

pytestmark = [pytest.mark.postgres, pytest.mark.anyio]

CACHE_SECONDS = 3
ROUNDS = 6
GROWTH = 150
BEGIN = datetime.now(UTC) - timedelta(hours=6)


class Fleet:
    """Servers of one company, and the SMOC that they ask."""

    def __init__(self, servers: list[Served], sandbox: Sandbox, company: Company) -> None:
        self.servers, self.sandbox, self.company = servers, sandbox, company
        self._turn = itertools.count()

    def kill(self, server: Served) -> None:
        """End a server as the kernel would, in the middle of whatever it does."""
        server.process.kill()
        self.servers.remove(server)

    async def ask(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Ask the server whose turn it is."""
        server = self.servers[next(self._turn) % len(self.servers)]
        async with http_client(server.url, x_smoc_token=KEY) as client:
            return await ask(client, tool, **arguments)


@contextmanager
def fleet(cluster: Cluster, number: int) -> Iterator[Fleet]:
    company = Company("Growing", seed=6, size=20_000, now=BEGIN, hostile=0)
    sandbox = Sandbox(keys={KEY: company})
    place = cluster.new_database().get_secret_value()
    env = {
        "SMOC_MCP_STORE": place,
        "SMOC_MCP_CACHE_SECONDS": str(CACHE_SECONDS),
        "SMOC_MCP_CALLS_PER_MINUTE": "10000",
    }
    with ExitStack() as running:
        url = running.enter_context(run_in_thread(sandbox))
        servers = [running.enter_context(http_server(url, **env)) for _ in range(number)]
        yield Fleet(servers, sandbox, company)


def shown(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what must be the same whoever answers."""
    times = {"as_of", "age_seconds", "next_cursor"}
    return {key: value for key, value in answer.items() if key not in times}


async def agreed(it: Fleet, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what three answers in turn agree on, as soon as nothing is under way any more."""
    with anyio.fail_after(60):
        while True:
            first, *others = [shown(await it.ask(tool, **arguments)) for _ in range(3)]
            if others == [first, first]:
                return first


async def live(it: Fleet) -> None:
    """Grow and ask, round by round; in the middle, the server dies that fetches."""
    since = BEGIN.isoformat(timespec="seconds")
    questions: list[tuple[str, dict[str, Any]]] = [
        ("contacts_search", {"created_after": since, "limit": 3}),
        ("contacts_stats", {"created_after": since, "group_by": "status"}),
        ("contacts_list", {"limit": 3}),
    ]
    for number in range(ROUNDS):
        it.company.add(GROWTH)
        it.company.advance(300)
        # What was live is not any more.
        await anyio.sleep(CACHE_SECONDS + 0.1)
        if number == ROUNDS // 2:
            await kill_the_one_that_fetches(it)
        for tool, arguments in questions:
            async with anyio.create_task_group() as together:
                for _ in range(3):
                    together.start_soon(partial(it.ask, tool, **arguments))
        answers = [await agreed(it, tool, arguments) for tool, arguments in questions]
        total, page = answers[0], answers[2]
        assert total["total"] == (number + 1) * GROWTH
        assert total["total_certainty"] in ("exact", "exact_unless_deleted"), total
        newest = [contact["id"] for contact in page["contacts"]]
        assert newest == [c["id"] for c in it.company.page("createdAt", 3)]
    assert total["total_certainty"] == "exact_unless_deleted"


async def kill_the_one_that_fetches(it: Fleet) -> None:
    """Let each be asked while SMOC is slow, and kill the one that has sent the request."""
    before = len(it.sandbox.requests)
    it.sandbox.latency = 1.0
    dies = it.servers[0]

    async def ask_in_vain() -> None:
        with pytest.raises(BaseException):  # noqa: B017  however the client tells of a dead server
            async with http_client(dies.url, x_smoc_token=KEY) as client:
                await ask(client, "contacts_list")

    async with anyio.create_task_group() as together:
        together.start_soon(ask_in_vain)
        with anyio.fail_after(20):
            while len(it.sandbox.requests) == before:  # noqa: ASYNC110  it has no event
                await anyio.sleep(0.01)
        it.kill(dies)
    it.sandbox.latency = 0.0


async def test_three_servers_answer_alike_through_the_kill_of_the_one_that_fetches(
    cluster: Cluster,
) -> None:
    with fleet(cluster, 3) as three:
        await live(three)
