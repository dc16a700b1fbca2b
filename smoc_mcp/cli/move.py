"""`move`: takes all that the store holds to another one, such as from a file to PostgreSQL."""

import argparse
from pathlib import Path

from smoc_mcp.cli.command import Command
from smoc_mcp.errors import ConfigurationError, UsageError
from smoc_mcp.settings import Settings, as_place
from smoc_mcp.store.database import name_of
from smoc_mcp.store.move import move
from smoc_mcp.variables import MustBe
from smoc_mcp.views.phrases import many

__all__ = ["MOVE"]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "to", metavar="TO", help="a file, or postgresql://user@host/database; it must be empty"
    )


def _run(options: argparse.Namespace) -> int:
    source = Settings.from_env(needs_key=False).store
    if source is None:
        raise ConfigurationError("SMOC_MCP_STORE is not set: name the store to move from.")
    if isinstance(source, Path) and not source.exists():
        raise ConfigurationError(f"{source} does not exist: there is nothing to move.")
    try:
        target = as_place(options.to)
    except MustBe as error:
        raise UsageError(f"TO must be {error}.") from None
    if name_of(source) == name_of(target):
        raise UsageError("That is the store itself: name another file or database.")
    moved = move(source, target)
    print(
        f"Moved {many(moved.contacts, 'contact')} of {moved.companies:,} "
        f"{'company' if moved.companies == 1 else 'companies'} from {name_of(source)} to "
        f"{name_of(target)}, with history, gaps and cursors."
    )
    print(
        f"Set SMOC_MCP_STORE to the new one and restart the servers. {name_of(source)} still holds "
        "everything: once you need it no more, erase it with smoc-mcp forget."
    )
    return 0


MOVE = Command(
    "move",
    "take the store to another file or database",
    "Copies all companies of the store of SMOC_MCP_STORE to an empty one, as a whole or\n"
    "not at all, with history, gaps and cursors. The old one is left as it is. Stop the\n"
    "servers first: what they fetch meanwhile is not copied, and becomes a gap.",
    _run,
    _add_options,
)
