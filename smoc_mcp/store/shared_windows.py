"""The live windows of a company, in a database that replicas share: what one fetched, all may use.

A window is written in the transaction that takes it in, together with what it contradicts, so all
replicas come to the same proofs.
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smoc_mcp.proof.live import LiveWindows
from smoc_mcp.proof.windows import Counts, Keys, Sort, Status, Window
from smoc_mcp.store.database import Database
from smoc_mcp.store.owners import Owner
from smoc_mcp.text.times import Clock, Moment

__all__ = ["Recalled", "SharedWindows", "Told"]

_LONG_AGO: Moment = -(2**62)
"""When a window came, by our clock, that is not live for us."""
_CLOCKS_DIFFER = 1_000_000
"""Replicas read one clock, each over its own connection: their moments differ by less than this."""
_COUNTS = "counts"
_REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Told:
    """Counts that came without a window.

    Attributes:
        counts: The API's own.
        as_of: When they were asked for, by the wall clock.
        arrived: When they came, by the clock that only goes on.
    """

    counts: Counts
    as_of: Moment
    arrived: Moment


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is live for all replicas.

    Attributes:
        live: The windows, and which of them are proofs.
        told: The counts that came last without a window.
        refreshed: When all windows were fetched last, by the clock that only goes on.
    """

    live: LiveWindows
    told: Told | None
    refreshed: Moment | None


class SharedWindows:
    """Keeps the live windows of one company, one of an order.

    When one came is told by the wall clock that all replicas read, and held by each against its
    own clock that only goes on. One that came with another key is no proof of what ours may see.

    Args:
        db: Where.
        owner: Whose.
        key_hash: Tells our key from others of the company.
    """

    def __init__(self, db: Database, owner: Owner, key_hash: str) -> None:
        self._db = db
        self._owner = owner
        self._key = key_hash
        self._known: dict[tuple[int, Sort, int], Window] = {}

    def recall(self, clock: Clock) -> Recalled:
        """Return what is live now.

        Args:
            clock: Its wall clock is the one of all replicas.
        """
        rows = self._db.fetch(
            "SELECT what, key, received, as_of, unsound, united FROM windows WHERE owner = ?",
            (self._owner.number,),
        )
        now, elapsed = clock(), clock.elapsed()

        def arrived(row: Mapping[str, Any]) -> Moment:
            age: Moment = now - row["as_of"]
            if row["key"] != self._key or age < -_CLOCKS_DIFFER:
                return _LONG_AGO
            return elapsed - max(0, age)

        beside = {row["what"]: row for row in rows if row["what"] in (_COUNTS, _REFRESH)}
        of_windows = [row for row in rows if row["what"] not in beside]
        windows = self._windows(of_windows, [arrived(row) for row in of_windows])
        counts = beside.get(_COUNTS)
        told = None
        if counts is not None:
            numbers = json.loads(self._body(_COUNTS))
            told = Told(Counts(*numbers), counts["as_of"], arrived(counts))
        refreshed = beside.get(_REFRESH)
        return Recalled(
            live=LiveWindows(
                windows,
                (Sort(row["what"]) for row in of_windows if row["unsound"]),
                united=len(of_windows) == len(Sort) and all(r["united"] for r in of_windows),
            ),
            told=told,
            refreshed=None if refreshed is None else arrived(refreshed),
        )

    def _windows(self, rows: Sequence[Any], arrived: Sequence[Moment]) -> list[Window]:
        """Return each window; one that we have held since is as old as it is by our own clock."""
        held: dict[tuple[int, Sort, int], Window] = {}
        for row, came in zip(rows, arrived, strict=True):
            name = self._owner.number, Sort(row["what"]), row["received"]
            known = self._known.get(name)
            if known is None:
                known = _read(name[1], row, self._body(row["what"]), came)
            held[name] = known
        self._known = held
        return list(held.values())

    def _body(self, what: str) -> str:
        found = self._db.fetch(
            "SELECT body FROM windows WHERE owner = ? AND what = ?", (self._owner.number, what)
        )
        body: str = found[0]["body"]
        return body

    def admit(
        self, window: Window, clock: Clock, *, deleted: Collection[str], doubtful: bool
    ) -> None:
        """Write a window, and what it contradicts; within the transaction that takes it in."""
        live = self.recall(clock).live
        before = live.unsound
        live.admit(window, deleted=deleted, doubtful=doubtful)
        for sort in live.unsound - before:
            self._db.run(
                "UPDATE windows SET unsound = 1 WHERE owner = ? AND what = ?",
                (self._owner.number, sort),
            )
        self._write(
            window.sort,
            window.as_of,
            _written(window),
            received=window.received,
            unsound=window.sort in live.unsound,
        )

    def hold(self, window: Window) -> None:
        """Keep a window that was admitted and is committed: it came when it says it came."""
        self._known[self._owner.number, window.sort, window.received] = window

    def admit_union(self, windows: Sequence[Window]) -> None:
        """Write that a last look found the company unchanged since the first of these windows."""
        with self._db.transaction():
            present = self._db.fetch(
                "SELECT what, received FROM windows WHERE owner = ?", (self._owner.number,)
            )
            if {(w.sort, w.received) for w in windows} <= {tuple(row) for row in present}:
                self._db.run(
                    "UPDATE windows SET united = 1 WHERE owner = ? AND received > 0",
                    (self._owner.number,),
                )

    def tell(self, counts: Counts, as_of: Moment) -> None:
        """Write counts that came without a window."""
        self._write_beside(_COUNTS, as_of, json.dumps(counts))

    def note_refresh(self, at: Moment) -> None:
        """Write that all windows were fetched, by the wall clock."""
        self._write_beside(_REFRESH, at, "")

    def forget(self) -> None:
        """Drop what came with our key, which the API has just refused."""
        with self._db.transaction():
            self._db.run(
                "DELETE FROM windows WHERE owner = ? AND key = ?", (self._owner.number, self._key)
            )

    def _write_beside(self, what: str, as_of: Moment, body: str) -> None:
        if self._owner.number:
            with self._db.transaction():
                self._write(what, as_of, body)

    def _write(
        self, what: str, as_of: Moment, body: str, *, received: int = 0, unsound: bool = False
    ) -> None:
        self._db.run(
            "INSERT INTO windows VALUES (?, ?, ?, ?, ?, ?, 0, ?) ON CONFLICT (owner, what) DO "
            "UPDATE SET key = excluded.key, received = excluded.received, as_of = excluded.as_of, "
            "unsound = excluded.unsound, united = 0, body = excluded.body",
            (self._owner.number, what, self._key, received, as_of, int(unsound), body),
        )


def _written(window: Window) -> str:
    return json.dumps(
        {
            "sent": window.sent,
            "api_now": window.api_now,
            "rows": [[i, *keys[:-1], keys.digest.hex()] for i, keys in window.rows.items()],
            "counts": window.counts,
            "complete": window.complete,
            "full": window.full,
            "edge": window.edge,
            "lacks": window.lacks,
            "unread": window.unread,
        }
    )


def _read(sort: Sort, row: Mapping[str, Any], body: str, arrived: Moment) -> Window:
    written = json.loads(body)
    rows = {
        i: Keys(created, updated, conversation, Status(status), bytes.fromhex(digest))
        for i, created, updated, conversation, status, digest in written.pop("rows")
    }
    return Window(
        sort=sort,
        received=row["received"],
        as_of=row["as_of"],
        arrived=arrived,
        rows=rows,
        counts=Counts(*written.pop("counts")),
        unread=Counter(written.pop("unread")),
        **written,
    )
