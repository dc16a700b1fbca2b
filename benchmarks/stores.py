"""A large store beside DuckDB with the same contacts: find, search, group."""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import duckdb

from smoc_mcp.coverage import Counts, Sort, Window
from smoc_mcp.facts import facts_of, keys_of
from smoc_mcp.models import ReadContact, read_contact
from smoc_mcp.query import EVERYBODY, ContactFilter, parse_group_by
from smoc_mcp.sandbox import Company
from smoc_mcp.search import parse_query
from smoc_mcp.store import ContactStore
from smoc_mcp.text import email_key

__all__ = ["build", "store_rows"]

_AT_ONCE = 5_000
_ROUNDS = 9
_COLUMNS = ("id", "email", "city", "utm_source", "status", "created", "words")


def contacts(size: int) -> Iterator[ReadContact]:
    """Return made-up contacts, as read from JSON."""
    for contact in Company("Large", seed=1, size=size, hostile=0).contacts():
        read = read_contact(json.loads(json.dumps(contact)))
        assert read is not None
        yield read


def build(folder: Path, size: int) -> tuple[ContactStore, "duckdb.DuckDBPyConnection", str]:
    """Return both stores, in files, with the same contacts, and an address that one of them has."""
    store = ContactStore(str(folder / "ours.sqlite3"), address="benchmark", key_hash="benchmark")
    other = duckdb.connect(str(folder / "other.duckdb"))
    other.execute(f"CREATE TABLE contact ({', '.join(f'{c} VARCHAR' for c in _COLUMNS)})")
    coming = contacts(size)
    moment, address = 1, ""
    while batch := list(islice(coming, _AT_ONCE)):
        rows = {read.contact.id: keys_of(read) for read in batch}
        window = Window(Sort.CREATED, moment, moment + 1, rows, Counts(1, 1), False, None)
        store.absorb(window, batch)
        moment += 2
        address = address or next((r.contact.email for r in batch if r.contact.email), "")
        lines = [_line(read) for read in batch]
        other.execute("BEGIN")
        other.executemany("INSERT INTO contact VALUES (?, ?, ?, ?, ?, ?, ?)", lines)
        other.execute("COMMIT")
    return store, other, email_key(address)


def _line(read: ReadContact) -> tuple[str | None, ...]:
    facts = facts_of(read)
    words = " ".join(facts.words.values())
    created = str(read.contact.created_at)
    status = read.contact.status
    return (facts.id, facts.email_key, facts.city, facts.utm_source, status, created, words)


def store_rows(folder: Path, size: int) -> list[tuple[str, float, float, str, str, str]]:
    """Return the rows of the table."""
    store, other, address = build(folder, size)
    hansen = ContactFilter(terms=parse_query("hansen"))
    two = parse_group_by("city,utm_source")
    cases: list[tuple[str, str, Callable[[], object], Callable[[], object]]] = [
        (
            "find by e-mail",
            "<= 1 ms",
            lambda: store.find_email(address),
            lambda: other.execute("SELECT * FROM contact WHERE email = ?", [address]).fetchall(),
        ),
        (
            "search, 20 best",
            "<= 10 ms",
            lambda: store.list_rows(hansen, Sort.CREATED, 20, by_relevance=True),
            lambda: other.execute(
                "SELECT * FROM contact WHERE words LIKE '%hansen%' ORDER BY created DESC LIMIT 20"
            ).fetchall(),
        ),
        (
            "two-way grouping",
            "<= 80 ms",
            lambda: store.group(EVERYBODY, two),
            lambda: other.execute(
                "SELECT city, utm_source, status, count(*) FROM contact GROUP BY ALL"
            ).fetchall(),
        ),
    ]
    rows = []
    for what, target, ours, theirs in cases:
        pairs = [(_took(ours), _took(theirs)) for _ in range(_ROUNDS + 1)][1:]
        mine, others = (statistics.median(side) for side in zip(*pairs, strict=True))
        rows.append((f"{size:,}: {what}", mine, others, "ms", target, "DuckDB"))
    store.close()
    other.close()
    return rows


def _took(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1_000
