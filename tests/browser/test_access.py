"""Whether everybody can use the page: axe, the keyboard alone, narrow and low windows."""

import json
from typing import Any

import pytest

from tests.browser.needs import AXE
from tests.browser.serving import LARGE, SMALL
from tests.browser.shown import Show, Shown, expect

pytestmark = pytest.mark.browser

RULES = ("wcag2a", "wcag2aa", "wcag21aa")
# A radio is drawn by its label, which is outlined for it.
FOCUSED = "(document.activeElement.closest('.switch label') ?? document.activeElement)"
NAME_OF_FOCUSED = f"{FOCUSED}.getAttribute('aria-label') ?? {FOCUSED}.innerText.trim()"


def findings(shown: Shown) -> list[dict[str, Any]]:
    """Return what axe finds on the page as it is now."""
    shown.view.evaluate(AXE.read_text("utf-8"))
    found = shown.view.evaluate(
        "async rules => JSON.stringify((await axe.run(document, {runOnly: rules})).violations.map("
        "({id, nodes}) => ({id, nodes: nodes.map(n => [n.html, n.failureSummary])})))",
        list(RULES),
    )
    listed: list[dict[str, Any]] = json.loads(found)
    return listed


def test_axe_would_find_what_is_wrong(show: Show) -> None:
    shown = show()
    shown.view.evaluate(
        """() => {
            document.querySelector("h1").style.color = "#ccc";
            document.querySelector("#trend button").removeAttribute("aria-label");
            document.querySelector("#trend button").title = "";
            document.documentElement.removeAttribute("lang");
        }"""
    )
    assert {f["id"] for f in findings(shown)} == {"button-name", "color-contrast", "html-has-lang"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(show: Show, theme: str) -> None:
    shown = show(LARGE, context={"theme": theme}, given={"created_before": "1d"})
    colour = shown.find("main").evaluate("it => getComputedStyle(it).backgroundColor")
    assert colour == {"light": "rgb(255, 255, 255)", "dark": "rgb(31, 32, 36)"}[theme]

    def check() -> None:
        for width in (320, 1200):
            shown.resize(width)
            assert findings(shown) == []
            assert shown.too_wide() == []

    shown.find("summary").click()
    check()
    shown.resize(320)
    for name in ("Groups", "Newest"):
        shown.view.get_by_role("radio", name=name).check(force=True)
        assert findings(shown) == []
    shown.button("Open large").click()
    shown.called("contacts_search")
    shown.find("#people tbody button").first.wait_for()
    check()
    shown.find("#people tbody button").nth(3).click()
    shown.find("#card .visits").wait_for()
    check()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_where_there_is_nothing_to_draw(show: Show, theme: str) -> None:
    context = {"theme": theme}
    for how in ({"hold": True}, {"given": {"group_by": "nonsense"}}):
        assert findings(show(SMALL, drawn=False, context=context, **how)) == []
    assert findings(show(SMALL, context=context, given={"city": "Nowhere"})) == []


@pytest.mark.parametrize("key", [SMALL, LARGE])
def test_inline_the_page_is_at_most_500_pixels_high_and_never_wider_than_its_frame(
    show: Show, key: str
) -> None:
    shown = show(key, given={"group_by": "utm_source"})
    too_high = {}
    for width in (320, 460, 600, 760, 1200):
        shown.resize(width)
        for name in ("Trend", "Groups", "Newest") if width < 600 else ("",):
            if name:
                shown.view.get_by_role("radio", name=name).check(force=True)
            assert shown.too_wide() == [], (width, name)
            height = shown.find("body").evaluate("it => it.getBoundingClientRect().height")
            if height > 500:
                too_high[width, name] = height
    assert too_high == {}
    assert shown.find("#actions button").count() <= 2


@pytest.mark.parametrize("width", [320, 1200])
def test_nothing_of_the_table_and_the_card_is_beyond_the_edge(show: Show, width: int) -> None:
    shown = show(width=width)
    shown.button("Open large").click()
    shown.called("contacts_search")
    shown.find("#people tbody button").first.wait_for()
    assert shown.too_wide() == []
    for place in range(8):
        shown.find("#people tbody button").nth(place).click()
        shown.find("#card .visits").wait_for(state="attached")
        assert shown.too_wide() == []
        shown.button("Back").click()


def test_tab_reaches_everything_in_its_order_and_is_seen_where_it_is(show: Show) -> None:
    shown = show(LARGE)
    # The bars are one stop, and so are the ways to group.
    expected = [
        shown.find("#trend button").last.get_attribute("aria-label"),
        "Campaign",
        *shown.texts("#groups tbody button:visible"),
        *shown.texts("#newest button:visible"),
        "What is proven",
        "Refresh",
        "Open large",
    ]
    tab_into(shown)
    stops = [shown.view.evaluate(NAME_OF_FOCUSED)]
    for _ in expected[1:]:
        check_focus_is_seen(shown)
        shown.page.keyboard.press("Tab")
        stops.append(shown.view.evaluate(NAME_OF_FOCUSED))
    assert stops == expected
    shown.page.keyboard.press("Tab")
    shown.until(lambda: bool(shown.view.evaluate("document.activeElement === document.body")))


def tab_into(shown: Shown) -> None:
    """Press Tab once, and wait until the focus is in the page: it is another process's."""
    shown.page.keyboard.press("Tab")
    shown.until(lambda: bool(shown.view.evaluate("document.activeElement !== document.body")))


def check_focus_is_seen(shown: Shown) -> None:
    """Hold that what has the focus is in sight, and its outline is drawn and cut off nowhere."""
    told = shown.view.evaluate(
        f"""() => {{
            const it = {FOCUSED};
            const {{outlineStyle, outlineWidth, outlineOffset}} = getComputedStyle(it);
            const reach = parseFloat(outlineWidth) + parseFloat(outlineOffset);
            const box = it.getBoundingClientRect();
            const cut = [];
            for (let up = it.parentElement; up; up = up.parentElement) {{
                if (getComputedStyle(up).overflow === "visible") continue;
                const edge = up.getBoundingClientRect();
                const room = [box.left - edge.left, box.top - edge.top];
                room.push(edge.right - box.right, edge.bottom - box.bottom);
                if (Math.min(...room) < reach - 0.5) cut.push(up.tagName + up.className);
            }}
            return {{seen: outlineStyle === "solid" && parseFloat(outlineWidth) >= 2,
                     size: Math.min(box.width, box.height), cut}};
        }}"""
    )
    name = shown.view.evaluate(NAME_OF_FOCUSED)
    assert told["seen"], name
    assert told["size"] > 1, name
    assert told["cut"] == [], f"the outline of {name} is cut"


def test_arrows_move_along_the_bars_and_enter_opens_one(show: Show) -> None:
    shown = show()
    bars = shown.find("#trend button")
    last = bars.count() - 1
    tab_into(shown)
    for key, place in (
        ("ArrowRight", last),
        ("ArrowLeft", last - 1),
        ("ArrowLeft", last - 2),
        ("ArrowRight", last - 1),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("End", last),
        ("ArrowLeft", last - 1),
    ):
        shown.page.keyboard.press(key)
        expect(bars.nth(place)).to_be_focused()
        check_focus_is_seen(shown)
    # It is still one stop, which is where the reader left it.
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("Shift+Tab")
    expect(bars.nth(last - 1)).to_be_focused()
    shown.page.keyboard.press("Enter")
    drawn = [g for g in shown.answer["trend"]["groups"] if "(" not in g["key"]["created_month"]]
    group = drawn[last - 1]
    assert shown.called("contacts_search")["total"] == group["contacts"]
    [call] = shown.calls("contacts_search")
    assert call["arguments"]["created_month"] == group["key"]["created_month"]


def test_arrows_choose_a_grouping_and_the_focus_stays_there(show: Show) -> None:
    shown = show()
    tab_into(shown)
    shown.page.keyboard.press("Tab")
    for times, name in enumerate(("Source", "Device", "Status"), 1):
        shown.page.keyboard.press("ArrowRight")
        shown.called("contacts_dashboard", times)
        expect(shown.find("#groups-title")).to_have_text(f"By {name.lower()}")
        expect(shown.view.get_by_role("radio", name=name)).to_be_focused()
        check_focus_is_seen(shown)
    shown.page.keyboard.press("Tab")
    expect(shown.find("#groups tbody button").first).to_be_focused()


def test_the_table_and_the_card_need_no_mouse(show: Show) -> None:
    shown = show()
    press = shown.page.keyboard.press
    shown.button("Open large").focus()
    press("Enter")
    shown.called("contacts_search")
    expect(shown.find("#people-title")).to_be_focused()
    for name in ("query", "status", "since", "sort"):
        press("Tab")
        expect(shown.find(f"[name={name}]")).to_be_focused()
        check_focus_is_seen(shown)
    press("Tab")
    expect(shown.button("Search")).to_be_focused()
    press("Tab")
    row = shown.find("#people tbody button").first
    expect(row).to_be_focused()
    check_focus_is_seen(shown)
    press("Enter")
    shown.called("contacts_get")
    expect(shown.find("#card-title")).to_be_focused()
    press("Escape")
    expect(shown.find("#card")).to_be_hidden()
    expect(row).to_be_focused()
    press("Enter")
    shown.called("contacts_get", 2)
    expect(shown.find("#card-title")).to_be_focused()
    press("Shift+Tab")
    expect(shown.button("Back")).to_be_focused()
    press("Space")
    expect(row).to_be_focused()


def test_what_moves_keeps_still_for_who_asked_for_that(show: Show) -> None:
    shown = show(hold=True, drawn=False)
    moving = "document.getAnimations().filter(a => a.playState === 'running').length"
    assert shown.view.evaluate(moving) > 0
    shown.page.emulate_media(reduced_motion="reduce")
    shown.until(lambda: shown.view.evaluate(moving) == 0)
