"""The window of `smoc-mcp dashboard`: the same page, in a host of our own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.browser.serving import SMALL
from tests.browser.shown import PATIENCE, Browser, Frame, Page, Witness, expect

pytestmark = pytest.mark.browser


@pytest.fixture
def address(api: str) -> Iterator[str]:
    """Start the command, and return the address that it prints."""
    command = [sys.executable, "-m", "smoc_mcp", "dashboard", "--no-open", "group_by=utm_source"]
    env = {"SMOC_API_KEY": SMALL, "SMOC_BASE_URL": api, "PYTHONUNBUFFERED": "1"}
    env["PATH"] = os.environ["PATH"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("The dashboard: ").strip()
        process.terminate()
        process.wait(15)


@contextmanager
def opened(browser: Browser, address: str) -> Iterator[tuple[Page, Frame]]:
    page = browser.new_page(locale="en-US", color_scheme="light")
    page.set_default_timeout(PATIENCE)
    witness = Witness(page)
    page.goto(address)
    yield page, page.frames[1]
    # A refusal is told by its status, which the browser notes.
    assert [c for c in witness.complaints if "403" not in c] == []
    page.close()


def test_the_window_shows_the_page_and_all_of_it_works(browser: Browser, address: str) -> None:
    with opened(browser, address) as (page, view):
        expect(view.locator("#numbers dd").first).to_have_text("300 exact")
        expect(view.locator("#groups-title")).to_have_text("By source")
        # What opened it is gone from the address, and from what the tab remembers.
        assert "#" not in page.url
        view.get_by_role("radio", name="Device").check(force=True)
        expect(view.locator("#groups-title")).to_have_text("By device")
        view.get_by_role("button", name="Open large").click()
        expect(view.locator("#people tbody tr")).to_have_count(50)
        assert page.evaluate("document.body.className") == "large"
        view.locator("[name=query]").fill("Moen")
        view.locator("[name=query]").press("Enter")
        expect(view.locator("#people tbody tr")).not_to_have_count(50)
        view.locator("#people tbody button").first.click()
        expect(view.locator("#card-title")).to_contain_text("Moen")
        page.emulate_media(color_scheme="dark")
        expect(view.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_address_opens_once_and_its_tab_may_be_loaded_again(
    browser: Browser, address: str
) -> None:
    with opened(browser, address) as (page, view):
        expect(view.locator("#numbers dd").first).to_have_text("300 exact")
        page.reload()
        expect(page.frames[1].locator("#numbers dd").first).to_have_text("300 exact")
    with opened(browser, address) as (page, view):
        expect(view.locator("#problem")).to_contain_text("This page has no session")
        assert view.locator("#numbers dd").count() == 0
