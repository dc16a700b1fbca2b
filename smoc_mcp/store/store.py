"""The store: every contact that was seen, and how far back we have seen everything.

A window is taken in within one transaction (`absorb`), so a reader sees all of it or nothing.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr

from smoc_mcp.api.models import ReadContact
from smoc_mcp.proof.absence import decide
from smoc_mcp.proof.history import Gap, History, extended
from smoc_mcp.proof.news import News
from smoc_mcp.proof.versions import compare
from smoc_mcp.proof.windows import ABSENT, Counts, Sort, Tick, Window
from smoc_mcp.store.conflicts import done_again
from smoc_mcp.store.database import Turn, open_database
from smoc_mcp.store.lookup import ContactLookup
from smoc_mcp.store.owners import Owner
from smoc_mcp.store.retention import keep_to_retention, mend_moments
from smoc_mcp.store.saver import UNDECIDED, ContactSaver
from smoc_mcp.store.shared_windows import SharedWindows
from smoc_mcp.store.words import index_words, purge_words, words_wait
from smoc_mcp.text.times import Clock, Moment

__all__ = ["Absorbed", "ContactStore"]

_LIGHT = 3_000
"""Contacts in memory that are looked through in a few milliseconds: more than four windows hold."""
_DAY = 24 * 3600 * 1_000_000
_MOST_GAPS = 100
"""Of an order, the newest are remembered."""


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What a window brought.

    Attributes:
        window: As it was taken in.
        added: The ids not known before, or taken to be deleted.
        changed: The ids whose content differs from what was known.
        deleted: The ids that the window proves to be gone; they are no longer shown.
        doubtful: The window contradicts an answer that was under way at the same time.
        gap: What may have gone unseen before the window; None for nothing.
        moved: The key turned out to be of another company than was known.
    """

    window: Window
    added: frozenset[str]
    changed: frozenset[str]
    deleted: frozenset[str]
    doubtful: bool
    gap: Gap | None
    moved: bool


class ContactStore(ContactLookup):
    """The contacts of one company; what it can be asked is `ContactLookup`'s.

    Args:
        path: A file, or the address of a PostgreSQL database, which may hold several companies;
            None keeps contacts in memory.
        address: The API's address; companies of different ones are different.
        key_hash: A hash that tells keys apart; the company of a key is remembered by it.
        keep_days: Contacts not seen for so many days are dropped; None keeps all.
        joins: See `Owner`.

    Attributes:
        is_kept: Contacts are still there after a restart.
        is_shared: Other processes may write to it.
        operator: The operatorId that all contacts of the last window bore; empty where it is
            unknown.
        shared: The live windows of all replicas; None where each process has its own.

    Raises:
        StoreError: The file cannot be used; of every method.
    """

    def __init__(
        self,
        path: str | Path | SecretStr | None = None,
        *,
        address: str = "",
        key_hash: str = "",
        keep_days: int | None = None,
        joins: bool = True,
    ) -> None:
        self.is_kept = self.is_shared = path is not None
        self._keep = None if keep_days is None else keep_days * _DAY
        self._purge_at: Moment = 0
        self._others = 0
        super().__init__(open_database(Path(path) if isinstance(path, str) else path))
        try:
            self._owner = Owner(self._db, address, key_hash, joins=joins)
        except BaseException:
            self._db.close()
            raise
        self._saver = ContactSaver(self._db, self._owner)
        self._key = key_hash
        self.operator = ""
        self.shared = (
            SharedWindows(self._db, self._owner, key_hash) if self._db.serves_replicas else None
        )

    def close(self) -> None:
        """Close the database; an in-memory one is gone."""
        self._db.close()

    @property
    def is_light(self) -> bool:
        """Whether a look costs less than the thread that it would wait in."""
        return not self.is_kept and sum(self.count().values()) <= _LIGHT

    @property
    def clock(self) -> Clock:
        """The clock that all who share the store go by."""
        return self._db.clock

    def turn(self, name: str) -> Turn | None:
        """Return our place in the queue of all replicas with our key; None where we are alone."""
        return self._db.turn(f"{name} {self._key}")

    def until(self, deadline: float) -> AbstractContextManager[None]:
        """Let nothing that is read inside go on past a deadline, by `time.monotonic`.

        Raises:
            TooMuchError: It has passed.
        """
        return self._db.until(deadline)

    def snapshot(self) -> AbstractContextManager[None]:
        """Let everything that is read inside be of one moment, whatever others write."""
        return self._db.snapshot()

    def others_version(self) -> int:
        """Return a number that changes when another process has written to the file.

        It may have learnt whose the key is, or have erased the file: then another company is shown.
        """
        version = self._db.others_version()
        if version != self._others:
            self._owner.find()
            self._others = version
        return version

    @property
    def words_wait(self) -> bool:
        """Whether a search has to index words first, which takes long."""
        return words_wait(self._db)

    def index_words(self) -> None:
        """Index the words of all contacts."""
        index_words(self._db)

    def tick(self) -> Tick:
        """Return how far the store has learnt: it grows with every window taken in."""
        rows = self._db.fetch("SELECT tick FROM companies WHERE id = ?", (self._owner.number,))
        return rows[0][0] if rows else 0

    def series(self) -> str:
        """Return what tells the ticks of this company in this store from any others."""
        rows = self._db.fetch("SELECT series FROM companies WHERE id = ?", (self._owner.number,))
        return rows[0][0] if rows else ""

    def absorb(
        self, window: Window, contacts: Sequence[ReadContact], clock: Clock | None = None
    ) -> Absorbed:
        """Take in a window: save its contacts, drop those that it proves to be deleted.

        Args:
            window: The window.
            contacts: Its contacts.
            clock: The one of all replicas; the store's own unless given.
        """
        return done_again(lambda: self._absorb(window, contacts, clock or self.clock))

    def _absorb(self, window: Window, contacts: Sequence[ReadContact], clock: Clock) -> Absorbed:
        operators = [c.contact.operator_id for c in contacts]
        if operators and operators[0] is not None and len(set(operators)) == 1:
            self.operator = operators[0]
        moved = self._owner.settle(window, operators)
        with self._db.transaction():
            window = replace(window, received=self._next_tick())
            absence = decide(self._saver.absent(window), window)
            window = replace(window, lacks=absence.lacks)
            if window.complete and absence.doubtful:
                # It may be wrong, and until another says the same it proves nothing.
                window = replace(window, complete=False, edge=None)
            known = self._saver.known(window.rows)
            shown = {} if window.stale else {i: k for i, k in known.items() if not k.gone}
            found = compare(shown, window)
            news = News(self.history(Sort.CREATED), self.history(Sort.UPDATED))
            self._saver.save(contacts, known, found, window, news)
            if self.is_shared:
                # In memory it can wait until somebody searches; here a search must not write.
                self.index_words()
            self._saver.drop(absence, window)
            gap = self._extend_history(window)
            self._remember_counts(window)
            doubtful = found.doubtful or absence.doubtful
            if self.shared is not None and not window.stale:
                self.shared.admit(window, clock, deleted=absence.gone, doubtful=doubtful)
        if self.shared is not None and not window.stale:
            self.shared.hold(window)
        # Afterwards, for it takes long: what was learnt is safe by now.
        self.keep_to_retention(window.api_now)
        if absence.gone:
            self._purge_words(window.arrived)
        return Absorbed(
            window=window,
            added=frozenset(i for i in window.rows if i not in known or known[i].gone),
            changed=frozenset(found.changed),
            deleted=absence.gone,
            doubtful=doubtful,
            gap=gap,
            moved=moved,
        )

    def counts(self) -> tuple[Counts, Moment] | None:
        """Return the last counts that came with a window, and when it was sent."""
        rows = self._db.fetch(
            "SELECT leads, customers, counted FROM companies WHERE id = ? AND counted IS NOT NULL",
            (self._owner.number,),
        )
        return (Counts(rows[0][0], rows[0][1]), rows[0][2]) if rows else None

    def history(self, sort: Sort) -> History | None:
        """Return the unbroken history of an order; None before its first window with an edge."""
        rows = self._db.fetch_again(
            "SELECT reach, began, top, received FROM history WHERE sort = ?", (sort,)
        )
        return History(*rows[0]) if rows else None

    def gaps(self) -> list[Gap]:
        """Return the gaps of all orders, newest first."""
        rows = self._db.fetch_again("SELECT sort, older, newer FROM gap ORDER BY newer DESC, sort")
        return [Gap(Sort(sort), older, newer) for sort, older, newer in rows]

    def newest_outdated(self, created_after: Moment, since: Tick, updated: Window) -> Moment | None:
        """Return the newest createdAt of those that were not last seen from `since` to a window.

        Args:
            created_after: Of contacts created at or after this; with BEGINNING also of those
                without a time, none of which is known to be seen.
            since: When the first window of an unbroken history was taken in; what that very
                window showed counts.
            updated: Its last one; what was seen after it is newer than the claim.

        Returns:
            The createdAt; None where all of them were.
        """
        found = self._db.fetch(
            """SELECT created FROM contact WHERE created >= ? AND (
                asked = ? OR (asked < ? AND seen != ?)
                OR (seen > ? AND seen != ?) OR unread != '' OR created = ?)
                ORDER BY created DESC LIMIT 1""",
            (
                *(created_after, UNDECIDED, since, since),
                *(updated.sent, updated.received, ABSENT),
            ),
        )
        return found[0][0] if found else None

    def forget(self) -> tuple[int, bool]:
        """Erase everything of every company in the file.

        Returns:
            How many contacts there were, and whether all that the file held was overwritten.
        """
        with self._db.of_all(), self._db.transaction():
            contacts: int = self._db.fetch("SELECT count(*) FROM contacts")[0][0]
            self._db.run("DELETE FROM companies")
            purge_words(self._db)
        return contacts, self._db.compact()

    def _next_tick(self) -> Tick:
        self._db.run("UPDATE companies SET tick = tick + 1 WHERE id = ?", (self._owner.number,))
        return self.tick()

    def _remember_counts(self, window: Window) -> None:
        self._db.run(
            "UPDATE companies SET leads = ?, customers = ?, counted = ? WHERE id = ?",
            (*window.counts, window.as_of, self._owner.number),
        )

    def _extend_history(self, window: Window) -> Gap | None:
        history, gap = extended(self.history(window.sort), window)
        if history is not None:
            self._db.run(
                "INSERT INTO histories VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (owner, sort) DO "
                "UPDATE SET reach = excluded.reach, began = excluded.began, top = excluded.top, "
                "received = excluded.received",
                (
                    *(self._owner.number, window.sort, history.reach, history.began, history.top),
                    history.received,
                ),
            )
        if window.complete:
            # Whatever was missed has been seen now, or is gone.
            self._db.run("DELETE FROM gaps WHERE owner = ?", (self._owner.number,))
        if gap is not None:
            mine = self._owner.number, gap.sort
            known = {(g.older, g.newer) for g in self.gaps() if g.sort is gap.sort}
            if (gap.older, gap.newer) not in known:
                values = (*mine, gap.older, gap.newer)
                self._db.run("INSERT INTO gaps VALUES (?, ?, ?, ?)", values)
            self._db.run(
                "DELETE FROM gaps WHERE owner = ? AND sort = ? AND newer < (SELECT newer FROM gaps "
                "WHERE owner = ? AND sort = ? ORDER BY newer DESC LIMIT 1 OFFSET ?)",
                (*mine, *mine, _MOST_GAPS - 1),
            )
        return gap

    def _purge_words(self, now: Moment) -> None:
        """Let the index forget the words of deleted contacts; at most daily, for it takes long."""
        if now >= self._purge_at:
            purge_words(self._db)
            self._purge_at = now + _DAY

    def keep_to_retention(self, now: Moment) -> int:
        """Drop what may not be kept any longer; return how many contacts that were.

        Args:
            now: By the wall clock.
        """
        return keep_to_retention(self._db, self._owner.number, self._keep, now)

    def mend_moments(self, now: Moment) -> int:
        """Bring back to the present what the store says was in the future; return how much it was.

        Args:
            now: By the wall clock.
        """
        return mend_moments(self._db, now)
