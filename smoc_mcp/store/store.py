"""The store: every contact that was seen, and how far back we have seen everything.

A window is taken in within one transaction (`absorb`), so a reader sees all of it or nothing.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from smoc_mcp.api.facts import facts_of
from smoc_mcp.api.models import ReadContact
from smoc_mcp.proof.history import BEGINNING, Gap, History, extended
from smoc_mcp.proof.versions import Compared, Known, compare
from smoc_mcp.proof.windows import Counts, Sort, Window
from smoc_mcp.store.lookup import ContactLookup
from smoc_mcp.store.owners import Owner
from smoc_mcp.store.records import SAVE, columns, label_columns
from smoc_mcp.store.sql import covered
from smoc_mcp.store.sqlite import Database
from smoc_mcp.store.words import index_words, purge_words, words_wait
from smoc_mcp.text.times import Moment

__all__ = ["Absorbed", "ContactStore"]

_LIGHT = 3_000
"""Contacts in memory that are looked through in a few milliseconds: more than four windows hold."""
_DAY = 24 * 3600 * 1_000_000
_UNDECIDED: Moment = -1
"""When a contact was asked for that came in two versions at once, of the same updatedAt: nobody can
tell which is newer, so it is not current until it is seen again."""


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What a window brought.

    Attributes:
        added: The ids not known before.
        changed: The ids whose content differs from what was known.
        deleted: The ids that the window proves to be gone; they are no longer in the store.
        doubtful: The window contradicts an answer that was under way at the same time.
        gap: What may have gone unseen before the window; None for nothing.
        moved: The key turned out to be of another company than was known.
    """

    added: frozenset[str]
    changed: frozenset[str]
    deleted: frozenset[str]
    doubtful: bool
    gap: Gap | None
    moved: bool


class ContactStore(ContactLookup):
    """The contacts of one company; what it can be asked is `ContactLookup`'s.

    Args:
        path: A file, which may hold several companies; None keeps contacts in memory.
        address: The API's address; companies of different ones are different.
        key_hash: A hash that tells keys apart; the company of a key is remembered by it.
        keep_days: Contacts not seen for so many days are dropped; None keeps all.

    Attributes:
        is_kept: Contacts are still there after a restart.
        is_shared: Other processes may write to it.

    Raises:
        StoreError: The file cannot be used; of every method.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        address: str = "",
        key_hash: str = "",
        keep_days: int | None = None,
    ) -> None:
        self.is_kept = self.is_shared = path is not None
        self._keep = None if keep_days is None else keep_days * _DAY
        self._purge_at: Moment = 0
        super().__init__(Database(None if path is None else Path(path)))
        try:
            self._owner = Owner(self._db, address, key_hash)
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the database; an in-memory one is gone."""
        self._db.close()

    @property
    def is_light(self) -> bool:
        """Whether a look costs less than the thread that it would wait in."""
        return not self.is_kept and sum(self.count().values()) <= _LIGHT

    def snapshot(self) -> AbstractContextManager[None]:
        """Let everything that is read inside be of one moment, whatever others write."""
        return self._db.snapshot()

    def others_version(self) -> int:
        """Return a number that changes when another process has written to the file."""
        return self._db.others_version()

    @property
    def words_wait(self) -> bool:
        """Whether a search has to index words first, which takes long."""
        return words_wait(self._db)

    def index_words(self) -> None:
        """Index the words of all contacts."""
        index_words(self._db)

    def absorb(self, window: Window, contacts: Sequence[ReadContact]) -> Absorbed:
        """Take in a window: save its contacts, drop those that it proves to be deleted."""
        moved = self._settle(contacts)
        with self._db.transaction():
            known = self._known(window.rows)
            found = compare(known, window)
            self._save(contacts, known, found, window)
            missing = self._missing(window)
            deleted = frozenset(i for i, seen in missing.items() if seen < window.sent)
            self._delete(deleted)
            gap = self._extend_history(window)
            self._remember_counts(window)
            dropped = self._drop_unseen(window.received)
        if dropped or deleted:
            # Afterwards, for it takes long: what was learnt is safe by now.
            self._purge_words(window.received)
        return Absorbed(
            added=frozenset(window.rows.keys() - known.keys()),
            changed=frozenset(found.changed),
            deleted=deleted,
            doubtful=found.doubtful or len(deleted) < len(missing),
            gap=gap,
            moved=moved,
        )

    def counts(self) -> tuple[Counts, Moment] | None:
        """Return the last counts that came with a window, and when it was sent."""
        row = self._db.fetch(
            "SELECT leads, customers, counted FROM companies WHERE id = ?", (self._owner.number,)
        )[0]
        return None if row[2] is None else (Counts(row[0], row[1]), row[2])

    def newest_moment(self) -> Moment | None:
        """Return when anything was last received; no clock of ours may show less."""
        moment: Moment | None = self._db.fetch("SELECT max(received) FROM histories")[0][0]
        return moment

    def history(self, sort: Sort) -> History | None:
        """Return the unbroken history of an order; None before its first window with an edge."""
        rows = self._db.fetch_again(
            "SELECT reach, began, top, sent, received FROM history WHERE sort = ?", (sort,)
        )
        return History(*rows[0]) if rows else None

    def gaps(self) -> list[Gap]:
        """Return the gaps of all orders, newest first."""
        rows = self._db.fetch_again("SELECT sort, older, newer FROM gap ORDER BY newer DESC, sort")
        return [Gap(Sort(sort), older, newer) for sort, older, newer in rows]

    def all_current(self, created_after: Moment, since: Moment, updated: Window) -> bool:
        """Say whether every contact of a time range was last seen from `since` to a window.

        Args:
            created_after: The range: contacts created at or after this; with BEGINNING also
                those without a time, of which there must be none.
            since: When the first window of an unbroken history was received; what that very
                window showed counts.
            updated: Its last one; what was seen after it is newer than the claim.
        """
        stale = self._db.fetch(
            """SELECT EXISTS (SELECT 1 FROM contact WHERE created >= ? AND (
                asked = ? OR (asked < ? AND seen != ?)
                OR NOT (seen < ? OR (asked = ? AND seen = ?)) OR unread != ''))""",
            (
                *(created_after, _UNDECIDED, since, since),
                *(updated.sent, updated.sent, updated.received),
            ),
        )[0][0]
        timeless = (
            created_after <= BEGINNING
            and self._db.fetch(
                "SELECT EXISTS (SELECT 1 FROM contact WHERE created = ?)", (BEGINNING + 1,)
            )[0][0]
        )
        return not stale and not timeless

    def forget(self) -> int:
        """Erase everything of every company in the file; return how many contacts there were."""
        with self._db.transaction():
            contacts: int = self._db.fetch("SELECT count(*) FROM contacts")[0][0]
            self._db.run("DELETE FROM companies")
            purge_words(self._db)
        self._db.compact()
        return contacts

    def _settle(self, contacts: Iterable[ReadContact]) -> bool:
        """See the company that contacts say they are of; say whether it is another than before."""
        moved = not self._owner.is_settled
        if moved:
            self._owner.look_again()
        operators = {c.contact.operator_id for c in contacts if c.contact.operator_id}
        if len(operators) == 1:
            moved |= self._owner.settle(operators.pop())
        return moved

    def _remember_counts(self, window: Window) -> None:
        self._db.run(
            "UPDATE companies SET leads = ?, customers = ?, counted = ? WHERE id = ?",
            (*window.counts, window.sent, self._owner.number),
        )

    def _extend_history(self, window: Window) -> Gap | None:
        history, gap = extended(self.history(window.sort), window)
        if history is not None:
            self._db.run(
                "INSERT OR REPLACE INTO histories VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    *(self._owner.number, window.sort, history.reach, history.began, history.top),
                    *(history.sent, history.received),
                ),
            )
        if window.complete:
            # Whatever was missed has been seen now, or is gone.
            self._db.run("DELETE FROM gaps WHERE owner = ?", (self._owner.number,))
        if gap is not None:
            self._db.run(
                "INSERT INTO gaps VALUES (?, ?, ?, ?)",
                (self._owner.number, gap.sort, gap.older, gap.newer),
            )
        return gap

    def _purge_words(self, now: Moment) -> None:
        """Let the index forget the words of deleted contacts; at most daily, for it takes long."""
        if now >= self._purge_at:
            purge_words(self._db)
            self._purge_at = now + _DAY

    def _drop_unseen(self, now: Moment) -> int:
        """Drop contacts not seen for long; the history no longer reaches back past them."""
        if self._keep is None:
            return 0
        limit = now - self._keep
        newest = self._db.fetch(
            "SELECT max(created), max(updated), max(conversation) FROM contact WHERE seen < ?",
            (limit,),
        )[0]
        dropped = self._db.run(
            "DELETE FROM contacts WHERE owner = ? AND seen < ?", (self._owner.number, limit)
        )
        for sort, key in zip((Sort.CREATED, Sort.UPDATED, Sort.CONVERSATION), newest, strict=True):
            if key is not None:
                self._db.run(
                    "UPDATE histories SET reach = max(reach, ?) WHERE owner = ? AND sort = ?",
                    (key, self._owner.number, sort),
                )
        return dropped

    def _known(self, ids: Iterable[str]) -> dict[str, Known]:
        rows = self._db.fetch(
            "SELECT id, digest, seen, updated FROM contact "
            "WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids), ensure_ascii=False),),
        )
        return {contact_id: Known(*known) for contact_id, *known in rows}

    def _missing(self, window: Window) -> dict[str, Moment]:
        """Return when each stored contact was seen that should be in the window and is not."""
        if window.complete:
            rows = self._db.fetch("SELECT id, seen FROM contact")
        elif window.edge is not None:
            sql = covered(window.sort, window.edge)
            rows = self._db.fetch(sql.text, sql.values)
        else:
            return {}
        return {i: seen for i, seen in rows if i not in window.rows}

    def _save(
        self,
        contacts: Iterable[ReadContact],
        known: Mapping[str, Known],
        found: Compared,
        window: Window,
    ) -> None:
        """Write what is new or changed in a window, and that the rest of it was seen again."""
        fresh = {
            c.contact.id: c
            for c in contacts
            if c.contact.id not in known or c.contact.id in found.changed - found.superseded
        }
        self._delete_labels(fresh.keys() & known.keys())
        self._write(fresh.values(), window, found.undecided)
        if self.is_shared:
            # In memory it can wait until somebody searches; here a search must not write.
            self.index_words()
        self._touch(window.rows.keys() - fresh.keys() - found.superseded, window)

    def _delete_labels(self, ids: Iterable[str]) -> None:
        self._db.run_many(
            "DELETE FROM labels WHERE owner = ? AND contact = ?",
            [(self._owner.number, i) for i in ids],
        )

    def _write(
        self, contacts: Iterable[ReadContact], window: Window, undecided: Collection[str]
    ) -> None:
        facts = [(read, facts_of(read)) for read in contacts]
        owner = self._owner.number
        self._db.run_many(
            SAVE,
            [
                (
                    owner,
                    _UNDECIDED if f.id in undecided else window.sent,
                    window.received,
                    *columns(read, f),
                )
                for read, f in facts
            ],
        )
        self._db.run_many(
            "INSERT INTO labels VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(owner, *label_columns(f.id, label)) for _, f in facts for label in f.labels],
        )

    def _touch(self, ids: Iterable[str], window: Window) -> None:
        # Both times of the answer that was received last: together they are one sighting.
        self._db.run_many(
            "UPDATE contacts SET asked = CASE WHEN asked = ? AND seen >= ? THEN asked ELSE ? END, "
            "seen = ? WHERE owner = ? AND id = ? AND seen < ?",
            [
                (
                    *(_UNDECIDED, window.sent, window.sent),
                    *(window.received, self._owner.number, i, window.received),
                )
                for i in ids
            ],
        )

    def _delete(self, ids: Iterable[str]) -> None:
        self._db.run_many(
            "DELETE FROM contacts WHERE owner = ? AND id = ?",
            [(self._owner.number, i) for i in ids],
        )
