"""The command line: the one place where the parts are put together."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version

from smoc_mcp.clients import CLIENTS, snippet, where
from smoc_mcp.errors import ConfigurationError, InputError, SmocError, UsageError
from smoc_mcp.logs import log_to_stderr
from smoc_mcp.query import FILTERS
from smoc_mcp.settings import HttpSettings, Settings

__all__ = ["main"]

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code: 0 done, 1 failed, 2 wrong settings or usage."""
    options = _parser().parse_args(arguments)
    try:
        with _without_groups():
            code: int = options.run(options)
    except (ConfigurationError, UsageError) as error:
        print(f"smoc-mcp: {error}", file=sys.stderr)
        return 2
    except SmocError as error:
        print(f"smoc-mcp: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output, such as `head`, has gone; nothing is wrong. What Python still
        # wants to flush at exit must go somewhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


@contextmanager
def _without_groups() -> Iterator[None]:
    """Raise a lone error as itself, though it went through task groups."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        raise error from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="smoc-mcp",
        description="Ask about your company's SMOC contacts from any AI agent. Without a command "
        "it is an MCP server on stdin and stdout, for a client to start.",
        epilog=f"{_ENVIRONMENT}\n{_EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"smoc-mcp {version('smoc-mcp')}")
    parser.set_defaults(run=_serve)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, what: str, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=what,
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(run=globals()[f"_{name}"])
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
        "Prints what to put into a client's settings to plug smoc-mcp in.",
    )
    config.add_argument("client", choices=CLIENTS, metavar="CLIENT", help=", ".join(CLIENTS))
    return parser


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"write {text!r} as name=value.")
        pairs[name] = value
    return pairs


def _serve(_: argparse.Namespace) -> int:
    import anyio

    from smoc_mcp.opening import make_views, open_directory
    from smoc_mcp.server import build_server

    settings = Settings.from_env()
    log_to_stderr(settings)
    if sys.stdin.isatty():
        print(
            "smoc-mcp is an MCP server and waits for a client on stdin. To see it work, run "
            "`smoc-mcp demo`; to plug it in, `smoc-mcp config CLIENT`; to stop, press Ctrl-C.",
            file=sys.stderr,
        )

    async def serve() -> None:
        async with open_directory(settings) as directory:
            await build_server(
                lambda: directory, make_views(settings), settings.log_level
            ).run_stdio_async()

    anyio.run(serve)
    return 0


def _call(options: argparse.Namespace) -> int:
    import anyio
    from mcp import Client, MCPError
    from mcp_types import CallToolResult, TextContent

    from smoc_mcp.opening import make_views, open_directory
    from smoc_mcp.server import build_server

    arguments = _pairs(options.arguments)
    # The list of tools needs no key.
    settings = Settings.from_env() if options.tool else Settings()
    log_to_stderr(settings)

    async def ask() -> CallToolResult | str:
        async with (
            open_directory(settings) as directory,
            Client(
                build_server(lambda: directory, make_views(settings), settings.log_level)
            ) as client,
        ):
            if options.tool is None:
                tools = (await client.list_tools()).tools
                return "\n\n".join(
                    f"{tool.name}({', '.join(tool.input_schema['properties'])})\n"
                    f"  {tool.description}"
                    for tool in tools
                )
            try:
                return await client.call_tool(options.tool, arguments)
            except MCPError as error:
                raise InputError(error.message) from None

    answer = anyio.run(ask)
    if isinstance(answer, str):
        print(answer)
        return 0
    text = "\n".join(c.text for c in answer.content if isinstance(c, TextContent))
    if answer.is_error:
        print(f"smoc-mcp: {text}", file=sys.stderr)
        return 1
    if options.json:
        text = json.dumps(answer.structured_content, ensure_ascii=False, indent=2)
    print(text)
    return 0


def _check(options: argparse.Namespace) -> int:
    import anyio

    from smoc_mcp.checkup import checkup
    from smoc_mcp.opening import open_directory

    settings = Settings.from_env()
    log_to_stderr(settings)

    async def look() -> dict[str, object]:
        async with open_directory(settings) as directory:
            return await checkup(directory, settings)

    found = anyio.run(look)
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        width = max(map(len, found))
        for name, value in found.items():
            print(f"{name:<{width}}  {value}")
    return 0


def _sync(options: argparse.Namespace) -> int:
    import anyio

    from smoc_mcp.opening import open_directory
    from smoc_mcp.upkeep import parse_interval, run_sync

    every = None if options.every is None else parse_interval(options.every)
    settings = Settings.from_env()
    if settings.store is None:
        raise ConfigurationError("SMOC_MCP_STORE is not set: name the file to sync into.")
    log_to_stderr(settings)

    async def sync() -> int:
        async with open_directory(settings) as directory:
            return await run_sync(directory, every)

    return anyio.run(sync)


def _export(options: argparse.Namespace) -> int:
    import anyio

    from smoc_mcp.opening import make_views, open_directory
    from smoc_mcp.upkeep import run_export

    given = _pairs(options.arguments)
    settings = Settings.from_env()
    log_to_stderr(settings)

    async def write() -> int:
        async with open_directory(settings) as directory:
            return await run_export(
                directory, make_views(settings), options.format, options.out, given
            )

    return anyio.run(write)


def _forget(options: argparse.Namespace) -> int:
    from smoc_mcp.upkeep import run_forget

    return run_forget(Settings.from_env(needs_key=False).store, sure=options.yes)


def _demo(_: argparse.Namespace) -> int:
    from smoc_mcp.demo import run_demo

    return run_demo()


def _http(options: argparse.Namespace) -> int:
    from smoc_mcp.hosting import serve_http

    settings = Settings.from_env(needs_key=None)
    log_to_stderr(settings)
    serve_http(
        settings,
        HttpSettings.from_env(),
        options.host,
        options.port,
        unauthenticated=options.allow_unauthenticated,
    )
    return 0


def _sandbox(options: argparse.Namespace) -> int:
    from smoc_mcp.sandbox import NORDLYS_KEY, Sandbox, serve

    def announce(url: str) -> None:
        print(f"{url}\n\nSMOC_BASE_URL={url} SMOC_API_KEY={NORDLYS_KEY} smoc-mcp check", flush=True)

    try:
        sandbox = Sandbox.demo(size=options.size, seed=options.seed)
        serve(sandbox, options.host, options.port, announce)
    except (OSError, OverflowError, ValueError) as error:
        print(f"smoc-mcp: the sandbox cannot start: {error}.", file=sys.stderr)
        return 1
    return 0


def _config(options: argparse.Namespace) -> int:
    # The snippet alone on stdout, so that it can be piped.
    print(where(options.client), file=sys.stderr)
    print(snippet(options.client))
    return 0
