"""`forget`: erases the store, after asking."""

import argparse
import sys

from smoc_mcp.cli.command import Command
from smoc_mcp.settings import Settings
from smoc_mcp.store.store import ContactStore
from smoc_mcp.views.phrases import many

__all__ = ["FORGET"]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _run(options: argparse.Namespace) -> int:
    path = Settings.from_env(needs_key=False).store
    if path is None:
        print("smoc-mcp: no store to forget: SMOC_MCP_STORE is not set.", file=sys.stderr)
        return 2
    if not path.exists():
        print(f"{path} does not exist; nothing to forget.")
        return 0
    if not options.yes:
        if not sys.stdin.isatty():
            print("smoc-mcp: forget asks before it erases; add --yes.", file=sys.stderr)
            return 2
        if input(f"Erase every contact in {path}? Type yes: ").strip().lower() != "yes":
            print("Nothing was erased.")
            return 1
    store = ContactStore(str(path))
    try:
        erased, overwritten = store.forget()
    finally:
        store.close()
    if not overwritten:
        print(
            f"smoc-mcp: {many(erased, 'contact')} erased from {path}, but not yet overwritten: the "
            "file still holds their bytes, because another process has it open and is reading. "
            "Stop the servers that use it, then run forget again.",
            file=sys.stderr,
        )
        return 1
    print(f"Erased {many(erased, 'contact')} from {path}.")
    return 0


FORGET = Command(
    "forget",
    "erase the store",
    "Erases every contact of every company from the file of SMOC_MCP_STORE, and overwrites\n"
    "what it held. Asks first.",
    _run,
    _add_options,
)
