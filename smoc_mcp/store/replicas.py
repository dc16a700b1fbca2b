"""What replicas have in common: one clock, and turns, so that one does what all would do.

A turn is a lock of the database's, held over a connection of its own. It ends with that
connection, so that a replica that dies holds up nobody.
"""

import hashlib
import logging
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import Connection

from smoc_mcp.text.times import Clock, Moment

__all__ = ["NEWS", "DatabaseClock", "ReplicaTurn"]

logger = logging.getLogger(__name__)

NEWS = "smoc_mcp"
"""The channel on which the database tells that something was written."""
_CLASS = 0x534D4F44
"""Of the locks of turns: one after that of the store's other locks."""


class DatabaseClock(Clock):
    """The wall clock of the database, which all replicas read: theirs may differ.

    Attributes:
        ahead: How far it is ahead of the clock that only goes on.
    """

    ahead: Moment = 0

    def __call__(self) -> Moment:
        """Return the present moment; it may be late by as long as an answer travels."""
        return self.elapsed() + self.ahead


class ReplicaTurn:
    """One replica's place in the queue for one thing. Whoever makes it closes it.

    Where the database cannot keep the queue (it has no connection left, or is a standby), it is
    everybody's turn: what is done twice costs requests, and no truth.

    Args:
        connect: Opens a connection.
        name: Of the thing, the same for all replicas.
    """

    def __init__(self, connect: Callable[[], Connection[Any]], name: str) -> None:
        self._connect = connect
        self._number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], signed=True)
        self._db: Connection[Any] | None = None

    def take(self) -> bool:
        """Return whether it is our turn; it stays ours until `close`."""
        try:
            if self._db is None:
                self._db = self._connect()
                # Before the look at the lock, so that what is told in between is heard.
                self._db.execute(f"LISTEN {NEWS}")
            row = self._db.execute(
                "SELECT pg_try_advisory_lock(%s, %s)", (_CLASS, self._number)
            ).fetchone()
        except psycopg.Error as error:
            logger.warning("replicas cannot take turns now: %s", type(error).__name__)
            return True
        return row is not None and bool(row[0])

    def wait(self, seconds: float) -> None:
        """Return when something was written, or after this time: what is told may be lost."""
        if self._db is not None:
            try:
                for _ in self._db.notifies(timeout=seconds, stop_after=1):
                    pass
            except psycopg.Error:
                self.close()

    def close(self) -> None:
        """Let the next one do it."""
        if self._db is not None:
            self._db.close()
            self._db = None
