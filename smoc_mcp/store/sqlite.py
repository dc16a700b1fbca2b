"""The SQLite file of the store: opening, schema, transactions; its errors become ours.

One connection behind one lock, used from worker threads. One file may hold several companies; a
connection sees one of them, through views named as the tables of a single company would be.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from smoc_mcp.errors import StoreError, TooMuchError
from smoc_mcp.questions.periods import period_of
from smoc_mcp.store.again import ReadAgain
from smoc_mcp.store.conditions import Value
from smoc_mcp.store.schema import MIGRATIONS, Migration, index_values
from smoc_mcp.store.store_file import APPLICATION_ID, prepare
from smoc_mcp.text.times import Clock

__all__ = ["SqliteDatabase"]

_BUSY_SECONDS = 4.0
_STEPS = 10_000
"""How many instructions of SQLite go by between two looks at the clock."""
_OLDEST_SQLITE = (3, 34)  # has the trigram tokenizer

# Of several companies' words those of the one shown.
_HITS = "SELECT rowid AS hit FROM words WHERE words MATCH (SELECT of_owner FROM shown) || fts(?)"
_AMONG = "SELECT value FROM json_each(?)"
_VIEWS = """
CREATE TEMP TABLE shown (owner INTEGER, of_owner TEXT);
INSERT INTO shown VALUES (0, '');
CREATE TEMP VIEW contact AS SELECT * FROM contacts
    WHERE owner = (SELECT owner FROM shown) AND gone IS NULL;
CREATE TEMP VIEW label AS SELECT * FROM labels WHERE owner = (SELECT owner FROM shown);
CREATE TEMP VIEW history AS SELECT * FROM histories WHERE owner = (SELECT owner FROM shown);
CREATE TEMP VIEW gap AS SELECT * FROM gaps WHERE owner = (SELECT owner FROM shown);
"""
"""What a connection sees: the tables as they are for the one company that it is of."""


def _period_of(quarter: int, unit: str, zone: str) -> str:
    """Return the weekday or hour of a zone: SQLite knows no zones."""
    return period_of(quarter, unit, ZoneInfo(zone))


def _fts(needles: str) -> str:
    """Return the expression of FTS5 for what `sql.needles_of` says."""
    return " AND ".join(
        f"({' OR '.join(f'({_all_of(spelling)})' for spelling in term)})"
        for term in json.loads(needles)
    )


def _all_of(spelling: Iterable[tuple[str, str]]) -> str:
    return " AND ".join(_phrase(text, field) for text, field in spelling)


def _phrase(text: str, field: str) -> str:
    phrase = '"' + text.replace('"', '""') + '"'
    return f"{field}_words : {phrase}" if field else phrase


class _Empty:
    """An empty database in memory, of the present schema, from which others are copied."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.db: sqlite3.Connection | None = None


_EMPTY = _Empty()


class SqliteDatabase:
    """A connection that sees one company.

    Attributes:
        lock: Held by whoever uses the connection.
        clock: This machine's.

    Args:
        path: A file, made if missing (mode 0600, its folders too); None for memory.
        migrations: What makes the schema of this version, step by step.

    Raises:
        StoreError: The file cannot be opened, is damaged, is no store of ours, or was written by
            a newer version; or Python's SQLite is too old.
    """

    serves_replicas = False
    indexes_by_itself = False

    def __init__(
        self, path: Path | None = None, migrations: Sequence[Migration] = MIGRATIONS
    ) -> None:
        self._path = path
        self._migrations = migrations
        self.lock = threading.RLock()
        self.clock = Clock()
        self._depth = 0
        self._changes = 0
        self._again = ReadAgain[list[sqlite3.Row]]()
        if path is not None:
            prepare(path)
        with self._translated():
            # Calls come from worker threads, one at a time behind the lock.
            self._db = sqlite3.connect(
                path or ":memory:",
                timeout=_BUSY_SECONDS,
                check_same_thread=False,
                isolation_level=None,
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
        if application != APPLICATION_ID and tables:
            raise StoreError(
                f"{self._path} is a database of another program. Set SMOC_MCP_STORE to a file of "
                "its own."
            )
        if self._pragma("user_version") > len(self._migrations):
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
        if self._path is None and self._migrations is MIGRATIONS:
            self._copy_empty()
        while self._migrate_once():
            pass
        self._db.create_function("period_of", 3, _period_of, deterministic=True)
        self._db.create_function("fts", 1, _fts, deterministic=True)
        self._db.executescript(_VIEWS)

    def _copy_empty(self) -> None:
        """Begin as a copy of the first empty one in memory: migrations take 30 times as long."""
        with _EMPTY.lock:
            if _EMPTY.db is None:
                while self._migrate_once():
                    pass
                _EMPTY.db = sqlite3.connect(":memory:", check_same_thread=False)
                self._db.backup(_EMPTY.db)
            else:
                _EMPTY.db.backup(self._db)

    def _migrate_once(self) -> bool:
        """Run the next migration together with its record; False if there is none."""
        with self.transaction():
            # Read inside: another process may have migrated while we waited.
            version = self._pragma("user_version")
            if version >= len(self._migrations):
                return False
            self._migrations[version](self)
            if version + 1 == len(self._migrations):
                index_values(self)
            self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version = {version + 1}")
        return True

    def close(self) -> None:
        """Close the connection; an in-memory database is gone."""
        with self.lock:
            self._db.close()

    def see(self, owner: int) -> None:
        """Let the views show one company."""
        with self.lock, self._translated():
            self._changes += 1
            several = self._db.execute("SELECT count(*) > 1 FROM companies").fetchone()[0]
            of_owner = f'owner_token : "{owner:03d}" AND ' if several else ""
            self._db.execute("UPDATE temp.shown SET owner = ?, of_owner = ?", (owner, of_owner))

    @contextmanager
    def of_all(self) -> Iterator[None]:
        """Let what is run on the tables inside be of all companies: here it always is."""
        yield

    @property
    def is_shared(self) -> bool:
        """Whether other connections may write to it."""
        return self._path is not None

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction or a snapshot is under way."""
        return self._db.in_transaction

    @contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """Let nothing that is read inside go on past a deadline.

        Args:
            deadline: By `time.monotonic`.

        Raises:
            TooMuchError: It has passed.
        """
        with self.lock:
            self._db.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
            try:
                yield
            finally:
                self._db.set_progress_handler(None, 0)

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
        if self._path is None:
            # Nobody else can write, and we do one thing at a time.
            with self.lock:
                yield
        else:
            with self._begun("BEGIN"):
                yield

    @contextmanager
    def _begun(self, begin: str) -> Iterator[None]:
        with self.lock, self._translated():
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
        with self.lock, self._translated():
            text = text.replace("HITS(?)", _HITS).replace("AMONG(?)", _AMONG)
            return self._db.execute(text, tuple(map(_bindable, values))).fetchall()

    def fetch_again(self, text: str, values: tuple[Value, ...] = ()) -> list[sqlite3.Row]:
        """Return the few rows of a SELECT that most answers need, read once until any write."""
        with self.lock:
            if self._path is not None and not self._db.in_transaction:
                # Others' writes are noticed at the beginning of a transaction.
                return self.fetch(text, values)
            version = self._changes, self._others_version()
            return self._again.get(version, (text, values), lambda: self.fetch(text, values))

    def run(self, text: str, values: Sequence[Value] = ()) -> int:
        """Run a statement; return how many rows it changed."""
        with self.lock, self._translated():
            self._changes += 1
            return self._db.execute(text, values).rowcount

    def run_many(self, text: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run a statement once a row."""
        with self.lock, self._translated():
            self._changes += 1
            self._db.executemany(text, rows)

    def others_version(self) -> int:
        """Return a number that changes when another process or connection has written."""
        with self.lock, self._translated():
            if self._path is not None:
                # A look at the file, so that what others wrote is noticed.
                self._db.execute("SELECT count(*) FROM companies").fetchone()
            return self._others_version()

    def turn(self, _: str) -> None:
        """Return nothing: a file is not shared by replicas of one server."""
        return

    def compact(self) -> bool:
        """Give back the room of what was deleted; return whether all of it was overwritten.

        It is not while another connection still reads what was there.
        """
        with self.lock, self._translated():
            self._db.execute("VACUUM")
            busy: int = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not busy

    def _others_version(self) -> int:
        return 0 if self._path is None else self._pragma("data_version")

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
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise TooMuchError(
                    "This question takes too long over the contacts in hand: ask with a filter, or "
                    "group by one dimension instead of two."
                ) from error
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
