"""The store: every contact that was seen, in SQLite, in memory unless it is given a file.

One connection behind one lock, used from worker threads. A window is taken in within one
transaction (`absorb`), so a reader sees all of it or nothing.
"""

import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from smoc_mcp.coverage import Sort, Status, Window
from smoc_mcp.facts import Facts, Label, facts_of
from smoc_mcp.models import Contact, ReadContact, read_contact
from smoc_mcp.query import EVERYBODY, ContactFilter, Dimension
from smoc_mcp.rows import ContactRow, GroupRow, Position
from smoc_mcp.selection import Sql, grouping, listing, questions, where
from smoc_mcp.text import fold, spellings
from smoc_mcp.times import Moment

__all__ = ["Absorbed", "ContactStore"]

_SCHEMA = """
CREATE TABLE contact (
    id TEXT PRIMARY KEY,
    seen INTEGER NOT NULL,          -- when the newest answer that held it was received
    digest BLOB NOT NULL,
    status TEXT NOT NULL,
    created INTEGER NOT NULL,       -- moments; ABSENT where the contact has none
    updated INTEGER NOT NULL,
    conversation INTEGER NOT NULL,
    name TEXT, email TEXT, phone TEXT, company TEXT, city TEXT, country TEXT, device TEXT,
    browser TEXT, utm_source TEXT, utm_medium TEXT, utm_campaign TEXT, inviter TEXT,
    accepted_communication TEXT,    -- yes, no or null
    has_visits INTEGER NOT NULL, has_rewards INTEGER NOT NULL, has_referrals INTEGER NOT NULL,
    -- folded, for comparison
    name_key TEXT, email_key TEXT NOT NULL, phone_digits TEXT NOT NULL, company_key TEXT,
    city_key TEXT, country_key TEXT, device_key TEXT, browser_key TEXT, utm_source_key TEXT,
    utm_medium_key TEXT, utm_campaign_key TEXT, inviter_key TEXT, search TEXT NOT NULL,
    source TEXT NOT NULL            -- the JSON as sent
);
CREATE INDEX contact_created ON contact (created, id);
CREATE INDEX contact_updated ON contact (updated, id);
CREATE INDEX contact_conversation ON contact (conversation, id);
CREATE INDEX contact_email ON contact (email_key);
CREATE TABLE label (
    contact TEXT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    question_id TEXT NOT NULL, question_key TEXT NOT NULL, question TEXT NOT NULL
);
CREATE INDEX label_contact ON label (contact, kind);
"""

_FOLDED = (
    *("company", "city", "country", "device", "browser", "inviter"),
    *("utm_source", "utm_medium", "utm_campaign"),
)


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What a window brought.

    Attributes:
        added: The ids not known before.
        changed: The ids whose content differs from what was known.
        deleted: The ids that the window proves to be gone; they are no longer in the store.
        doubtful: The window contradicts an answer that was under way at the same time.
    """

    added: frozenset[str]
    changed: frozenset[str]
    deleted: frozenset[str]
    doubtful: bool


class ContactStore:
    """The contacts of one company.

    Args:
        path: A file, or `:memory:`.
    """

    def __init__(self, path: str = ":memory:") -> None:
        self._lock = threading.RLock()
        # Calls come from worker threads, one at a time behind the lock.
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database; an in-memory one is gone."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what happens inside, or, if anything at all is raised, none of it."""
        with self._lock:
            self._db.execute("BEGIN")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def absorb(self, window: Window, contacts: Iterable[ReadContact]) -> Absorbed:
        """Take in a window: save its contacts, and drop those that it proves to be deleted."""
        with self.transaction():
            known = self._known(window.rows)
            changed, superseded, doubtful = set(), set(), False
            for i, (digest, seen, updated) in known.items():
                if digest == window.rows[i].digest:
                    continue
                changed.add(i)
                if seen >= window.sent:
                    # Two answers under way at once: nobody can tell which is newer, but for
                    # updatedAt, which only grows.
                    doubtful = True
                    if updated > window.rows[i].updated:
                        superseded.add(i)
            fresh = {
                c.contact.id: c
                for c in contacts
                if c.contact.id not in known or c.contact.id in changed - superseded
            }
            self._save(fresh.values(), window.received)
            self._touch(window.rows.keys() - fresh.keys(), window.received)
            missing = self._covered(window)
            deleted = frozenset(i for i, seen in missing.items() if seen < window.sent)
            self._delete(deleted)
        return Absorbed(
            added=frozenset(window.rows.keys() - known.keys()),
            changed=frozenset(changed),
            deleted=deleted,
            doubtful=doubtful or len(deleted) < len(missing),
        )

    def list_rows(
        self,
        wanted: ContactFilter,
        sort: Sort,
        limit: int,
        *,
        by_relevance: bool = False,
        after: Position | None = None,
    ) -> list[ContactRow]:
        """Return at most `limit` contacts of a filter in order, after a position."""
        sql = listing(wanted, sort, by_relevance=by_relevance, after=after)
        return [_row(r) for r in self._fetch(sql, limit)]

    def list_since(
        self, sort: Sort, moment: Moment, contact_id: str | None, limit: int
    ) -> list[ContactRow]:
        """Return contacts by a sort key, oldest first, after (moment, id); from it without id."""
        edge = f"{sort} >= ?" if contact_id is None else f"({sort}, id) > (?, ?)"
        values = (moment,) if contact_id is None else (moment, contact_id)
        text = f"SELECT *, 0 AS rank FROM contact WHERE {edge} ORDER BY {sort}, id LIMIT ?"  # noqa: S608
        return [_row(r) for r in self._fetch(Sql(text, values), limit)]

    def find_email(self, email_key: str) -> list[ContactRow]:
        """Return every contact with this address, newest first."""
        return [
            _row(r)
            for r in self._fetch(
                Sql(
                    "SELECT *, 0 AS rank FROM contact WHERE email_key = ? "
                    "ORDER BY created DESC, id DESC",
                    (email_key,),
                )
            )
        ]

    def find_rows(self, ids: Collection[str]) -> list[ContactRow]:
        """Return the contacts that have these ids, in no order."""
        marks = ", ".join("?" * len(ids))
        text = f"SELECT *, 0 AS rank FROM contact WHERE id IN ({marks})"  # noqa: S608 (marks)
        return [_row(r) for r in self._fetch(Sql(text, tuple(ids)))]

    def email_addresses(self) -> Mapping[str, str]:
        """Return the address of every contact that has one, by contact id, for comparison."""
        rows = self._fetch(Sql("SELECT id, email_key FROM contact WHERE email_key != ''"))
        return {r["id"]: r["email_key"] for r in rows}

    def get(self, contact_id: str) -> tuple[ContactRow, Contact, Mapping[str, Any]] | None:
        """Return a contact as it is listed, its model and its JSON; None if it is not in hand."""
        for r in self._fetch(Sql("SELECT *, 0 AS rank FROM contact WHERE id = ?", (contact_id,))):
            source = json.loads(r["source"])
            read = read_contact(source)
            if read is not None:
                return _row(r), read.contact, source
        return None

    def count(self, wanted: ContactFilter = EVERYBODY) -> Mapping[Status, int]:
        """Return how many contacts of a filter there are, by status; absent is none."""
        condition = where(wanted)
        text = f"SELECT status, count(*) FROM contact WHERE {condition.text} GROUP BY 1"  # noqa: S608
        return {Status(s): n for s, n in self._fetch(Sql(text, condition.values))}

    def group(self, wanted: ContactFilter, dimensions: Sequence[Dimension]) -> list[GroupRow]:
        """Return how many contacts of a filter share each value; one row a spelling and status."""
        split = 2 * len(dimensions)
        return [
            GroupRow(
                keys=tuple(r[i] for i in range(0, split, 2)),
                values=tuple(r[i] for i in range(1, split, 2)),
                status=Status(r[split]),
                contacts=r[split + 1],
            )
            for r in self._fetch(grouping(wanted, dimensions))
        ]

    def survey_questions(self, question: str) -> list[str]:
        """Return the questions that these folded words or this id name, each once, as sent."""
        once = {r["question_key"]: r["question"] for r in self._fetch(questions(question))}
        return sorted(once.values())

    def _fetch(self, sql: Sql, *more: int | str) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql.text, (*sql.values, *more)).fetchall()

    def _known(self, ids: Collection[str]) -> dict[str, tuple[bytes, Moment, Moment]]:
        marks = ", ".join("?" * len(ids))
        text = f"SELECT id, digest, seen, updated FROM contact WHERE id IN ({marks})"  # noqa: S608
        return {
            i: (digest, seen, updated)
            for i, digest, seen, updated in self._db.execute(text, tuple(ids))
        }

    def _covered(self, window: Window) -> dict[str, Moment]:
        """Return when each stored contact was seen that should be in the window and is not."""
        if window.complete:
            rows = self._db.execute("SELECT id, seen FROM contact")
        elif window.edge is not None:
            text = f"SELECT id, seen FROM contact WHERE {window.sort} > ?"  # noqa: S608 (an enum)
            rows = self._db.execute(text, (window.edge,))
        else:
            return {}
        return {i: seen for i, seen in rows if i not in window.rows}

    def _save(self, contacts: Iterable[ReadContact], seen: Moment) -> None:
        facts = [(read, facts_of(read)) for read in contacts]
        self._db.executemany("DELETE FROM label WHERE contact = ?", [(f.id,) for _, f in facts])
        self._db.executemany(_UPSERT, [_columns(read, f, seen) for read, f in facts])
        self._db.executemany(
            "INSERT INTO label VALUES (?, ?, ?, ?, ?, ?, ?)",
            [_label_columns(f.id, label) for _, f in facts for label in f.labels],
        )

    def _touch(self, ids: Iterable[str], seen: Moment) -> None:
        self._db.executemany(
            "UPDATE contact SET seen = max(seen, ?) WHERE id = ?", [(seen, i) for i in ids]
        )

    def _delete(self, ids: Iterable[str]) -> None:
        self._db.executemany("DELETE FROM contact WHERE id = ?", [(i,) for i in ids])


_PLAIN = (
    *("id", "name", "email", "phone", "company", "city", "country", "device", "browser"),
    *("utm_source", "utm_medium", "utm_campaign", "inviter"),
    *("has_visits", "has_rewards", "has_referrals", "email_key", "phone_digits", "search"),
)
_COLUMNS = (
    *("seen", "digest", "status", "created", "updated", "conversation", "source"),
    *("accepted_communication", "name_key"),
    *_PLAIN,
    *(f"{name}_key" for name in _FOLDED),
)
_UPSERT = (
    f"INSERT INTO contact ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608
    "ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "id")
)


def _columns(read: ReadContact, facts: Facts, seen: Moment) -> tuple[object, ...]:
    keys = facts.keys
    return (
        *(seen, keys.digest, keys.status, keys.created, keys.updated, keys.conversation),
        read.source,
        {True: "yes", False: "no", None: None}[facts.accepted_communication],
        spellings(facts.name) if facts.name else None,
        *(getattr(facts, name) for name in _PLAIN),
        *(_folded(getattr(facts, name)) for name in _FOLDED),
    )


def _label_columns(contact_id: str, label: Label) -> tuple[str, ...]:
    return (
        *(contact_id, label.kind, fold(label.value), label.value),
        *(label.question_id, fold(label.question), label.question),
    )


def _folded(value: str | None) -> str | None:
    return None if value is None else fold(value)


def _row(r: sqlite3.Row) -> ContactRow:
    return ContactRow(
        id=r["id"],
        name=r["name"],
        email=r["email"],
        phone=r["phone"],
        company=r["company"],
        city=r["city"],
        country=r["country"],
        status=Status(r["status"]),
        created=r["created"],
        updated=r["updated"],
        conversation=r["conversation"],
        utm_source=r["utm_source"],
        utm_medium=r["utm_medium"],
        utm_campaign=r["utm_campaign"],
        seen=r["seen"],
        rank=r["rank"],
    )
