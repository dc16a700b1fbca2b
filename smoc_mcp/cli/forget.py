"""`forget`: erases the store, after asking."""

import argparse
import sys
from pathlib import Path

from smoc_mcp.cli.command import Command
from smoc_mcp.settings import Settings
from smoc_mcp.store.database import name_of
from smoc_mcp.store.store import ContactStore
from smoc_mcp.views.phrases import many

__all__ = ["FORGET"]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _run(options: argparse.Namespace) -> int:
    place = Settings.from_env(needs_key=False).store
    if place is None:
        print("smoc-mcp: no store to forget: SMOC_MCP_STORE is not set.", file=sys.stderr)
        return 2
    name = name_of(place)
    if isinstance(place, Path) and not place.exists():
        print(f"{name} does not exist; nothing to forget.")
        return 0
    if not options.yes:
        if not sys.stdin.isatty():
            print("smoc-mcp: forget asks before it erases; add --yes.", file=sys.stderr)
            return 2
        if input(f"Erase every contact in {name}? Type yes: ").strip().lower() != "yes":
            print("Nothing was erased.")
            return 1
    store = ContactStore(place)
    try:
        erased, overwritten = store.forget()
    finally:
        store.close()
    if isinstance(place, Path) and not overwritten:
        print(
            f"smoc-mcp: {many(erased, 'contact')} erased from {name}, but not yet overwritten: the "
            "file still holds their bytes, because another process has it open and is reading. "
            "Stop the servers that use it, then run forget again.",
            file=sys.stderr,
        )
        return 1
    print(f"Erased {many(erased, 'contact')} from {name}.")
    if not isinstance(place, Path):
        print(
            "PostgreSQL overwrites the room when it needs it; its write-ahead log, its replicas "
            "and your backups may hold them until they are replaced."
        )
    return 0


FORGET = Command(
    "forget",
    "erase the store",
    "Erases every contact of every company from the store of SMOC_MCP_STORE; of a\n"
    "file it overwrites what it held. Asks first.",
    _run,
    _add_options,
)
