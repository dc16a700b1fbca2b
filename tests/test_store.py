"""The store's file: real SQLite, opened, shared, damaged and erased."""

import sqlite3
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from smoc_mcp.api.facts import keys_of
from smoc_mcp.api.models import ReadContact, read_contact
from smoc_mcp.errors import StoreError
from smoc_mcp.proof.history import BEGINNING
from smoc_mcp.proof.windows import ABSENT, Sort
from smoc_mcp.store.schema import MIGRATIONS, Statements
from smoc_mcp.store.sqlite import SqliteDatabase
from smoc_mcp.store.store import ContactStore
from tests.stores import DAY, absorb, contacts, ids, window


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "store.sqlite3"


def test_the_file_is_made_with_its_folders_and_can_be_read_by_nobody_else(path: Path) -> None:
    store = ContactStore(str(path))
    absorb(store, "a")
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()}
    store.close()
    assert modes
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    ContactStore(str(path)).close()
    path.chmod(0o644)
    ContactStore(str(path)).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_seen_is_there_after_a_restart(path: Path) -> None:
    store = ContactStore(str(path), address="x", key_hash="k")
    absorb(store, "a", "b")
    store.close()
    again = ContactStore(str(path), address="x", key_hash="k")
    assert ids(again) == {"a", "b"}
    history = again.history(Sort.CREATED)
    assert history is not None
    assert history.reach == BEGINNING
    assert again.counts() == ((2, 0), 0)
    again.close()


def test_companies_in_one_file_are_kept_apart(path: Path) -> None:
    one = ContactStore(str(path), address="x", key_hash="one")
    other = ContactStore(str(path), address="x", key_hash="other")
    absorb(one, "a", "b", operator="10")
    absorb(other, "b", "c", operator="20")
    assert ids(one) == {"a", "b"}
    assert ids(other) == {"b", "c"}
    assert one.count() == {"lead": 2}
    one.close()
    other.close()


def test_a_new_key_of_the_same_company_goes_on_with_its_contacts(path: Path) -> None:
    old = ContactStore(str(path), address="x", key_hash="old")
    absorb(old, "a", "b")
    old.close()
    new = ContactStore(str(path), address="x", key_hash="new")
    assert ids(new) == set()
    absorb(new, "a", "b", "c", sent=10)
    assert ids(new) == {"a", "b", "c"}
    new.close()


def test_the_same_operator_at_another_address_is_another_company(path: Path) -> None:
    one = ContactStore(str(path), address="production", key_hash="1")
    other = ContactStore(str(path), address="staging", key_hash="2")
    absorb(one, "a")
    absorb(other, "b")
    assert (ids(one), ids(other)) == ({"a"}, {"b"})
    one.close()
    other.close()


def test_a_company_without_an_operator_is_known_by_its_key(path: Path) -> None:
    store = ContactStore(str(path), address="x", key_hash="k")
    absorb(store, "a", operator=None)
    store.close()
    again = ContactStore(str(path), address="x", key_hash="k")
    assert ids(again) == {"a"}
    absorb(again, "a", "b", operator="10", sent=10)
    assert ids(again) == {"a", "b"}
    again.close()


def test_a_file_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    ContactStore(str(path)).close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"of a newer smoc-mcp. Install that, or set SMOC_MCP"):
        ContactStore(str(path))
    assert path.read_bytes() == before


def test_an_sqlite_that_cannot_search_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 33, 0))
    with pytest.raises(StoreError, match=r"3\.34 or newer with FTS5 is needed\. Run smoc-mcp with"):
        ContactStore(str(path))


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (a)")
    db.close()
    with pytest.raises(StoreError, match="a database of another program"):
        ContactStore(str(path))
    with sqlite3.connect(path) as db:
        assert [r[0] for r in db.execute("SELECT name FROM sqlite_master")] == ["theirs"]
    db.close()


def test_a_damaged_file_is_reported_and_never_replaced(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database, but somebody's notes" * 50)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"is damaged .* Nothing was changed: restore a copy"):
        ContactStore(str(path))
    assert path.read_bytes() == before


def test_damage_that_is_met_later_is_reported(path: Path) -> None:
    store = ContactStore(str(path))
    absorb(store, *(f"{i:04d}" for i in range(400)))
    store.close()
    content = bytearray(path.read_bytes())
    content[4096 * 3 :] = b"\xff" * (len(content) - 4096 * 3)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        ids(ContactStore(str(path)))


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be opened .* Set SMOC_MCP_STORE to a file"):
        ContactStore(str(tmp_path / "file" / "store"))


def test_a_migration_that_fails_leaves_nothing_behind(path: Path) -> None:
    def half(db: Statements) -> None:
        db.run("CREATE TABLE half (a)")
        db.run("CREATE TABLE half (a)")

    with pytest.raises(StoreError):
        SqliteDatabase(path, [half])
    store = ContactStore(str(path))
    absorb(store, "a")
    assert ids(store) == {"a"}
    store.close()


def test_two_connections_see_what_the_other_committed(path: Path) -> None:
    one, other = (ContactStore(str(path), address="x", key_hash="k") for _ in range(2))
    version = other.others_version()
    absorb(one, "a")
    absorb(other, "a", "b")
    assert other.others_version() != version
    assert ids(one) == {"a", "b"}
    one.close()
    other.close()


def test_what_is_asked_again_is_read_again_once_anybody_has_written(path: Path) -> None:
    one, other = ContactStore(str(path)), ContactStore(str(path))
    absorb(one, "a", "b")
    with other.snapshot():
        other.others_version()
        assert sum(other.count().values()) == sum(other.count().values()) == 2
    absorb(one, "a", "b", "c")
    with other.snapshot():
        other.others_version()
        assert sum(other.count().values()) == 3
    absorb(other, "a", "b", "c", "d")
    assert sum(other.count().values()) == 4
    one.close()
    other.close()


def test_a_snapshot_stays_as_it_was_while_another_writes(path: Path) -> None:
    one, other = (ContactStore(str(path), address="x", key_hash="k") for _ in range(2))
    absorb(one, "a")
    with other.snapshot():
        other.others_version()
        before = ids(other)
        absorb(one, "a", "b")
        assert ids(other) == before
    assert ids(other) == {"a", "b"}
    one.close()
    other.close()


def test_an_error_in_the_middle_of_a_window_leaves_the_store_as_it_was() -> None:
    store = ContactStore()
    absorb(store, "a")
    reads = contacts("b", "c")
    broken = [*reads[:1], "not a contact"]
    with pytest.raises(AttributeError):
        store.absorb(window(store, reads), broken)  # type: ignore[arg-type]  # on purpose
    assert ids(store) == {"a"}


def test_contacts_not_seen_for_long_are_dropped_and_the_history_says_so(path: Path) -> None:
    store = ContactStore(str(path), keep_days=30)
    absorb(store, "a", "b", at=DAY)
    absorb(store, "c", at=40 * DAY, complete=False)
    history = store.history(Sort.CREATED)
    assert ids(store) == {"c"}
    assert history is not None
    assert history.reach > ABSENT
    store.close()


def test_forget_erases_every_company_from_the_file_itself(path: Path) -> None:
    one = ContactStore(str(path), address="x", key_hash="one")
    absorb(one, "unmistakable-a")
    other = ContactStore(str(path), address="x", key_hash="other")
    absorb(other, "unmistakable-b", operator="20")
    other.close()
    assert one.forget() == (2, True)
    assert ids(one) == set()
    one.close()
    for file in path.parent.iterdir():
        assert b"unmistakable" not in file.read_bytes()


def test_a_store_that_another_process_erased_never_takes_the_place_of_another_company(
    path: Path,
) -> None:
    server = ContactStore(str(path), address="x", key_hash="b")
    absorb(server, "b1", operator="20")
    eraser = ContactStore(str(path))
    eraser.forget()
    eraser.close()
    other = ContactStore(str(path), address="x", key_hash="a")
    absorb(other, "a1", operator="10")
    assert absorb(server, "b2", operator="20").moved
    assert (ids(server), ids(other)) == ({"b2"}, {"a1"})
    server.close()
    again = ContactStore(str(path), address="x", key_hash="b")
    assert ids(again) == {"b2"}
    again.close()
    other.close()


def test_what_is_dropped_for_its_age_is_in_no_unbroken_history(path: Path) -> None:
    store = ContactStore(str(path), keep_days=30)
    old = contacts("a")
    store.absorb(window(store, old, at=DAY, sort=Sort.UPDATED), old)
    absorb(store, "b", at=40 * DAY, complete=False)
    history = store.history(Sort.UPDATED)
    assert history is not None
    assert history.reach == keys_of(old[0]).updated
    store.close()


def test_another_version_that_came_while_the_window_was_under_way_is_in_doubt() -> None:
    lead, customer = contacts("a"), contacts("a", status="2")
    for sent, doubtful in ((0, True), (1, False)):
        store = ContactStore()
        store.absorb(window(store, lead), lead)
        assert store.absorb(window(store, customer, sent=sent), customer).doubtful is doubtful
        store.close()


def test_a_contact_seen_while_a_window_without_it_was_under_way_is_not_gone_but_in_doubt() -> None:
    for sent, is_gone in ((0, False), (1, True)):
        store = ContactStore()
        reads = contacts("a", "b")
        store.absorb(window(store, reads), reads)
        absorbed = store.absorb(
            replace(window(store, reads[:1], sent=sent), complete=False), reads[:1]
        )
        assert absorbed.deleted == frozenset({"b"} if is_gone else {})
        assert absorbed.doubtful is not is_gone
        assert ids(store) == ({"a"} if is_gone else {"a", "b"})
        store.close()


def test_dropping_the_old_never_lets_a_history_reach_further_back_than_it_does() -> None:
    store = ContactStore(keep_days=30)
    absorb(store, "a", at=DAY)
    reads = contacts("b")
    new = window(store, reads, at=40 * DAY)
    # A gap: it begins anew at its edge, which is newer than what is dropped.
    edge = next(iter(new.rows.values())).created + 5
    rows = {i: k._replace(created=edge + 1) for i, k in new.rows.items()}
    absorbed = store.absorb(replace(new, rows=rows, edge=edge, complete=False), reads)
    history = store.history(Sort.CREATED)
    assert absorbed.gap is not None
    assert ids(store) == {"b"}
    assert history is not None
    assert history.reach == edge
    store.close()


def test_a_contact_in_two_versions_at_once_is_not_current_until_it_is_seen_again() -> None:
    def version(status: str) -> list[ReadContact]:
        read = read_contact(
            {"id": "a", "createdAt": "2026-01-01", "updatedAt": "2026-01-02", "status": status}
        )
        assert read is not None
        return [read]

    def take(status: str, sent: int | None = None) -> bool:
        """Absorb a version; say whether a later `updated` window finds the contact current."""
        reads = version(status)
        doubts.append(store.absorb(window(store, reads, sent=sent), reads).doubtful)
        return store.newest_outdated(ABSENT + 1, 0, window(store, [])) is None

    doubts: list[bool] = []
    store = ContactStore()
    assert take("1")
    # Both requests were under way at once, and updatedAt does not say which answer is newer.
    assert take("2", sent=1)
    assert not take("1", sent=1)
    # Nor does a third that was under way at the same time.
    assert not take("1", sent=1)
    assert take("2")
    assert doubts == [False, False, True, False, False]
    store.close()
