"""While it is seen, the page asks once a minute what is new. Here the minutes are the test's."""

from collections.abc import Iterator

import pytest

from smoc_mcp.sandbox import Company, Sandbox
from tests.browser.serving import serve_host
from tests.browser.shown import Browser, Page, Show, Shown, expect

pytestmark = pytest.mark.browser

CHANGES, DASHBOARD = "contacts_changes", "contacts_dashboard"
MINUTE = 60_000
HIDDEN = "Object.defineProperty(document, 'visibilityState', {get: () => '%s', configurable: true})"


@pytest.fixture(scope="module")
def impatient(api: str) -> Iterator[str]:
    """A server that asks the API each time, so that it knows at once who came."""
    with serve_host(api, SMOC_MCP_CACHE_SECONDS="0") as url:
        yield url


@pytest.fixture
def company(sandbox: Sandbox) -> Iterator[Company]:
    company = Company("Growing", seed=6, size=30, hostile=0)
    sandbox.keys["key-of-growing"] = company
    yield company
    del sandbox.keys["key-of-growing"]


@pytest.fixture
def shown(browser: Browser, impatient: str, company: Company) -> Iterator[Shown]:
    show = Show(browser, impatient)
    assert len(company) == 30
    shown = show("key-of-growing", before=stop_the_clock)
    yield shown
    assert shown.witness.complaints == []
    show.close()


def stop_the_clock(page: Page) -> None:
    """Give the page and its host a clock that a test moves; it runs meanwhile, as others do."""
    page.clock.install()


def wait(shown: Shown, minutes: float = 1) -> int:
    """Let time pass, and return how often the page has asked what is new."""
    shown.page.clock.run_for(int(minutes * MINUTE))
    # What the page has asked for until now has reached the host before its answer to this.
    assert shown.tell("ask", "ping") == {}
    return len(shown.calls(CHANGES))


def answered(shown: Shown, times: int) -> None:
    """Wait until so many questions are answered and the page has planned the next one."""
    shown.called(CHANGES, times)
    assert shown.tell("ask", "ping") == {}


def test_it_asks_once_a_minute_from_where_it_was_told_last(shown: Shown) -> None:
    assert wait(shown, 0.5) == 0
    assert wait(shown, 0.6) == 1
    news = shown.called(CHANGES)
    answered(shown, 1)
    assert wait(shown, 0.8) == 1
    for times in range(2, 6):
        assert wait(shown) == times
        answered(shown, times)
    calls = [call["arguments"] for call in shown.calls(CHANGES)]
    assert calls[0] == {"since": shown.answer["cursor"], "limit": 20}
    assert calls[1] == {"since": news["cursor"], "limit": 20}
    # Nobody was new, so that was all.
    assert shown.calls(DASHBOARD) == []
    assert shown.texts("#said") == [""]


def test_who_came_is_counted_and_shown(shown: Shown, company: Company) -> None:
    before = shown.texts("#newest button")
    company.add(2, lastName="Newcomer")
    assert wait(shown) == 1
    shown.called(DASHBOARD)
    expect(shown.find("#said")).to_have_text("2 new")
    expect(shown.find("#numbers dd").first).to_have_text("32 exact")
    expect(shown.find("#newest .fresh")).to_have_count(2)
    newest = shown.texts("#newest button")
    assert all("Newcomer" in name for name in newest[:2])
    assert newest[2:] == before[:3]
    assert shown.view.get_by_role("status").first.inner_text() == "2 new"
    company.add(1)
    assert wait(shown) == 2
    shown.called(DASHBOARD, 2)
    expect(shown.find("#said")).to_have_text("3 new")


def test_who_changed_is_shown_anew_and_called_by_nobody_new(shown: Shown, company: Company) -> None:
    contact = shown.answer["newest"]["contacts"][2]["id"]
    company.update(contact, lastName="Renamed")
    assert wait(shown) == 1
    shown.called(DASHBOARD)
    expect(shown.find("#newest")).to_contain_text("Renamed")
    assert shown.texts("#said") == [""]


def test_what_is_not_looked_at_is_not_asked_for(shown: Shown, company: Company) -> None:
    company.add(1)
    shown.view.evaluate(HIDDEN % "hidden")
    assert wait(shown, 3) == 0
    shown.view.evaluate(HIDDEN % "visible")
    # Below everything that the window shows.
    shown.page.evaluate("document.body.style.paddingTop = '5000px'")
    shown.until(lambda: not shown.view.evaluate("seen"))
    assert wait(shown, 3) == 0
    shown.page.evaluate("document.body.style.paddingTop = 0")
    shown.until(lambda: bool(shown.view.evaluate("seen")))
    assert wait(shown) == 1
    expect(shown.find("#said")).to_have_text("1 new")


def test_it_stops_after_three_failures(shown: Shown) -> None:
    shown.set(refusal="not any more")
    for times in (1, 2, 3):
        assert wait(shown) == times
        shown.until(lambda: shown.tell("ask", "ping") == {})
    assert wait(shown, 10) == 3
    # What it failed to learn by itself is no news for the reader.
    expect(shown.find("#problem")).to_be_hidden()
    shown.set(refusal="")
    assert wait(shown, 10) == 3


def test_it_stops_when_its_host_ends_it(shown: Shown) -> None:
    assert shown.tell("teardown") == {}
    assert wait(shown, 10) == 0


def test_a_host_that_ends_it_while_it_asks_is_asked_nothing_more(shown: Shown) -> None:
    shown.set(holding=CHANGES)
    assert wait(shown) == 1
    assert shown.tell("teardown") == {}
    shown.tell("release", 0)
    answered(shown, 1)
    assert wait(shown, 10) == 1


def test_an_answer_delivered_again_makes_it_ask_no_more_often(shown: Shown) -> None:
    for _ in range(3):
        shown.tell("result")
    assert wait(shown) == 1


def test_a_host_that_calls_no_tools_is_never_asked(
    browser: Browser, impatient: str, company: Company
) -> None:
    show = Show(browser, impatient)
    shown = show("key-of-growing", before=stop_the_clock, capabilities={}, given={"city": ""})
    company.add(1)
    assert wait(shown, 10) == 0
    show.close()


def test_news_leave_a_card_that_is_read_where_it_is(shown: Shown, company: Company) -> None:
    shown.find("#newest button").nth(1).click()
    expect(shown.find("#card-title")).to_be_focused()
    company.add(2)
    assert wait(shown) == 1
    shown.called(DASHBOARD)
    expect(shown.find("#said")).to_have_text("2 new")
    expect(shown.find("#card-title")).to_be_focused()
    expect(shown.find("#pictures")).to_be_hidden()
    shown.button("Back").click()
    # Wherever that person stands in the list by now.
    expect(shown.find("#newest button:focus")).to_have_count(1)


@pytest.mark.parametrize("place", ["#groups tbody button", "#trend button", "#newest button"])
def test_news_take_the_focus_from_nothing(shown: Shown, company: Company, place: str) -> None:
    shown.find(place).first.focus()
    name = shown.find(place).first.inner_text()
    company.add(1)
    assert wait(shown) == 1
    shown.called(DASHBOARD)
    expect(shown.find("#newest .fresh")).to_have_count(1)
    assert shown.view.evaluate("document.activeElement.innerText") == name
