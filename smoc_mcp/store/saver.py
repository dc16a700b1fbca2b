"""Writes what a window brought: who is new or changed, who was seen again, who is missed or gone.

Everything here happens within the transaction that takes the window in (`ContactStore.absorb`).
"""

import json
from collections.abc import Iterable, Mapping

from smoc_mcp.api.facts import facts_of
from smoc_mcp.api.models import ReadContact
from smoc_mcp.proof.absence import Absence, Absent
from smoc_mcp.proof.news import News
from smoc_mcp.proof.versions import Compared, Known
from smoc_mcp.proof.windows import Sort, Tick, Window
from smoc_mcp.store.database import Database
from smoc_mcp.store.owners import Owner
from smoc_mcp.store.records import SAVE, columns, label_columns
from smoc_mcp.store.sql import covered, everybody

__all__ = ["UNDECIDED", "ContactSaver"]

UNDECIDED: Tick = -1
"""When a contact was asked for that came in two versions at once, of the same updatedAt: nobody can
tell which is newer, so it is not current until it is seen again."""


class ContactSaver:
    """Writes the contacts of one company.

    Args:
        db: Where.
        owner: Whose.
    """

    def __init__(self, db: Database, owner: Owner) -> None:
        self._db = db
        self._owner = owner

    def known(self, ids: Iterable[str]) -> dict[str, Known]:
        """Return what is stored of contacts, by id; also of those that are gone."""
        rows = self._db.fetch(
            "SELECT id, digest, seen, updated, gone IS NOT NULL FROM contacts "
            "WHERE owner = ? AND id IN (AMONG(?))",
            (self._owner.number, json.dumps(list(ids), ensure_ascii=False)),
        )
        return {contact_id: Known(*known) for contact_id, *known in rows}

    def absent(self, window: Window) -> dict[str, Absent]:
        """Return each stored contact that should be in the window and is not."""
        if window.complete:
            sql = everybody()
        elif window.edge is not None:
            sql = covered(window.sort, window.edge)
        else:
            return {}
        return {
            contact_id: Absent(seen, missed, missed_by and Sort(missed_by), bool(ahead))
            for contact_id, seen, missed, missed_by, ahead in self._db.fetch(sql.text, sql.values)
            if contact_id not in window.rows
        }

    def drop(self, absence: Absence, window: Window) -> None:
        """Mark who is gone and who is missed; both stay in the file for a while."""
        owner = self._owner.number
        self._db.run_many(
            "UPDATE contacts SET missed = ?, missed_by = ? "
            "WHERE owner = ? AND id = ? AND missed IS NULL",
            [(window.received, window.sort, owner, i) for i in absence.missed],
        )
        self._db.run_many(
            "UPDATE contacts SET gone = ? WHERE owner = ? AND id = ?",
            [(window.as_of, owner, i) for i in absence.gone],
        )
        self._delete_labels(absence.gone)

    def save(
        self,
        contacts: Iterable[ReadContact],
        known: Mapping[str, Known],
        found: Compared,
        window: Window,
        news: News,
    ) -> None:
        """Write what is new or changed in a window, and that the rest of it was seen again.

        Of one that a cache gave, only those of whom nothing newer is known.

        Args:
            contacts: Those of the window.
            known: What is stored of them; see `known`.
            found: What the window says of that.
            window: As it was taken in.
            news: How far back everything was seen before it.
        """
        fresh = {
            c.contact.id: c
            for c in contacts
            if c.contact.id not in known
            or (not window.stale and known[c.contact.id].gone)
            or c.contact.id in found.changed - found.superseded
        }
        self._delete_labels(fresh.keys() & known.keys())
        self._write(fresh.values(), known, found, window, news)
        if not window.stale:
            self._touch(window.rows.keys() - fresh.keys() - found.superseded, window)

    def _delete_labels(self, ids: Iterable[str]) -> None:
        self._db.run_many(
            "DELETE FROM labels WHERE owner = ? AND contact = ?",
            [(self._owner.number, i) for i in ids],
        )

    def _write(
        self,
        contacts: Iterable[ReadContact],
        known: Mapping[str, Known],
        found: Compared,
        window: Window,
        news: News,
    ) -> None:
        facts = [(read, facts_of(read)) for read in contacts]
        owner = self._owner.number
        self._db.run_many(
            SAVE,
            [
                (
                    owner,
                    UNDECIDED if window.stale or f.id in found.undecided else window.sent,
                    *(window.received, window.as_of, window.api_now, window.received),
                    *(
                        (0, window.received)
                        if f.id in known
                        else news.ticks(f.keys, window.received)
                    ),
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
        # Both ticks of the answer that was taken in last: together they are one sighting.
        self._db.run_many(
            """UPDATE contacts SET asked = CASE WHEN asked = ? AND seen > ? THEN asked ELSE ? END,
                seen = ?, seen_at = ?, api_now = ?, missed = NULL, missed_by = NULL
                WHERE owner = ? AND id = ?""",
            [
                (
                    *(UNDECIDED, window.sent, window.sent),
                    *(window.received, window.as_of, window.api_now, self._owner.number, i),
                )
                for i in ids
            ],
        )
