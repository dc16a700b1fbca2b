"""Lists the commands, and makes the parser of what is typed from that list.

It is argparse, because the libraries for commands take eight times as long to import.
"""

import argparse
from importlib.metadata import version

from smoc_mcp.cli.call import CALL
from smoc_mcp.cli.check import CHECK
from smoc_mcp.cli.completion import COMPLETION
from smoc_mcp.cli.config import CONFIG
from smoc_mcp.cli.dashboard import DASHBOARD
from smoc_mcp.cli.demo import DEMO
from smoc_mcp.cli.export import EXPORT
from smoc_mcp.cli.forget import FORGET
from smoc_mcp.cli.move import MOVE
from smoc_mcp.cli.sandbox import SANDBOX
from smoc_mcp.cli.serve import HTTP, serve_stdio
from smoc_mcp.cli.sync import SYNC
from smoc_mcp.http.settings import HttpSettings
from smoc_mcp.settings import Settings
from smoc_mcp.variables import variables_of

__all__ = ["COMMANDS", "SETTINGS", "build_parser"]

COMMANDS = (
    *(DEMO, CHECK, CALL, DASHBOARD, SANDBOX, SYNC, EXPORT, MOVE, FORGET, HTTP, CONFIG),
    COMPLETION,
)
"""All commands, in the order of the help."""
SETTINGS = {**variables_of(Settings), **variables_of(HttpSettings)}
"""All settings, with what the help says of each."""

_EXAMPLES = """\
examples:
  smoc-mcp demo
  SMOC_API_KEY=… smoc-mcp check
  smoc-mcp call contacts_stats group_by=utm_campaign created_after=30d
  smoc-mcp config claude-desktop
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; what it parses has a `run`, by default the server on stdin and stdout."""
    parser = argparse.ArgumentParser(
        prog="smoc-mcp",
        description="Ask about your company's SMOC contacts from any AI agent. Without a command "
        "it is an MCP server on stdin and stdout, for a client to start.",
        epilog="\n\n".join(
            [
                _listed("settings (environment variables):", variables_of(Settings)),
                _listed("settings of http:", variables_of(HttpSettings)),
                _EXAMPLES,
            ]
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"smoc-mcp {version('smoc-mcp')}")
    parser.set_defaults(run=serve_stdio)
    added = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        of_command = added.add_parser(
            command.name,
            help=command.summary,
            description=command.description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        of_command.set_defaults(run=command.run)
        command.add_options(of_command)
    return parser


def _listed(heading: str, variables: dict[str, str]) -> str:
    width = max(map(len, variables))
    return "\n".join([heading, *(f"  {name:<{width}}  {said}" for name, said in variables.items())])
