"""Starts the server: without a command on stdin and stdout, with `http` over HTTP.

MCP is imported when a server starts: it takes three times as long to import as all else together.
"""

import argparse
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from smoc_mcp.cli.command import Command
from smoc_mcp.cli.stdin import mended_stdin
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.errors import ApiKeyError, UsageError
from smoc_mcp.logs import log_to_stderr
from smoc_mcp.opening import open_directory
from smoc_mcp.settings import Settings

__all__ = ["HTTP", "serve_stdio"]


@contextmanager
def _lasting() -> Iterator[None]:
    """Keep the garbage collector from what is made inside: it stays as long as the process."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def serve_stdio(_: argparse.Namespace) -> int:
    """Serve on stdin and stdout until the client goes; return the exit code.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    with _lasting():
        from smoc_mcp.server.server import server_of

    if sys.stdin is None or sys.stdout is None:
        raise UsageError("stdin and stdout are the client's way to the server: leave both open.")
    _end_at_once_when_interrupted()
    try:
        settings = Settings.from_env()
    except ApiKeyError as error:
        if sys.stdin.isatty():
            raise
        return anyio.run(_serve_without_key, str(error))
    log_to_stderr(settings, serves=True)
    if sys.stdin.isatty():
        print(
            "smoc-mcp is an MCP server and waits for a client on stdin. To see it work, run "
            "`smoc-mcp demo`; to plug it in, `smoc-mcp config CLIENT`; to stop, press Ctrl-C.",
            file=sys.stderr,
        )

    async def serve() -> None:
        async with open_directory(settings) as directory:
            sys.stdin = mended_stdin(sys.stdin)
            await server_of(settings, lambda: directory).run_stdio_async()

    anyio.run(serve)
    return 0


def _end_at_once_when_interrupted() -> None:
    """Let one Ctrl-C end the process.

    A thread waits for the next line of stdin, and nothing but a line ends that. Nothing is lost:
    what has come is in the store, and a transaction that is under way is undone.
    """

    def end(*_: object) -> None:
        logging.shutdown()
        os._exit(130)

    signal.signal(signal.SIGINT, end)


async def _serve_without_key(problem: str) -> int:
    """Serve, but answer every question with what is wrong: clients hide what a server logs."""
    from smoc_mcp.server.server import server_of

    print(f"smoc-mcp: {problem}", file=sys.stderr)
    settings = Settings.from_env(needs_key=False)
    log_to_stderr(settings, serves=True)

    def refuse() -> ContactDirectory:
        raise ApiKeyError(
            f"{problem} It belongs into the settings of this server in your MCP client; restart "
            "the client then."
        )

    sys.stdin = mended_stdin(sys.stdin)
    await server_of(settings, refuse).run_stdio_async()
    return 2


def _add_http_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--port", type=int, default=8000, help="default: %(default)s")
    parser.add_argument(
        "--workers", type=int, default=1, help="processes on the port; default: %(default)s"
    )
    parser.add_argument(
        "--allow-unauthenticated",
        action="store_true",
        help="answer everybody with the server's key; on loopback only",
    )


def _serve_http(options: argparse.Namespace) -> int:
    with _lasting():
        from smoc_mcp.http.serve import Wanted, serve_http

    log_to_stderr(Settings.from_env(needs_key=None), serves=True)
    serve_http(Wanted(options.host, options.port, options.allow_unauthenticated, options.workers))
    return 0


HTTP = Command(
    "http",
    "one server for a team, or for many companies",
    "Serves MCP over Streamable HTTP at /mcp, stateless; /healthz and /readyz say how it is.\n"
    "With SMOC_API_KEY set the contacts are those of that key, and callers prove themselves\n"
    "by SMOC_MCP_BEARER_TOKENS or a token of SMOC_MCP_OAUTH_ISSUER. Without it each request\n"
    "brings its company's own key in the header X-SMOC-Token.",
    _serve_http,
    _add_http_options,
)
