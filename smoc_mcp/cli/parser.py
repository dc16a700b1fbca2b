"""What can be typed: the commands, their options, and the help that explains them."""

import argparse
from importlib.metadata import version
from pathlib import Path

from smoc_mcp.cli.clients import CLIENTS
from smoc_mcp.questions.filters import FILTERS

__all__ = ["build_parser"]

_ENVIRONMENT = """\
settings (environment variables):
  SMOC_API_KEY              your company's key: SMOC Console → Settings → Integrations → API
  SMOC_ENVIRONMENT          production (default), alternate or staging
  SMOC_BASE_URL             another address of the API instead
  SMOC_MCP_CACHE_SECONDS    how long an answer of the API stays live (60)
  SMOC_MCP_TIMEOUT_SECONDS  the most that one question may take (20)
  SMOC_MCP_TIMEZONE         what a bare date means, and the days of trends (UTC)
  SMOC_MCP_MASK             email,phone,name: masks these in every output
  SMOC_MCP_SHOW_TECHNICAL   1 shows IP addresses and user agents in details
  SMOC_MCP_STORE            a file that keeps contacts, so that more than 500 are found (none)
  SMOC_MCP_RETENTION_DAYS   drops contacts not seen for so many days (keeps all)
  SMOC_MCP_TOOLS            standard, or chatgpt: with search and fetch as ChatGPT wants them
  SMOC_MCP_CONTACT_URL      the address of a contact's page, with {id}, for the links of ChatGPT
  SMOC_MCP_LOG_LEVEL        DEBUG, INFO, WARNING (default) or ERROR, to stderr
  SMOC_MCP_LOG_FORMAT       text (default), or json: a line of JSON for each call of a tool

settings of http:
  SMOC_MCP_BEARER_TOKENS    secrets by which callers prove themselves, separated by commas
  SMOC_MCP_BEARER_TOKENS_FILE  a file with one secret a line
  SMOC_MCP_OAUTH_ISSUER     who issues the tokens of callers
  SMOC_MCP_OAUTH_AUDIENCE   for whom they must be issued: this server's own address
  SMOC_MCP_ALLOWED_HOSTS    Host headers that are answered, such as mcp.example.com
  SMOC_MCP_ALLOWED_ORIGINS  Origin headers of browsers that are answered
  SMOC_MCP_CALLS_PER_MINUTE how often one caller may ask (120)
  SMOC_MCP_MAX_COMPANIES    how many companies are held at once (100)
"""
_EXAMPLES = """\
examples:
  smoc-mcp demo
  SMOC_API_KEY=… smoc-mcp check
  smoc-mcp call contacts_stats group_by=utm_campaign created_after=30d
  smoc-mcp config claude-desktop
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; what it parses has a `command`, by default `serve`."""
    parser = argparse.ArgumentParser(
        prog="smoc-mcp",
        description="Ask about your company's SMOC contacts from any AI agent. Without a command "
        "it is an MCP server on stdin and stdout, for a client to start.",
        epilog=f"{_ENVIRONMENT}\n{_EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"smoc-mcp {version('smoc-mcp')}")
    parser.set_defaults(command="serve")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, what: str, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=what,
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(command=name)
        return made

    command(
        "demo",
        "see it work, without a key",
        "Starts the sandbox (made-up contacts on a local port) and the server as processes of\n"
        "their own, and asks six questions over stdio, as a client would. Needs no key and no\n"
        "network.",
    )
    check = command(
        "check",
        "is the key right, and what can be seen",
        "Asks the API with your key and prints what it shows: counts, the four windows and how\n"
        "far back each reaches. Exit code 0 if the key works, 1 if not, 2 for wrong settings.",
    )
    check.add_argument("--json", action="store_true", help="as JSON")
    call = command(
        "call",
        "one tool from the shell",
        "Calls one tool and prints what a model would read. Without a tool, lists the tools.\n\n"
        "  smoc-mcp call contacts_list sort=updated limit=5\n"
        "  smoc-mcp call contacts_find_by_email email=ada@example.com\n"
        "  smoc-mcp call contacts_search query=berg has=email,-phone created_after=30d\n\n"
        "Exit code 0, or 1 if the tool refused or failed.",
    )
    call.add_argument("tool", nargs="?", metavar="TOOL", help="the tool's name")
    call.add_argument("arguments", nargs="*", metavar="NAME=VALUE", help="its parameters")
    call.add_argument("--json", action="store_true", help="the structured form of the answer")
    sandbox = command(
        "sandbox",
        "the SMOC API with made-up contacts, on a local port",
        "Serves the API's one endpoint as its guide describes it, with made-up contacts, and\n"
        "prints its address and keys. Under /sandbox/ it can be told to change and to fail.",
    )
    sandbox.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    sandbox.add_argument("--port", type=int, default=8090, help="0 for a free one (%(default)s)")
    sandbox.add_argument("--size", type=int, default=3000, help="contacts (%(default)s)")
    sandbox.add_argument("--seed", type=int, default=1, help="which contacts (%(default)s)")
    sync = command(
        "sync",
        "all windows into the store, for cron",
        "Fetches all four windows into the file of SMOC_MCP_STORE and prints what came. What\n"
        "was seen stays searchable, and as long as each run reaches back to the one before,\n"
        "nothing is missing. Exit code 0 only if all four windows were fetched and stored.",
    )
    sync.add_argument("--every", metavar="TIME", help="go on until stopped, such as 15m")
    export = command(
        "export",
        "contacts as CSV or JSON lines",
        "Writes the contacts that match, newest first, from all that is in hand. Cells that a\n"
        "spreadsheet would run are defused.\n\n"
        "  smoc-mcp export --format csv --out leads.csv status=lead created_after=30d\n\n"
        f"Filters: {', '.join(FILTERS)}.",
    )
    export.add_argument("--format", choices=["csv", "jsonl"], default="csv", help="%(default)s")
    export.add_argument("--out", metavar="FILE", default="-", help="default: stdout")
    export.add_argument("arguments", nargs="*", metavar="NAME=VALUE", help="filters")
    forget = command(
        "forget",
        "erase the store",
        "Erases every contact of every company from the file of SMOC_MCP_STORE, and overwrites\n"
        "what it held. Asks first.",
    )
    forget.add_argument("--yes", action="store_true", help="do not ask")
    http = command(
        "http",
        "one server for a team, or for many companies",
        "Serves MCP over Streamable HTTP at /mcp, stateless; /healthz and /readyz say how it is.\n"
        "With SMOC_API_KEY set the contacts are those of that key, and callers prove themselves\n"
        "by SMOC_MCP_BEARER_TOKENS or a token of SMOC_MCP_OAUTH_ISSUER. Without it each request\n"
        "brings its company's own key in the header X-SMOC-Token.",
    )
    http.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    http.add_argument("--port", type=int, default=8000, help="default: %(default)s")
    http.add_argument(
        "--allow-unauthenticated",
        action="store_true",
        help="answer everybody with the server's key; on loopback only",
    )
    config = command(
        "config",
        "the snippet for an MCP client",
        "Prints what to put into a client's settings to plug smoc-mcp in. With --write it is put\n"
        "into the client's own file: other servers stay as they are, and a copy of the old file\n"
        "is kept. The settings in your environment (SMOC_MCP_MASK and so on) become the server's;\n"
        "the key only with --write.",
    )
    config.add_argument("--write", action="store_true", help="put it into the client's file")
    config.add_argument("--file", type=Path, help="another file than the client's usual one")
    config.add_argument("client", choices=CLIENTS, metavar="CLIENT", help=", ".join(CLIENTS))
    completion = command(
        "completion",
        "the commands, for your shell to complete",
        "Prints a script that lets a shell complete commands and options.\n\n"
        "  smoc-mcp completion bash > ~/.local/share/bash-completion/completions/smoc-mcp",
    )
    completion.add_argument("shell", choices=["bash", "zsh", "tcsh"], help="which shell")
    return parser
