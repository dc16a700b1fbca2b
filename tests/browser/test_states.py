"""What the page shows where there is nothing to draw, or less than was asked for."""

from collections.abc import Iterator

import pytest

from smoc_mcp.sandbox import Company, Fault, Sandbox
from tests.browser.serving import EMPTY
from tests.browser.shown import Show, Shown, expect

pytestmark = pytest.mark.browser

DASHBOARD = "contacts_dashboard"


@pytest.fixture
def own(sandbox: Sandbox) -> Iterator[str]:
    """Return the key of a company that the server has not seen yet, and of no other test."""
    key = "key-of-one-test"
    sandbox.keys[key] = Company("Own", seed=4, size=40, hostile=0)
    yield key
    sandbox.recover()
    del sandbox.keys[key]


def problem(shown: Shown) -> str:
    expect(shown.find("#problem")).to_be_visible()
    return shown.find("#problem").inner_text()


def buttons(shown: Shown) -> list[str]:
    return shown.texts("#actions button")


def test_until_the_answer_comes_there_is_a_skeleton_and_what_was_asked(show: Show) -> None:
    shown = show(given={"status": "lead"}, hold=True, drawn=False)
    expect(shown.find("#pictures")).to_have_attribute("aria-busy", "true")
    assert shown.texts("#asked li") == ["status: lead"]
    assert shown.find("#numbers.waiting > div").count() == 4
    assert shown.find("#problem").is_hidden()
    shown.tell("result")
    shown.wait_until_drawn()
    assert shown.find(".waiting").count() == 0
    assert shown.find("#pictures[aria-busy]").count() == 0


def test_a_company_of_nobody_has_no_contacts_yet(show: Show) -> None:
    shown = show(EMPTY)
    assert problem(shown) == "There are no contacts yet."
    assert shown.texts("#numbers dd")[0] == "0 exact"
    expect(shown.find("#beside")).to_be_hidden()


def test_filters_that_nobody_matches_are_said_to_be_so(show: Show) -> None:
    shown = show(given={"city": "Nowhere"})
    assert problem(shown) == "Nobody matches these filters."
    assert shown.texts("#asked li") == ["city: Nowhere"]
    expect(shown.find("#beside")).to_be_hidden()


def test_a_key_that_smoc_refuses_is_told_and_what_to_do(show: Show) -> None:
    shown = show("key-of-nobody", drawn=False)
    told = problem(shown)
    assert told.startswith("SMOC refuses the key")
    assert "Integrations" in told
    expect(shown.find("#pictures")).to_be_hidden()
    assert shown.view.get_by_role("alert").inner_text() == told


def test_smoc_out_of_reach_is_told_and_asked_again_by_a_click(
    show: Show, sandbox: Sandbox, own: str
) -> None:
    sandbox.fail(Fault("server_error", times=None, company="Own"))
    shown = show(own, drawn=False)
    assert problem(shown).startswith("SMOC is out of reach")
    sandbox.recover()
    shown.button("Refresh").click()
    shown.wait_until_drawn()
    expect(shown.find("#numbers dd").first).to_have_text("40 exact")
    expect(shown.find("#problem")).to_be_hidden()
    assert buttons(shown) == ["Refresh", "Open large"]


@pytest.mark.parametrize("given", [{"group_by": "shoe_size"}, {"created_after": "yesterweek"}])
def test_what_cannot_be_asked_is_told(show: Show, given: dict[str, str]) -> None:
    shown = show(given=given, drawn=False)
    assert problem(shown).startswith("This cannot be asked")
    assert next(iter(given)) in problem(shown)


def test_a_question_that_was_stopped_leaves_the_skeleton_and_can_be_asked_again(
    show: Show,
) -> None:
    shown = show(hold=True, drawn=False)
    shown.tell("cancel")
    assert problem(shown).startswith("Stopped")
    expect(shown.find("#pictures")).to_be_hidden()
    shown.button("Refresh").click()
    shown.wait_until_drawn()
    assert len(shown.calls(DASHBOARD)) == 1


def test_a_host_that_refuses_a_call_is_quoted_and_what_was_drawn_stays(show: Show) -> None:
    shown = show()
    before = shown.texts("#numbers dd")
    shown.set(refusal="The user said no.")
    shown.button("Refresh").click()
    expect(shown.find("#problem")).to_contain_text("The user said no.")
    expect(shown.button("Refresh")).to_be_enabled()
    assert shown.texts("#numbers dd") == before
    shown.view.get_by_role("radio", name="Source").check(force=True)
    expect(shown.find("#groups-title")).to_have_text("By campaign")
    expect(shown.view.get_by_role("radio", name="Campaign")).to_be_checked()
    shown.find("#newest button").first.click()
    expect(shown.find("#card")).to_contain_text("The user said no.")
    shown.button("Back").click()
    shown.set(refusal="")
    shown.button("Refresh").click()
    expect(shown.find("#problem")).to_be_hidden()


def test_a_host_that_calls_no_tools_is_shown_nothing_that_cannot_work(show: Show) -> None:
    shown = show(capabilities={"openLinks": {}})
    assert shown.find("#newest li").count() == 5
    assert shown.find("#groups tbody tr").count() > 3
    assert shown.find("#trend li").count() > 3
    working = "button:not([disabled]), input:not([disabled]):not([name=which])"
    assert [e for e in shown.find(working).all() if e.is_visible()] == []
    assert shown.seen("calls") == []


def test_an_error_in_a_host_that_calls_no_tools_offers_no_second_try(show: Show) -> None:
    shown = show("key-of-somebody-else", drawn=False, capabilities={})
    assert problem(shown).startswith("SMOC refuses the key")
    assert buttons(shown) == []


def test_a_host_that_hands_over_the_text_alone_is_shown_the_text(show: Show) -> None:
    shown = show(hold=True, drawn=False)
    result = shown.seen("result")
    shown.tell("result", {"content": result["content"]})
    expect(shown.find("pre")).to_have_text(result["content"][0]["text"])
    assert shown.find(".waiting:visible").count() == 0
    expect(shown.find("#problem")).to_be_hidden()
