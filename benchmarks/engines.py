"""The store in PostgreSQL beside the same store in a SQLite file: what questions and a window cost.

    python -m benchmarks.engines postgresql://user@host/database [contacts]

The database must be empty. Both are asked in turn, in pairs; the ratio is of the medians.
"""

import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from benchmarks.stores import OURS, build, cases, contacts, open_store
from smoc_mcp.api.facts import keys_of
from smoc_mcp.api.models import ReadContact
from smoc_mcp.proof.windows import Counts, Sort, Window
from smoc_mcp.store.move import move
from smoc_mcp.store.store import ContactStore

_ROUNDS = 9
_WINDOW = 500


def _took(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1_000


def _pairs(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Return the medians of the milliseconds of both, measured in turn; the first do not count."""
    took = [(_took(one), _took(other)) for _ in range(_ROUNDS + 1)][1:]
    return statistics.median(t[0] for t in took), statistics.median(t[1] for t in took)


def _absorbed(store: ContactStore, reads: list[ReadContact]) -> None:
    """Take in a window of contacts that are in the store already, as most windows are."""
    window = Window(
        sort=Sort.CREATED,
        sent=store.tick(),
        as_of=1,
        arrived=1,
        api_now=1,
        rows={read.contact.id: keys_of(read) for read in reads},
        counts=Counts(1, 1),
        edge=None,
    )
    store.absorb(window, reads)


def main() -> None:
    """Print the rows of a table: what, SQLite, PostgreSQL, their ratio."""
    place = SecretStr(sys.argv[1])
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    with TemporaryDirectory() as name:
        folder = Path(name)
        built = build(folder, size)
        began = time.perf_counter()
        move(folder / OURS, place)
        moving = time.perf_counter() - began
        with (
            closing(open_store(folder)) as file,
            closing(ContactStore(place, address="benchmark", key_hash="benchmark")) as database,
        ):
            database._db.run("ANALYZE")  # as PostgreSQL does by itself within a minute
            print(f"| {size:,} contacts, ms | SQLite | PostgreSQL | ratio |\n|---|---|---|---|")
            for case in cases(built.address):
                _row(
                    case.what,
                    *_pairs(
                        lambda case=case: case.ours(file),  # type: ignore[misc]
                        lambda case=case: case.ours(database),  # type: ignore[misc]
                    ),
                )
            reads = [read for read, _ in zip(contacts(size), range(_WINDOW), strict=False)]
            _row(
                "a window of 500, unchanged",
                *_pairs(lambda: _absorbed(file, reads), lambda: _absorbed(database, reads)),
            )
            room = database._db.fetch("SELECT pg_database_size(current_database())")[0][0]
        on_disk = (folder / OURS).stat().st_size
        print(f"| kB a contact, on disk | {on_disk / size / 1e3:.1f} | {room / size / 1e3:.1f} | |")
        print(f"\nMoved in {moving:.0f} s.")


def _row(what: str, one: float, other: float) -> None:
    print(f"| {what} | {one:.1f} | {other:.1f} | {other / one:.1f} |")


if __name__ == "__main__":
    main()
