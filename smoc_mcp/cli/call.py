"""`call`: calls one tool from the shell and prints what a model would read."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

import anyio

from smoc_mcp.cli.command import Command, named_values
from smoc_mcp.errors import InputError
from smoc_mcp.logs import log_to_stderr
from smoc_mcp.opening import open_directory
from smoc_mcp.settings import Settings

if TYPE_CHECKING:
    from mcp import Client
    from mcp_types import CallToolResult

__all__ = ["CALL"]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tool", nargs="?", metavar="TOOL", help="the tool's name")
    parser.add_argument("arguments", nargs="*", metavar="NAME=VALUE", help="its parameters")
    parser.add_argument("--json", action="store_true", help="the structured form of the answer")


def _run(options: argparse.Namespace) -> int:
    # Imported here: MCP takes three times as long to import as all else together.
    from mcp import Client, MCPError

    from smoc_mcp.server.server import server_of

    arguments = named_values(options.arguments)
    # The list of tools needs no key.
    settings = Settings.from_env() if options.tool else Settings()
    log_to_stderr(settings)

    async def ask() -> "CallToolResult | str":
        async with (
            open_directory(settings) as directory,
            Client(server_of(settings, lambda: directory)) as client,
        ):
            if options.tool is None:
                return await _list_tools(client)
            try:
                return await client.call_tool(options.tool, arguments)
            except MCPError as error:
                raise InputError(error.message) from None

    answer = anyio.run(ask)
    if isinstance(answer, str):
        print(answer)
        return 0
    return _print_answer(answer, as_json=options.json)


async def _list_tools(client: "Client") -> str:
    """Return the name, parameters and description of each tool."""
    return "\n\n".join(
        f"{tool.name}({', '.join(tool.input_schema['properties'])})\n  {tool.description}"
        for tool in (await client.list_tools()).tools
    )


def _print_answer(answer: "CallToolResult", *, as_json: bool) -> int:
    from mcp_types import TextContent

    text = "\n".join(c.text for c in answer.content if isinstance(c, TextContent))
    if answer.is_error:
        print(f"smoc-mcp: {text}", file=sys.stderr)
        return 1
    if as_json:
        text = json.dumps(answer.structured_content, ensure_ascii=False, indent=2)
    print(text)
    return 0


CALL = Command(
    "call",
    "one tool from the shell",
    "Calls one tool and prints what a model would read. Without a tool, lists the tools.\n\n"
    "  smoc-mcp call contacts_list sort=updated limit=5\n"
    "  smoc-mcp call contacts_find_by_email email=ada@example.com\n"
    "  smoc-mcp call contacts_search query=berg has=email,-phone created_after=30d\n\n"
    "Exit code 0, or 1 if the tool refused or failed.",
    _run,
    _add_options,
)
