"""Defines what a command is: its name, the texts of its help, its options, and what it does."""

import argparse
from collections.abc import Callable, Sequence
from typing import NamedTuple

from smoc_mcp.errors import UsageError

__all__ = ["Command", "named_values"]


def _no_options(parser: argparse.ArgumentParser) -> None:
    del parser


class Command(NamedTuple):
    """One command.

    Attributes:
        name: What is typed.
        summary: What the list of commands says of it.
        description: What its own help says.
        run: Does it; returns the exit code: 0 done, 1 failed, 2 wrong settings or usage.
        add_options: Adds its options to its parser.
    """

    name: str
    summary: str
    description: str
    run: Callable[[argparse.Namespace], int]
    add_options: Callable[[argparse.ArgumentParser], None] = _no_options


def named_values(texts: Sequence[str]) -> dict[str, str]:
    """Return what was typed as name=value, by name.

    Raises:
        UsageError: A text has no equals sign, or a name is given twice.
    """
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"write {text!r} as name=value.")
        if name in values:
            raise UsageError(f"{name} is given twice: give one value.")
        values[name] = value
    return values
