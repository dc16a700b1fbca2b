"""In which order windows are fetched and which are trusted, seen by a source that keeps watch."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import anyio
import pytest

from smoc_mcp.api.client import SortField
from smoc_mcp.api.models import ApiAnswer, read_contact
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.errors import UnreachableError
from smoc_mcp.proof.certainty import Certainty
from smoc_mcp.proof.history import BEGINNING
from smoc_mcp.proof.windows import Sort, Status
from smoc_mcp.questions.changes import Progress
from smoc_mcp.questions.dimensions import DIMENSIONS, Count
from smoc_mcp.questions.filters import EVERYBODY, ContactFilter, Listing, Span
from smoc_mcp.text.times import Clock, Moment

pytestmark = pytest.mark.anyio

LIMIT = 8
LEADS = ContactFilter(statuses=frozenset({Status.LEAD}))
Raw = dict[str, object]


class StillClock(Clock):
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.time: Moment = 2 * 10**15

    def __call__(self) -> Moment:
        return self.time

    def elapsed(self) -> Moment:
        return self.time


def moment(second: int) -> Moment:
    return round(datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC).timestamp()) * 1_000_000


def contact(number: int, status: str = "3", updated: int | None = None) -> Raw:
    time = f"2026-01-01T00:00:{number:02}Z"
    if updated is not None:
        return {**contact(number, status), "updatedAt": contact(updated)["updatedAt"]}
    return {"id": f"{number:02}", "createdAt": time, "updatedAt": time, "status": status}


@dataclass
class Source:
    """A company that does not change, and a record of what is asked while what is under way.

    Attributes:
        contacts: In natural order.
        clock: Moves on while each answer is on its way.
        asked: Each sort field, in order.
        beside: For each, what else was under way.
        limits: How many contacts were asked for, each time.
        counts: What the API says that it has, where that is not what it sends.
        before_look: Called before a last look is answered.
        look: Makes of the contacts of a last look what is sent.
        failing: The sort fields of which requests fail.
        gate: What every answer waits for.
        given_up: How many requests were cancelled.
    """

    contacts: list[Raw]
    clock: StillClock
    asked: list[str | None] = field(default_factory=list)
    beside: list[set[str | None]] = field(default_factory=list)
    counts: tuple[int, int] | None = None
    limits: list[int] = field(default_factory=list)
    before_look: Callable[[], None] = lambda: None
    look: Callable[[list[Raw]], Sequence[object]] = list
    failing: Collection[str | None] = ()
    gate: anyio.Event | None = None
    given_up: int = 0
    _under_way: set[str | None] = field(default_factory=set)

    async def fetch_contacts(
        self, sort: SortField | None, limit: int = 500, *, seconds: float | None = None
    ) -> ApiAnswer:
        # A question that has a time limit gives it to each of its requests.
        assert seconds is not None
        assert 0 < seconds <= 20
        self.asked.append(sort)
        self.limits.append(limit)
        self.beside.append(set(self._under_way))
        self._under_way.add(sort)
        self.clock.time += 1
        is_look = 1 < limit < LIMIT
        if is_look:
            self.before_look()
        rows = list(self.contacts)
        if sort is not None:
            rows.sort(key=lambda c: str(c.get(sort) or ""), reverse=True)
        rows = rows[:limit]
        statuses = [c["status"] for c in self.contacts]
        leads, customers = self.counts or (statuses.count("1"), statuses.count("2"))
        try:
            await (self.gate.wait() if self.gate else anyio.lowlevel.checkpoint())
        except anyio.get_cancelled_exc_class():
            self.given_up += 1
            raise
        self._under_way.discard(sort)
        if sort in self.failing:
            raise UnreachableError(f"{sort} cannot be reached.")
        sent = self.look(rows) if is_look else rows
        reads = tuple(r for c in sent if (r := read_contact(c)) is not None)
        return ApiAnswer(reads, len(sent), limit, leads, customers)

    def forget(self) -> None:
        """Empty the record."""
        self.asked.clear()
        self.limits.clear()


def directory_of(source: Source) -> ContactDirectory:
    return ContactDirectory(source, clock=source.clock, window_limit=LIMIT)


async def test_a_refresh_asks_for_the_updated_window_when_all_others_have_come() -> None:
    source = Source([contact(n) for n in range(12)], StillClock())
    async with directory_of(source) as directory:
        await directory.refresh()
        asked = list(source.asked)
    assert set(asked) == {"createdAt", "updatedAt", "lastConversationDate", None}
    assert asked[-1] == "updatedAt"
    assert source.beside[-1] == set()


async def test_a_window_from_before_the_updated_one_is_asked_for_again_before_a_last_look() -> None:
    # All leads are within the windows, and only the windows together can prove it.
    source = Source([contact(n, "1" if n in (0, 12) else "3") for n in range(13)], StillClock())
    async with directory_of(source) as directory:
        await directory.list_contacts(Listing(sort=Sort.CREATED))
        before = source.asked.count("createdAt")
        found = await directory.count_contacts(
            Count(wanted=LEADS, dimensions=(DIMENSIONS["city"],))
        )
    assert (found.tally.total, found.tally.proof.certainty) == (2, Certainty.EXACT)
    assert source.asked.count("createdAt") == before + 1


@pytest.mark.parametrize("counts", [(6, 0), (5, 1), (4, 0)])
async def test_fewer_contacts_than_asked_for_and_yet_not_what_the_api_counts_prove_nothing(
    counts: tuple[int, int],
) -> None:
    source = Source([contact(n, "1") for n in range(5)], StillClock(), counts=counts)
    async with directory_of(source) as directory:
        page = await directory.search_contacts(Listing(limit=10))
        nobody = await directory.find_by_email("nobody@example.com")
    assert len(page.rows) == 5
    assert page.proof.certainty is page.total_proof.certainty is Certainty.AT_LEAST
    assert nobody.proof.certainty is Certainty.AT_LEAST


async def test_fewer_contacts_than_asked_for_are_the_company_where_the_counts_agree() -> None:
    source = Source([contact(n, "1") for n in range(5)], StillClock())
    async with directory_of(source) as directory:
        page = await directory.search_contacts(Listing(limit=10))
    assert (page.total, page.total_proof.certainty) == (5, Certainty.EXACT)


async def test_the_counts_alone_cost_one_request_for_one_contact_however_many_wait() -> None:
    source = Source([contact(n, "1" if n % 2 else "2") for n in range(12)], StillClock())
    async with directory_of(source) as directory:

        async def ask() -> None:
            found = await directory.count_contacts(Count(wanted=LEADS, limit=10))
            assert (found.tally.total, found.tally.proof.certainty) == (6, Certainty.EXACT)

        async with anyio.create_task_group() as together:
            for _ in range(3):
                together.start_soon(ask)
        await ask()
        assert list(zip(source.asked, source.limits, strict=True)) == [(None, 1)]


def two_leads() -> list[Raw]:
    """Return a company whose leads only the windows together prove."""
    return [contact(n, "1" if n in (0, 12) else "3") for n in range(13)]


async def count_leads(directory: ContactDirectory) -> tuple[int, Certainty]:
    found = await directory.count_contacts(Count(wanted=LEADS, dimensions=(DIMENSIONS["city"],)))
    part = found.groups.part if found.groups else None
    whole = part is not None and part.is_whole
    return found.tally.total, part.proof.certainty if part and whole else Certainty.AT_LEAST


async def test_a_last_look_asks_for_four_contacts_and_is_not_repeated_while_it_holds() -> None:
    source = Source(two_leads(), StillClock())
    async with directory_of(source) as directory:
        assert await count_leads(directory) == (2, Certainty.EXACT)
        assert (source.asked[-1], source.limits[-1]) == ("updatedAt", 4)
        source.forget()
        assert await count_leads(directory) == (2, Certainty.EXACT)
        assert source.asked == []


async def test_windows_that_a_refresh_brought_are_looked_at_too() -> None:
    source = Source(two_leads(), StillClock())
    async with directory_of(source) as directory:
        await directory.refresh()
        assert await count_leads(directory) == (2, Certainty.EXACT)


async def test_no_last_look_is_taken_where_it_cannot_prove_anything() -> None:
    # The lead that no window shows would be missing all the same.
    source = Source([contact(n, "1" if n in (0, 9) else "3") for n in range(20)], StillClock())
    source.contacts[9] = contact(9, "1", updated=8)
    async with directory_of(source) as directory:
        assert (await count_leads(directory))[1] is Certainty.AT_LEAST
        assert 4 not in source.limits
        source.forget()
        await directory.search_contacts(Listing(limit=10))
        assert source.asked == []


async def test_everybody_costs_one_window_of_each_order() -> None:
    source = Source([contact(n) for n in range(20)], StillClock())
    async with directory_of(source) as directory:
        await directory.search_contacts(Listing(limit=10))
    assert sorted(map(str, source.asked)) == [
        *("None", "createdAt", "lastConversationDate", "updatedAt")
    ]


def swap_a_lead(source: Source, updated: int) -> Callable[[], None]:
    """Return what makes the oldest lead go and another one come: the counts stay as they are."""

    def swap() -> None:
        source.contacts[5] = contact(5, "1", updated)
        del source.contacts[0]

    return swap


async def test_a_last_look_of_which_an_entry_is_lost_proves_nothing() -> None:
    source = Source(two_leads(), StillClock())
    source.before_look = swap_a_lead(source, 13)
    source.look = lambda rows: ["no contact", *rows[1:]]
    async with directory_of(source) as directory:
        assert (await count_leads(directory))[1] is Certainty.AT_LEAST


@pytest.mark.parametrize("shown", [2, 4])
async def test_a_last_look_at_one_time_only_proves_nothing_unless_it_is_the_whole_company(
    shown: int,
) -> None:
    contacts = [
        contact(n, "1" if n in (0, 12) else "3", updated=12 if n > 8 else n) for n in range(13)
    ]
    source = Source(contacts, StillClock())
    source.before_look = swap_a_lead(source, 12)

    # Those that were the newest before, in the order that equals are compared in.
    source.look = lambda _: [c for c in contacts if c["id"] in ("09", "10", "11", "12")][:shown]
    async with directory_of(source) as directory:
        assert (await count_leads(directory))[1] is Certainty.AT_LEAST


async def test_history_proves_with_a_created_window_and_an_updated_one_asked_for_after_it() -> None:
    source = Source([contact(n) for n in range(12)], StillClock())
    since = ContactFilter(spans={Sort.CREATED: Span(after=moment(6))})
    async with directory_of(source) as directory:
        await directory.refresh()
        source.contacts += [contact(n) for n in range(12, 16)]
        source.clock.time += 61_000_000
        # The second is asked for after the first, which may be the older then.
        await directory.list_contacts(Listing(wanted=EVERYBODY, sort=Sort.UPDATED, limit=3))
        await directory.list_contacts(Listing(limit=3))
        source.forget()
        page = await directory.search_contacts(Listing(wanted=since, sort=Sort.CREATED, limit=20))
        assert source.asked == ["updatedAt"]
    assert (page.total, page.total_proof.certainty) == (10, Certainty.EXACT_UNLESS_DELETED)


async def test_a_refresh_says_what_came_and_why_something_did_not() -> None:
    source = Source([contact(n) for n in range(12)], StillClock(), failing={"createdAt"})
    came: list[Sort] = []
    async with directory_of(source) as directory:
        report = await directory.refresh(came.append)
    assert {sort: str(error) for sort, error in report.failed.items()} == {
        Sort.CREATED: "createdAt cannot be reached."
    }
    assert sorted(came) == ["conversation", "natural", "updated"]
    assert not report.complete


async def test_a_request_is_shared_and_goes_on_while_anybody_waits_for_it() -> None:
    source = Source([contact(n) for n in range(12)], StillClock(), gate=anyio.Event())
    answers: list[int] = []

    async with directory_of(source) as directory:

        async def ask() -> None:
            page = await directory.list_contacts(Listing(limit=3))
            answers.append(len(page.rows))

        async with anyio.create_task_group() as all_of_them:
            for _ in range(2):
                all_of_them.start_soon(ask)
            async with anyio.create_task_group() as impatient:
                for _ in range(2):
                    impatient.start_soon(ask)
                await anyio.wait_all_tasks_blocked()
                impatient.cancel_scope.cancel()
            assert source.given_up == 0
            assert source.gate is not None
            source.gate.set()
    assert answers == [3, 3]
    assert source.asked == ["createdAt"]


async def test_a_request_that_nobody_waits_for_is_given_up_and_made_anew_when_asked_again() -> None:
    source = Source([contact(n) for n in range(12)], StillClock(), gate=anyio.Event())
    async with directory_of(source) as directory:
        async with anyio.create_task_group() as impatient:
            for _ in range(2):
                impatient.start_soon(directory.list_contacts, Listing(limit=3))
            await anyio.wait_all_tasks_blocked()
            impatient.cancel_scope.cancel()
        await anyio.wait_all_tasks_blocked()
        assert source.given_up == 1
        source.gate = None
        page = await directory.list_contacts(Listing(limit=3))
    assert len(page.rows) == 3
    assert source.asked == ["createdAt", "createdAt"]


async def test_the_newest_counts_are_told_though_older_ones_are_larger() -> None:
    source = Source([contact(n, "1") for n in range(12)], StillClock())
    async with directory_of(source) as directory:
        await directory.list_contacts(Listing(limit=3))
        del source.contacts[0]
        await directory.list_contacts(Listing(wanted=EVERYBODY, sort=Sort.UPDATED, limit=3))
        assert (await directory.count_contacts(Count(wanted=LEADS, limit=10))).tally.total == 11


async def test_a_window_whose_last_time_was_not_read_has_no_edge() -> None:
    source = Source([contact(n) for n in range(12)], StillClock())
    # It comes last in the window, in good order, for it counts as without a time.
    source.contacts[4]["createdAt"] = "2026-01-01T00:00:04, or so"
    since = ContactFilter(spans={Sort.CREATED: Span(after=moment(1))})
    async with directory_of(source) as directory:
        page = await directory.search_contacts(Listing(wanted=since, sort=Sort.CREATED, limit=20))
    assert page.total_proof.certainty is Certainty.AT_LEAST
    assert page.company.unread == {"createdAt": 1}


async def test_after_a_complete_window_history_goes_back_to_the_beginning() -> None:
    source = Source([contact(n) for n in range(5)], StillClock())
    async with directory_of(source) as directory:
        await directory.refresh()
        assert (await directory.overview()).reach[Sort.CREATED] == BEGINNING


async def test_news_are_as_of_the_window_that_shows_the_changes() -> None:
    source = Source([contact(n) for n in range(12)], StillClock())
    async with directory_of(source) as directory:
        await directory.list_contacts(Listing(limit=3))
        source.clock.time += 10
        # Too old for the `created` window, which therefore does not contradict it.
        source.contacts[1] = contact(1, updated=20)
        asked_at = source.clock.time
        await directory.list_contacts(Listing(wanted=EVERYBODY, sort=Sort.UPDATED, limit=3))
        news = await directory.list_changes(Progress(moment(10)), 20)
    assert [row.id for row in news.changes.updated] == ["01"]
    assert (news.proof.certainty, news.proof.as_of) == (Certainty.EXACT, asked_at)
