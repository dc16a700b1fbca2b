"""In which order windows are fetched and which are trusted, seen by a source that keeps watch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio
import pytest

from smoc_mcp.api.client import SortField
from smoc_mcp.api.models import ApiAnswer, read_contact
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.proof.certainty import Certainty
from smoc_mcp.proof.windows import Sort, Status
from smoc_mcp.questions.dimensions import DIMENSIONS, Count
from smoc_mcp.questions.filters import EVERYBODY, ContactFilter, Listing
from smoc_mcp.text.times import Clock, Moment

pytestmark = pytest.mark.anyio

LIMIT = 8
LEADS = ContactFilter(status=Status.LEAD)
Raw = dict[str, object]


class StillClock(Clock):
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.time: Moment = 2 * 10**15

    def __call__(self) -> Moment:
        return self.time

    def elapsed(self) -> Moment:
        return self.time


def contact(number: int, status: str = "3") -> Raw:
    time = f"2026-01-01T00:00:{number:02}Z"
    return {"id": f"{number:02}", "createdAt": time, "updatedAt": time, "status": status}


@dataclass
class Source:
    """A company that does not change, and a record of what is asked while what is under way.

    Attributes:
        contacts: In natural order.
        clock: Moves on while each answer is on its way.
        asked: Each sort field, in order.
        beside: For each, what else was under way.
        counts: What the API says that it has, where that is not what it sends.
    """

    contacts: Sequence[Raw]
    clock: StillClock
    asked: list[str | None] = field(default_factory=list)
    beside: list[set[str | None]] = field(default_factory=list)
    counts: tuple[int, int] | None = None
    before_answer: Callable[[], None] = lambda: None
    _under_way: set[str | None] = field(default_factory=set)

    async def fetch_contacts(
        self, sort: SortField | None, limit: int = LIMIT, *, seconds: float | None = None
    ) -> ApiAnswer:
        del seconds
        self.asked.append(sort)
        self.beside.append(set(self._under_way))
        self._under_way.add(sort)
        self.clock.time += 1
        self.before_answer()
        rows = list(self.contacts)
        if sort is not None:
            rows.sort(key=lambda c: str(c.get(sort) or ""), reverse=True)
        rows = rows[:limit]
        statuses = [c["status"] for c in self.contacts]
        leads, customers = self.counts or (statuses.count("1"), statuses.count("2"))
        await anyio.lowlevel.checkpoint()
        self._under_way.discard(sort)
        reads = tuple(r for c in rows if (r := read_contact(c)) is not None)
        return ApiAnswer(reads, len(rows), limit, leads, customers)


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
    assert (found.total, found.proof.certainty) == (2, Certainty.EXACT)
    assert source.asked.count("createdAt") == before + 1


@pytest.mark.parametrize("counts", [(6, 0), (5, 1), (4, 0)])
async def test_fewer_contacts_than_asked_for_and_yet_not_what_the_api_counts_prove_nothing(
    counts: tuple[int, int],
) -> None:
    source = Source([contact(n, "1") for n in range(5)], StillClock(), counts=counts)
    async with directory_of(source) as directory:
        page = await directory.search_contacts(
            Listing(wanted=EVERYBODY, sort=Sort.CREATED, limit=10)
        )
        nobody = await directory.find_by_email("nobody@example.com")
    assert len(page.rows) == 5
    assert page.proof.certainty is page.total_proof.certainty is Certainty.AT_LEAST
    assert nobody.proof.certainty is Certainty.AT_LEAST


async def test_fewer_contacts_than_asked_for_are_the_company_where_the_counts_agree() -> None:
    source = Source([contact(n, "1") for n in range(5)], StillClock())
    async with directory_of(source) as directory:
        page = await directory.search_contacts(
            Listing(wanted=EVERYBODY, sort=Sort.CREATED, limit=10)
        )
    assert (page.total, page.total_proof.certainty) == (5, Certainty.EXACT)
