"""The store in PostgreSQL: what only it has, and what happens to it while it is used."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from smoc_mcp.errors import StoreError
from smoc_mcp.questions.filters import ContactFilter
from smoc_mcp.questions.search import parse_query
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.store.database import name_of, open_database
from smoc_mcp.store.store import ContactStore
from tests.clusters import Cluster, running_cluster, running_standby, small_disk
from tests.serving import KEY
from tests.stores import absorb, contacts, window

CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE usename = 'smoc' AND state = 'idle in transaction'"
)
OWNERS = "SELECT owner FROM"
READ = (
    "SELECT relname, seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables "
    "WHERE relname IN ('contacts', 'labels') AND n_tup_ins >= 600"
)

pytestmark = pytest.mark.postgres


@pytest.fixture
def place(cluster: Cluster) -> SecretStr:
    return cluster.new_database()


@pytest.fixture
def own_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A server of one test, which may stop it."""
    with running_cluster(newest=request.config.getoption("--postgres") == "newest") as running:
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


def test_a_window_of_new_contacts_is_written_by_keys_before_anything_is_known_of_the_tables(
    place: SecretStr,
) -> None:
    store = opened(place)
    for number in range(3):
        absorb(store, *(f"{number}-{i}" for i in range(200)), complete=False)
    store._db.run("SELECT pg_stat_force_next_flush()")
    store.close()
    deadline = time.monotonic() + 10
    while len(read := raw(place, READ)) < 2 and time.monotonic() < deadline:
        pass
    # Each of 600 contacts and its label would otherwise have gone through all that is there.
    assert {str(table): int(str(rows)) < 6_000 for table, rows in read} == {
        "contacts": True,
        "labels": True,
    }


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


def test_a_role_with_the_grants_that_the_docs_name_can_do_all_but_make_the_schema(
    place: SecretStr, cluster: Cluster
) -> None:
    opened(place).close()
    cluster.run("CREATE ROLE plain LOGIN")
    told = (Path(__file__).parent.parent / "docs" / "postgres.md").read_text("utf-8")
    words = " ".join(told.replace("`", "").split())
    for grant in (
        "USAGE ON SCHEMA smoc_mcp",
        "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA smoc_mcp",
        "USAGE ON ALL SEQUENCES IN SCHEMA smoc_mcp",
    ):
        assert grant in words
        raw(place, f"GRANT {grant} TO plain")
    database = place.get_secret_value().split("/")[3].split("?")[0]
    store = opened(cluster.address_of(database, "plain"))
    absorb(store, "a", "b")
    absorb(store, "a", complete=False)
    assert store.count(ContactFilter(terms=parse_query("a@example"))) != {}
    assert store.shared is not None
    turn = store.turn("created")
    assert turn is not None
    assert turn.take()
    turn.close()
    assert store.forget()[0] == 2
    store.close()


def test_a_standby_answers_what_is_in_hand_and_says_that_it_cannot_be_written_to(
    own_cluster: Cluster,
) -> None:
    place = own_cluster.new_database()
    store = opened(place)
    absorb(store, "a")
    store.close()
    with running_standby(own_cluster) as standby:
        copy = opened(standby.address_of(place.get_secret_value().split("/")[3].split("?")[0]))
        assert total(copy) == 1
        with pytest.raises(StoreError, match="let SMOC_MCP_STORE name the primary"):
            absorb(copy, "b", complete=False)
        # A queue needs locks that a standby does not have for all: everybody may go on.
        turn = copy.turn("created")
        assert turn is not None
        assert turn.take()
        turn.close()
        assert total(copy) == 1
        copy.close()


def test_a_full_disk_loses_nothing_and_room_is_used_again(own_cluster: Cluster) -> None:
    with small_disk(24) as disk:
        (disk / "space").mkdir()
        shutil.chown(disk / "space", "postgres", "postgres")
        own_cluster.run(f"CREATE TABLESPACE small LOCATION '{disk / 'space'}'")
        store = opened(own_cluster.new_database(tablespace="small"))
        absorb(store, "first")
        filler = disk / "filler"
        with pytest.raises(OSError, match="No space"):
            filler.write_bytes(b"0" * 2**26)

        def fill() -> None:
            for number in range(100):
                absorb(store, *(f"{number}-{i}" for i in range(100)), complete=False)

        with pytest.raises(StoreError, match="on a disk that is full"):
            fill()
        before = total(store)
        assert before % 100 == 1
        filler.unlink()
        absorb(store, "last", complete=False)
        assert total(store) == before + 1
        store.close()
        own_cluster.stop()


def test_where_no_connection_is_left_what_is_open_goes_on(cluster: Cluster) -> None:
    cluster.run("CREATE ROLE few LOGIN CONNECTION LIMIT 1")
    place = cluster.new_database(role="few")
    store = opened(place)
    absorb(store, "a")
    with pytest.raises(StoreError, match="too many connections"):
        opened(place)
    # The queue has no connection, so nobody waits in it.
    turn = store.turn("created")
    assert turn is not None
    assert turn.take()
    turn.close()
    absorb(store, "b", complete=False)
    assert total(store) == 2
    store.close()
    again = opened(place)
    assert total(again) == 2
    again.close()


def test_who_gives_way_in_a_deadlock_does_it_again(place: SecretStr) -> None:
    store = opened(place)
    absorb(store, "a")
    address = place.get_secret_value()
    with psycopg.connect(address) as db:
        db.execute("SET smoc.owner = 'all'")
        db.execute("LOCK TABLE smoc_mcp.contacts IN ACCESS EXCLUSIVE MODE")
        failures: list[BaseException] = []

        def write() -> None:
            try:
                absorb(store, "b", complete=False)
            except BaseException as error:  # noqa: BLE001  it is raised below
                failures.append(error)

        writer = threading.Thread(target=write)
        writer.start()
        wait_for_lock(place)
        # Now each waits for the other. The store's looks first, so it is the one that gives way.
        db.execute("SELECT pg_advisory_xact_lock(%s, 0)", (0x534D4F43,))
        db.commit()
    writer.join()
    assert failures == []
    assert total(store) == 2
    store.close()


def wait_for_lock(place: SecretStr) -> None:
    """Return when the store waits for a lock on a table."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    deadline = time.monotonic() + 30
    while raw(place, waiting) == [(0,)]:
        assert time.monotonic() < deadline


def test_two_replicas_take_in_the_same_window_and_both_are_right(place: SecretStr) -> None:
    one, other = opened(place), opened(place)
    absorb(one, "a")
    assert other.others_version()
    reads = contacts("a", "b")
    same = window(one, reads), window(other, reads)
    assert [w.sent for w in same] == [1, 1]
    first, second = one.absorb(same[0], reads), other.absorb(same[1], reads)
    assert first.added == {"b"}
    assert not second.added
    assert not second.doubtful
    assert total(one) == total(other) == 2
    one.close()
    other.close()
