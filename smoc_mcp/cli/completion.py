"""`completion`: prints a script that lets a shell complete our commands."""

import argparse

from smoc_mcp.cli.command import Command

__all__ = ["COMPLETION"]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=["bash", "zsh", "tcsh"], help="which shell")


def _run(options: argparse.Namespace) -> int:
    import shtab

    # Imported here, because the parser is made of all commands, and this is one of them.
    from smoc_mcp.cli.parser import build_parser

    print(shtab.complete(build_parser(), options.shell))
    return 0


COMPLETION = Command(
    "completion",
    "the commands, for your shell to complete",
    "Prints a script that lets a shell complete commands and options.\n\n"
    "  smoc-mcp completion bash > ~/.local/share/bash-completion/completions/smoc-mcp",
    _run,
    _add_options,
)
