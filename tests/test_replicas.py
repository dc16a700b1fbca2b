"""Replicas that share a PostgreSQL store: one history, one clock, and requests as of one."""

import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio
import psycopg
import pytest
from pydantic import SecretStr

from smoc_mcp.api.client import SmocClient
from smoc_mcp.directory.answers import Page
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.errors import InvalidKeyError, StoreError
from smoc_mcp.proof.certainty import Certainty
from smoc_mcp.proof.live import LiveWindows
from smoc_mcp.proof.windows import Sort, Status, Window
from smoc_mcp.questions.changes import Progress
from smoc_mcp.questions.dimensions import DIMENSIONS, Count
from smoc_mcp.questions.filters import ContactFilter, Listing, Span
from smoc_mcp.sandbox import Company, Fault, Sandbox, run_in_thread
from smoc_mcp.store.store import ContactStore
from smoc_mcp.text.times import Clock, as_moment
from tests.clusters import Cluster
from tests.histories import Shared, play
from tests.serving import KEY
from tests.simulation import LogicalClock
from tests.stores import contacts, window

pytestmark = [pytest.mark.postgres, pytest.mark.anyio]

NEWEST = Listing(limit=20)
CITY = DIMENSIONS["city"]
HOUR = 3600
TAKEN_AWAY = """
    CREATE FUNCTION smoc_mcp.take_away() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF to_regclass('smoc_mcp.windows') IS NOT NULL THEN
            ALTER TABLE smoc_mcp.windows RENAME TO away;
        END IF;
        RETURN NULL;
    END $$
"""
AT_COMMIT = """
    CREATE CONSTRAINT TRIGGER take_away AFTER UPDATE ON smoc_mcp.changes
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION smoc_mcp.take_away()
"""
WAITERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE usename = 'smoc' AND (query LIKE 'SELECT pg_try%' OR query LIKE 'LISTEN%')"
)
QUEUE = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND usename = 'smoc' AND (query LIKE 'SELECT pg_try%' OR query LIKE 'LISTEN%')"
)
ANYBODY = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE usename = 'smoc' AND datname = '{}' ORDER BY random() LIMIT 1"
)


@pytest.fixture
def place(cluster: Cluster) -> SecretStr:
    return cluster.new_database()


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(keys={KEY: Company("Large", seed=3, size=1_500, hostile=0)})


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    with run_in_thread(sandbox) as address:
        yield address


class Running:
    """Replicas of one server, in one process."""

    def __init__(self, place: SecretStr, url: str, exits: AsyncExitStack) -> None:
        self._place, self._url, self._exits = place, url, exits

    async def start(
        self, clock: Clock | None = None, *, refresh_seconds: float = HOUR
    ) -> ContactDirectory:
        """Start one more."""
        client = await self._exits.enter_async_context(SmocClient(self._url, SecretStr(KEY)))
        store = ContactStore(self._place, address=self._url, key_hash=KEY)
        directory = ContactDirectory(
            client, store=store, clock=clock, refresh_seconds=refresh_seconds
        )
        return await self._exits.enter_async_context(directory)

    async def started(self, number: int, clock: Clock) -> list[ContactDirectory]:
        """Start so many, and let one do the refresh that comes with the first question."""
        directories = [await self.start(clock) for _ in range(number)]
        await first_refresh(directories[0])
        return directories


@asynccontextmanager
async def replicas(place: SecretStr, url: str) -> AsyncIterator[Running]:
    async with AsyncExitStack() as exits:
        yield Running(place, url, exits)


def present_clock() -> LogicalClock:
    """Return a clock that only the test moves, from the present on, as the sandbox's goes."""
    clock = LogicalClock()
    clock.last = time.time_ns() // 1_000
    return clock


async def until(is_so: Callable[[], bool]) -> None:
    with anyio.fail_after(30):
        while not is_so():  # noqa: ASYNC110  what we wait for has no event
            await anyio.sleep(0.01)


async def first_refresh(directory: ContactDirectory) -> None:
    """Ask something, and wait for the refresh that comes with the first question to a store."""
    await directory.list_contacts(NEWEST)
    await until(lambda: refreshed_at(directory) > 0)


def in_the_queue(place: SecretStr) -> int:
    """Return how many hold a turn or wait for it: each has a connection that listens."""
    with psycopg.connect(place.get_secret_value(), autocommit=True) as db:
        found = db.execute(QUEUE).fetchone()
    assert found is not None
    number: int = found[0]
    return number


def refreshed_at(directory: ContactDirectory) -> int:
    shared = directory.sync.store.shared
    assert shared is not None
    return shared.recall(directory.clock).refreshed or 0


async def test_what_one_has_fetched_the_others_use(
    place: SecretStr, sandbox: Sandbox, url: str
) -> None:
    clock = present_clock()
    async with replicas(place, url) as running:
        one, other = await running.started(2, clock)
        first = await one.list_contacts(NEWEST)
        sandbox.forget_requests()
        second = await other.list_contacts(NEWEST)
        assert second.rows == first.rows
        assert second.proof == first.proof
        assert second.proof.certainty is Certainty.EXACT
        assert await other.count_contacts(Count()) == await one.count_contacts(Count())
        assert sandbox.requests == []
        clock.advance(61)
        await other.list_contacts(NEWEST)
        assert len(sandbox.requests) == 1
        await one.list_contacts(NEWEST)
        assert len(sandbox.requests) == 1


async def test_counts_alone_and_a_last_look_are_for_all_too(place: SecretStr) -> None:
    # Of 700 the windows hold all, which a last look proves.
    sandbox = Sandbox(keys={KEY: Company("Middle", seed=3, size=700, hostile=0)})
    clock = present_clock()
    with run_in_thread(sandbox) as url:
        async with replicas(place, url) as running:
            one, other = await running.started(2, clock)
            clock.advance(61)
            # One small request.
            await one.count_contacts(Count())
            sandbox.forget_requests()
            await other.count_contacts(Count())
            assert sandbox.requests == []
            wanted = Count(
                wanted=ContactFilter(statuses=frozenset({Status.CUSTOMER})), dimensions=(CITY,)
            )
            found = await one.count_contacts(wanted)
            sandbox.forget_requests()
            assert await other.count_contacts(wanted) == found
            assert sandbox.requests == []


async def test_three_that_are_asked_at_once_ask_smoc_once(
    place: SecretStr, sandbox: Sandbox, url: str
) -> None:
    clock = present_clock()
    async with replicas(place, url) as running:
        three = await running.started(3, clock)
        for _ in range(4):
            clock.advance(61)
            sandbox.forget_requests()
            sandbox.latency = 0.2
            async with anyio.create_task_group() as together:
                for directory in three:
                    together.start_soon(directory.list_contacts, NEWEST)
            assert len(sandbox.requests) == 1


async def test_who_waits_goes_on_when_the_one_that_fetches_is_gone(
    place: SecretStr, sandbox: Sandbox, url: str
) -> None:
    clock = present_clock()
    async with replicas(place, url) as running:
        one, other = await running.started(2, clock)
        clock.advance(61)
        sandbox.forget_requests()
        sandbox.fail(Fault("slow", seconds=20))
        found = []

        async def ask() -> None:
            found.append(await other.list_contacts(NEWEST))

        dies = anyio.CancelScope()

        async def ask_the_one() -> None:
            with dies:
                await one.list_contacts(NEWEST)

        async with anyio.create_task_group() as together:
            together.start_soon(ask_the_one)
            await until(lambda: len(sandbox.requests) == 1)
            together.start_soon(ask)
            await until(lambda: in_the_queue(place) == 2)
            assert (found, len(sandbox.requests)) == ([], 1)
            dies.cancel()
        assert found[0].proof.exact
        assert len(sandbox.requests) == 2


async def test_a_place_in_the_queue_that_is_lost_costs_a_request_and_no_truth(
    place: SecretStr, sandbox: Sandbox, url: str, cluster: Cluster
) -> None:
    clock = present_clock()
    async with replicas(place, url) as running:
        three = await running.started(3, clock)
        clock.advance(61)
        sandbox.forget_requests()
        sandbox.latency = 0.5
        found = []

        async def ask(directory: ContactDirectory) -> None:
            page = await directory.list_contacts(NEWEST)
            found.append([row.id for row in page.rows])

        async with anyio.create_task_group() as together:
            for directory in three:
                together.start_soon(ask, directory)
            await until(lambda: in_the_queue(place) == 3)
            await anyio.to_thread.run_sync(cluster.run, WAITERS)
        assert found[0] == found[1] == found[2]
        assert 1 <= len(sandbox.requests) <= 3


async def test_news_that_is_lost_costs_half_a_second(
    place: SecretStr, sandbox: Sandbox, url: str
) -> None:
    clock = present_clock()
    async with replicas(place, url) as running:
        one, other = await running.started(2, clock)
        with psycopg.connect(place.get_secret_value(), autocommit=True) as db:
            # It is found before the system's, and tells nobody.
            db.execute(
                "CREATE FUNCTION smoc_mcp.pg_notify(text, text) RETURNS void "
                "LANGUAGE sql AS 'SELECT'"
            )
        clock.advance(61)
        sandbox.forget_requests()
        sandbox.latency = 0.2
        async with anyio.create_task_group() as together:
            together.start_soon(one.list_contacts, NEWEST)
            together.start_soon(other.list_contacts, NEWEST)
        assert len(sandbox.requests) == 1


async def test_what_was_written_and_could_not_be_read_back_is_read_at_the_next_question(
    place: SecretStr, sandbox: Sandbox, url: str
) -> None:
    clock = present_clock()
    async with replicas(place, url) as running:
        (one,) = await running.started(1, clock)
        before = await one.list_contacts(NEWEST)
        clock.advance(61)
        (added,) = sandbox.company("Large").add()
        with psycopg.connect(place.get_secret_value(), autocommit=True) as db:
            # The window is taken in, and with that commit the live windows cannot be read.
            db.execute(TAKEN_AWAY)
            db.execute(AT_COMMIT)
            with pytest.raises(StoreError):
                await one.list_contacts(NEWEST)
            db.execute("DROP TRIGGER take_away ON smoc_mcp.changes")
            db.execute("ALTER TABLE smoc_mcp.away RENAME TO windows")
        sandbox.forget_requests()
        again = await one.list_contacts(NEWEST)
        assert again.rows[0].id == added
        assert again.proof.as_of > before.proof.as_of
        assert sandbox.requests == []


async def test_a_refusal_of_one_is_no_answer_of_another(
    place: SecretStr, sandbox: Sandbox, url: str
) -> None:
    async with replicas(place, url) as running:
        clock = present_clock()
        one, other = await running.start(clock), await running.start(present_clock())
        await first_refresh(one)
        await other.list_contacts(NEWEST)
        sandbox.fail(Fault("unauthorized", times=None))
        clock.advance(61)
        with pytest.raises(InvalidKeyError):
            await one.list_contacts(NEWEST)
        # For this one, by its clock, the window would still be live.
        with pytest.raises(InvalidKeyError):
            await other.list_contacts(NEWEST)


async def test_one_refreshes_for_all_and_another_when_it_is_gone(
    place: SecretStr, sandbox: Sandbox, url: str
) -> None:
    clock = present_clock()
    async with replicas(place, url) as running:
        others = [await running.start(clock) for _ in range(2)]
        async with replicas(place, url) as leaving:
            await first_refresh(await leaving.start(clock))
            for directory in others:
                await directory.list_contacts(NEWEST)
            assert len(sandbox.requests) == 5
        sandbox.forget_requests()
        clock.advance(HOUR + 1)
        for directory in others:
            await directory.list_contacts(NEWEST)
        # One for the question, and four for the refresh by one of the two.
        await until(lambda: refreshed_at(others[0]) > clock.elapsed() - HOUR * 1_000_000)
        for directory in others:
            await directory.list_contacts(NEWEST)
        assert len(sandbox.requests) == 5


async def test_all_go_by_the_clock_of_the_database(
    place: SecretStr, sandbox: Sandbox, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = time.time_ns
    async with replicas(place, url) as running:
        one = await running.start()
        await first_refresh(one)
        # This machine's clock is an hour ahead from now on; the database's is not.
        monkeypatch.setattr(time, "time_ns", lambda: right() + HOUR * 1_000_000_000)
        other = await running.start()
        sandbox.forget_requests()
        page = await other.list_contacts(NEWEST)
        assert sandbox.requests == []
        assert abs(other.clock() - right() // 1_000) < 60_000_000
        assert page.proof.exact
        await other.refresh()
        page = await one.list_contacts(NEWEST)
        assert abs(page.proof.as_of - right() // 1_000) < 60_000_000


async def requests_of(number: int, place: SecretStr) -> int:
    """Return how many requests so many replicas send while a company grows and all are asked."""
    begin = datetime.now(UTC) - timedelta(hours=6)
    company = Company("Growing", seed=6, size=20_000, now=begin, hostile=0)
    sandbox = Sandbox(keys={KEY: company})
    clock = present_clock()
    since = ContactFilter(spans={Sort.CREATED: Span(after=as_moment(begin))})
    with run_in_thread(sandbox) as url:
        async with replicas(place, url) as running:
            directories = await running.started(number, clock)
            for _ in range(6):
                company.add(150)
                company.advance(300)
                clock.advance(300)
                found: list[Page] = []

                async def ask(directory: ContactDirectory, found: list[Page] = found) -> None:
                    found.append(await directory.search_contacts(Listing(wanted=since, limit=3)))
                    await directory.count_contacts(Count(wanted=since, dimensions=(CITY,)))
                    await directory.list_changes(Progress(as_moment(begin)), 20)

                async with anyio.create_task_group() as together:
                    for at in range(3):
                        together.start_soon(ask, directories[at % number])
                assert {page.total for page in found} == {found[0].total}
            assert found[0].total == 900
            assert found[0].total_proof.certainty is Certainty.EXACT_UNLESS_DELETED
    return len(sandbox.requests)


async def test_three_cost_smoc_what_one_costs(cluster: Cluster) -> None:
    of_one = await requests_of(1, cluster.new_database())
    of_three = await requests_of(3, cluster.new_database())
    assert of_three <= 1.2 * of_one, (of_one, of_three)


def history_with_kills(
    place: SecretStr, cluster: Cluster, seed: int, *, processes: int = 3
) -> Counter[str]:
    """Live through one history with three replicas, whose connections are cut at random."""
    chance = random.Random(f"replicas/{seed}")
    database = place.get_secret_value().partition("@/")[2].partition("?")[0]

    def disturb() -> None:
        for _ in range(chance.choice([0, 0, 1, 3])):
            cluster.run(ANYBODY.format(database))

    def opened(keep_days: int | None) -> ContactStore:
        return ContactStore(place, keep_days=keep_days)

    return anyio.run(play, chance, Shared(opened, processes, disturb))


@pytest.mark.parametrize("seed", range(6))
def test_no_claim_is_ever_false_with_three_replicas_that_are_cut_off_and_restart(
    place: SecretStr, cluster: Cluster, seed: int
) -> None:
    assert history_with_kills(place, cluster, seed).total() > 20


@pytest.mark.long
def test_no_claim_is_ever_false_over_many_histories_of_replicas(cluster: Cluster) -> None:
    claims: Counter[str] = Counter()
    for seed in range(100, 140):
        claims += history_with_kills(cluster.new_database(), cluster, seed)
    # How often a connection is cut in the middle of something differs from run to run.
    assert claims["list rows exact"] > 5
    assert sum(n for claim, n in claims.items() if "exact_unless_deleted" in claim) > 5
    assert claims["no answer"] > 0


def opened(place: SecretStr, key: str = KEY) -> ContactStore:
    return ContactStore(place, address="x", key_hash=key)


def live_of(store: ContactStore, clock: Clock) -> LiveWindows:
    assert store.shared is not None
    return store.shared.recall(clock).live


def taken_in(store: ContactStore, clock: Clock, sort: Sort) -> Window:
    """Take a window of all there is in, now; return it as it was taken in."""
    reads = contacts("a", "b")
    made = replace(
        window(store, reads, sort=sort), as_of=clock(), arrived=clock.elapsed(), api_now=clock()
    )
    return store.absorb(made, reads, clock).window


def test_a_last_look_holds_for_all_until_one_of_its_windows_is_replaced(place: SecretStr) -> None:
    clock = present_clock()
    one, other = opened(place), opened(place)
    windows = [taken_in(one, clock, sort) for sort in Sort]
    assert other.others_version()
    assert not live_of(other, clock).union_holds(0)
    assert one.shared is not None
    one.shared.admit_union(windows)
    assert live_of(one, clock).union_holds(0)
    assert live_of(other, clock).union_holds(0)
    taken_in(other, clock, Sort.CREATED)
    assert not live_of(one, clock).union_holds(0)
    # What was replaced meanwhile is no part of a union.
    one.shared.admit_union(windows)
    assert not live_of(other, clock).union_holds(0)
    one.close()
    other.close()


def test_what_another_key_brought_is_not_live_for_ours(place: SecretStr) -> None:
    clock = present_clock()
    one, other = opened(place), opened(place, "another-key-of-it")
    taken_in(one, clock, Sort.CREATED)
    # Both are keys of one company, as its contacts say.
    taken_in(other, clock, Sort.UPDATED)
    one.others_version()
    assert [w.sort for w in live_of(one, clock).all(0)] == [Sort.CREATED]
    assert [w.sort for w in live_of(other, clock).all(0)] == [Sort.UPDATED]
    one.close()
    other.close()


def test_a_window_grows_old_for_a_replica_that_did_not_fetch_it(place: SecretStr) -> None:
    clock = present_clock()
    one = opened(place)
    taken_in(one, clock, Sort.CREATED)
    clock.advance(100)
    later = opened(place)
    since = clock.elapsed() - 60 * 1_000_000
    assert live_of(later, clock).all(since) == []
    assert len(live_of(later, clock).all(since - 60 * 1_000_000)) == 1
    # A moment that lies ahead is somebody's wrong clock: nobody knows how old such a window is.
    clock.jump(-HOUR)
    newest = opened(place)
    assert live_of(newest, clock).all(0) == []
    for store in (one, later, newest):
        store.close()
