"""A poller of changes is told of each contact once, and of every later change; nothing is lost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smoc_mcp.api.models import ReadContact, read_contact
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.changes import Changes, Now, Progress, next_changes
from smoc_mcp.questions.cursors import decode, encode, fingerprint
from smoc_mcp.questions.rows import ContactRow
from smoc_mcp.store.store import ContactStore
from smoc_mcp.text.times import iso
from tests.simulation import UTC
from tests.windows import whole

QUESTION = fingerprint("contacts_changes")
SECOND = 1_000_000
SINCE = 1_000_000
"""When the poller begins, in seconds; older contacts are not new to it."""
AHEAD = 3_000_000_000
"""A time of the future, in seconds: the year 2065."""


@dataclass
class Company:
    """Contacts that come and change as time goes on, in steps so long that many share one.

    Attributes:
        now: In seconds.
        times: When each contact was created and updated, as it says itself.
    """

    now: int
    store: ContactStore = field(default_factory=ContactStore)
    times: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, contact_id: str, created: int | None = None) -> None:
        time = self.now if created is None else created
        self.times[contact_id] = time, time
        self.learn()

    def change(self, contact_id: str) -> None:
        created, updated = self.times[contact_id]
        # A change that does not change updatedAt is one that nobody can see.
        self.now += updated == self.now
        self.times[contact_id] = created, self.now
        self.learn()

    def learn(self) -> None:
        """Let the store see the whole company."""
        reads = [_contact(i, *times) for i, times in self.times.items()]
        for sort in (Sort.CREATED, Sort.UPDATED):
            self.store.absorb(whole(reads, sort=sort, sent=self.store.tick()), reads)


def _contact(contact_id: str, created: int, updated: int) -> ReadContact:
    times = {"createdAt": _text(created), "updatedAt": _text(updated)}
    read = read_contact({"id": contact_id, **times})
    assert read is not None
    return read


def _text(seconds: int) -> str | None:
    return None if seconds < 0 else iso(seconds * SECOND, UTC)


@dataclass
class Poller:
    """Asks for what changed, and keeps what it was told; its progress goes through cursors."""

    company: Company
    cursor: str = encode(QUESTION, *Progress(SINCE * SECOND).values())
    new: list[ContactRow] = field(default_factory=list)
    updated: list[ContactRow] = field(default_factory=list)

    @property
    def progress(self) -> Progress:
        return Progress.of(decode(self.cursor, QUESTION))

    def poll(self, limit: int) -> Changes:
        store, now = self.company.store, self.company.now
        known = Now(store.series(), store.tick(), (now - 60) * SECOND)
        page = next_changes(self.progress, known, store.list_news, limit)
        assert len(page.new) + len(page.updated) <= limit
        self.new += page.new
        self.updated += page.updated
        self.cursor = encode(QUESTION, *page.progress.values())
        return page

    def finish(self, limit: int) -> list[ContactRow]:
        """Poll until nothing is left; return what these polls told."""
        told: list[ContactRow] = []
        for _ in range(10 * len(self.company.times) + 10):
            page = self.poll(limit)
            told += [*page.new, *page.updated]
            if not page.more:
                return told
        pytest.fail("the pages do not end")

    @property
    def told(self) -> list[ContactRow]:
        return [*self.new, *self.updated]


@dataclass(frozen=True)
class Add:
    contact_id: str


@dataclass(frozen=True)
class AddLate:
    """Somebody who becomes visible some seconds after the time that the contact bears."""

    contact_id: str
    seconds: int


@dataclass(frozen=True)
class AddAhead:
    """Somebody with a time of the future."""

    contact_id: str


@dataclass(frozen=True)
class Change:
    which: int


@dataclass(frozen=True)
class Wait:
    pass


@dataclass(frozen=True)
class Poll:
    limit: int


Step = Add | AddLate | AddAhead | Change | Wait | Poll
LIMITS = st.integers(1, 6)
IDS = st.text("abcdef", min_size=3, max_size=3)
QUIET_STEPS = st.one_of(
    st.builds(Add, IDS),
    st.builds(AddLate, IDS, st.integers(1, 59)),
    st.builds(AddAhead, IDS),
    st.builds(Change, st.integers(0, 50)),
    st.just(Wait()),
)
STEPS = st.lists(QUIET_STEPS | st.builds(Poll, LIMITS), max_size=20)
EARLY = st.lists(QUIET_STEPS, max_size=8)
PROPERTY = settings(deadline=None, max_examples=60)


def play(company: Company, poller: Poller, steps: Sequence[Step]) -> None:
    for step in steps:
        match step:
            case Add(contact_id) if contact_id not in company.times:
                company.add(contact_id)
            case AddLate(contact_id, seconds) if contact_id not in company.times:
                company.add(contact_id, company.now - seconds)
            case AddAhead(contact_id) if contact_id not in company.times:
                company.add(contact_id, AHEAD)
            case Change(which) if company.times:
                company.change(list(company.times)[which % len(company.times)])
            case Wait():
                company.now += 1
            case Poll(limit):
                poller.poll(limit)
            case _:
                pass


def begun(early: Sequence[Step]) -> tuple[Company, Poller]:
    """Return a company with a past, and a poller that has been told of nothing yet."""
    company = Company(now=SINCE - 5)
    company.learn()
    poller = Poller(company)
    play(company, poller, early)
    company.now = max(company.now, SINCE)
    return company, poller


@PROPERTY
@given(EARLY, STEPS, LIMITS)
def test_every_contact_is_new_once_when_it_shows_up_whatever_times_it_bears(
    early: list[Step], steps: list[Step], limit: int
) -> None:
    company, poller = begun(early)
    before = {i for i, (created, _) in company.times.items() if created < SINCE}
    poller.finish(limit)
    play(company, poller, steps)
    poller.finish(limit)
    poller.finish(limit)
    assert Counter(row.id for row in poller.new) == Counter(set(company.times) - before)


@PROPERTY
@given(EARLY, STEPS, LIMITS)
def test_the_last_change_of_every_contact_is_told(
    early: list[Step], steps: list[Step], limit: int
) -> None:
    company, poller = begun(early)
    poller.finish(limit)
    play(company, poller, steps)
    poller.finish(limit)
    poller.finish(limit)
    told = {(row.id, row.updated) for row in poller.told}
    now = {(i, at * SECOND) for i, (_, at) in company.times.items() if at >= SINCE}
    assert now <= told


@PROPERTY
@given(EARLY, STEPS, st.lists(QUIET_STEPS, max_size=10), LIMITS, LIMITS)
def test_a_run_in_a_quiet_company_tells_each_contact_once(
    early: list[Step], steps: list[Step], busy: list[Step], limit: int, other: int
) -> None:
    company, poller = begun(early)
    play(company, poller, steps)
    poller.finish(limit)
    poller.finish(limit)
    before = dict(company.times)
    play(company, poller, busy)
    told = Counter((row.id, row.updated) for row in poller.finish(other))
    assert told == Counter(
        (i, times[1] * SECOND) for i, times in company.times.items() if before.get(i) != times
    )


@PROPERTY
@given(EARLY, STEPS, LIMITS)
def test_when_nothing_changed_nothing_is_told(
    early: list[Step], steps: list[Step], limit: int
) -> None:
    company, poller = begun(early)
    play(company, poller, steps)
    poller.finish(limit)
    poller.finish(limit)
    page = poller.poll(limit)
    assert (page.new, page.updated, page.more) == ([], [], False)


@PROPERTY
@given(EARLY, STEPS, LIMITS)
def test_a_first_run_is_in_order_of_time(early: list[Step], steps: list[Step], limit: int) -> None:
    company, poller = begun(early)
    play(company, poller, [s for s in steps if not isinstance(s, Poll)])
    poller.finish(limit)
    assert poller.new == sorted(poller.new, key=lambda row: (row.created, row.id))
    assert poller.updated == sorted(poller.updated, key=lambda row: (row.updated, row.id))
    assert all(max(row.created, row.updated) >= SINCE * SECOND for row in poller.told)


@pytest.mark.parametrize("limit", [1, 7, 100, 500])
def test_an_import_of_hundreds_at_one_time_is_told_whole(limit: int) -> None:
    company, poller = begun([])
    poller.finish(limit)
    company.times |= {f"{n * 7919 % 300:03d}": (SINCE, SINCE) for n in range(300)}
    company.learn()
    poller.finish(limit)
    assert Counter(row.id for row in poller.new) == Counter(list(company.times))
    assert poller.updated == []


def test_what_comes_while_a_run_is_read_belongs_to_the_next() -> None:
    company, poller = begun([])
    play(company, poller, [Add("b"), Add("c"), Poll(1), Add("a"), Change(0)])
    page = poller.poll(2)
    # The rest of the run that was begun, then the next one, as far as there is room.
    assert [row.id for row in (*page.new, *page.updated)] == ["c", "a"]
    assert page.more
    assert [row.id for row in poller.finish(5)] == ["b"]
    assert [row.id for row in poller.new] == ["b", "c", "a"]


def test_a_contact_without_times_is_not_told_by_time() -> None:
    company, poller = begun([])
    company.add("a", -1)
    assert poller.finish(5) == []


def test_a_contact_without_a_creation_time_is_told_when_it_changes() -> None:
    company, poller = begun([])
    company.times["a"] = -1, SINCE + 1
    company.learn()
    poller.finish(5)
    assert (poller.new, [row.id for row in poller.updated]) == ([], ["a"])


def test_who_was_out_of_reach_and_is_seen_for_the_first_time_is_not_new() -> None:
    company, poller = begun([])
    reads = [_contact("a", SINCE, SINCE)]
    full = whole(reads, sent=company.store.tick())
    company.store = ContactStore()
    poller.company = company
    # The window that it begins with is full: who is older may well have been there before.
    full = replace(full, sent=0, complete=False, full=True, edge=SINCE * SECOND)
    company.store.absorb(full, reads)
    poller.finish(5)
    old = [_contact("old", SINCE - 100, SINCE - 100), _contact("b", SINCE + 1, SINCE + 1)]
    natural = whole(old, sort=Sort.NATURAL, sent=company.store.tick())
    company.store.absorb(replace(natural, complete=False, full=True, edge=None), old)
    poller.finish(5)
    assert [row.id for row in poller.told] == ["a", "b"]


def test_in_another_store_a_poller_goes_on_by_time() -> None:
    company, poller = begun([])
    company.add("a")
    company.now += 100
    poller.poll(5)
    other = Company(now=company.now)
    other.learn()
    other.times = dict(company.times)
    other.add("b")
    poller.company = other
    assert [row.id for row in poller.finish(5)] == ["b"]
    assert poller.progress.series == other.store.series()


@pytest.mark.parametrize(
    "values", [[], [1], [1, 2, 3], ["a"] * 8, [1, 2, "x", 3, 4, "all", 5, "y"]]
)
def test_values_of_something_else_are_no_progress(values: list[int | str | list[str]]) -> None:
    with pytest.raises(TypeError):
        Progress.of(values)


def test_progress_survives_a_cursor() -> None:
    company, poller = begun([])
    play(company, poller, [Add("a"), Add("b"), Poll(1)])
    progress = poller.progress
    assert Progress.of(decode(encode(QUESTION, *progress.values()), QUESTION)) == progress
    assert progress.up_to > 0
