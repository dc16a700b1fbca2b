"""The store in PostgreSQL: what only it has, and what happens to it while it is used."""

import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import anyio
import psycopg
import pytest
from pydantic import SecretStr

from smoc_mcp.errors import StoreError
from smoc_mcp.questions.filters import ContactFilter
from smoc_mcp.questions.search import parse_query
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.store.database import name_of, open_database
from smoc_mcp.store.store import ContactStore
from tests.clusters import Cluster, running_cluster
from tests.serving import KEY
from tests.stores import absorb
from tests.test_certainty import play

CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE usename = 'smoc' AND state = 'idle in transaction'"
)
OWNERS = "SELECT owner FROM"

pytestmark = pytest.mark.postgres


@pytest.fixture
def place(cluster: Cluster) -> SecretStr:
    return cluster.new_database()


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A server of one test, which may stop it."""
    with running_cluster() as running:
        yield running


def opened(place: SecretStr, key: str = "k", *, joins: bool = False) -> ContactStore:
    return ContactStore(place, address="x", key_hash=key, joins=joins)


def raw(place: SecretStr, statement: str) -> list[tuple[object, ...]]:
    """Run statements as the store's role would by hand; return the rows of the last."""
    with psycopg.connect(place.get_secret_value(), autocommit=True) as db:
        for one in statement.split("; "):
            found = db.execute(one.encode())
        return found.fetchall() if found.description else []


def total(store: ContactStore) -> int:
    return sum(store.count().values())


def test_what_is_stored_is_there_again(place: SecretStr) -> None:
    store = opened(place)
    absorb(store, "a", "b")
    series, tick = store.series(), store.tick()
    store.close()
    again = opened(place)
    assert total(again) == 2
    assert (again.series(), again.tick()) == (series, tick)
    assert again.count(ContactFilter(terms=parse_query("a@example"))) != {}
    again.close()


def test_one_process_notices_what_another_has_written(place: SecretStr) -> None:
    one, other = opened(place), opened(place)
    before = one.others_version()
    absorb(one, "a")
    assert one.others_version() == before
    absorb(other, "b", complete=False)
    assert one.others_version() != before
    assert total(one) == total(other) == 2
    one.close()
    other.close()


def test_companies_are_apart_by_the_database_too(place: SecretStr) -> None:
    one, other = opened(place, "one"), opened(place, "other")
    absorb(one, "a", "b")
    absorb(other, "c")
    assert (total(one), total(other)) == (2, 1)
    for table in ("contacts", "labels", "histories"):
        # Whoever reads the tables without saying for which company sees nobody.
        assert raw(place, f"TABLE smoc_mcp.{table}") == []
        owners = {row[0] for row in raw(place, f"SET smoc.owner = '2'; {OWNERS} smoc_mcp.{table}")}
        assert owners == {2}
    one.close()
    other.close()


def test_two_processes_that_write_at_once_lose_nothing(place: SecretStr) -> None:
    stores = [opened(place) for _ in range(3)]
    absorb(stores[0], "first")
    failures: list[BaseException] = []

    def write(store: ContactStore, name: str) -> None:
        try:
            for number in range(8):
                absorb(store, f"{name}{number}", complete=False)
        except BaseException as error:  # noqa: BLE001  it is raised below
            failures.append(error)

    threads = [
        threading.Thread(target=write, args=(store, name))
        for store, name in zip(stores, "xyz", strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {total(store) for store in stores} == {25}
    assert {store.tick() for store in stores} == {25}
    for store in stores:
        store.close()


def test_a_connection_that_is_cut_in_mid_write_loses_nothing_and_comes_back(
    place: SecretStr, cluster: Cluster
) -> None:
    store = opened(place)
    absorb(store, "a")

    def write_half() -> None:
        with store._db.transaction():
            store._db.run("UPDATE contacts SET city = 'half'")
            cluster.run(CUT)
            store._db.run("UPDATE contacts SET city = 'whole'")

    with pytest.raises(StoreError, match="ask again"):
        write_half()
    assert total(store) == 1
    absorb(store, "b", complete=False)
    assert total(store) == 2
    found = store._db.fetch("SELECT DISTINCT city FROM contact")
    assert [row["city"] for row in found] == [None]
    store.close()


def test_a_server_that_stops_is_an_error_and_one_that_starts_again_is_used(
    own_cluster: Cluster,
) -> None:
    store = opened(own_cluster.new_database())
    absorb(store, "a")
    own_cluster.stop()
    for _ in range(2):
        with pytest.raises(StoreError, match="check that PostgreSQL runs"):
            store.count()
    own_cluster.start()
    assert total(store) == 1
    absorb(store, "b", complete=False)
    assert total(store) == 2
    store.close()


def test_a_store_of_a_newer_version_is_refused_and_left_alone(place: SecretStr) -> None:
    opened(place).close()
    raw(place, "UPDATE smoc_mcp.version SET number = 99")
    with pytest.raises(StoreError, match="of a newer smoc-mcp"):
        opened(place)
    assert raw(place, "SELECT number FROM smoc_mcp.version") == [(99,)]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("postgresql://nobody@/nothing?host=/nowhere", "check that PostgreSQL runs"),
        ("postgresql://u@h/d?no_such_option=1", "no address of a database"),
    ],
)
def test_an_address_that_leads_nowhere_says_what_to_do(address: str, why: str) -> None:
    with pytest.raises(StoreError, match=why):
        open_database(SecretStr(address))


def test_a_password_is_nowhere_in_what_is_shown() -> None:
    place = SecretStr("postgresql://user:hush@nowhere.invalid/contacts")
    assert name_of(place) == "PostgreSQL: contacts on nowhere.invalid"
    for password in ("hush", "hush/quiet", "hush:quiet", "hush@quiet", "hush?quiet", "hush%quiet"):
        place = SecretStr(f"postgresql://user:{password}@nowhere.invalid/contacts")
        with pytest.raises(StoreError) as raised:
            open_database(place)
        for shown in (str(raised.value), repr(place), name_of(place)):
            assert "hush" not in shown
            assert "quiet" not in shown


def test_what_sqlite_does_not_read_whole_is_not_read_whole_here(place: SecretStr) -> None:
    store = opened(place)
    for number in range(4):
        absorb(store, *(f"{number}-{i}" for i in range(250)), complete=False)
    db = store._db
    db.run("ANALYZE")
    # With so few rows a scan is cheap: what matters is whether an index can be used.
    db.run("SET enable_seqscan = off")
    for question, index in (
        ("SELECT id FROM contact WHERE email_key = 'a'", "contacts_email"),
        ("SELECT id FROM contact ORDER BY created DESC, id DESC LIMIT 20", "contacts_created"),
        ("SELECT owner FROM smoc_mcp.words WHERE name_words LIKE '%abc%'", "words_trigrams"),
        ("SELECT id FROM contact WHERE same_address = 'a'", "contacts_same"),
    ):
        plan = "\n".join(row[0] for row in db.fetch(f"EXPLAIN {question}"))
        assert index in plan, plan
        assert "Seq Scan on contacts" not in plan
    store.close()


def test_the_commands_work_on_it(place: SecretStr, tmp_path: Path) -> None:
    company = Company("Small", seed=8, size=60, hostile=0)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        env = {
            "SMOC_API_KEY": KEY,
            "SMOC_BASE_URL": url,
            "SMOC_MCP_STORE": place.get_secret_value(),
        }

        def run(*arguments: str) -> str:
            command = [sys.executable, "-m", "smoc_mcp", *arguments]
            done = subprocess.run(
                command, env=env, capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        assert "60" in run("sync")
        out = tmp_path / "out.csv"
        run("export", "--out", str(out))
        assert len(out.read_text().splitlines()) == 61
        assert "PostgreSQL: store_" in run("check")
        assert run("call", "contacts_stats").startswith("60 contacts")
        assert "write-ahead log" in run("forget", "--yes")
    assert raw(place, "SELECT count(*) FROM smoc_mcp.companies") == [(0,)]


@pytest.mark.parametrize("seed", range(6))
def test_no_claim_is_ever_false_with_two_replicas_that_restart(
    place: SecretStr, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    def shared(_: object, *, keep_days: int | None) -> ContactStore:
        return ContactStore(place, keep_days=keep_days)

    monkeypatch.setattr("tests.test_certainty.ContactStore", shared)
    claims: Counter[str] = anyio.run(play, random.Random(seed), Path("/"))
    assert claims.total() > 20
