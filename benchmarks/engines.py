"""The store in PostgreSQL beside the same store in a SQLite file: what questions and a window cost.

    python -m benchmarks.engines postgresql://user@host/database [contacts]

The database must be empty. Both are asked in turn, in pairs; the ratio is of the medians.
"""

import sys
import time
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from benchmarks.stores import OURS, build, cases, contacts, in_pairs, open_store
from smoc_mcp.api.facts import keys_of
from smoc_mcp.api.models import ReadContact
from smoc_mcp.proof.windows import Counts, Sort, Window
from smoc_mcp.store.move import move
from smoc_mcp.store.store import ContactStore

_WINDOW = 500


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
                _row(case.what, *in_pairs(partial(case.ours, file), partial(case.ours, database)))
            reads = list(islice(contacts(size), _WINDOW))
            _row(
                f"a window of {_WINDOW}, unchanged",
                *in_pairs(lambda: _absorbed(file, reads), lambda: _absorbed(database, reads)),
            )
            room = database._db.fetch("SELECT pg_database_size(current_database())")[0][0]
        on_disk = (folder / OURS).stat().st_size
        print(f"| kB a contact, on disk | {on_disk / size / 1e3:.1f} | {room / size / 1e3:.1f} | |")
        print(f"\nMoved in {moving:.0f} s.")


def _row(what: str, one: float, other: float) -> None:
    print(f"| {what} | {one:.1f} | {other:.1f} | {other / one:.1f} |")


if __name__ == "__main__":
    main()
