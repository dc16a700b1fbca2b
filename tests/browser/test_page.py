"""The page as a real host shows it: what it draws, how it follows its host, what it answers."""

import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from smoc_mcp.sandbox import Company
from tests.browser.serving import LARGE, SMALL, THOUSAND
from tests.browser.shown import Show, Shown, expect

pytestmark = pytest.mark.browser

ERAS = {"legacy": "2025-11-25", "auto": "2026-07-28"}
METHOD_NOT_FOUND = -32601


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def said(day: datetime) -> str:
    """Return a time as the page says it in the United States."""
    return f"{day:%b} {day.day}, {day.year}, {day.hour % 12 or 12}:{day:%M %p}"


def numbers_of(shown: Shown) -> list[tuple[str, str]]:
    return list(zip(shown.texts("#numbers dt"), shown.texts("#numbers dd"), strict=True))


def with_certainty(value: int, certainty: str) -> str:
    more = "≥ " if certainty == "at_least" else ""
    return f"{more}{value:,} {certainty.replace('_', ' ')}"


def check_drawn(shown: Shown) -> None:
    """Hold what is drawn against the answer of the tool."""
    answer = shown.answer
    numbers = answer["numbers"]
    assert dict(numbers_of(shown)) == {
        "Contacts": with_certainty(numbers["total"], numbers["total_certainty"]),
        **{
            name.capitalize(): with_certainty(numbers[name], numbers["status_certainty"])
            for name in ("leads", "customers", "lost", "converted")
            if name in numbers
        },
    }
    expect(shown.find("#moment")).to_have_text(f"As of {said(moment(answer['as_of']))}")
    trend = [g for g in answer["trend"]["groups"] if g["key"][answer["unit"]] != "(earlier)"]
    bars = shown.find("#trend button")
    assert [str(g["contacts"]) for g in trend] == shown.find("#trend b").all_text_contents()
    assert [bool(g.get("partial")) for g in trend] == bars.evaluate_all(
        "all => all.map(bar => bar.className === 'part')"
    )
    by = answer["group_by"]
    cells = shown.rows("#groups tbody")
    assert [row[0] for row in cells] == [g["key"][by] for g in answer["groups"]["groups"]]
    for row, group in zip(cells, answer["groups"]["groups"], strict=True):
        assert row[1] == f"{group['contacts']:,}"
        if "share" in group:
            assert row[2] == f"{group['share']:.1%}"
    newest = answer["newest"]["contacts"]
    assert shown.texts("#newest button") == [c.get("name") or c["email"] for c in newest]
    times = shown.texts("#newest li > :last-child")
    assert times == [said(moment(c["created"])) for c in newest]


@pytest.mark.parametrize("frame", ["same", "opaque"])
@pytest.mark.parametrize("era", ERAS)
def test_the_page_is_drawn_in_every_kind_of_host(
    show: Show, companies: dict[str, Company], era: str, frame: str
) -> None:
    shown = show(era=era, frame=frame)
    assert shown.seen("version") == ERAS[era]
    check_drawn(shown)
    assert shown.answer["numbers"]["total"] == len(companies[SMALL])
    assert shown.view.evaluate("origin") == ("null" if frame == "opaque" else shown.sandbox_origin)
    # Only what the host asks for, and the page asks nothing of it by itself.
    assert shown.witness.not_of_the_host() == []
    assert shown.seen("calls") == shown.seen("models") == shown.seen("messages") == []


def test_what_is_not_proven_is_drawn_as_at_least(show: Show) -> None:
    shown = show(LARGE, given={"created_before": "200d"})
    assert shown.answer["numbers"]["total_certainty"] == "at_least"
    check_drawn(shown)
    assert shown.texts("#asked li") == ["created before: 200d"]
    shown.find("summary").click()
    expect(shown.find("#proof p")).to_contain_text(shown.answer["note"])


def test_the_host_learns_the_height_of_the_page_whenever_it_changes(show: Show) -> None:
    shown = show()

    def told() -> int:
        """Wait until the host knows what height the page has now, and return it."""
        shown.until(lambda: shown.seen("sizes")[-1] == {"width": 760, "height": height()})
        # As large as it says, it has nothing to scroll.
        assert shown.view.evaluate("document.documentElement.scrollHeight - innerHeight") <= 0
        return height()

    def height() -> int:
        found: int = shown.view.evaluate("Math.ceil(document.body.getBoundingClientRect().height)")
        return found

    small = told()
    shown.button("Open large").click()
    expect(shown.find("#people tbody tr")).to_have_count(50)
    assert told() > small + 1_000
    shown.button("Close the table").click()
    expect(shown.find("#people")).to_be_hidden()
    assert told() == small
    # Told once each, and no loop of growing and shrinking.
    heights = [size["height"] for size in shown.seen("sizes")]
    assert all(one != other for one, other in pairwise(heights))
    assert len(heights) < 10


def test_the_page_takes_the_theme_and_the_colours_of_its_host(show: Show) -> None:
    shown = show()

    def colour(selector: str, name: str = "color") -> Any:
        return shown.find(selector).evaluate("(it, name) => getComputedStyle(it)[name]", name)

    light = colour("h1"), colour("main", "backgroundColor")
    shown.tell("change", {"theme": "dark"})
    expect(shown.find("html")).to_have_attribute("data-theme", "dark")
    dark = colour("h1"), colour("main", "backgroundColor")
    assert all(one != other for one, other in zip(light, dark, strict=True))
    variables = {
        "--color-text-primary": "rgb(1, 2, 3)",
        "--color-background-primary": "rgb(250, 251, 252)",
        "--font-sans": "monospace",
    }
    shown.tell("change", {"styles": {"variables": variables}})
    expect(shown.find("h1")).to_have_css("color", "rgb(1, 2, 3)")
    expect(shown.find("main")).to_have_css("background-color", "rgb(250, 251, 252)")
    expect(shown.find("body")).to_have_css("font-family", "monospace")
    shown.tell("change", {"safeAreaInsets": {"top": 1, "right": 2, "bottom": 3, "left": 4}})
    expect(shown.find("body")).to_have_css("padding", "1px 2px 3px 4px")


def test_numbers_and_times_are_written_as_the_reader_has_them(show: Show) -> None:
    shown = show(THOUSAND, context={"locale": "de-CH", "timeZone": "Asia/Kathmandu"})
    expect(shown.find("#numbers dd").first).to_have_text(re.compile("^≥ 1[\u2019']000 at least"))
    as_of = moment(shown.answer["as_of"])
    there = as_of.astimezone(ZoneInfo("Asia/Kathmandu"))
    expect(shown.find("#moment")).to_have_text(f"As of {there:%d.%m.%Y, %H:%M}")
    created = moment(shown.answer["newest"]["contacts"][0]["created"])
    there = created.astimezone(ZoneInfo("Asia/Kathmandu"))
    assert shown.texts("#newest li > :last-child")[0] == f"{there:%d.%m.%Y, %H:%M}"
    shown.tell("change", {"locale": "en-IN", "timeZone": "America/St_Johns"})
    expect(shown.find("#numbers dd").first).to_have_text("≥ 1,000 at least")
    there = as_of.astimezone(ZoneInfo("America/St_Johns"))
    expect(shown.find("#moment")).to_contain_text(f"{there:%M}")


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_period_is_one_of_the_server_and_no_zone_of_a_reader_moves_it(
    show: Show, zone: str
) -> None:
    shown = show(LARGE, context={"locale": "de-CH", "timeZone": zone})
    assert shown.answer["unit"] in ("created_day", "created_week")
    periods = [g["key"][shown.answer["unit"]] for g in shown.answer["trend"]["groups"]]
    days = [f"{datetime.fromisoformat(p):%d.%m.%Y}" for p in periods if p != "(earlier)"]
    assert shown.texts("#trend .ends span") == [days[0], days[-1]]


@pytest.mark.parametrize("context", [{"locale": "de_CH"}, {"timeZone": "Mars/Base"}])
def test_a_host_of_no_known_language_or_zone_is_shown_everything(
    show: Show, context: dict[str, str]
) -> None:
    shown = show(context=context)
    assert shown.find("#newest li").count() == 5


def test_the_page_answers_its_host(show: Show) -> None:
    shown = show()
    assert shown.seen("app")["info"]["name"] == "smoc-contacts"
    assert shown.tell("ask", "ping") == {}
    assert shown.tell("ask", "tools/list") == METHOD_NOT_FOUND
    assert shown.tell("ask", "x/unknown") == METHOD_NOT_FOUND
    assert shown.tell("teardown") == {}


def test_nobody_but_its_host_is_listened_to(show: Show) -> None:
    shown = show()
    before = shown.find("main").inner_html()
    shown.view.evaluate(
        """() => new Promise(done => {
            addEventListener("message", done);
            const content = [{type: "text", text: "not from the host"}];
            const params = {isError: true, content};
            postMessage({jsonrpc: "2.0", method: "ui/notifications/tool-result", params}, "*");
        })"""
    )
    assert shown.tell("ask", "ping") == {}
    assert shown.find("main").inner_html() == before


def test_what_is_delivered_twice_is_drawn_once(show: Show) -> None:
    shown = show()
    before = shown.find("main").inner_html()
    for _ in range(2):
        shown.tell("input")
        shown.tell("result")
    assert shown.tell("ask", "ping") == {}
    assert shown.find("main").inner_html() == before
    check_drawn(shown)


def test_a_page_that_is_mounted_again_draws_the_same(show: Show) -> None:
    shown = show(frame="opaque")
    before = shown.find("main").inner_html()
    shown.page.evaluate("host.remount()")
    shown.wait_until_drawn()
    assert shown.find("main").inner_html() == before


def test_what_comes_before_the_handshake_is_answered_is_drawn(show: Show) -> None:
    shown = show(early=True, given={"status": "customer"})
    check_drawn(shown)
    assert shown.texts("#asked li") == ["status: customer"]
    expect(shown.button("Open large")).to_be_visible()
