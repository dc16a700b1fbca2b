"""Histories: windows that join, gaps where they do not."""

from smoc_mcp.proof.history import BEGINNING, Gap, History, extended, follows, refresh_interval
from smoc_mcp.proof.windows import ABSENT, Counts, Keys, Sort, Status, Window

MINUTE = 60 * 1_000_000


def window(
    *times: int,
    sent: int,
    edge: int | None = None,
    complete: bool = False,
    sort: Sort = Sort.CREATED,
) -> Window:
    rows = {str(i): Keys(t, t, t, Status.LEAD, b"") for i, t in enumerate(times)}
    edge = min(times, default=ABSENT) if edge is None else edge
    return Window(sort, sent, sent + 1, rows, Counts(0, 0), complete, edge)


def test_a_history_reaches_what_is_newer_than_its_reach_and_the_beginning_if_it_is_that() -> None:
    at_five = History(reach=5, began=2, top=7, sent=1, received=2)
    assert [at_five.reaches(after) for after in (4, 5, 6)] == [False, False, True]
    assert not at_five.reaches(BEGINNING)
    whole = History(reach=BEGINNING, began=2, top=7, sent=1, received=2)
    assert whole.reaches(BEGINNING)
    assert whole.reaches(5)


def test_the_first_full_window_reaches_back_to_its_edge() -> None:
    history, gap = extended(None, window(5, 6, 7, sent=1))
    assert history == History(reach=5, began=2, top=7, sent=1, received=2)
    assert gap is None


def test_a_window_that_reaches_past_the_newest_key_joins() -> None:
    first, _ = extended(None, window(5, 6, 7, sent=1))
    history, gap = extended(first, window(6, 8, 9, sent=10))
    assert history == History(reach=5, began=2, top=9, sent=10, received=11)
    assert gap is None


def test_a_window_that_only_touches_the_newest_key_leaves_a_gap() -> None:
    first, _ = extended(None, window(5, 6, 7, sent=1))
    history, gap = extended(first, window(7, 8, 9, sent=10))
    assert history == History(reach=7, began=11, top=9, sent=10, received=11)
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
    blind = Window(Sort.CREATED, 5, 6, {}, Counts(0, 0), complete=False, edge=None)
    assert extended(first, blind) == (first, None)


def test_an_updated_window_follows_only_if_it_is_newer_and_reaches_past_the_newest() -> None:
    created = window(5, 6, 7, sent=1)
    updated = window(6, 8, sent=10, sort=Sort.UPDATED)
    last, _ = extended(None, updated)
    assert last is not None
    assert follows(updated, created, last)
    assert not follows(updated, window(5, 6, 7, sent=10), last)
    assert not follows(window(7, 8, sent=10, sort=Sort.UPDATED), created, last)
    assert not follows(window(6, 8, sent=9, sort=Sort.UPDATED), created, last)


def test_an_updated_window_sent_in_the_moment_the_created_one_came_does_not_follow_it() -> None:
    created = window(5, 6, 7, sent=1)
    for sent, does_follow in ((created.received, False), (created.received + 1, True)):
        updated = window(6, 8, sent=sent, sort=Sort.UPDATED)
        last, _ = extended(None, updated)
        assert last is not None
        assert follows(updated, created, last) == does_follow


def test_a_full_updated_window_does_not_follow_a_created_one_that_holds_nobody() -> None:
    updated = window(6, 8, sent=10, sort=Sort.UPDATED)
    last, _ = extended(None, updated)
    assert last is not None
    assert not follows(updated, window(sent=1), last)


def test_windows_are_needed_twice_in_the_time_that_one_spans() -> None:
    slow = window(7 * MINUTE, 107 * MINUTE + 1, sent=1)
    fast = window(0, 10 * MINUTE, sent=1, sort=Sort.UPDATED)
    assert refresh_interval([slow]) == 50 * MINUTE  # A whole number of microseconds.
    assert refresh_interval([slow, fast]) == 5 * MINUTE
    assert refresh_interval([window(0, 5, sent=1)]) == MINUTE
    assert refresh_interval([window(1, sent=1, complete=True, edge=ABSENT)]) is None
