"""Who is missing from a window is gone, or not yet; and other things that a store refuses to do."""

import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smoc_mcp.api.models import read_contact
from smoc_mcp.errors import TooMuchError
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.dimensions import Count, parse_group_by
from smoc_mcp.questions.filters import ContactFilter
from smoc_mcp.questions.search import parse_query
from smoc_mcp.store.sqlite import SqliteDatabase
from smoc_mcp.store.store import Absorbed, ContactStore
from tests.stores import DAY, absorb, contacts, ids, window
from tests.windows import whole


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "store.sqlite3"


def everybody_but(store: ContactStore, missing: int, **how: Any) -> Absorbed:
    """Absorb a window that lacks the last of 40 contacts."""
    return absorb(store, *(f"{n:02}" for n in range(40 - missing)), **how)


def test_a_few_that_a_full_window_lacks_are_gone_at_once_and_many_when_a_second_one_says_so() -> (
    None
):
    for missing, first, second in ((10, 10, 0), (11, 0, 11)):
        store = ContactStore()
        everybody_but(store, 0)
        # Its edge is older than they are.
        found = [
            store.absorb(replace(window(store, reads, complete=False), edge=0), reads)
            for reads in [contacts(*(f"{n:02}" for n in range(40 - missing)))] * 2
        ]
        assert [len(f.deleted) for f in found] == [first, second]
        assert [f.doubtful for f in found] == [missing > 10, False]
        store.close()


def test_nobody_is_gone_on_the_word_of_one_order_that_claims_to_show_all() -> None:
    store = ContactStore()
    everybody_but(store, 0)
    for _ in range(3):
        absorbed = everybody_but(store, 1)
        assert (absorbed.deleted, absorbed.doubtful) == (frozenset(), True)
        assert (absorbed.window.complete, absorbed.window.edge) == (False, None)
    other = everybody_but(store, 1, sort=Sort.UPDATED)
    assert (other.deleted, other.doubtful, other.window.complete) == (
        frozenset({"39"}),
        False,
        True,
    )
    store.close()


def test_a_second_answer_that_was_under_way_with_the_first_is_not_believed() -> None:
    store = ContactStore()
    everybody_but(store, 0)
    tick = store.tick()
    everybody_but(store, 1)
    assert everybody_but(store, 1, sort=Sort.UPDATED, sent=tick).deleted == frozenset()
    store.close()


def test_who_is_seen_again_is_missed_no_more() -> None:
    store = ContactStore()
    everybody_but(store, 0)
    everybody_but(store, 1)
    everybody_but(store, 0)
    assert everybody_but(store, 1, sort=Sort.UPDATED).deleted == frozenset()
    store.close()


def test_who_is_gone_is_shown_nowhere_and_kept_for_the_days_of_retention(path: Path) -> None:
    store = ContactStore(path, keep_days=30)
    everybody_but(store, 0, at=DAY)
    for sort in (Sort.CREATED, Sort.UPDATED):
        everybody_but(store, 1, sort=sort, at=2 * DAY)
    assert "39" not in ids(store)
    assert store.get("39") is None
    assert store.find_email("39@example.com") == []
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM contacts").fetchone() == (40,)
    assert everybody_but(store, 0, at=3 * DAY).added == {"39"}
    for sort in (Sort.CREATED, Sort.UPDATED):
        everybody_but(store, 1, sort=sort, at=4 * DAY)
    everybody_but(store, 1, at=20 * DAY)
    assert store.keep_to_retention(33 * DAY) == 0
    assert store.keep_to_retention(35 * DAY) == 1
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM contacts").fetchone() == (39,)
    db.close()
    store.close()


def test_retention_is_kept_though_smoc_is_not_asked(path: Path) -> None:
    store = ContactStore(path, keep_days=30)
    absorb(store, "a", at=DAY)
    assert store.keep_to_retention(20 * DAY) == 0
    assert store.keep_to_retention(32 * DAY) == 1
    assert ids(store) == set()
    store.close()


def test_a_key_that_smoc_has_not_accepted_leaves_nothing_in_the_file(path: Path) -> None:
    for n in range(20):
        ContactStore(path, address="x", key_hash=f"made up {n}").close()
    with sqlite3.connect(path) as db:
        kept = [
            db.execute("SELECT count(*) FROM keys").fetchone(),
            db.execute("SELECT count(*) FROM companies").fetchone(),
        ]
    db.close()
    assert kept == [(0,), (0,)]


def test_a_key_of_its_own_shows_its_own_contacts_whatever_operator_they_name(path: Path) -> None:
    ten = ContactStore(path, address="x", key_hash="ten", joins=False)
    absorb(ten, "secret", operator="10")
    twenty = ContactStore(path, address="x", key_hash="twenty", joins=False)
    absorb(twenty, "a", "b", operator="10")
    assert (ids(ten), ids(twenty)) == ({"secret"}, {"a", "b"})
    for sort in (Sort.CREATED, Sort.UPDATED):
        absorb(twenty, "a", operator="10", sort=sort)
    assert ids(ten) == {"secret"}
    ten.close()
    twenty.close()


def test_one_contact_that_names_another_operator_joins_no_two_companies(path: Path) -> None:
    ten = ContactStore(path, address="x", key_hash="ten")
    absorb(ten, "secret", operator="10")
    twenty = ContactStore(path, address="x", key_hash="twenty")
    reads = contacts("a", operator=None) + contacts("b", operator="10")
    twenty.absorb(window(twenty, reads), reads)
    assert ids(twenty) == {"a", "b"}
    assert ids(ten) == {"secret"}
    ten.close()
    twenty.close()


def test_a_question_that_takes_too_long_ends_at_its_deadline() -> None:
    store = ContactStore()
    absorb(store, *(f"{n}" for n in range(300)))
    wanted = Count(dimensions=parse_group_by("flow,city"))
    with store.until(time.monotonic() - 1), pytest.raises(TooMuchError, match="with a filter"):
        store.group(wanted)
    assert len(ids(store)) == 300
    store.close()


def test_of_a_contact_with_endless_labels_the_first_hundred_are_kept_and_that_is_said() -> None:
    flows = [{"title": f"flow {n}"} for n in range(5_000)]
    read = read_contact({"id": "a", "rewardFlows": flows}, whole=False)
    assert read is not None
    assert len(read.contact.reward_flows) == 100
    assert read.unread == {"rewardFlows"}
    whole = read_contact({"id": "a", "rewardFlows": flows})
    assert whole is not None
    assert (len(whole.contact.reward_flows), whole.unread) == (5_000, frozenset())


def steps_of(store: ContactStore, query: str) -> int:
    """Return how much work a search is, in steps of SQLite; nobody is found."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    assert isinstance(store._db, SqliteDatabase)
    connection = store._db._db
    connection.set_progress_handler(count, 10)
    try:
        assert store.count(ContactFilter(terms=parse_query(query))) == {}
    finally:
        connection.set_progress_handler(None, 0)
    return taken


def test_a_search_tells_a_company_nothing_of_the_words_of_another(path: Path) -> None:
    other = ContactStore(path, address="x", key_hash="other", joins=False)
    secret = [{"id": f"{n}", "company": "Secretly"} for n in range(3_000)]
    reads = [read for raw in secret if (read := read_contact(raw))]
    other.absorb(whole(reads), reads)
    mine = ContactStore(path, address="x", key_hash="mine", joins=False)
    absorb(mine, "a", "b")
    assert steps_of(mine, "secretly") < 3 * steps_of(mine, "nobodyhasthis") + 20
    assert sum(other.count(ContactFilter(terms=parse_query("secretly"))).values()) == 3_000
    other.close()
    mine.close()
