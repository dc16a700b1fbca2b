"""The table and the card: what a click asks for, and that it is what the page then shows."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from smoc_mcp.sandbox import Company
from tests.browser.serving import SMALL, THOUSAND
from tests.browser.shown import Show, Shown, expect

pytestmark = pytest.mark.browser

SEARCH, GET, DASHBOARD = "contacts_search", "contacts_get", "contacts_dashboard"
ROWS = "#people tbody tr:not(.edge)"
CAMPAIGN, NONE = "utm_campaign", "(none)"


def opened(shown: Shown) -> Shown:
    """Open the table, and wait for its first page."""
    shown.button("Open large").click()
    shown.called(SEARCH)
    shown.find("#people table:not([aria-busy])").wait_for()
    return shown


def asked(shown: Shown, times: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return arguments and answer of a search that is shown now, and hold that it is."""
    answer = shown.called(SEARCH, times)
    shown.find("#people table:not([aria-busy])").wait_for()
    shown.until(lambda: shown.texts(f"{ROWS} button") == [title(c) for c in answer["contacts"]])
    return shown.calls(SEARCH)[times - 1]["arguments"], answer


def title(contact: dict[str, Any]) -> str:
    for name in ("name", "email", "phone", "id"):
        if contact.get(name):
            return " ".join(str(contact[name]).split())
    raise AssertionError("a contact has an id")


def people(company: Company) -> dict[str, dict[str, Any]]:
    return {str(c["id"]): dict(c) for c in company.contacts()}


def first_visit(contact: dict[str, Any], name: str) -> str:
    return (contact.get("visitList") or [{}])[0].get(name) or NONE


@pytest.mark.parametrize(
    ("name", "by"), [("Source", "utm_source"), ("Device", "device"), ("Status", "status")]
)
def test_another_grouping_is_asked_for_with_all_else_of_that_moment(
    show: Show, name: str, by: str
) -> None:
    shown = show(given={"created_after": "300d"})
    shown.view.get_by_role("radio", name=name).check(force=True)
    answer = shown.called(DASHBOARD)
    [call] = shown.calls(DASHBOARD)
    assert call["arguments"] == {"group_by": by, "created_after": "300d"}
    expect(shown.find("#groups-title")).to_have_text(f"By {name.lower()}")
    assert [row[:2] for row in shown.rows("#groups tbody")] == [
        [g["key"][by], f"{g['contacts']:,}"] for g in answer["groups"]["groups"]
    ]
    assert answer["numbers"]["total"] == sum(g["contacts"] for g in answer["groups"]["groups"])


def test_large_is_full_screen_and_the_table_of_the_same_people(show: Show) -> None:
    shown = opened(show(given={"status": "lead", "query": "e", "city": "o"}))
    given, answer = asked(shown, 1)
    # The filters that the dashboard was asked for hold here too.
    wanted = {"status": "lead", "query": "e", "city": "o", "sort": "auto", "limit": 50}
    assert given == wanted
    expect(shown.find("select[name=status]")).to_have_value("lead")
    expect(shown.find("[name=query]")).to_have_value("e")
    assert answer["total"] == shown.answer["numbers"]["total"]
    assert shown.seen("modes") == ["fullscreen"]
    assert shown.find("#people-title").evaluate("it => it === document.activeElement")
    first = answer["contacts"][0]
    row = shown.find(ROWS).first
    for cell in ("email", "company", "status", "consent", "source"):
        expect(row).to_contain_text(first.get(cell, ""))
    # What was asked for can be taken back.
    shown.find("select[name=status]").select_option("")
    given, _ = asked(shown, 2)
    assert given == {"query": "e", "city": "o", "sort": "auto", "limit": 50}
    shown.button("Close the table").click()
    expect(shown.find("#people")).to_be_hidden()
    assert shown.seen("modes") == ["fullscreen", "inline"]


def test_a_host_without_full_screen_is_asked_for_none_and_the_table_opens_below(
    show: Show,
) -> None:
    shown = show(context={"availableDisplayModes": ["inline"]})
    expect(shown.button("Open large")).to_have_count(0)
    shown.button("Show the table").click()
    expect(shown.find(ROWS)).to_have_count(50)
    assert shown.seen("modes") == []


def test_a_host_that_stays_as_it_is_shows_the_table_below(show: Show) -> None:
    shown = show()
    shown.set(yields=False)
    shown.button("Open large").click()
    shown.called(SEARCH)
    expect(shown.find("#people")).to_be_visible()
    expect(shown.find(ROWS)).to_have_count(50)


def test_a_host_that_closes_full_screen_itself_is_not_asked_to(show: Show) -> None:
    shown = opened(show())
    shown.tell("change", {"displayMode": "inline"})
    expect(shown.find("#people")).to_be_hidden()
    assert shown.tell("ask", "ping") == {}
    assert shown.seen("modes") == ["fullscreen"]


def test_words_status_age_and_order_are_those_of_the_search(
    show: Show, companies: dict[str, Company]
) -> None:
    truth = people(companies[SMALL])
    shown = opened(show())
    shown.find("select[name=status]").select_option("customer")
    given, answer = asked(shown, 2)
    assert given["status"] == "customer"
    assert answer["total"] == sum(c.get("status") == "2" for c in truth.values())
    expect(shown.find(".more [role=status]")).to_have_text(f"50 of {answer['total']}, exact.")
    shown.find("select[name=status]").select_option("")
    asked(shown, 3)
    shown.find("select[name=since]").select_option("90d")
    given, answer = asked(shown, 4)
    assert given["created_after"] == "90d"
    since = companies[SMALL].now() - 90 * 24 * 3600
    created = [datetime.fromisoformat(c["createdAt"]).timestamp() for c in truth.values()]
    assert answer["total"] == sum(time >= since for time in created)
    shown.find("select[name=since]").select_option("")
    asked(shown, 5)
    word = next(c["lastName"] for c in truth.values() if c.get("lastName"))
    shown.find("[name=query]").fill(f"  {word} ")
    shown.find("[name=query]").press("Enter")
    given, answer = asked(shown, 6)
    assert given == {"query": word, "sort": "auto", "limit": 50}
    assert 0 < answer["total"] < len(truth)
    shown.find("[name=query]").fill("")
    shown.button("Search").click()
    asked(shown, 7)
    for times, sort in enumerate(("updated", "conversation", "engagement"), 8):
        shown.find("select[name=sort]").select_option(sort)
        given, answer = asked(shown, times)
        assert given["sort"] == sort
    assert shown.texts(f"{ROWS} small:last-child")[0] == answer["contacts"][0]["reasons"]


@pytest.mark.parametrize("frame", ["same", "opaque"])
def test_words_are_searched_for_in_every_kind_of_frame(show: Show, frame: str) -> None:
    shown = opened(show(frame=frame))
    shown.find("[name=query]").fill("Moen")
    shown.find("[name=query]").press("Enter")
    given, _ = asked(shown, 2)
    assert given["query"] == "Moen"


def test_a_thousand_people_are_paged_through_and_nobody_comes_twice(
    show: Show, companies: dict[str, Company]
) -> None:
    shown = opened(show(THOUSAND))
    more = shown.button("Show more")
    for page in range(2, 21):
        # Not by the mouse, for which an ever longer page would be scrolled.
        more.evaluate("it => it.click()")
        shown.called(SEARCH, page)
        shown.find("#people table:not([aria-busy])").wait_for()
    expect(shown.find(ROWS)).to_have_count(1_000)
    expect(more).to_be_hidden()
    pages = [call["result"]["structuredContent"] for call in shown.calls(SEARCH)]
    cursors = [call["arguments"].get("cursor") for call in shown.calls(SEARCH)]
    assert cursors == [None, *(page["next_cursor"] for page in pages[:-1])]
    listed = [contact["id"] for page in pages for contact in page["contacts"]]
    assert len(listed) == len(set(listed)) == 1_000
    assert set(listed) == set(people(companies[THOUSAND]))
    assert len(shown.texts(f"{ROWS} th button")) == 1_000
    # Their windows touch, which proves nothing of who may be between them.
    expect(shown.find(".more [role=status]")).to_have_text(
        "1,000 of ≥ 1,000, which may not be all."
    )
    expect(shown.find("#people .edge")).to_have_count(1)


def test_a_page_that_fails_is_asked_for_again_and_the_rows_stay(show: Show) -> None:
    shown = opened(show())
    shown.set(refusal="not now")
    shown.button("Show more").click()
    expect(shown.find(".more [role=status]")).to_contain_text("not now")
    expect(shown.find(ROWS)).to_have_count(50)
    shown.set(refusal="")
    shown.button("Try again").click()
    expect(shown.find(ROWS)).to_have_count(100)


GROUPS: dict[str, Callable[[dict[str, Any]], str]] = {
    "utm_campaign": lambda c: first_visit(c, "utmCampaign"),
    "utm_source": lambda c: first_visit(c, "utmSource"),
    "device": lambda c: (c.get("visitList") or [{}])[-1].get("deviceType") or NONE,
}


@pytest.mark.parametrize("by", [*GROUPS, "status", "trend"])
def test_each_group_and_each_bar_lists_as_many_people_as_it_shows(show: Show, by: str) -> None:
    shown = show(given={} if by == "trend" else {"group_by": by})
    found = shown.answer["trend" if by == "trend" else "groups"]["groups"]
    if by == "trend":
        found = [g for g in found if "(" not in g["key"][shown.answer["unit"]]]
    # They all, or the first and the last few.
    for place in range(len(found)) if by != "trend" else (0, 1, len(found) - 1):
        times = len(shown.calls(SEARCH)) + 1
        root = "#trend button" if by == "trend" else "#groups tbody th button"
        shown.find(root).nth(place).click()
        _, answer = asked(shown, times)
        assert answer["total"] == found[place]["contacts"], found[place]["key"]
        expect(shown.find(".more [role=status]")).to_contain_text(f" of {answer['total']:,}, exact")


@pytest.mark.parametrize("by", GROUPS)
def test_the_people_of_a_group_are_exactly_its_people(
    show: Show, companies: dict[str, Company], by: str
) -> None:
    shown = show(given={"group_by": by})
    group = shown.answer["groups"]["groups"][0]
    shown.find("#groups tbody th button").first.click()
    shown.called(SEARCH)
    rows = shown.find(ROWS)
    rows.first.wait_for()
    while shown.button("Show more").is_visible():
        times = len(shown.calls(SEARCH)) + 1
        shown.button("Show more").click()
        shown.called(SEARCH, times)
        shown.find("#people table:not([aria-busy])").wait_for()
    listed = [
        c["id"]
        for call in shown.calls(SEARCH)
        for c in call["result"]["structuredContent"]["contacts"]
    ]
    truth = people(companies[SMALL])
    assert len(listed) == rows.count() == group["contacts"]
    assert set(listed) == {i for i, c in truth.items() if GROUPS[by](c) == group["key"][by]}
    expect(shown.find("#people p").first).to_contain_text(f": {group['key'][by]}")
    times = len(shown.calls(SEARCH)) + 1
    shown.button("Show all").click()
    _, answer = asked(shown, times)
    assert answer["total"] == len(truth)


def test_a_row_opens_the_card_and_back_returns_to_it(
    show: Show, companies: dict[str, Company]
) -> None:
    shown = opened(show())
    _, answer = asked(shown, 1)
    all_of_them = people(companies[SMALL])
    place, contact = next(
        (place, contact)
        for place, contact in enumerate(answer["contacts"])
        if "email" in contact and len(all_of_them[contact["id"]].get("visitList") or []) > 1
    )
    truth = all_of_them[contact["id"]]
    row = shown.find(f"{ROWS} button").nth(place)
    row.click()
    shown.called(GET)
    [call] = shown.calls(GET)
    assert call["arguments"] == {"contact_id": contact["id"], "include": "all"}
    expect(shown.find("#card-title")).to_have_text(title(contact))
    expect(shown.find("#card-title")).to_be_focused()
    visits = truth.get("visitList") or []
    expect(shown.find("#card .visits li")).to_have_count(len(visits))
    expect(shown.find("#card")).to_contain_text(f"Visits: {len(visits)}")
    expect(shown.find("#card dl").first).to_contain_text(contact["email"])
    expect(shown.find("#people")).to_be_hidden()
    shown.button("Back").click()
    expect(shown.find("#card")).to_be_hidden()
    expect(row).to_be_focused()


def test_the_model_learns_the_id_of_whom_the_person_opens_and_nothing_else(show: Show) -> None:
    shown = show()
    contact = shown.answer["newest"]["contacts"][0]
    shown.find("#newest button").first.click()
    expect(shown.find("#card-title")).to_have_text(title(contact))
    shown.until(lambda: bool(shown.seen("models")))
    words = f"In the dashboard, the person has opened the contact with id {contact['id']}."
    assert shown.seen("models") == [{"content": [{"type": "text", "text": words}]}]
    assert shown.seen("messages") == shown.seen("links") == []
    shown.button("Back").click()
    expect(shown.find("#newest button").first).to_be_focused()


def test_a_card_that_was_left_while_it_was_looked_for_does_not_come_back(show: Show) -> None:
    shown = show()
    names = shown.texts("#newest button")
    shown.set(holding=GET)
    shown.find("#newest button").nth(0).click()
    expect(shown.find("#card")).to_contain_text("Looking…")
    shown.page.keyboard.press("Escape")
    expect(shown.find("#card")).to_be_hidden()
    shown.find("#newest button").nth(1).click()
    shown.until(lambda: len(shown.calls(GET)) == 2)
    shown.tell("release", 1)
    expect(shown.find("#card-title")).to_have_text(names[1])
    shown.tell("release", 0)
    shown.called(GET, 2)
    assert shown.tell("ask", "ping") == {}
    expect(shown.find("#card-title")).to_have_text(names[1])
    assert len(shown.seen("models")) == 1
