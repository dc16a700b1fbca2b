"""Claims against the sandbox over real HTTP, with windows of 500: it changes under the requests."""

import random
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import anyio
import pytest

from smoc_mcp.api.client import SmocClient
from smoc_mcp.directory.answers import Statistics
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.proof.certainty import Proof
from smoc_mcp.questions.dimensions import DIMENSIONS, Count
from smoc_mcp.questions.filters import ContactFilter, parse_filter
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.settings import Settings
from smoc_mcp.store.store import ContactStore

KEY = "key-of-the-test"
WORDS = {None: "lead", "1": "lead", "2": "customer", "3": "lost", "4": "converted"}
STATUSES = ("any", "lead", "customer", "lost")

Truth = dict[str, tuple[str, str]]
"""Status word and createdAt, by id."""


@dataclass
class ChangingSandbox:
    """A sandbox that changes right before it answers, and keeps what was true of each answer."""

    chance: random.Random
    company: Company
    rate: float
    truths: list[tuple[int, str | None, Truth]] = field(default_factory=list)
    _revision: int = -1
    _truth: Truth = field(default_factory=dict)

    def before_answer(self, company: Company, sort: str | None, limit: int) -> None:
        del limit
        while self.chance.random() < self.rate / (1 + self.rate):
            self.change()
        if company.revision != self._revision:
            self._revision = company.revision
            self._truth = {
                str(c["id"]): (WORDS[_status(c)], str(c.get("createdAt")))
                for c in company.contacts()
            }
        self.truths.append((time.time_ns() // 1000, sort, self._truth))

    def change(self, burst: int = 1) -> None:
        for _ in range(burst):
            dice = self.chance.random()
            self.company.advance(self.chance.choice([0, 0.001, 0.002]))
            if dice < 0.6 or not len(self.company):
                self.company.add()
                continue
            (contact,) = self.company.sample(1)
            if dice < 0.85:
                self.company.update(contact, status=self.chance.choice("1234"))
            elif dice < 0.93:
                self.company.talk(contact)
            else:
                self.company.delete(contact)

    def at(self, proof: Proof) -> list[Truth]:
        """Return what was true of the first answer of each order since a proof's moment."""
        first: dict[str | None, Truth] = {}
        for moment, sort, truth in self.truths:
            if moment >= proof.as_of:
                first.setdefault(sort, truth)
        return list(first.values())


def holds(stats: Statistics, wanted: ContactFilter, truth: Truth) -> bool:
    """Say whether a claim about a filter is true of a moment."""
    after = next((s.after for s in wanted.spans.values()), None)
    matching = [
        status
        for status, created in truth.values()
        if (wanted.statuses is None or status in wanted.statuses)
        and (after is None or _moment(created) >= after)
    ]
    return (
        stats.tally.total == len(matching)
        if stats.tally.proof.exact
        else stats.tally.total >= len(matching)
    )


async def live_through(seed: int, folder: Path) -> dict[str, int]:
    """Ask through one history, with restarts and two processes; return how often it claimed."""
    chance = random.Random(seed)
    company = Company("Changing", seed=seed, size=chance.choice([0, 300, 480, 520, 900]), hostile=0)
    world = ChangingSandbox(chance, company, chance.choice([0, 0.1, 1]))
    sandbox = Sandbox(keys={KEY: company})
    sandbox.before_answer = world.before_answer
    claims: dict[str, int] = {}
    with run_in_thread(sandbox) as url:
        settings = Settings.from_env({"SMOC_API_KEY": KEY, "SMOC_BASE_URL": url})
        for _ in range(3):
            async with (
                SmocClient(url, settings.api_key) as api,
                ContactDirectory(api, store=_store(folder, settings), cache_seconds=0) as one,
                ContactDirectory(api, store=_store(folder, settings), cache_seconds=0) as other,
            ):
                for _ in range(4):
                    world.change(chance.choice([0, 3, 40, 550]))
                    asked = chance.choice([one, one, other])
                    if chance.random() < 0.5:
                        await asked.refresh()
                    given = {"status": chance.choice(STATUSES)}
                    if chance.random() < 0.7:
                        given["created_after"] = chance.choice(["1d", "30d", "1000d"])
                    wanted = parse_filter(given, now=asked.clock(), zone=asked.zone)
                    stats = await asked.count_contacts(
                        Count(wanted=wanted, dimensions=(DIMENSIONS["status"],), limit=50)
                    )
                    if stats.tally.proof.complete:
                        truths = world.at(stats.tally.proof)
                        assert any(holds(stats, wanted, truth) for truth in truths), (seed, given)
                    word = stats.tally.proof.certainty.value
                    claims[word] = claims.get(word, 0) + 1
    return claims


@pytest.mark.long
def test_no_claim_is_false_against_a_sandbox_that_changes_under_the_requests(
    tmp_path: Path,
) -> None:
    made: dict[str, int] = {}
    for seed in range(8):
        for word, count in anyio.run(live_through, seed, tmp_path / str(seed)).items():
            made[word] = made.get(word, 0) + count
    assert made["exact"] > 15
    # Rare: a company must be larger than its windows, and stand still for a while.
    assert made["exact_unless_deleted"] > 0


def _store(folder: Path, settings: Settings) -> ContactStore:
    return ContactStore(
        str(folder / "store"), address=settings.base_url, key_hash=settings.key_hash
    )


def _status(contact: object) -> str | None:
    status = contact.get("status") if isinstance(contact, dict) else None
    assert status is None or isinstance(status, str)
    return status


def _moment(created: str) -> int:
    return round(datetime.fromisoformat(created).timestamp() * 1_000_000)
