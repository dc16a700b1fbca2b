"""`dashboard`: shows the dashboard in a browser, without an MCP client."""

import argparse
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import anyio.to_thread

from smoc_mcp.cli.command import Command, named_values
from smoc_mcp.logs import log_to_stderr
from smoc_mcp.opening import open_directory
from smoc_mcp.settings import Settings

__all__ = ["DASHBOARD", "show_dashboard"]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "arguments", nargs="*", metavar="NAME=VALUE", help="filters of contacts_search; group_by"
    )
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument(
        "--no-open", action="store_true", help="print the address, and open no browser"
    )


def _run(options: argparse.Namespace) -> int:
    settings = Settings.from_env()
    log_to_stderr(settings)
    anyio.run(
        show_dashboard,
        settings,
        named_values(options.arguments),
        options.port,
        not options.no_open,
    )
    return 0


async def show_dashboard(
    settings: Settings, asked: Mapping[str, str], port: int = 0, opens: bool = True
) -> None:
    """Serve the dashboard on loopback until Ctrl-C.

    Args:
        settings: Whose contacts it shows.
        asked: The arguments of contacts_dashboard that it begins with.
        port: Where; 0 for a free one.
        opens: Open the browser; otherwise the address is only printed.

    Raises:
        UsageError: The port is taken.
    """
    # Imported here: MCP takes three times as long to import as all else together.
    from smoc_mcp.http.app import serve
    from smoc_mcp.http.serve import listen
    from smoc_mcp.http.window import Window
    from smoc_mcp.server.server import server_of

    async with open_directory(settings) as directory:
        window = Window(server_of(settings, lambda: directory), asked)
        listener = listen("127.0.0.1", port)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/#{window.token}"
        print(
            f"The dashboard: {address}\nThe address opens once. To stop, press Ctrl-C.", flush=True
        )
        with _page_that_leads_to(address) as page:
            if opens:
                await anyio.to_thread.run_sync(webbrowser.open, page.as_uri())
            await serve(window.app(), listener)


@contextmanager
def _page_that_leads_to(address: str) -> Iterator[Path]:
    """Yield a page that only this user can read, and that leads to an address.

    What a browser is started with, everybody on the machine can read.
    """
    with TemporaryDirectory(prefix="smoc-mcp-") as folder:
        page = Path(folder) / "dashboard.html"
        page.touch(mode=0o600)
        page.write_text(f'<meta http-equiv="refresh" content="0; url={address}">', "utf-8")
        yield page


DASHBOARD = Command(
    "dashboard",
    "the pictures, in a browser",
    "Shows the dashboard that clients such as Claude Desktop show, in a browser on this\n"
    "machine. Only whoever opens the printed address first sees it.\n\n"
    "  smoc-mcp dashboard\n"
    "  smoc-mcp dashboard created_after=90d group_by=utm_source",
    _run,
    _add_options,
)
