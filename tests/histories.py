"""One random history of a company, lived through by one process or several that share a store."""

import random
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import anyio.to_thread

from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.store.store import ContactStore
from tests.audit import Audit
from tests.simulation import LIMIT, LogicalClock, SimulatedCompany, Weather

DAY = 24 * 3600


@dataclass(frozen=True)
class Shared:
    """A store that several processes share, each of which may be restarted at any time.

    Attributes:
        open: Opens the store anew, with its days of retention.
        processes: How many there are at once.
        disturb: Does harm to it while questions are asked.
    """

    open: Callable[[int | None], ContactStore]
    processes: int = 2
    disturb: Callable[[], None] | None = None


async def play(
    chance: random.Random, shared: Shared | None = None, *, harsh: bool = True
) -> Counter[str]:
    """Live through one history; return how often each claim was made."""
    clock = LogicalClock(chance, chance.choice([1, 1, 0.5, 0.1]) if harsh else 1)
    company = SimulatedCompany(
        chance,
        clock,
        size=chance.choice([0, 3, 7, 8, 9, 12, 20, 40]),
        weather=Weather.harsh(chance) if harsh else Weather(),
    )
    company.rate = chance.choice([0, 0.1, 0.5, 2])
    keep_days = chance.choice([None, None, 30]) if harsh else None
    claims: Counter[str] = Counter()
    for _ in range(1 if shared is None else 3):
        async with AsyncExitStack() as running:
            audits = []
            for _ in range(1 if shared is None else shared.processes):
                store = (
                    ContactStore(keep_days=keep_days) if shared is None else shared.open(keep_days)
                )
                directory = ContactDirectory(company, store=store, clock=clock, window_limit=LIMIT)
                await running.enter_async_context(directory)
                audits.append(Audit(chance, company, directory, claims))
            with anyio.fail_after(60):
                for _ in range(8 if shared is None else 4):
                    for _ in range(chance.choice([0, 1, 4, 12])):
                        company.change()
                    if chance.random() < 0.5:
                        clock.advance(61 if keep_days is None else chance.choice([61, 31 * DAY]))
                    async with anyio.create_task_group() as together:
                        for _ in range(chance.choice([1, 1, 2, 4])):
                            together.start_soon(chance.choice(audits).ask)
                        if shared is not None and shared.disturb is not None:
                            together.start_soon(anyio.to_thread.run_sync, shared.disturb)
    return claims


async def play_in_good_weather(chance: random.Random) -> Counter[str]:
    """Live through one history in which nothing out of the ordinary happens."""
    return await play(chance, harsh=False)


def _open_file(path: Path, keep_days: int | None) -> ContactStore:
    return ContactStore(path, keep_days=keep_days)


def play_in_a_file(chance: random.Random) -> Counter[str]:
    """Live through one history with two processes that share a store file."""
    with TemporaryDirectory() as folder:
        shared = Shared(partial(_open_file, Path(folder) / "store"))
        return anyio.run(play, chance, shared)
