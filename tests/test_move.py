"""A store that is taken to another one is the same store there."""

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smoc_mcp.errors import StoreError
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.filters import EVERYBODY, ContactFilter, Listing
from smoc_mcp.questions.search import parse_query
from smoc_mcp.store.database import Place
from smoc_mcp.store.move import move
from smoc_mcp.store.store import ContactStore
from tests.clusters import Cluster
from tests.stores import DAY, absorb

EVERYTHING = (
    "SELECT name, leads, customers, counted, series, tick, purged FROM companies ORDER BY name",
    "SELECT hash, name FROM keys JOIN companies ON owner = companies.id ORDER BY hash",
    "SELECT name, sort, reach, began, top, received FROM histories JOIN companies "
    "ON owner = companies.id ORDER BY name, sort",
    "SELECT name, sort, older, newer FROM gaps JOIN companies ON owner = companies.id "
    "ORDER BY name, sort, newer, older",
)


def filled(place: Place) -> None:
    """Fill a store with two companies, one with more contacts than are copied at once."""
    store = ContactStore(place, address="x", key_hash="one")
    absorb(store, *(f"a{number}" for number in range(700)), at=DAY)
    absorb(store, "late", at=9 * DAY, complete=False)
    absorb(store, *(f"a{number}" for number in range(699)), "late", at=9 * DAY, operator="10")
    store.close()
    other = ContactStore(place, address="x", key_hash="other")
    absorb(other, "b", "c\u00e9", operator="20")
    other.close()


def content(place: Place) -> list[Any]:
    """Return all that a store holds, as far as it means something."""
    found: list[Any] = []
    for key in ("one", "other"):
        store = ContactStore(place, address="x", key_hash=key)
        rows = store.list_rows(Listing(limit=2_000))
        found.append([(row, store.get(row.id)) for row in sorted(rows, key=lambda row: row.id)])
        found += [store.tick(), store.series(), store.counts(), store.gaps()]
        found += [store.history(sort) for sort in Sort]
        found.append(store.count(ContactFilter(terms=parse_query("a69@example"))))
        with store._db.of_all():
            found += [[tuple(row) for row in store._db.fetch(text)] for text in EVERYTHING]
            gone = "SELECT id, gone, missed FROM contacts WHERE gone IS NOT NULL ORDER BY id"
            found.append([tuple(row) for row in store._db.fetch(gone)])
        store.close()
    return found


def test_a_file_that_is_moved_is_the_same_in_another_file(tmp_path: Path) -> None:
    source, target = tmp_path / "one", tmp_path / "two"
    filled(source)
    before = content(source)
    moved = move(source, target)
    assert (moved.companies, moved.contacts) == (2, 703)
    assert content(target) == before == content(source)


def test_a_store_that_holds_something_is_not_moved_into(tmp_path: Path) -> None:
    source, target = tmp_path / "one", tmp_path / "two"
    filled(source)
    store = ContactStore(target, key_hash="third")
    absorb(store, "z")
    with pytest.raises(StoreError, match="name an empty store"):
        move(source, target)
    assert sum(store.count(EVERYBODY).values()) == 1
    store.close()


def test_a_move_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    source, target = tmp_path / "one", tmp_path / "two"
    filled(source)
    empty = ContactStore(target)
    # It refuses a contact of the company that is copied last.
    empty._db.run(
        "CREATE TRIGGER refuse BEFORE INSERT ON contacts WHEN new.id = 'b' BEGIN "
        "SELECT raise(ABORT, 'no'); END"
    )
    empty.close()
    with pytest.raises(StoreError):
        move(source, target)
    with sqlite3.connect(target) as db:
        assert db.execute("SELECT count(*) FROM contacts").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM companies").fetchone() == (0,)


@pytest.mark.postgres
def test_a_file_is_the_same_in_postgresql_and_back_again(cluster: Cluster, tmp_path: Path) -> None:
    source, back = tmp_path / "one", tmp_path / "two"
    place = cluster.new_database()
    filled(source)
    before = content(source)
    move(source, place)
    assert content(place) == before
    move(place, back)
    assert content(back) == before


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "smoc_mcp", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_says_what_it_did_and_what_comes_next(tmp_path: Path) -> None:
    source, target = tmp_path / "one", tmp_path / "two"
    filled(source)
    done = run("move", str(target), SMOC_MCP_STORE=str(source))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Moved 703 contacts of 2 companies from" in done.stdout
    assert "restart the servers" in done.stdout
    again = run("move", str(target), SMOC_MCP_STORE=str(source))
    assert again.returncode != 0
    assert "name an empty store" in again.stderr


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("{store}", "That is the store itself"),
        ("{folder}", "the path of a file, not of a folder"),
        ("postgresql://user:hush@nowhere.invalid/x", "PostgreSQL: x on nowhere.invalid"),
    ],
)
def test_a_wrong_target_is_a_sentence(tmp_path: Path, to: str, why: str) -> None:
    source = tmp_path / "one"
    filled(source)
    named = to.format(store=source, folder=tmp_path)
    done = run("move", named, SMOC_MCP_STORE=str(source))
    assert done.returncode != 0
    assert why in done.stderr
    assert "hush" not in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_to_move_is_a_sentence(tmp_path: Path) -> None:
    done = run("move", str(tmp_path / "to"), SMOC_MCP_STORE=str(tmp_path / "missing"))
    assert "there is nothing to move" in done.stderr
    assert not (tmp_path / "missing").exists()
    assert "SMOC_MCP_STORE is not set" in run("move", "x").stderr
