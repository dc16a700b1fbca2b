"""The PostgreSQL database of the store: connection, schema, transactions; its errors become ours.

One connection behind one lock, used from worker threads, as of a SQLite file. It sees one company,
through views named as the tables of a single company would be, and row-level security keeps it to
that company's rows whatever a query says.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo

from smoc_mcp.errors import StoreError
from smoc_mcp.store.again import ReadAgain
from smoc_mcp.store.conditions import Value
from smoc_mcp.store.postgres_errors import translated
from smoc_mcp.store.postgres_schema import MIGRATIONS
from smoc_mcp.store.replicas import NEWS, DatabaseClock, ReplicaTurn

__all__ = ["PostgresDatabase"]

_OLDEST = 15
_CONNECT_SECONDS = 5
_LOCK_MILLISECONDS = 10_000
_STATEMENT_MILLISECONDS = 30_000
_TURN_SECONDS = 2
_CLASS = 0x534D4F43
"""Of our advisory locks: "SMOC", so that they are nobody else's."""
_SCHEMA = "smoc_mcp"
_INSTEAD = {
    "HITS(%s)": "SELECT hit FROM hits(%s)",
    # An array of constants is looked up in a hash; a subquery would be gone through for each row.
    "IN (AMONG(%s))": "= ANY (strings(%s))",
    "CROSS JOIN": "JOIN",
}


class _Row(tuple[Any, ...]):
    """A row whose cells are found by place and by name."""

    __slots__ = ()
    places: dict[str, int]

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401  as of a tuple, or by name
        return tuple.__getitem__(self, self.places[key] if isinstance(key, str) else key)


def _rows(cursor: psycopg.Cursor[Any]) -> Any:  # noqa: ANN401  psycopg's protocol
    """Return what makes a row of the values of a result."""
    columns = cursor.description or ()
    places = {column.name: at for at, column in enumerate(columns)}
    return type("_NamedRow", (_Row,), {"__slots__": (), "places": places})


@lru_cache(maxsize=1_024)
def _with_marks(text: str) -> str:
    """Return a statement with the marks for values that psycopg takes."""
    marked = text.replace("%", "%%").replace("?", "%s")
    for ours, theirs in _INSTEAD.items():
        marked = marked.replace(ours, theirs)
    return marked


class PostgresDatabase:
    """A connection that sees one company.

    Attributes:
        lock: Held by whoever uses the connection.
        clock: The database's.
        name: The database as it may be shown.

    Args:
        address: As libpq takes it, `postgresql://user@host/database`.
        name: Without a password.

    Raises:
        StoreError: It cannot be reached or used, or was written by a newer version.
    """

    is_shared = True
    serves_replicas = True
    indexes_by_itself = True

    def __init__(self, address: str, name: str = "the database") -> None:
        self._address = address
        self.name = name
        self.lock = threading.RLock()
        self.clock = DatabaseClock()
        self._owner = 0
        self._all = False
        self._depth = 0
        self._deadline: float | None = None
        self._limited = False
        self._known_version = -1
        self._others = 0
        self._changes = 0
        self._again = ReadAgain[list[Any]]()
        self._db: Connection[Any] | None = None
        try:
            with self.lock, self._translated():
                self._connected()
                self._known_version = self._present_version()
        except BaseException:
            self.close()
            raise

    def _connected(self) -> Connection[Any]:
        """Return the connection, opened anew where it broke outside a transaction."""
        if self._db is not None and not self._db.closed and not self._db.broken:
            return self._db
        if self._db is not None and self._depth:
            raise psycopg.OperationalError("the connection broke")
        self._db = self._open(_CONNECT_SECONDS)
        self._prepare(self._db)
        return self._db

    def _open(self, seconds: int) -> Connection[Any]:
        try:
            parameters = make_conninfo(
                self._address, connect_timeout=seconds, application_name="smoc-mcp"
            )
        except psycopg.ProgrammingError as error:
            raise StoreError(
                "SMOC_MCP_STORE is no address of a database: write "
                "postgresql://user@host/database, and special signs of a password as %XX."
            ) from error
        return psycopg.connect(parameters, autocommit=True, row_factory=_rows)

    def turn(self, name: str) -> ReplicaTurn:
        """Return our place in the queue of all replicas for a thing of this name."""
        return ReplicaTurn(lambda: self._open(_TURN_SECONDS), name)

    def _prepare(self, db: Connection[Any]) -> None:
        if db.info.server_version // 10_000 < _OLDEST:
            raise StoreError(
                f"{self.name} is PostgreSQL {db.info.server_version // 10_000}: {_OLDEST} or newer "
                "is needed."
            )
        encoding = db.execute("SHOW server_encoding").fetchone()
        if encoding is None or encoding[0] != "UTF8":
            raise StoreError(f"{self.name} is not in UTF-8: make a database with ENCODING 'UTF8'.")
        # Ours before the system's: two functions of ours are called as two of the system's are.
        db.execute(f"SET search_path = {_SCHEMA}, pg_catalog, public")
        db.execute(f"SET lock_timeout = {_LOCK_MILLISECONDS}")
        db.execute(f"SET statement_timeout = {_STATEMENT_MILLISECONDS}")
        db.execute("SET TimeZone = 'UTC'")
        self._migrate(db)
        self._see(db)

    def _migrate(self, db: Connection[Any]) -> None:
        """Run the migrations that are missing, each with its record, one process at a time."""
        found = db.execute("SELECT to_regclass('smoc_mcp.version')").fetchone()
        if found is not None and found[0] is not None:
            version = self._version(db)
            if version > len(MIGRATIONS):
                raise StoreError(
                    f"{self.name} is of a newer smoc-mcp. Install that, or set SMOC_MCP_STORE to "
                    "another database."
                )
            if version == len(MIGRATIONS):
                return
        with db.transaction():
            db.execute("SELECT pg_advisory_xact_lock(%s, -1)", (_CLASS,))
            db.execute(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}")
            db.execute("CREATE TABLE IF NOT EXISTS version (number INTEGER NOT NULL)")
            for number in range(self._version(db), len(MIGRATIONS)):
                for statement in MIGRATIONS[number]:
                    db.execute(sql.SQL(statement))
                db.execute("DELETE FROM version")
                db.execute("INSERT INTO version VALUES (%s)", (number + 1,))

    def _version(self, db: Connection[Any]) -> int:
        row = db.execute("SELECT max(number) FROM version").fetchone()
        return (row[0] if row else None) or 0

    def close(self) -> None:
        """Close the connection."""
        with self.lock:
            if self._db is not None:
                self._db.close()

    def see(self, owner: int) -> None:
        """Let the views show one company."""
        with self.lock, self._translated():
            self._changes += 1
            self._owner = owner
            self._see(self._connected())

    def _see(self, db: Connection[Any]) -> None:
        whose = "all" if self._all else str(self._owner)
        db.execute("SELECT set_config('smoc.owner', %s, false)", (whose,))

    @contextmanager
    def of_all(self) -> Iterator[None]:
        """Let what is run on the tables inside be of all companies: the policies admit it."""
        with self.lock, self._translated():
            self._all = True
            self._see(self._connected())
            try:
                yield
            finally:
                self._all = False
                self._see(self._connected())

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction or a snapshot is under way."""
        return bool(self._depth)

    @contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """Let nothing that is read inside go on past a deadline.

        Args:
            deadline: By `time.monotonic`.

        Raises:
            TooMuchError: It has passed.
        """
        with self.lock:
            self._deadline = deadline
            try:
                yield
            finally:
                self._deadline = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what happens inside, or, if anything at all is raised, none of it.

        One process at a time writes: who waits for it sees what the other has written.
        """
        try:
            with self._begun("BEGIN"):
                self._execute("SELECT pg_advisory_xact_lock(%s, 0)", (_CLASS,))
                self._notice(self._bumped())
                yield
        finally:
            # What was written and taken back is a change as well.
            self._changes += 1

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let everything that is read inside be of one moment, whatever others write."""
        with self._begun("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"):
            yield

    @contextmanager
    def _begun(self, begin: str) -> Iterator[None]:
        with self.lock, self._translated():
            if self._depth:
                raise RuntimeError("transactions do not nest")
            db = self._connected()
            db.execute(begin)
            self._depth += 1
            known = self._known_version
            try:
                yield
                db.execute("COMMIT")
            except BaseException:
                self._known_version = known
                if not db.closed and not db.broken:
                    db.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

    def _bumped(self) -> int:
        """Count a change in the database, and tell of it; return how many others there were."""
        (row,) = self._execute(
            "WITH changed AS (UPDATE changes SET number = number + 1 RETURNING number) "
            "SELECT number - 1, pg_notify(%s, '') FROM changed",
            (NEWS,),
        ).fetchall()
        return int(row[0])

    def _notice(self, version: int) -> None:
        """Notice what others have written, before a change of ours."""
        if self._known_version not in (-1, version):
            self._others += 1
        self._known_version = version + 1

    def fetch(self, text: str, values: Sequence[Value] = ()) -> list[Any]:
        """Return the rows of a SELECT."""
        with self.lock, self._translated():
            return self._execute(_with_marks(text), values).fetchall()

    def fetch_again(self, text: str, values: tuple[Value, ...] = ()) -> list[Any]:
        """Return the few rows of a SELECT that most answers need, read once until any write."""
        with self.lock:
            if not self._depth:
                return self.fetch(text, values)
            version = self._changes, self._present_version()
            return self._again.get(version, (text, values), lambda: self.fetch(text, values))

    def run(self, text: str, values: Sequence[Value] = ()) -> int:
        """Run a statement; return how many rows it changed."""
        with self.lock, self._translated():
            self._changes += 1
            return self._execute(_with_marks(text), values).rowcount

    def run_many(self, text: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run a statement once a row."""
        with self.lock, self._translated():
            self._changes += 1
            bound = [tuple(map(_bindable, row)) for row in rows]
            if bound:
                with self._connected().cursor() as cursor:
                    cursor.executemany(_with_marks(text), bound)

    def _execute(self, text: str, values: Sequence[Value] = ()) -> psycopg.Cursor[Any]:
        db = self._connected()
        self._limit_time(db)
        # A plan that is kept is one for any list, and reads the list again for each row.
        prepare = False if "strings(" in text else None
        return db.execute(text, tuple(map(_bindable, values)), prepare=prepare)

    def _limit_time(self, db: Connection[Any]) -> None:
        """Let the next statement take no longer than the question has, where it has a limit."""
        if self._deadline is not None:
            left = max(1, round((self._deadline - time.monotonic()) * 1_000))
            if left == 1:
                raise psycopg.errors.QueryCanceled("the time of the question is over")
            db.execute(f"SET statement_timeout = {left:d}")
            self._limited = True
        elif self._limited:
            db.execute(f"SET statement_timeout = {_STATEMENT_MILLISECONDS}")
            self._limited = False

    def others_version(self) -> int:
        """Return a number that changes when another process or connection has written."""
        with self.lock, self._translated():
            version = self._present_version()
            if self._known_version not in (-1, version):
                self._others += 1
            self._known_version = version
            return self._others

    def _present_version(self) -> int:
        (row,) = self._execute(
            "SELECT number, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM changes"
        ).fetchall()
        self.clock.ahead = row[1] - self.clock.elapsed()
        return int(row[0])

    def compact(self) -> bool:
        """Do nothing: PostgreSQL cleans up by itself, and keeps what was erased in its log a while.

        Returns:
            False: not all that was erased is overwritten.
        """
        return False

    def _translated(self) -> AbstractContextManager[None]:
        return translated(self.name, self._address)


def _bindable(value: Value) -> Value:
    """Return a value that PostgreSQL takes: no half of a surrogate pair, and no NUL."""
    if isinstance(value, str) and not value.isalnum():
        return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
    return value
