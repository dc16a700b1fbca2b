"""What the contacts of one company can be asked: lists, searches, counts, groups. Only SELECTs."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from smoc_mcp.api.models import Contact, read_contact
from smoc_mcp.proof.windows import Status
from smoc_mcp.questions.changes import Progress
from smoc_mcp.questions.dimensions import Count
from smoc_mcp.questions.duplicates import Alike, By, Candidate, groups_of
from smoc_mcp.questions.filters import EVERYBODY, ContactFilter, Listing, Question
from smoc_mcp.questions.rows import STATUSES, Cell, Column, ContactRow, GroupRow
from smoc_mcp.questions.similar import liken
from smoc_mcp.store.cells import in_columns
from smoc_mcp.store.conditions import Sql
from smoc_mcp.store.database import Database
from smoc_mcp.store.duplicates import candidates
from smoc_mcp.store.news import news
from smoc_mcp.store.records import matches_of, row_of
from smoc_mcp.store.sql import (
    ANSWERED,
    QUESTION_IDS,
    beginning_with,
    counting,
    grouping,
    listing,
    namesakes,
    owning,
    questions,
    resembling,
    ungrouped,
)
from smoc_mcp.store.words import index_words
from smoc_mcp.text.times import Moment

__all__ = ["ContactLookup"]

_MOST_CANDIDATES = 2_000


class ContactLookup:
    """The contacts that the views of a database show.

    Raises:
        StoreError: The file cannot be used; of every method.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def list_rows(self, asked: Listing) -> list[ContactRow]:
        """Return contacts of a filter in order, after a position; at most `asked.limit`."""
        rows = [row_of(r) for r in self._fetch(listing(asked))]
        terms = asked.wanted.terms
        if not terms:
            return rows
        whole = self._whole([row.id for row in rows])
        return [replace(row, matched=matches_of(whole[row.id], terms)) for row in rows]

    def cells(
        self, ids: Collection[str], columns: Sequence[Column]
    ) -> Mapping[str, Mapping[Column, Sequence[Cell]]]:
        """Return what contacts have in further columns, by id; nothing where they have nothing."""
        found: defaultdict[str, defaultdict[Column, list[Cell]]] = defaultdict(
            lambda: defaultdict(list)
        )
        if ids and columns:
            for contact_id, number, value, key in self._fetch(in_columns(ids, columns)):
                column = columns[number]
                # A column of a query is of one type, so numbers come as texts.
                found[contact_id][column].append(
                    Cell(int(value) if column.is_count else value, key)
                )
        return {contact_id: dict(cells) for contact_id, cells in found.items()}

    def list_news(self, progress: Progress, limit: int) -> list[tuple[int, ContactRow]]:
        """Return the next contacts of a stream of news, each with its key in that order."""
        return [(r["key"], row_of(r)) for r in self._fetch(news(progress, limit))]

    def find_email(self, email_key: str) -> list[ContactRow]:
        """Return every contact with this address, newest first."""
        return [row_of(r) for r in self._fetch(owning(email_key))]

    def find_duplicates(
        self, by: By, wanted: ContactFilter, one_of: ContactFilter = EVERYBODY
    ) -> list[Alike]:
        """Return the groups of contacts of a filter that are the same, by their newest contact.

        They are of traits that somebody of `one_of` has; `Alike.has_one` says of each whether it
        has one of those.
        """
        found = self._fetch(candidates(by, wanted, one_of))
        return groups_of(by, (Candidate(*r) for r in found))

    def find_rows(self, ids: Iterable[str]) -> Mapping[str, ContactRow]:
        """Return the contacts of some ids by id."""
        return {i: row_of(r) for i, r in self._whole(ids).items()}

    def find_id_prefix(self, prefix: str, limit: int) -> list[ContactRow]:
        """Return contacts whose id begins with a text, in order of id."""
        return [row_of(r) for r in self._fetch(beginning_with(prefix, limit))]

    def find_similar(self, email_key: str, most: int) -> list[ContactRow]:
        """Return contacts with an address like one that nobody has, the most alike first."""
        addresses = self._fetch(resembling(email_key, _MOST_CANDIDATES))
        named = namesakes(email_key, most)
        likenesses = liken(
            email_key,
            ((r["id"], r["email_key"]) for r in addresses),
            [] if named is None else [r["id"] for r in self._fetch(named)],
            most,
        )
        found = {i: row_of(r) for i, r in self._whole([i for i, _ in likenesses]).items()}
        return [replace(found[i], likeness=likeness) for i, likeness in likenesses]

    def get(self, contact_id: str) -> tuple[ContactRow, Contact, Mapping[str, Any]] | None:
        """Return a contact as it is listed, its model and its JSON; None if it is not in hand."""
        for r in self._whole([contact_id]).values():
            source = json.loads(r["source"])
            read = read_contact(source)
            if read is not None:
                # A list reads no more than it needs: here all of it was read.
                return replace(row_of(r), unread=read.unread), read.contact, source
        return None

    def count(self, wanted: ContactFilter = EVERYBODY) -> Mapping[Status, int]:
        """Return how many contacts of a filter there are, by status; absent is none."""
        sql = counting(wanted)
        # Every answer says how many are in hand.
        again = wanted == EVERYBODY
        rows = self._db.fetch_again(sql.text, sql.values) if again else self._fetch(sql)
        return {STATUSES[status]: n for status, n in rows}

    def group(self, asked: Count, now: Moment = 0) -> list[GroupRow]:
        """Return how many contacts of a filter share each value; one row a spelling and status.

        Args:
            asked: The question.
            now: A conversation after this has not been, and is not measured; of no matter
                otherwise.
        """
        split = 2 * len(asked.dimensions)
        return [
            GroupRow(r[0:split:2], r[1:split:2], STATUSES[r[split]], r[split + 2], r[split + 1])
            for r in self._fetch(grouping(asked, now))
        ]

    def count_ungrouped(
        self, asked: Count, kept: Sequence[Sequence[str | None]]
    ) -> Mapping[Status, int]:
        """Return how many contacts are in another group than these, each once, by status."""
        return {STATUSES[status]: n for status, n in self._fetch(ungrouped(asked, kept))}

    def questions(self, named: Question) -> list[str]:
        """Return the questions or fields that are named so, as sent; all where nothing is."""
        once = {r["question_key"]: r["question"] for r in self._fetch(questions(named))}
        return sorted(once.values())

    def question_ids(self) -> frozenset[str]:
        """Return the folded ids of the survey questions that are called by their words."""
        return frozenset(r["question_id"] for r in self._fetch(QUESTION_IDS))

    def count_answers(self) -> list[tuple[str, int]]:
        """Return each survey question and how many contacts answered it, the most first."""
        return [(r["question"], r["contacts"]) for r in self._fetch(ANSWERED)]

    def _whole(self, ids: Iterable[str]) -> dict[str, sqlite3.Row]:
        """Return all columns of contacts by id."""
        text = "SELECT *, 0 AS rank FROM contact WHERE id IN (AMONG(?))"
        return {
            r["id"]: r for r in self._db.fetch(text, (json.dumps(list(ids), ensure_ascii=False),))
        }

    def _fetch(self, sql: Sql) -> list[sqlite3.Row]:
        if sql.searches:
            index_words(self._db)
        return self._db.fetch(sql.text, sql.values)
