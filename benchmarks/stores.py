"""A large store beside DuckDB with the same contacts: find, search, group; and what else is asked.

Both are files in a folder: `build` makes them, `open_store` and `open_duckdb` open them.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import duckdb

from smoc_mcp.api.facts import facts_of, keys_of
from smoc_mcp.api.models import ReadContact, read_contact
from smoc_mcp.proof.windows import Counts, Sort, Window
from smoc_mcp.questions.dimensions import Count, parse_group_by
from smoc_mcp.questions.filters import EVERYBODY, ContactFilter, Listing, parse_filter
from smoc_mcp.questions.search import parse_query
from smoc_mcp.sandbox import Company
from smoc_mcp.store.store import ContactStore
from smoc_mcp.text.folding import email_key

__all__ = [
    "OURS",
    "Built",
    "Case",
    "build",
    "cases",
    "contacts",
    "in_pairs",
    "measure",
    "measure_beside",
    "open_duckdb",
    "open_store",
    "store_rows",
]

OURS = "ours.sqlite3"
_OTHER = "other.duckdb"
_AT_ONCE = 5_000
_ROUNDS = 9
_COLUMNS = ("id", "email", "city", "utm_source", "status", "created", "words")


class Built(NamedTuple):
    """What was built: the seconds that our store took, and an address that a contact has."""

    seconds: float
    address: str


class Case(NamedTuple):
    """A question to our store and, where there is one, the SELECT and values that ask DuckDB."""

    what: str
    target: str
    ours: Callable[[ContactStore], object]
    beside: tuple[str, Sequence[str]] | None = None


def contacts(size: int) -> Iterator[ReadContact]:
    """Return made-up contacts one by one, as they are read."""
    for contact in Company("Large", seed=1, size=size, hostile=0).contacts():
        read = read_contact(contact)
        assert read is not None
        yield read


def open_store(folder: Path) -> ContactStore:
    """Return our store in a folder."""
    return ContactStore(str(folder / OURS), address="benchmark", key_hash="benchmark")


def open_duckdb(folder: Path) -> "duckdb.DuckDBPyConnection":
    """Return the store beside it."""
    return duckdb.connect(str(folder / _OTHER))


def build(folder: Path, size: int) -> Built:
    """Make both stores with the same contacts, taken in by the thousand: memory does not grow."""
    address, seconds, coming = "", 0.0, contacts(size)
    batches = folder / "batch.json"
    with closing(open_store(folder)) as store, closing(open_duckdb(folder)) as other:
        other.execute(f"CREATE TABLE contact ({', '.join(f'{c} VARCHAR' for c in _COLUMNS)})")
        moment = 1
        while batch := list(islice(coming, _AT_ONCE)):
            began = time.perf_counter()
            rows = {read.contact.id: keys_of(read) for read in batch}
            window = Window(
                sort=Sort.CREATED,
                sent=store.tick(),
                as_of=moment,
                arrived=moment,
                api_now=moment,
                rows=rows,
                counts=Counts(1, 1),
                edge=None,
            )
            store.absorb(window, batch)
            seconds += time.perf_counter() - began
            moment += 2
            address = address or next((r.contact.email for r in batch if r.contact.email), "")
            lines = (dict(zip(_COLUMNS, _line(read), strict=True)) for read in batch)
            batches.write_text("\n".join(map(json.dumps, lines)), "utf-8")
            other.execute(f"COPY contact FROM '{batches}' (FORMAT json)")
        held = sum(store.count().values())
        assert held == size, f"{held} of {size} contacts: two of them have one id"
    batches.unlink()
    return Built(seconds, email_key(address))


def _line(read: ReadContact) -> tuple[str | None, ...]:
    facts = facts_of(read)
    words = " ".join(facts.words.values())
    created = str(read.contact.created_at)
    status = read.contact.status
    places = (facts.values["city"], facts.values["utm_source"])
    return (facts.id, facts.email_key, *places, status, created, words)


def cases(address: str) -> list[Case]:
    """Return what is asked, of a store in which somebody has an address."""
    hansen = ContactFilter(terms=parse_query("hansen"))
    in_oslo = parse_filter({"city": "Oslo"}, now=0, zone=ZoneInfo("UTC"))
    two, flow = parse_group_by("city,utm_source"), parse_group_by("flow")
    return [
        Case(
            "find by e-mail",
            "<= 1 ms",
            lambda store: store.find_email(address),
            ("SELECT * FROM contact WHERE email = ?", [address]),
        ),
        Case(
            "search, 20 best",
            "<= 10 ms",
            lambda store: store.list_rows(Listing(wanted=hansen, by_relevance=True)),
            (
                "SELECT * FROM contact WHERE words LIKE '%hansen%' ORDER BY created DESC LIMIT 20",
                [],
            ),
        ),
        Case(
            "two-way grouping",
            "<= 80 ms",
            lambda store: store.group(Count(wanted=EVERYBODY, dimensions=two)),
            ("SELECT city, utm_source, status, count(*) FROM contact GROUP BY ALL", []),
        ),
        Case("newest 20", "", lambda store: store.list_rows(Listing())),
        Case("count of a city", "", lambda store: store.count(in_oslo)),
        Case(
            "grouping by flow",
            "",
            lambda store: store.group(Count(wanted=EVERYBODY, dimensions=flow)),
        ),
    ]


def measure(case: Case, store: ContactStore) -> float:
    """Return the median of the milliseconds that our store takes; the first does not count."""
    return statistics.median([_took(lambda: case.ours(store)) for _ in range(_ROUNDS + 1)][1:])


def measure_beside(
    case: Case, store: ContactStore, other: "duckdb.DuckDBPyConnection"
) -> tuple[float, float]:
    """Return the medians of both; see `in_pairs`."""
    assert case.beside is not None
    text, values = case.beside
    return in_pairs(lambda: case.ours(store), lambda: other.execute(text, values).fetchall())


def in_pairs(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Return the medians of the milliseconds of both, in turn; the first round does not count."""
    pairs = [(_took(one), _took(other)) for _ in range(_ROUNDS + 1)][1:]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def store_rows(folder: Path, size: int) -> list[tuple[str, float, float, str, str, str]]:
    """Return the rows of the table."""
    built = build(folder, size)
    rows = []
    with closing(open_store(folder)) as store, closing(open_duckdb(folder)) as other:
        for case in cases(built.address):
            if case.beside is not None:
                ours, beside = measure_beside(case, store, other)
                what = f"{size:,}: {case.what}"
                rows.append((what, ours, beside, "ms", case.target, "DuckDB"))
    return rows


def _took(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1_000
