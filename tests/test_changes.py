"""A poller of changes is told of each contact once, and of every later change; nothing is lost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smoc_mcp.proof.windows import ABSENT, Sort, Status, sort_key
from smoc_mcp.questions.changes import Changes, Progress, next_changes
from smoc_mcp.questions.cursors import decode, encode, fingerprint
from smoc_mcp.questions.rows import ContactRow
from smoc_mcp.text.times import Moment

QUESTION = fingerprint("contacts_changes")
SINCE = 100
"""When the poller begins; older contacts are not new to it."""


def contact(contact_id: str, created: Moment, updated: Moment) -> ContactRow:
    return ContactRow(
        id=contact_id,
        name=None,
        email=None,
        phone=None,
        company=None,
        city=None,
        country=None,
        status=Status.LEAD,
        created=created,
        updated=updated,
        conversation=ABSENT,
        utm_source=None,
        utm_medium=None,
        utm_campaign=None,
        seen=0,
    )


@dataclass
class Company:
    """Contacts that come and change as time goes on, in steps so long that many share one."""

    now: Moment
    contacts: dict[str, ContactRow] = field(default_factory=dict)

    def add(self, contact_id: str) -> None:
        self.contacts[contact_id] = contact(contact_id, self.now, self.now)

    def change(self, contact_id: str) -> None:
        known = self.contacts[contact_id]
        if known.updated == self.now:
            # A change that does not change updatedAt is one that nobody can see.
            self.now += 1
        self.contacts[contact_id] = replace(known, updated=self.now)

    def read(
        self, sort: Sort, moment: Moment, contact_id: str | None, limit: int
    ) -> Sequence[ContactRow]:
        rows = sorted(self.contacts.values(), key=lambda row: (sort_key(row, sort), row.id))
        if contact_id is None:
            return [row for row in rows if sort_key(row, sort) >= moment][:limit]
        return [row for row in rows if (sort_key(row, sort), row.id) > (moment, contact_id)][:limit]


@dataclass
class Poller:
    """Asks for what changed, and keeps what it was told; its progress goes through cursors."""

    company: Company
    cursor: str = encode(QUESTION, *Progress.since(SINCE).values())
    new: list[ContactRow] = field(default_factory=list)
    updated: list[ContactRow] = field(default_factory=list)

    def poll(self, limit: int) -> Changes:
        progress = Progress.of(decode(self.cursor, QUESTION))
        page = next_changes(progress, self.company.read, limit)
        assert len(page.new) + len(page.updated) <= limit
        self.new += page.new
        self.updated += page.updated
        self.cursor = encode(QUESTION, *page.progress.values())
        return page

    def finish(self, limit: int) -> list[ContactRow]:
        """Poll until nothing is left; return what these polls told."""
        told: list[ContactRow] = []
        for _ in range(10 * len(self.company.contacts) + 10):
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
class Change:
    which: int


@dataclass(frozen=True)
class Wait:
    pass


@dataclass(frozen=True)
class Poll:
    limit: int


Step = Add | Change | Wait | Poll
LIMITS = st.integers(1, 6)
QUIET_STEPS = st.one_of(
    st.builds(Add, st.text("abcdef", min_size=3, max_size=3)),
    st.builds(Change, st.integers(0, 50)),
    st.just(Wait()),
)
STEPS = st.lists(QUIET_STEPS | st.builds(Poll, LIMITS), max_size=30)


def play(company: Company, poller: Poller, steps: Sequence[Step]) -> None:
    for step in steps:
        match step:
            case Add(contact_id) if contact_id not in company.contacts:
                company.add(contact_id)
            case Change(which) if company.contacts:
                company.change(list(company.contacts)[which % len(company.contacts)])
            case Wait():
                company.now += 1
            case Poll(limit):
                poller.poll(limit)
            case _:
                pass


def begun(early: Sequence[Step]) -> tuple[Company, Poller]:
    """Return a company with a past, and a poller that does not know it."""
    company = Company(now=SINCE - 5)
    poller = Poller(company)
    play(company, poller, early)
    company.now = max(company.now, SINCE)
    return company, poller


EARLY = st.lists(QUIET_STEPS, max_size=10)


@settings(deadline=None, max_examples=300)
@given(EARLY, STEPS, LIMITS)
def test_every_contact_created_since_is_new_exactly_once(
    early: list[Step], steps: list[Step], limit: int
) -> None:
    company, poller = begun(early)
    play(company, poller, steps)
    poller.finish(limit)
    created = [row.id for row in company.contacts.values() if row.created >= SINCE]
    assert Counter(row.id for row in poller.new) == Counter(created)


@settings(deadline=None, max_examples=300)
@given(EARLY, STEPS, LIMITS)
def test_the_last_change_of_every_contact_is_told(
    early: list[Step], steps: list[Step], limit: int
) -> None:
    company, poller = begun(early)
    play(company, poller, steps)
    poller.finish(limit)
    told = {(row.id, row.updated) for row in poller.told}
    now = {(row.id, row.updated) for row in company.contacts.values() if row.updated >= SINCE}
    assert now <= told


@settings(deadline=None, max_examples=300)
@given(EARLY, STEPS, LIMITS)
def test_nothing_is_told_that_did_not_happen_since(
    early: list[Step], steps: list[Step], limit: int
) -> None:
    company, poller = begun(early)
    play(company, poller, steps)
    poller.finish(limit)
    assert all(row.updated >= SINCE for row in poller.told)


@settings(deadline=None, max_examples=300)
@given(EARLY, STEPS, st.lists(QUIET_STEPS, max_size=15), LIMITS, LIMITS)
def test_a_run_in_a_quiet_company_tells_each_contact_once(
    early: list[Step], steps: list[Step], busy: list[Step], limit: int, other: int
) -> None:
    company, poller = begun(early)
    play(company, poller, steps)
    poller.finish(limit)
    before = dict(company.contacts)
    play(company, poller, busy)
    told = Counter((row.id, row.updated) for row in poller.finish(other))
    assert told == Counter(
        (row.id, row.updated) for row in company.contacts.values() if before.get(row.id) != row
    )


@settings(deadline=None)
@given(EARLY, STEPS, LIMITS)
def test_when_nothing_changed_nothing_is_told(
    early: list[Step], steps: list[Step], limit: int
) -> None:
    company, poller = begun(early)
    play(company, poller, steps)
    poller.finish(limit)
    page = poller.poll(limit)
    assert (page.new, page.updated, page.more) == ([], [], False)


@settings(deadline=None)
@given(EARLY, STEPS, LIMITS)
def test_a_page_is_in_order_of_time(early: list[Step], steps: list[Step], limit: int) -> None:
    company, poller = begun(early)
    play(company, poller, [s for s in steps if not isinstance(s, Poll)])
    poller.finish(limit)
    assert poller.new == sorted(poller.new, key=lambda row: (row.created, row.id))
    assert poller.updated == sorted(poller.updated, key=lambda row: (row.updated, row.id))


@settings(deadline=None)
@given(EARLY, STEPS, LIMITS)
def test_progress_survives_a_cursor(early: list[Step], steps: list[Step], limit: int) -> None:
    company, poller = begun(early)
    play(company, poller, steps)
    progress = poller.poll(limit).progress
    assert Progress.of(decode(encode(QUESTION, *progress.values()), QUESTION)) == progress


@pytest.mark.parametrize("limit", [1, 7, 31, 32, 33, 100, 500])
def test_an_import_of_hundreds_at_one_time_is_told_whole(limit: int) -> None:
    company, poller = begun([])
    for number in range(300):
        company.add(f"{number * 7919 % 300:03d}")
    poller.finish(limit)
    assert Counter(row.id for row in poller.new) == Counter(list(company.contacts))
    assert poller.updated == []


def test_one_more_of_the_same_time_is_new_in_the_next_run() -> None:
    company, poller = begun([Add("b")])
    play(company, poller, [Add("m"), Poll(5), Add("c"), Add("x")])
    assert [row.id for row in poller.finish(5)] == ["c", "x"]


def test_an_import_at_the_time_of_a_contact_already_told_does_not_tell_it_again() -> None:
    company, poller = begun([])
    play(company, poller, [Add("z"), Poll(5)])
    for number in range(40):
        company.add(f"a{number:02d}")
    poller.finish(100)
    poller.finish(100)
    assert Counter(row.id for row in poller.new) == Counter(list(company.contacts))


def test_a_contact_without_times_is_never_told() -> None:
    company, poller = begun([])
    company.contacts["a"] = contact("a", ABSENT, ABSENT)
    assert poller.finish(5) == []


def test_a_contact_without_a_creation_time_is_told_when_it_changes() -> None:
    company, poller = begun([])
    company.contacts["a"] = contact("a", ABSENT, SINCE + 1)
    poller.finish(5)
    assert (poller.new, [row.id for row in poller.updated]) == ([], ["a"])


def test_a_contact_that_changes_after_it_was_told_as_new_is_told_as_changed() -> None:
    company, poller = begun([])
    play(company, poller, [Add("a"), Add("b"), Poll(1), Change(0)])
    poller.finish(1)
    assert [row.id for row in poller.new] == ["a", "b"]
    assert [(row.id, row.updated) for row in poller.updated] == [("a", SINCE + 1)]
