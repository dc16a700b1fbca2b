"""The command line: the one place where the parts are put together."""

import argparse
import gc
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from smoc_mcp.cli.clients import snippet
from smoc_mcp.cli.logs import log_to_stderr
from smoc_mcp.cli.parser import build_parser
from smoc_mcp.errors import ApiKeyError, ConfigurationError, InputError, SmocError, UsageError
from smoc_mcp.settings import Settings, is_colourful

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code: 0 done, 1 failed, 2 wrong settings or usage."""
    options = build_parser().parse_args(arguments)
    try:
        with _without_groups():
            code = _COMMANDS[options.command](options)
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


@contextmanager
def _lasting() -> Iterator[None]:
    """Keep the garbage collector from what is made inside: it stays as long as the process."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"write {text!r} as name=value.")
        if name in pairs:
            raise UsageError(f"{name} is given twice: give one value.")
        pairs[name] = value
    return pairs


def _serve(_: argparse.Namespace) -> int:
    with _lasting():
        import anyio

        from smoc_mcp.opening import open_directory
        from smoc_mcp.server.server import server_of

    try:
        settings = Settings.from_env()
    except ApiKeyError as error:
        if sys.stdin.isatty():
            raise
        return anyio.run(_serve_without_key, str(error))
    log_to_stderr(settings)
    if sys.stdin.isatty():
        print(
            "smoc-mcp is an MCP server and waits for a client on stdin. To see it work, run "
            "`smoc-mcp demo`; to plug it in, `smoc-mcp config CLIENT`; to stop, press Ctrl-C.",
            file=sys.stderr,
        )

    async def serve() -> None:
        async with open_directory(settings) as directory:
            await server_of(settings, lambda: directory).run_stdio_async()

    anyio.run(serve)
    return 0


async def _serve_without_key(problem: str) -> int:
    """Serve, but answer every question with what is wrong: clients hide what a server logs."""
    from smoc_mcp.directory.directory import ContactDirectory
    from smoc_mcp.server.server import server_of

    print(f"smoc-mcp: {problem}", file=sys.stderr)
    settings = Settings.from_env(needs_key=False)
    log_to_stderr(settings)

    def refuse() -> ContactDirectory:
        raise ApiKeyError(
            f"{problem} It belongs into the settings of this server in your MCP client; restart "
            "the client then."
        )

    await server_of(settings, refuse).run_stdio_async()
    return 2


def _call(options: argparse.Namespace) -> int:
    import anyio
    from mcp import Client, MCPError
    from mcp_types import CallToolResult, TextContent

    from smoc_mcp.opening import open_directory
    from smoc_mcp.server.server import server_of

    arguments = _pairs(options.arguments)
    # The list of tools needs no key.
    settings = Settings.from_env() if options.tool else Settings()
    log_to_stderr(settings)

    async def ask() -> CallToolResult | str:
        async with (
            open_directory(settings) as directory,
            Client(server_of(settings, lambda: directory)) as client,
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

    from smoc_mcp.api.client import MAX_LIMIT
    from smoc_mcp.cli.check import checkup, table
    from smoc_mcp.opening import open_directory

    settings = Settings.from_env()
    log_to_stderr(settings)

    async def look() -> dict[str, Any]:
        async with open_directory(settings) as directory:
            return await checkup(directory, settings)

    found = anyio.run(look)
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print(table(found, MAX_LIMIT, colour=is_colourful(sys.stdout)))
    if "error" in found:
        print(f"smoc-mcp: {found['error']}", file=sys.stderr)
    return 1 if "error" in found else 0


def _sync(options: argparse.Namespace) -> int:
    import anyio

    from smoc_mcp.cli.upkeep import parse_interval, run_sync
    from smoc_mcp.opening import open_directory

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

    from smoc_mcp.cli.upkeep import run_export
    from smoc_mcp.opening import open_directory
    from smoc_mcp.views.lists import Views

    given = _pairs(options.arguments)
    settings = Settings.from_env()
    log_to_stderr(settings)

    async def write() -> int:
        async with open_directory(settings) as directory:
            return await run_export(
                directory, Views.of(settings), options.format, options.out, given
            )

    return anyio.run(write)


def _forget(options: argparse.Namespace) -> int:
    from smoc_mcp.cli.upkeep import run_forget

    return run_forget(Settings.from_env(needs_key=False).store, sure=options.yes)


def _demo(_: argparse.Namespace) -> int:
    from smoc_mcp.cli.demo import run_demo

    return run_demo()


def _http(options: argparse.Namespace) -> int:
    with _lasting():
        from smoc_mcp.http.serve import serve_http
        from smoc_mcp.http.settings import HttpSettings

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
    # A wrong setting is told now: clients hide what a server says when it starts.
    key = Settings.from_env(needs_key=None).api_key.get_secret_value()
    settings = Settings.named()
    if options.write:
        from smoc_mcp.cli.plugging import plug_in

        print(plug_in(options.client, key, settings, options.file))
        return 0
    where, what = snippet(options.client, settings)
    # The snippet alone on stdout, so that it can be piped.
    print(where, file=sys.stderr)
    print(what)
    return 0


def _completion(options: argparse.Namespace) -> int:
    import shtab

    print(shtab.complete(build_parser(), options.shell))
    return 0


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "serve": _serve,
    "http": _http,
    "check": _check,
    "call": _call,
    "sync": _sync,
    "export": _export,
    "forget": _forget,
    "demo": _demo,
    "sandbox": _sandbox,
    "config": _config,
    "completion": _completion,
}
