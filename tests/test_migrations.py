"""A store of an older version, opened by this one; and new fields for contacts already stored."""

import gzip
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smoc_mcp.api import facts
from smoc_mcp.api.models import read_contact
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions import fields
from smoc_mcp.questions.dimensions import Count, parse_group_by
from smoc_mcp.questions.filters import ContactFilter, Listing, parse_filter
from smoc_mcp.questions.search import parse_query
from smoc_mcp.store.schema import MIGRATIONS, add_labels, add_values
from smoc_mcp.store.sqlite import SqliteDatabase
from smoc_mcp.store.store import ContactStore
from tests.stores import window

OLD = Path(__file__).parent / "data" / "store-version-1.sqlite3.gz"
"""Eight contacts of one company, complete, as the first version of the schema kept them."""
OLD_ANSWERS = Path(__file__).parent / "data" / "store-version-10.sqlite3.gz"
"""Six contacts, some with blank answers and questions, as version 10 of the schema kept them."""
ADDRESS, KEY = "https://v2.api.smoc.ai", "key of version 1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "old.sqlite3"
    made.write_bytes(gzip.decompress(OLD.read_bytes()))
    return made


@pytest.fixture
def store(path: Path) -> Iterator[ContactStore]:
    opened = ContactStore(path, address=ADDRESS, key_hash=KEY)
    yield opened
    opened.close()


def test_a_file_of_version_1_keeps_its_contacts_and_words_and_begins_a_new_history(
    store: ContactStore,
) -> None:
    rows = store.list_rows(Listing())
    assert len(rows) == 8
    assert [store.history(sort) for sort in (Sort.CREATED, Sort.UPDATED)] == [None, None]
    named = next(row for row in rows if row.name)
    wanted = ContactFilter(terms=parse_query(str(named.name)))
    assert named.id in {row.id for row in store.list_rows(Listing(wanted=wanted))}


@pytest.mark.parametrize("group_by", ["city", "device,status", "flow", "inviter", "created_month"])
def test_a_file_of_version_1_is_grouped_by_every_kind(store: ContactStore, group_by: str) -> None:
    groups = store.group(Count(dimensions=parse_group_by(group_by)))
    assert sum(group.contacts for group in groups) >= 8


def test_a_file_of_version_1_becomes_one_of_this_version(path: Path, store: ContactStore) -> None:
    del store
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    db.close()


def test_an_inviter_of_version_1_is_told_by_who_it_is(store: ContactStore) -> None:
    (invited,) = (
        group
        for group in store.group(Count(dimensions=parse_group_by("inviter")))
        if group.keys[0] is not None
    )
    assert (invited.keys, invited.values) == (("100009",), ("Märta Åkesson",))
    for text in ("100009", "marta", "marta.akesson9@example.com", "Märta Åkesson (100009)"):
        wanted = parse_filter({"inviter": text}, now=0, zone=ZoneInfo("UTC"))
        assert len(store.list_rows(Listing(wanted=wanted))) == 1


def test_promotions_of_version_1_are_presented_or_redeemed(path: Path, store: ContactStore) -> None:
    def sizes(by: str) -> dict[str | None, int]:
        found: Counter[str | None] = Counter()
        for group in store.group(Count(dimensions=parse_group_by(by))):
            found[group.values[0]] += group.contacts
        return found

    assert sizes("promo_presented")["Summer promo"] == 3
    assert sizes("promo_redeemed")["Summer promo"] == 2
    with sqlite3.connect(path) as db:
        kinds = {row[0] for row in db.execute("SELECT DISTINCT kind FROM labels")}
    db.close()
    assert kinds <= {*fields.ANSWERED, *(field.name for field in fields.LABELS)}


@pytest.fixture
def of_answers(tmp_path: Path) -> Path:
    made = tmp_path / "answers.sqlite3"
    made.write_bytes(gzip.decompress(OLD_ANSWERS.read_bytes()))
    return made


def test_blank_answers_of_version_10_count_no_more(of_answers: Path) -> None:
    with sqlite3.connect(of_answers) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == 10
        before = db.execute("SELECT id, surveys, texts FROM contacts").fetchall()
    db.close()
    assert {i for i, surveys, texts in before if surveys and texts} == {
        *("said", "wordless", "nameless", "blank", "half")
    }
    store = ContactStore(of_answers, address=ADDRESS, key_hash="key of version 10")

    def who(**given: str) -> set[str]:
        wanted = parse_filter(given, now=0, zone=ZoneInfo("UTC"))
        return {row.id for row in store.list_rows(Listing(wanted=wanted))}

    def groups(by: str) -> dict[str | int | None, int]:
        found: Counter[str | int | None] = Counter()
        for group in store.group(Count(dimensions=parse_group_by(by))):
            found[group.keys[0]] += group.contacts
        return found

    for kind, has in (("survey", "surveys"), ("text", "texts")):
        assert who(has=has) == who(**{kind: "-(none)"}) == {"said", "wordless", "nameless", "half"}
        assert who(has=f"-{has}") == who(**{kind: "(none)"}) == {"blank", "nothing"}
    assert groups("survey") == {"which roof?": 2, "q1": 1, "(unnamed)": 1, None: 2}
    assert groups("text") == {"size": 2, "(unnamed)": 2, None: 2}
    assert groups("survey:q1") == {"flat": 2, "steep": 1, None: 3}
    store.close()
    with sqlite3.connect(of_answers) as db:
        counts = db.execute("SELECT id, surveys, texts FROM contacts").fetchall()
    db.close()
    assert {i: numbers for i, *numbers in counts}["half"] == [1, 1]


def test_what_a_migration_derives_is_what_is_derived_of_a_contact_that_comes(
    of_answers: Path, tmp_path: Path
) -> None:
    SqliteDatabase(of_answers, MIGRATIONS).close()
    with sqlite3.connect(of_answers) as db:
        sources = db.execute("SELECT source FROM contacts ORDER BY id").fetchall()
    db.close()
    reads = [read for (source,) in sources if (read := read_contact(json.loads(source)))]
    fresh = tmp_path / "fresh.sqlite3"
    store = ContactStore(fresh, address=ADDRESS, key_hash=KEY)
    store.absorb(window(store, reads), reads)
    store.close()
    kept = []
    for path in (of_answers, fresh):
        with sqlite3.connect(path) as db:
            labels = sorted(db.execute("SELECT * FROM labels"))
            kept.append((labels, sorted(db.execute("SELECT id, surveys, texts FROM contacts"))))
        db.close()
    assert kept[0] == kept[1]


def test_a_new_field_is_derived_for_contacts_that_are_stored_already(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = fields.Field("zip", ("zip",))
    monkeypatch.setattr("smoc_mcp.store.schema.VALUES", (*fields.VALUES, new))
    monkeypatch.setattr("smoc_mcp.api.facts._VALUES", [*facts._VALUES, ("zip", "", "zip", ())])
    SqliteDatabase(path, [*MIGRATIONS, add_values("zip")]).close()
    with sqlite3.connect(path) as db:
        found = db.execute(
            "SELECT zip, zip_key, json_extract(source, '$.zip') FROM contacts"
        ).fetchall()
        indexed = [row[2] for row in db.execute("PRAGMA index_info(contacts_facts)")]
    db.close()
    assert any(value for value, _, _ in found)
    assert all(value == sent and key == (sent and sent.lower()) for value, key, sent in found)
    assert {"zip", "zip_key"} <= set(indexed)


def test_a_new_label_is_derived_for_contacts_that_are_stored_already(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smoc_mcp.api.facts._LABELS", [*facts._LABELS, ("os", "visit_list", "os")])
    SqliteDatabase(path, [*MIGRATIONS, add_labels("os")]).close()
    with sqlite3.connect(path) as db:
        kept = {row[0] for row in db.execute("SELECT DISTINCT value FROM labels WHERE kind = 'os'")}
        sent = {
            row[0]
            for row in db.execute(
                "SELECT DISTINCT json_extract(visit.value, '$.os') FROM contacts, "
                "json_each(contacts.source, '$.visitList') AS visit"
            )
            if row[0]
        }
    db.close()
    assert kept
    assert kept <= sent
