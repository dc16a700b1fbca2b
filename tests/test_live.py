"""What windows prove, and what takes a proof away: each rule by the smallest case that needs it."""

from collections.abc import Mapping
from dataclasses import replace

from smoc_mcp.proof.certainty import Certainty, Proof, Region
from smoc_mcp.proof.live import LiveWindows, last_look_agrees
from smoc_mcp.proof.windows import ABSENT, Counts, Keys, Sort, Status, Window
from tests import windows as windows_of_tests
from tests.windows import PRESENT

LEADS = Region(statuses=frozenset({Status.LEAD}))
NEWER = Region(after={Sort.CREATED: 6, Sort.UPDATED: 6})
"""What a full window of `rows` proves on its own, for its edge is 5."""


def keys(time: int, version: bytes = b"", status: Status = Status.LEAD) -> Keys:
    return Keys(time, time, time, status, version)


def rows(*times: int) -> dict[str, Keys]:
    return {str(time): keys(time) for time in times}


def window(
    sort: Sort,
    held: Mapping[str, Keys],
    sent: int,
    received: int | None = None,
    *,
    edge: int | None = 5,
    complete: bool = False,
) -> Window:
    """Return a full window that is taken in one tick after it is sent, unless it says when."""
    return windows_of_tests.window(
        held, sort=sort, sent=sent, received=received, edge=edge, complete=complete
    )


def admitted(*windows: Window, deleted: tuple[str, ...] = ()) -> LiveWindows:
    live = LiveWindows()
    for one in windows:
        live.admit(one, deleted=deleted, doubtful=False)
    return live


def changed(held: Mapping[str, Keys]) -> dict[str, Keys]:
    """Return the same contacts, the newest of them in another version."""
    newest = max(held)
    return {**held, newest: held[newest]._replace(digest=b"another")}


# One window.


def test_a_full_window_proves_what_is_newer_than_its_edge_and_no_more() -> None:
    live = admitted(window(Sort.CREATED, rows(5, 6, 7), 10))
    assert live.prove(Region(after={Sort.CREATED: 6}), 0) == Proof(Certainty.EXACT, 10)
    assert live.prove(Region(after={Sort.CREATED: 5}), 0) is None
    assert live.prove(Region(after={Sort.UPDATED: 6}), 0) is None
    assert live.prove(Region(), 0) is None


def test_a_complete_window_proves_everything() -> None:
    live = admitted(window(Sort.NATURAL, rows(5, 6), 10, edge=None, complete=True))
    assert live.prove(Region(), 0) == Proof(Certainty.EXACT, 10)


def test_a_window_received_before_the_question_allows_proves_nothing() -> None:
    live = admitted(window(Sort.CREATED, rows(5, 6), 10))
    assert live.prove(NEWER, 11) is not None
    assert live.prove(NEWER, 12) is None
    assert (live.get(Sort.CREATED, 11) is None, live.get(Sort.CREATED, 12) is None) == (False, True)
    assert (len(live.all(11)), len(live.all(12))) == (1, 0)
    assert (live.shows("6", 11), live.shows("6", 12), live.shows("8", 11)) == (True, False, False)


def test_a_window_with_a_field_that_was_not_read_proves_nothing_that_reads_it() -> None:
    live = admitted(replace(window(Sort.CREATED, rows(5, 6), 10), unread={"email": 1}))
    assert live.prove(NEWER, 0) is not None
    assert live.prove(replace(NEWER, fields=frozenset({"email"})), 0) is None


def test_the_newest_of_several_proofs_is_taken() -> None:
    live = admitted(window(Sort.UPDATED, rows(5, 6), 20), window(Sort.CREATED, rows(5, 6), 10))
    assert live.prove(NEWER, 0) == Proof(Certainty.EXACT, 20)


def test_after_forgetting_nothing_is_live() -> None:
    live = admitted(window(Sort.CREATED, rows(5, 6), 10))
    live.forget()
    assert (live.all(0), live.prove(NEWER, 0)) == ([], None)


# Two windows.


def test_a_later_window_with_another_version_takes_the_proof_of_the_earlier() -> None:
    old = window(Sort.CREATED, rows(5, 6, 7), 10)
    live = admitted(old, window(Sort.UPDATED, changed(rows(6, 7)), 20))
    assert live.sound(Sort.CREATED, 0) is None
    assert live.sound(Sort.UPDATED, 0) is not None


def test_of_two_windows_under_way_at_once_that_disagree_neither_is_a_proof() -> None:
    old = window(Sort.CREATED, rows(5, 6, 7), 10, 20)
    live = admitted(old, window(Sort.UPDATED, changed(rows(6, 7)), 15, 25))
    assert live.prove(NEWER, 0) is None


def test_a_window_sent_when_the_other_was_taken_in_was_not_under_way_with_it() -> None:
    old = window(Sort.CREATED, rows(5, 6, 7), 10, 20)
    assert admitted(old, window(Sort.UPDATED, changed(rows(6, 7)), 19)).prove(NEWER, 0) is None
    late = window(Sort.CREATED, rows(5, 6, 7), 19, 30)
    early = window(Sort.UPDATED, changed(rows(6, 7)), 10, 20)
    assert admitted(late, early).prove(NEWER, 0) is None
    assert admitted(old, window(Sort.UPDATED, changed(rows(6, 7)), 20)).prove(NEWER, 0) is not None


def test_a_window_in_doubt_is_no_proof_until_it_is_fetched_again() -> None:
    live = LiveWindows()
    live.admit(window(Sort.CREATED, rows(5, 6), 10), deleted=(), doubtful=True)
    assert live.prove(NEWER, 0) is None
    live.admit(window(Sort.CREATED, rows(5, 6), 20), deleted=(), doubtful=False)
    assert live.prove(NEWER, 0) == Proof(Certainty.EXACT, 20)


def test_a_contact_that_the_earlier_window_should_have_had_takes_its_proof() -> None:
    old = window(Sort.CREATED, rows(5, 6, 7), 10)
    live = admitted(old, window(Sort.UPDATED, rows(8), 20))
    assert live.sound(Sort.CREATED, 0) is None


def test_a_contact_at_or_before_the_edge_takes_no_proof() -> None:
    old = window(Sort.CREATED, rows(5, 6, 7), 10)
    at_the_edge = {"another": keys(5), "older": keys(4)}
    live = admitted(old, window(Sort.NATURAL, at_the_edge, 20, edge=None))
    assert live.sound(Sort.CREATED, 0) is old


def test_a_deleted_contact_takes_the_proof_of_the_windows_that_hold_it() -> None:
    live = LiveWindows()
    live.admit(window(Sort.CREATED, rows(5, 6), 10), deleted=(), doubtful=False)
    live.admit(window(Sort.CONVERSATION, rows(6, 7), 20), deleted=(), doubtful=False)
    live.admit(window(Sort.UPDATED, rows(7), 30), deleted=("5",), doubtful=False)
    assert live.sound(Sort.CREATED, 0) is None
    assert live.sound(Sort.UPDATED, 0) is not None


def test_a_contact_that_a_complete_window_lacks_takes_the_proof_of_the_earlier() -> None:
    old = window(Sort.CREATED, rows(5, 6, 7), 10)
    whole = window(Sort.NATURAL, rows(6, 7), 20, edge=None, complete=True)
    assert admitted(old, whole).sound(Sort.CREATED, 0) is None


def test_a_window_that_claims_to_be_all_proves_nothing_while_another_is_full_or_holds_more() -> (
    None
):
    short = window(Sort.NATURAL, rows(6, 7), 20, complete=True)
    assert admitted(short).prove(Region(), 0) is not None
    assert admitted(short).is_whole(0)
    full = window(Sort.CREATED, rows(6, 7), 30)
    other = window(Sort.CREATED, rows(5, 6, 7), 30, complete=True)
    for beside in (full, other):
        live = admitted(beside, short)
        assert live.prove(Region(), 0) is None
        assert not live.is_whole(0)
    same = window(Sort.CREATED, rows(6, 7), 30, complete=True)
    assert admitted(same, short).prove(Region(), 0) is not None


def test_a_window_that_is_all_takes_no_proof_of_one_that_it_agrees_with() -> None:
    old = window(Sort.CREATED, rows(5, 6, 7), 10)
    same = window(Sort.NATURAL, rows(4, 5, 6, 7), 20, edge=None, complete=True)
    assert admitted(old, same).sound(Sort.CREATED, 0) is old


# Several windows together.


def union() -> list[Window]:
    """Return an `updated` window and two after it, that hold all leads together."""
    return [
        replace(w, counts=Counts(4, 0))
        for w in (
            window(Sort.UPDATED, rows(8, 9), 10, edge=8),
            window(Sort.NATURAL, rows(5, 8), 20, edge=None),
            window(
                Sort.CREATED,
                {**rows(7, 8, 9), "c": keys(7, status=Status.CUSTOMER)},
                30,
                edge=7,
            ),
        )
    ]


def test_windows_that_hold_as_many_as_the_api_counts_hold_them_all() -> None:
    live = admitted(*union())
    live.admit_union(union())
    assert live.prove(LEADS, 0) is None  # Not these very windows.
    held = live.all(0)
    live.admit_union(held)
    found = live.prove(LEADS, 0)
    assert found is not None
    assert found == Proof(Certainty.EXACT, 10, frozenset({"5", "7", "8", "9"}))


def test_what_several_windows_prove_is_as_of_the_first_of_them() -> None:
    windows = union()
    live = admitted(*windows)
    live.admit_union(windows)
    found = live.prove(LEADS, 0)
    assert found is not None
    assert found.as_of == 10


def test_windows_that_hold_fewer_or_more_than_the_api_counts_prove_nothing() -> None:
    for count in (3, 5):
        windows = [replace(w, counts=Counts(count, 0)) for w in union()]
        live = admitted(*windows)
        live.admit_union(windows)
        assert live.prove(LEADS, 0) is None


def test_several_windows_prove_nothing_of_statuses_that_the_api_does_not_count() -> None:
    windows = union()
    live = admitted(*windows)
    live.admit_union(windows)
    both = frozenset({Status.LEAD, Status.LOST})
    assert live.prove(Region(), 0) is None
    assert live.prove(Region(statuses=both), 0) is None


def test_several_windows_prove_nothing_once_one_of_them_is_contradicted_or_old() -> None:
    windows = union()
    live = admitted(*windows)
    live.admit_union(windows)
    assert live.union_holds(11)
    assert not live.union_holds(12)
    live.admit(window(Sort.CONVERSATION, changed(rows(8)), 40), deleted=(), doubtful=False)
    assert live.prove(LEADS, 0) is None


def test_several_windows_prove_nothing_that_reads_what_one_could_not_read() -> None:
    for name, read in (("email", frozenset({"email"})), ("status", frozenset[str]())):
        windows = union()
        windows[1] = replace(windows[1], unread={name: 1})
        live = admitted(*windows)
        live.admit_union(windows)
        assert live.prove(replace(LEADS, fields=read), 0) is None
        assert (live.prove(LEADS, 0) is None) == (name == "status")


def test_without_a_union_nothing_is_proven_by_one() -> None:
    assert not LiveWindows().union_holds(0)


# The last look.


def agrees(
    windows: list[Window],
    look: Mapping[str, Keys],
    counts: Counts | None = None,
    *,
    complete: bool = False,
    api_now: int = PRESENT,
) -> bool:
    counts = counts or windows[0].counts
    looked = replace(window(Sort.UPDATED, look, 90, complete=complete), counts=counts)
    return last_look_agrees(windows, replace(looked, api_now=api_now))


def test_a_look_at_the_same_newest_contacts_and_counts_agrees() -> None:
    assert agrees(union(), rows(8, 9))
    assert agrees(union(), rows(9), complete=True)


def test_a_look_does_not_agree_with_other_counts() -> None:
    assert not agrees(union(), rows(8, 9), Counts(4, 1))
    windows = union()
    windows[2] = replace(windows[2], counts=Counts(5, 0))
    assert not agrees(windows, rows(8, 9))


def test_a_look_does_not_agree_with_another_newest_contact_time_or_status() -> None:
    assert not agrees(union(), rows(9, 10))
    assert not agrees(union(), {"8": keys(8), "9": keys(10)})
    assert not agrees(union(), {"8": keys(8), "other": keys(9)})
    assert not agrees(union(), {"8": keys(8), "9": keys(9, status=Status.LOST)})


def test_a_look_at_contacts_all_of_one_time_says_nothing_for_more_could_hide_among_them() -> None:
    tied = {i: keys(9) for i in ("a", "b", "c", "d")}
    windows = union()
    windows[0] = replace(windows[0], rows={**tied, **rows(8)})
    assert not agrees(windows, tied)
    assert agrees(windows, {**tied, **rows(8)})
    assert agrees(windows, tied, complete=True)


def test_a_look_says_nothing_unless_the_updated_window_came_before_the_others_were_sent() -> None:
    first, second, third = union()
    assert not agrees([second, first, third], rows(5, 8))
    for sent, is_after in ((first.received - 1, False), (first.received, True)):
        assert agrees([first, replace(second, sent=sent), third], rows(8, 9)) == is_after


def test_a_look_at_a_contact_whose_time_lies_ahead_says_nothing_of_what_is_behind_it() -> None:
    assert agrees(union(), rows(8, 9), api_now=9)
    assert not agrees(union(), rows(8, 9), api_now=8)


def test_a_look_that_a_cache_gave_says_nothing() -> None:
    look = replace(window(Sort.UPDATED, rows(8, 9), 90), counts=Counts(4, 0))
    assert last_look_agrees(union(), look)
    assert not last_look_agrees(union(), replace(look, stale=True))


def test_contacts_without_a_time_are_told_apart_from_those_with_one() -> None:
    windows = union()
    windows[0] = replace(windows[0], rows={"9": keys(9), "none": keys(ABSENT)})
    assert agrees(windows, {"9": keys(9), "none": keys(ABSENT)})
