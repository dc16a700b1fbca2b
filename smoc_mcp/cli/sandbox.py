"""`sandbox`: serves the API with made-up contacts on a local port."""

import argparse
import sys

from smoc_mcp.cli.command import Command

__all__ = ["SANDBOX"]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--port", type=int, default=8090, help="0 for a free one (%(default)s)")
    parser.add_argument("--size", type=int, default=3000, help="contacts (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="which contacts (%(default)s)")


def _run(options: argparse.Namespace) -> int:
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


SANDBOX = Command(
    "sandbox",
    "the SMOC API with made-up contacts, on a local port",
    "Serves the API's one endpoint as its guide describes it, with made-up contacts, and\n"
    "prints its address and keys. Under /sandbox/ it can be told to change and to fail.",
    _run,
    _add_options,
)
