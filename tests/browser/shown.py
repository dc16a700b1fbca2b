"""The page as a host shows it: what is on it, what it asked of the host, and what it said."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

from tests.browser.needs import need_everything
from tests.browser.serving import SMALL

try:
    from playwright.sync_api import (
        Browser,
        ConsoleMessage,
        Dialog,
        Frame,
        Locator,
        Page,
        Request,
        ViewportSize,
        expect,
    )
except ImportError:
    need_everything()
    raise
need_everything()

__all__ = ["PATIENCE", "Browser", "Frame", "Page", "Show", "Shown", "Witness", "expect"]

HEIGHT = 900
PATIENCE = 10_000
"""Milliseconds after which what was waited for will not come."""


class Witness:
    """What a host's page, and all that it shows, asks of the network and complains of.

    Args:
        page: The host's.

    Attributes:
        requests: Of the host's page (0), the sandbox (1), the page in it (2), by their addresses.
        complaints: Errors of scripts, whatever a policy forbade, dialogs, other windows.
    """

    def __init__(self, page: Page) -> None:
        self.requests: list[tuple[int, str]] = []
        self.complaints: list[str] = []
        page.on("request", self._asked)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("popup", lambda other: self.complaints.append(f"window: {other.url}"))
        page.on("dialog", self._opened)

    def _asked(self, request: Request) -> None:
        depth, frame = 0, request.frame
        while frame.parent_frame:
            depth, frame = depth + 1, frame.parent_frame
        self.requests.append((depth, request.url))

    def _said(self, message: ConsoleMessage) -> None:
        # The official client asks for a stream of events, which this server does not have.
        if message.type in ("error", "warning") and not message.location["url"].endswith("/mcp"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _opened(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def not_of_the_host(self) -> list[str]:
        """Return what was asked for that is none of the host's own."""
        own = (
            re.compile(r"http://127\.0\.0\.1:\d+/(host\.html|host\.bundle\.js|mcp)"),
            re.compile(r"http://localhost:\d+/sandbox\.html\?(same|opaque)"),
        )
        return [url for depth, url in self.requests if depth > 1 or not own[depth].fullmatch(url)]


class Shown:
    """The page in its frame.

    Args:
        page: The host's.
        witness: Of what happens there.
    """

    def __init__(self, page: Page, witness: Witness) -> None:
        self.page = page
        self.witness = witness

    @property
    def view(self) -> Frame:
        """The frame within the sandbox's, in which the page is."""
        return next(f for f in self.page.frames if f.parent_frame and f.parent_frame.parent_frame)

    def find(self, selector: str) -> Locator:
        """Return what is in the page by a selector."""
        return self.view.locator(selector)

    def button(self, name: str) -> Locator:
        """Return the button of exactly that name."""
        return self.view.get_by_role("button", name=name, exact=True)

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all that is found, as a reader sees them."""
        return [text.strip() for text in self.find(selector).all_inner_texts()]

    def rows(self, selector: str) -> list[list[str]]:
        """Return the cells of a part of a table, also of rows that have no room."""
        found: list[list[str]] = self.find(f"{selector} tr").evaluate_all(
            "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
        )
        return found

    def too_wide(self) -> list[str]:
        """Return what stands beyond the right edge, where the page can be scrolled to it."""
        found: list[str] = self.view.evaluate(
            """() => document.documentElement.scrollWidth <= document.documentElement.clientWidth
                ? [] : [...document.querySelectorAll("body *")]
                    .filter(it => it.getBoundingClientRect().right > innerWidth + 0.5)
                    .map(it => `${it.tagName} #${it.id} ${it.textContent.slice(0, 20)}`)
            """
        )
        return found

    @property
    def sandbox_origin(self) -> str:
        """The origin that the page has where the sandbox lends it one."""
        return self.page.url.replace("127.0.0.1", "localhost").removesuffix("/host.html")

    def resize(self, width: int) -> None:
        """Make the window, and the frame in it, as wide as that."""
        self.page.set_viewport_size({"width": width, "height": HEIGHT})
        self.view.wait_for_function("width => innerWidth === width", arg=width)

    # The host's side

    def seen(self, what: str) -> Any:
        """Return what the host has noted, as host.js names it."""
        # As JSON, which is much quicker than playwright's own copying of every value.
        return json.loads(self.page.evaluate("what => JSON.stringify(host.seen[what])", what))

    @property
    def answer(self) -> dict[str, Any]:
        """The structured answer that was delivered to the page."""
        found: dict[str, Any] = self.seen("result")["structuredContent"]
        return found

    def calls(self, tool: str) -> list[dict[str, Any]]:
        """Return the page's calls of a tool: their arguments, and results where there is one."""
        return [call for call in self.seen("calls") if call["name"] == tool]

    def called(self, tool: str, times: int = 1) -> dict[str, Any]:
        """Wait until so many calls of a tool are answered; return what the last one was told."""
        answer = self.page.wait_for_function(
            "([tool, n]) => JSON.stringify(host.seen.calls"
            ".filter(call => call.name === tool && call.result)[n - 1]?.result.structuredContent)",
            arg=[tool, times],
        )
        found: dict[str, Any] = json.loads(answer.json_value())
        return found

    def tell(self, what: str, *given: object) -> Any:
        """Let the host do something that host.js names."""
        return self.page.evaluate("([what, given]) => host[what](...given)", [what, list(given)])

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait for what no selector can wait for."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not happened():
            assert time.monotonic() < deadline, "it has not happened"
            self.page.wait_for_timeout(20)

    def set(self, **what: object) -> None:
        """Let the host be otherwise from now on, as host.js names it: `refusal`, `yields`."""
        self.page.evaluate("what => Object.assign(host, what)", what)

    def wait_until_drawn(self) -> None:
        """Wait for an answer on the page."""
        self.find("#pictures:not([aria-busy])").wait_for()
        self.find("#numbers dd").first.wait_for()


class Show:
    """Shows the page, in one window after the other.

    Args:
        browser: In which.
        url: Of the server and the host's pages.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self.url = url
        self.all: list[Shown] = []

    def __call__(
        self,
        key: str = SMALL,
        *,
        width: int = 760,
        era: str = "auto",
        frame: str = "same",
        drawn: bool = True,
        before: Callable[[Page], None] | None = None,
        **how: Any,
    ) -> Shown:
        """Show the page, and return it when it is drawn.

        Args:
            key: Whose contacts.
            width: Of the window.
            era: `legacy`, or `auto` for the newest that the server speaks.
            frame: `same`, or `opaque` for a frame that has no origin.
            drawn: Whether to wait for that.
            before: Gets the host's page before anything is in it.
            how: As `host.show` in host.js has it: `given`, `context`, `capabilities`, `hold`.
        """
        viewport: ViewportSize = {"width": width, "height": HEIGHT}
        page = self._browser.new_page(viewport=viewport, locale="en-US", timezone_id="UTC")
        shown = Shown(page, Witness(page))
        page.set_default_timeout(PATIENCE)
        self.all.append(shown)
        if before is not None:
            before(page)
        page.goto(f"{self.url}/host.html")
        page.evaluate("how => host.show(how)", {"key": key, "era": era, "frame": frame, **how})
        if drawn:
            shown.wait_until_drawn()
        return shown

    def close(self) -> None:
        """Close all windows."""
        for shown in self.all:
            shown.page.close()
