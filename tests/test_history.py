"""Histories: windows that join, gaps where they do not."""

from dataclasses import replace

from smoc_mcp.proof.history import BEGINNING, Gap, History, extended, follows, refresh_interval
from smoc_mcp.proof.windows import ABSENT, Keys, Sort, Status, Window
from tests import windows
from tests.windows import PRESENT

MINUTE = 60 * 1_000_000


def window(
    *times: int,
    sent: int,
    edge: int | None = None,
    complete: bool = False,
    sort: Sort = Sort.CREATED,
    api_now: int = PRESENT,
) -> Window:
    rows = {str(i): Keys(t, t, t, Status.LEAD, b"") for i, t in enumerate(times)}
    edge = min(times, default=ABSENT) if edge is None else edge
    return windows.window(rows, sort=sort, sent=sent, edge=edge, complete=complete, api_now=api_now)


def test_a_history_reaches_what_is_newer_than_its_reach_and_the_beginning_if_it_is_that() -> None:
    at_five = History(reach=5, began=2, top=7, received=2)
    assert [at_five.reaches(after) for after in (4, 5, 6)] == [False, False, True]
    assert not at_five.reaches(BEGINNING)
    whole = History(reach=BEGINNING, began=2, top=7, received=2)
    assert whole.reaches(BEGINNING)
    assert whole.reaches(5)


def test_the_first_full_window_reaches_back_to_its_edge() -> None:
    history, gap = extended(None, window(5, 6, 7, sent=1))
    assert history == History(reach=5, began=2, top=7, received=2)
    assert gap is None


def test_a_window_that_reaches_past_the_newest_key_joins() -> None:
    first, _ = extended(None, window(5, 6, 7, sent=1))
    history, gap = extended(first, window(6, 8, 9, sent=10))
    assert history == History(reach=5, began=2, top=9, received=11)
    assert gap is None


def test_a_window_that_only_touches_the_newest_key_leaves_a_gap() -> None:
    first, _ = extended(None, window(5, 6, 7, sent=1))
    history, gap = extended(first, window(7, 8, 9, sent=10))
    assert history == History(reach=7, began=11, top=9, received=11)
    assert gap == Gap(Sort.CREATED, older=7, newer=7)


def test_a_window_beyond_the_newest_key_begins_anew_and_names_both_ends() -> None:
    first, _ = extended(None, window(5, 6, 7, sent=1))
    _, gap = extended(first, window(20, 21, sent=10))
    assert gap == Gap(Sort.CREATED, older=7, newer=20)


def test_a_complete_window_reaches_back_to_the_beginning() -> None:
    first, _ = extended(None, window(5, 6, 7, sent=1))
    history, gap = extended(first, window(50, sent=10, complete=True, edge=ABSENT))
    assert history is not None
    assert (history.reach, history.began, gap) == (BEGINNING, 2, None)


def test_a_window_without_an_edge_changes_nothing() -> None:
    first, _ = extended(None, window(5, 6, 7, sent=1))
    blind = replace(window(5, sent=5), edge=None)
    assert extended(first, blind) == (first, None)


def follows_from(created: Window, updated: Window, last: History | None = None) -> bool:
    """Say whether it does, where each history ends with its window, or that of changes does not."""
    arrivals, _ = extended(None, created)
    changes, _ = extended(None, updated)
    assert arrivals is not None
    assert changes is not None
    return follows(updated, created, arrivals, last or changes)


def test_an_updated_window_follows_only_if_it_is_newer_and_reaches_past_the_newest() -> None:
    created = window(5, 6, 7, sent=1)
    updated = window(6, 8, sent=10, sort=Sort.UPDATED)
    last, _ = extended(None, updated)
    assert follows_from(created, updated)
    assert not follows_from(window(5, 6, 7, sent=11), updated)
    assert not follows_from(created, window(7, 8, sent=10, sort=Sort.UPDATED))
    assert not follows_from(created, window(6, 8, sent=9, sort=Sort.UPDATED), last)


def test_an_updated_window_sent_before_the_created_one_was_taken_in_does_not_follow_it() -> None:
    created = window(5, 6, 7, sent=1)
    for sent, does_follow in ((created.received - 1, False), (created.received, True)):
        assert follows_from(created, window(6, 8, sent=sent, sort=Sort.UPDATED)) == does_follow


def test_nothing_follows_a_created_window_that_is_in_no_history() -> None:
    created, updated = window(5, 6, 7, sent=1), window(6, 8, sent=10, sort=Sort.UPDATED)
    earlier, _ = extended(None, window(1, 2, 3, sent=0))
    changes, _ = extended(None, updated)
    assert earlier is not None
    assert changes is not None
    assert not follows(updated, created, earlier, changes)


def test_a_full_updated_window_does_not_follow_a_created_one_that_holds_nobody() -> None:
    assert not follows_from(window(sent=1), window(6, 8, sent=10, sort=Sort.UPDATED))


def test_windows_are_needed_twice_in_the_time_that_one_spans() -> None:
    slow = window(7 * MINUTE, 107 * MINUTE + 1, sent=1)
    fast = window(0, 10 * MINUTE, sent=1, sort=Sort.UPDATED)
    assert refresh_interval([slow]) == 50 * MINUTE  # A whole number of microseconds.
    assert refresh_interval([slow, fast]) == 5 * MINUTE
    assert refresh_interval([window(0, 5, sent=1)]) == MINUTE
    assert refresh_interval([window(1, sent=1, complete=True, edge=ABSENT)]) is None


def test_a_contact_of_the_future_joins_no_windows_between_which_others_went_unseen() -> None:
    future = 10**6 * MINUTE
    first, _ = extended(None, window(5 * MINUTE, future, sent=1, api_now=7 * MINUTE))
    assert first is not None
    assert first.top == 5 * MINUTE
    _, gap = extended(first, window(20 * MINUTE, future, sent=10, api_now=30 * MINUTE))
    assert gap == Gap(Sort.CREATED, older=5 * MINUTE, newer=20 * MINUTE)


def test_windows_join_only_where_whoever_became_visible_late_is_in_the_later_one() -> None:
    later = window(7 * MINUTE, 12 * MINUTE, sent=10)
    for api_now, top in ((9, 8), (8, 1), (60, 9)):
        # Whoever came less than `LATE` ago may not be visible yet.
        first, _ = extended(None, window(MINUTE, 9 * MINUTE, sent=1, api_now=api_now * MINUTE))
        assert first is not None
        assert first.top == top * MINUTE
        _, gap = extended(first, later)
        assert (gap is None) is (top > 7)


def test_windows_in_which_nobody_has_a_time_join() -> None:
    nobody = window(ABSENT, ABSENT, sent=1, edge=ABSENT, sort=Sort.CONVERSATION)
    first, _ = extended(None, nobody)
    joined, gap = extended(first, replace(nobody, sent=10, received=11))
    assert gap is None
    assert joined is not None
    assert joined.began == 2
