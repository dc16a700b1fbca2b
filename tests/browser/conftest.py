"""What the tests in a browser get: companies, the server, Chromium, and a host that shows the page.

Playwright is imported where it is used, for these tests are skipped where it is missing.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from tests.browser.needs import CHROMIUM
from tests.browser.serving import EMPTY, LARGE, SMALL, THOUSAND, serve_host

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.shown import Show


@pytest.fixture(scope="session")
def companies() -> dict[str, Company]:
    """The companies that no test changes, by their keys."""
    return {
        SMALL: Company("Small", seed=8, size=300, hostile=0),
        THOUSAND: Company("Thousand", seed=5, size=1_000, hostile=0),
        LARGE: Company("Large", seed=3, size=3_000, hostile=0),
        EMPTY: Company("Empty"),
    }


@pytest.fixture(scope="session")
def sandbox(companies: dict[str, Company]) -> Sandbox:
    """The API; a test may add a company of its own, with a key of its own."""
    return Sandbox(keys=companies)


@pytest.fixture(scope="session")
def api(sandbox: Sandbox) -> Iterator[str]:
    with run_in_thread(sandbox) as url:
        yield url


@pytest.fixture(scope="session")
def server(api: str) -> Iterator[str]:
    """The server with its usual settings, and the host's pages beside it."""
    with serve_host(api) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    # Its own sandbox does not work for root, as whom containers of CI run.
    rights = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=rights)
        yield chromium
        chromium.close()


@pytest.fixture
def show(browser: "Browser", server: str) -> Iterator["Show"]:
    """Show the page; nothing of it may have complained, or asked for anything, in the end."""
    from tests.browser.shown import Show

    it = Show(browser, server)
    yield it
    try:
        for shown in it.all:
            assert shown.witness.complaints == []
            assert shown.witness.not_of_the_host() == []
            assert shown.seen("errors") == []
    finally:
        it.close()
