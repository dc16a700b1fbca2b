"""Takes the pictures of the dashboard for the docs: `python -m benchmarks.pictures`.

Needs Chromium; where it is not on the path, CHROMIUM names it.
"""

import os
import shutil
import socket
import threading
from pathlib import Path
from zoneinfo import ZoneInfo

import anyio
from playwright.sync_api import Browser, Page, sync_playwright
from pydantic import SecretStr

from smoc_mcp.http.app import serve
from smoc_mcp.http.serve import listen
from smoc_mcp.http.window import Window
from smoc_mcp.opening import open_directory
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.server.server import server_of
from smoc_mcp.settings import Settings

_FOLDER = Path(__file__).parent.parent / "docs" / "images"
_KEY = "key-of-the-pictures"
_ZONE = "Europe/Oslo"


def main() -> None:
    """Take them."""
    _FOLDER.mkdir(exist_ok=True)
    company = Company("Nordlys", seed=3, size=3_000, hostile=0)
    with run_in_thread(Sandbox(keys={_KEY: company})) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
            # The sandbox of Chromium needs rights that a container does not give.
            args=["--no-sandbox"],
        )
        page = _open(browser, url, "light", 784, 524)
        page.screenshot(path=_FOLDER / "dashboard.png")
        page = _open(browser, url, "dark", 1_200, 860)
        frame = page.frame_locator("iframe")
        frame.get_by_role("button", name="Open large").click()
        frame.locator("#people tbody tr").nth(40).wait_for(state="attached")
        page.screenshot(path=_FOLDER / "table.png")
        browser.close()
    for name in ("dashboard.png", "table.png"):
        print(f"{_FOLDER / name}: {(_FOLDER / name).stat().st_size:,} bytes")


def _open(browser: Browser, url: str, scheme: str, width: int, height: int) -> Page:
    """Return a tab with the dashboard drawn in it."""
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-GB",
        timezone_id=_ZONE,
    )
    page.goto(_serve(url))
    frame = page.frame_locator("iframe")
    frame.locator("#groups tbody tr").first.wait_for()
    page.wait_for_function("parseInt(document.querySelector('iframe').style.height) > 200")
    return page


def _serve(url: str) -> str:
    """Serve a dashboard in a thread that ends with the process; return its address."""
    settings = Settings(api_key=SecretStr(_KEY), base_url=url, timezone=ZoneInfo(_ZONE))
    listener = listen("127.0.0.1", 0)
    opened: list[str] = []
    ready = threading.Event()

    async def show(listener: socket.socket) -> None:
        async with open_directory(settings) as directory:
            window = Window(server_of(settings, lambda: directory), {})
            opened.append(window.token)
            ready.set()
            await serve(window.app(), listener)

    threading.Thread(target=anyio.run, args=(show, listener), daemon=True).start()
    ready.wait()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/#{opened[0]}"


if __name__ == "__main__":
    main()
