"""The SQLite file of the store: opening, schema, transactions; its errors become ours.

One connection behind one lock, used from worker threads. One file may hold several companies; a
connection sees one of them, through views named as the tables of a single company would be.
"""

import os
import sqlite3
import stat
import threading
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from smoc_mcp.errors import StoreError
from smoc_mcp.questions.search import FIELDS

__all__ = ["MEMORY", "SCHEMA_VERSION", "Database", "Value"]

MEMORY = ":memory:"
Value = int | str | bytes | None

_APPLICATION_ID = 0x534D4F43  # "SMOC", so that we never write into somebody else's database
_BUSY_SECONDS = 4.0
_OLDEST_SQLITE = (3, 34)  # has the trigram tokenizer

_SEARCHED = tuple(f"{field}_words" for field in FIELDS)
_WORDS = ", ".join(_SEARCHED)
_NEW_WORDS = ", ".join(f"new.{column}" for column in _SEARCHED)
_OLD_WORDS = ", ".join(f"old.{column}" for column in _SEARCHED)
# The names are those of our own columns. A contact goes out of the index as it went in.
_OUT_OF_INDEX = f"""INSERT INTO words (words, rowid, {_WORDS})
    SELECT 'delete', old.row, {_OLD_WORDS} WHERE old.row NOT IN (SELECT row FROM unindexed)"""  # noqa: S608
_INTO_INDEX = f"""INSERT INTO words (rowid, {_WORDS})
    SELECT row, {_WORDS} FROM contacts WHERE row IN (SELECT row FROM unindexed)"""  # noqa: S608

_MIGRATIONS: Sequence[Sequence[str]] = (
    (
        """CREATE TABLE companies (
            id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again after a forget
            name TEXT NOT NULL UNIQUE,
            leads INTEGER, customers INTEGER,
            counted INTEGER              -- when the counts were asked for
        )""",
        """CREATE TABLE keys (
            hash TEXT PRIMARY KEY,       -- of address and key; the key itself is nowhere
            owner INTEGER NOT NULL REFERENCES companies (id) ON DELETE CASCADE
        )""",
        """CREATE TABLE contacts (
            row INTEGER PRIMARY KEY,     -- of the words
            owner INTEGER NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
            id TEXT NOT NULL,
            asked INTEGER NOT NULL,      -- when the newest answer that held it was sent for;
                                         -- -1 where nobody can tell which is the newest
            seen INTEGER NOT NULL,       -- when it was received
            digest BLOB NOT NULL,
            status TEXT NOT NULL,
            created INTEGER NOT NULL,    -- moments; ABSENT where the contact has none
            updated INTEGER NOT NULL,
            conversation INTEGER NOT NULL,
            name TEXT, email TEXT, phone TEXT, company TEXT, city TEXT, country TEXT, device TEXT,
            browser TEXT, utm_source TEXT, utm_medium TEXT, utm_campaign TEXT, inviter TEXT,
            accepted_communication TEXT, -- yes, no or null
            has_visits INTEGER NOT NULL, has_rewards INTEGER NOT NULL,
            has_referrals INTEGER NOT NULL,
            -- folded, for comparison
            email_key TEXT NOT NULL, mailbox TEXT NOT NULL, company_key TEXT,
            city_key TEXT, country_key TEXT, device_key TEXT, browser_key TEXT,
            utm_source_key TEXT, utm_medium_key TEXT, utm_campaign_key TEXT, inviter_key TEXT,
            -- as searched: see `search.searchable`
            name_words TEXT NOT NULL, email_words TEXT NOT NULL, phone_words TEXT NOT NULL,
            company_words TEXT NOT NULL, place_words TEXT NOT NULL, texts_words TEXT NOT NULL,
            answers_words TEXT NOT NULL,
            unread TEXT NOT NULL,        -- names of fields that could not be read
            source TEXT NOT NULL,        -- the JSON as sent
            UNIQUE (owner, id)
        )""",
        "CREATE INDEX contacts_created ON contacts (owner, created, id)",
        "CREATE INDEX contacts_updated ON contacts (owner, updated, id)",
        "CREATE INDEX contacts_conversation ON contacts (owner, conversation, id)",
        "CREATE INDEX contacts_email ON contacts (owner, email_key)",
        "CREATE INDEX contacts_mailbox ON contacts (owner, mailbox)",
        "CREATE INDEX contacts_seen ON contacts (owner, seen)",
        # All that is counted and filtered by: a scan of it reads a tenth of what the rows are.
        """CREATE INDEX contacts_facts ON contacts (
            owner, status, created, updated, conversation, id,
            city_key, city, country_key, country, company_key, company, device_key, device,
            browser_key, browser, utm_source_key, utm_source, utm_medium_key, utm_medium,
            utm_campaign_key, utm_campaign, inviter_key, inviter, accepted_communication,
            has_visits, has_rewards, has_referrals
        )""",
        # The index alone: the texts are the columns of contacts.
        f"""CREATE VIRTUAL TABLE words USING fts5 ({_WORDS},
            content = 'contacts', content_rowid = 'row', columnsize = 0,
            tokenize = 'trigram case_sensitive 1')""",
        # Contacts whose words are not in the index yet: see `Database.index_words`.
        "CREATE TABLE unindexed (row INTEGER PRIMARY KEY)",
        """CREATE TRIGGER words_of_new AFTER INSERT ON contacts BEGIN
            INSERT INTO unindexed VALUES (new.row);
        END""",
        f"""CREATE TRIGGER words_of_old AFTER DELETE ON contacts BEGIN
            {_OUT_OF_INDEX};
            DELETE FROM unindexed WHERE row = old.row;
        END""",  # noqa: S608
        f"""CREATE TRIGGER words_of_changed AFTER UPDATE OF {_WORDS} ON contacts
            WHEN ({_NEW_WORDS}) IS NOT ({_OLD_WORDS}) BEGIN
            {_OUT_OF_INDEX};
            INSERT INTO unindexed
            SELECT new.row WHERE new.row NOT IN (SELECT row FROM unindexed);
        END""",  # noqa: S608
        """CREATE TABLE labels (
            owner INTEGER NOT NULL, contact TEXT NOT NULL,
            kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
            question_id TEXT NOT NULL, question_key TEXT NOT NULL, question TEXT NOT NULL,
            FOREIGN KEY (owner, contact) REFERENCES contacts (owner, id) ON DELETE CASCADE
        )""",
        "CREATE INDEX labels_contact ON labels (owner, contact, kind, key, value)",
        """CREATE TABLE histories (
            owner INTEGER NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
            sort TEXT NOT NULL,
            reach INTEGER NOT NULL, began INTEGER NOT NULL, top INTEGER NOT NULL,
            sent INTEGER NOT NULL, received INTEGER NOT NULL,
            PRIMARY KEY (owner, sort)
        )""",
        """CREATE TABLE gaps (
            owner INTEGER NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
            sort TEXT NOT NULL, older INTEGER NOT NULL, newer INTEGER NOT NULL
        )""",
    ),
)
SCHEMA_VERSION = len(_MIGRATIONS)
_VIEWS = {"contact": "contacts", "label": "labels", "history": "histories", "gap": "gaps"}


class Database:
    """A connection that sees one company.

    Args:
        path: A file, made if missing (mode 0600, its folders too), or MEMORY.

    Raises:
        StoreError: The file cannot be opened, is damaged, is no store of ours, or was written by
            a newer version; or Python's SQLite is too old.
    """

    def __init__(self, path: str = MEMORY) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._depth = 0
        self._changes = 0
        self._asked_again: tuple[Hashable, dict[Hashable, list[sqlite3.Row]]] = None, {}
        if path != MEMORY:
            _prepare(Path(path))
        with self._translated():
            # Calls come from worker threads, one at a time behind the lock.
            self._db = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None
            )
        try:
            with self._translated():
                self._open()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        searches = self._db.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'")
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE or searches.fetchone() is None:
            raise StoreError(
                f"This Python's SQLite {sqlite3.sqlite_version} cannot search: 3.34 or newer with "
                "FTS5 is needed. Run smoc-mcp with another Python, such as the one that uv brings."
            )
        self._db.row_factory = sqlite3.Row
        application = self._pragma("application_id")
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application != _APPLICATION_ID and tables:
            raise StoreError(
                f"{self._path} is a database of another program. Set SMOC_MCP_STORE to a file of "
                "its own."
            )
        if self._pragma("user_version") > SCHEMA_VERSION:
            raise StoreError(
                f"{self._path} is of a newer smoc-mcp. Install that, or set SMOC_MCP_STORE to "
                "another file."
            )
        for pragma in (
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
            "secure_delete = ON",
        ):
            self._db.execute(f"PRAGMA {pragma}")
        while self._migrate_once():
            pass

    def _migrate_once(self) -> bool:
        """Run the next migration together with its record; False if there is none."""
        with self.transaction():
            # Read inside: another process may have migrated while we waited.
            version = self._pragma("user_version")
            if version >= SCHEMA_VERSION:
                return False
            for statement in _MIGRATIONS[version]:
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version = {version + 1}")
        return True

    def close(self) -> None:
        """Close the connection; an in-memory database is gone."""
        with self._lock:
            self._db.close()

    def see(self, owner: int) -> None:
        """Let the views show one company."""
        with self._lock, self._translated():
            self._changes += 1
            # A view takes no bound values: its names are _VIEWS', its owner is a number of ours.
            for view, table in _VIEWS.items():
                self._db.execute(f"DROP VIEW IF EXISTS temp.{view}")
                self._db.execute(
                    f"CREATE TEMP VIEW {view} AS SELECT * FROM {table} WHERE owner = {owner:d}"  # noqa: S608
                )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what happens inside, or, if anything at all is raised, none of it."""
        try:
            with self._begun("BEGIN IMMEDIATE"):
                yield
        finally:
            # What was written and taken back is a change as well.
            self._changes += 1

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let everything that is read inside be of one moment, whatever others write."""
        if self._path == MEMORY:
            # Nobody else can write, and we do one thing at a time.
            with self._lock:
                yield
        else:
            with self._begun("BEGIN"):
                yield

    @contextmanager
    def _begun(self, begin: str) -> Iterator[None]:
        with self._lock, self._translated():
            if self._depth:
                raise RuntimeError("transactions do not nest")
            self._db.execute(begin)
            self._depth += 1
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself where the disk is full.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

    def fetch(self, text: str, values: Sequence[Value] = ()) -> list[sqlite3.Row]:
        """Return the rows of a SELECT."""
        with self._lock, self._translated():
            return self._db.execute(text, tuple(map(_bindable, values))).fetchall()

    def fetch_again(self, text: str, values: tuple[Value, ...] = ()) -> list[sqlite3.Row]:
        """Return the few rows of a SELECT that most answers need, read once until any write."""
        with self._lock:
            if self._path != MEMORY and not self._db.in_transaction:
                # Others' writes are noticed at the beginning of a transaction.
                return self.fetch(text, values)
            version = self._changes, self._others_version()
            if self._asked_again[0] != version:
                self._asked_again = version, {}
            known = self._asked_again[1]
            if (text, values) not in known:
                known[text, values] = self.fetch(text, values)
            return known[text, values]

    def run(self, text: str, values: Sequence[Value] = ()) -> int:
        """Run a statement; return how many rows it changed."""
        with self._lock, self._translated():
            self._changes += 1
            return self._db.execute(text, values).rowcount

    def run_many(self, text: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run a statement once a row."""
        with self._lock, self._translated():
            self._changes += 1
            self._db.executemany(text, rows)

    def others_version(self) -> int:
        """Return a number that changes when another process or connection has written."""
        with self._lock, self._translated():
            if self._path != MEMORY:
                # A look at the file, so that what others wrote is noticed.
                self._db.execute("SELECT count(*) FROM companies").fetchone()
            return self._others_version()

    @property
    def words_wait(self) -> bool:
        """Whether there are words that are not in the index yet."""
        return bool(self.fetch("SELECT EXISTS (SELECT 1 FROM unindexed)")[0][0])

    def index_words(self) -> None:
        """Put the words of new and changed contacts into the index, as must be before a search."""
        with self._lock:
            if not self.words_wait:
                return
            with nullcontext() if self._db.in_transaction else self.transaction():
                self.run(_INTO_INDEX)
                self.run("DELETE FROM unindexed")

    def purge_words(self) -> None:
        """Take the words of deleted contacts out of the index, which keeps them for a while."""
        self.run("INSERT INTO words (words) VALUES ('optimize')")

    def compact(self) -> None:
        """Give back the room of what was deleted, and overwrite it."""
        with self._lock, self._translated():
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _others_version(self) -> int:
        return 0 if self._path == MEMORY else self._pragma("data_version")

    def _pragma(self, name: str) -> int:
        value: int = self._db.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise StoreError(
                f"The store {self._path} was erased or moved by another process meanwhile. "
                "Nothing was written: ask again."
            ) from error
        except sqlite3.OperationalError as error:
            raise StoreError(
                f"The store {self._path} cannot be used now ({error}): check that its folder can "
                "be written and has room, and that no other program holds it."
            ) from error
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"The store {self._path} is damaged ({error}). Nothing was changed: restore a "
                "copy of it, or move it away to begin a new one."
            ) from error


def _bindable(value: Value) -> Value:
    """Return a value that SQLite takes: half a surrogate pair is in no text that is stored."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "replace").decode("utf-8")
    return value


def _prepare(path: Path) -> None:
    """Make the file and its folders, readable by nobody else."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if stat.S_IMODE(path.stat().st_mode) != 0o600:
            path.chmod(0o600)
    except OSError as error:
        raise StoreError(
            f"The store {path} cannot be opened ({error.strerror}). Set SMOC_MCP_STORE to a file "
            "in a folder that can be written."
        ) from error
