"""What the store needs of a database, whichever engine it is; and which engine an address means.

The SQL of the store is written so that both engines take it; what they have under other names each
of them brings: `instr`, `ifnull`, `json_each`, `period_of`, `HITS(?)` for a search by words, and
`IN (AMONG(?))` for a list of texts, as JSON.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from threading import RLock
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from smoc_mcp.errors import StoreError
from smoc_mcp.store.conditions import Value
from smoc_mcp.store.sqlite import SqliteDatabase
from smoc_mcp.text.times import Clock

__all__ = ["Database", "Place", "Turn", "name_of", "open_database"]


class Turn(Protocol):
    """One replica's place in the queue for one thing. Whoever makes it closes it."""

    def take(self) -> bool:
        """Return whether it is our turn; it stays ours until `close`."""

    def wait(self, seconds: float) -> None:
        """Return when something was written, or after this time."""

    def close(self) -> None:
        """Let the next one do it."""


class Database(Protocol):
    """A connection that sees one company, used by one thread at a time behind its lock.

    Attributes:
        lock: Held by whoever uses the connection.
        serves_replicas: Replicas on several machines share it, and keep their live windows there.
        indexes_by_itself: Words need not be put into an index of their own.
    """

    lock: RLock
    serves_replicas: bool
    indexes_by_itself: bool

    @property
    def clock(self) -> Clock:
        """The clock that all who share the database go by."""

    @property
    def is_shared(self) -> bool:
        """Whether other connections may write to it."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction or a snapshot is under way."""

    def close(self) -> None:
        """Close the connection; an in-memory database is gone."""

    def see(self, owner: int) -> None:
        """Let the views show one company."""

    def of_all(self) -> AbstractContextManager[None]:
        """Let what is run on the tables inside be of all companies."""

    def until(self, deadline: float) -> AbstractContextManager[None]:
        """Let nothing that is read inside go on past a deadline, by `time.monotonic`."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commit what happens inside, or, if anything at all is raised, none of it."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Let everything that is read inside be of one moment, whatever others write."""

    def fetch(self, text: str, values: Sequence[Value] = ()) -> list[Any]:
        """Return the rows of a SELECT, whose cells are found by place and by name."""

    def fetch_again(self, text: str, values: tuple[Value, ...] = ()) -> list[Any]:
        """Return the few rows of a SELECT that most answers need, read once until any write."""

    def run(self, text: str, values: Sequence[Value] = ()) -> int:
        """Run a statement; return how many rows it changed."""

    def run_many(self, text: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run a statement once a row."""

    def others_version(self) -> int:
        """Return a number that changes when another process or connection has written."""

    def turn(self, name: str) -> Turn | None:
        """Return our place in the queue of all replicas for a thing; None where we are alone."""

    def compact(self) -> bool:
        """Give back the room of what was deleted; return whether all of it was overwritten."""


Place = Path | SecretStr | None
"""Where a store is: a file, the address of a PostgreSQL database, or nowhere but in memory."""


def name_of(place: Place) -> str:
    """Return a place as it may be shown: of an address the database and its host alone."""
    if not isinstance(place, SecretStr):
        return str(place)
    main, _, query = place.get_secret_value().partition("?")
    # Behind the last @ stands no password, whatever signs it has.
    address = urlsplit(f"postgresql://{main.partition('://')[2].rpartition('@')[2]}")
    host = address.hostname or dict(parse_qsl(query)).get("host", "this machine")
    return f"PostgreSQL: {address.path.strip('/') or 'the database'} on {host}"


def open_database(place: Place) -> Database:
    """Return the database at a place.

    Raises:
        StoreError: It cannot be opened, or what it needs is not installed.
    """
    if not isinstance(place, SecretStr):
        return SqliteDatabase(place)
    try:
        from smoc_mcp.store.postgres import PostgresDatabase
    except ImportError:
        raise StoreError(
            "SMOC_MCP_STORE names a PostgreSQL database, which needs psycopg: install "
            "smoc-mcp[postgres], such as with uvx --from 'smoc-mcp[postgres]' smoc-mcp."
        ) from None
    return PostgresDatabase(place.get_secret_value(), name_of(place))
