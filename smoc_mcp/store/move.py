"""Takes all that a store holds to another one, of either engine, as a whole or not at all."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from smoc_mcp.errors import StoreError
from smoc_mcp.store.database import Database, Place, name_of, open_database
from smoc_mcp.store.postgres_schema import CONTACT_COLUMNS
from smoc_mcp.store.words import index_words

__all__ = ["Moved", "move"]

_AT_ONCE = 500
_COMPANY = ("name", "leads", "customers", "counted", "series", "tick", "purged")
_LABEL = ("contact", "kind", "key", "value", "question_id", "question_key", "question")
_FEW = {
    "keys": ("hash",),
    "histories": ("sort", "reach", "began", "top", "received"),
    "gaps": ("sort", "older", "newer"),
}
"""Of which a company has few rows; all columns beside `owner`."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was taken to another store.

    Attributes:
        companies: How many.
        contacts: Of all of them, also those that were found to be deleted and are kept a while.
    """

    companies: int
    contacts: int


def move(source: Place, target: Place) -> Moved:
    """Copy all companies of a store into an empty one; the source is left as it is.

    Histories, gaps and the order in which things were learnt go along, so proofs and cursors hold.
    What is written to the source meanwhile is not copied.

    Args:
        source: Where it is.
        target: A file, made if missing, or a database.

    Raises:
        StoreError: One of them cannot be used, or the target already holds a company. Nothing was
            copied.
    """
    here = open_database(source)
    try:
        there = open_database(target)
        try:
            with here.of_all(), here.snapshot(), there.of_all():
                with there.transaction():
                    moved = _copy(here, there, name_of(target))
                index_words(there)
        finally:
            there.close()
    finally:
        here.close()
    return moved


def _copy(here: Database, there: Database, name: str) -> Moved:
    if there.fetch("SELECT 1 FROM companies LIMIT 1"):
        raise StoreError(
            f"{name} already holds contacts, and two histories are not made one: name an empty "
            "store, or erase that one with smoc-mcp forget."
        )
    companies = here.fetch(f"SELECT id, {', '.join(_COMPANY)} FROM companies ORDER BY id")
    contacts = 0
    for company in companies:
        there.run(_inserting("companies", _COMPANY), [company[name] for name in _COMPANY])
        found = there.fetch("SELECT id FROM companies WHERE name = ?", (company["name"],))
        owner: int = found[0]["id"]
        for table, columns in _FEW.items():
            rows = here.fetch(f"SELECT * FROM {table} WHERE owner = ?", (company["id"],))
            _insert(there, table, columns, rows, owner)
        for rows in _pages(here, company["id"]):
            _insert(there, "contacts", CONTACT_COLUMNS, rows, owner)
            labels = here.fetch(
                "SELECT * FROM labels WHERE owner = ? AND contact IN (AMONG(?))",
                (company["id"], json.dumps([row["id"] for row in rows])),
            )
            _insert(there, "labels", _LABEL, labels, owner)
            contacts += len(rows)
    return Moved(len(companies), contacts)


def _pages(db: Database, owner: int) -> Iterator[list[Any]]:
    """Yield a company's contacts, as many at a time as are held in memory without regret."""
    last = ""
    while rows := db.fetch(
        "SELECT * FROM contacts WHERE owner = ? AND id > ? ORDER BY id LIMIT ?",
        (owner, last, _AT_ONCE),
    ):
        yield rows
        last = rows[-1]["id"]


def _insert(
    db: Database, table: str, columns: Sequence[str], rows: Iterable[Any], owner: int
) -> None:
    values = [(owner, *(row[column] for column in columns)) for row in rows]
    db.run_many(_inserting(table, ("owner", *columns)), values)


def _inserting(table: str, columns: Sequence[str]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
