"""The one object that tools talk to: it decides which windows a question needs, and answers.

Each question fetches what it needs (`WindowSync`), then reads the store and the proofs together
(`Reading`).
"""

import time
from collections.abc import Callable
from typing import Self, TypeVar
from zoneinfo import ZoneInfo

import anyio
import anyio.to_thread

from smoc_mcp.api.client import MAX_LIMIT
from smoc_mcp.directory.answers import (
    Catalogue,
    Company,
    Duplicates,
    Found,
    Matches,
    News,
    Overview,
    Page,
    Picture,
    Standing,
    Statistics,
)
from smoc_mcp.directory.catalogue import catalogue
from smoc_mcp.directory.duplicates import find_duplicates
from smoc_mcp.directory.listing import (
    CHANGING,
    find_contact,
    find_matches,
    has_live_match,
    list_news,
    list_page,
    suggest,
)
from smoc_mcp.directory.needs import Needs
from smoc_mcp.directory.parts import proven_part
from smoc_mcp.directory.picture import paint
from smoc_mcp.directory.reading import Reading
from smoc_mcp.directory.report import SyncReport
from smoc_mcp.directory.statistics import count_up, look_over, stand
from smoc_mcp.directory.steps import Question, Steps, answer_from, take_steps
from smoc_mcp.directory.sync import Asked, ContactSource, WindowSync
from smoc_mcp.directory.upkeep import Upkeep
from smoc_mcp.errors import KeyRefusedError, SmocError, StoreError, TimedOutError, UpstreamError
from smoc_mcp.proof.certainty import Region
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import Sort, Window
from smoc_mcp.questions.changes import Progress
from smoc_mcp.questions.dimensions import Count
from smoc_mcp.questions.duplicates import Pairing
from smoc_mcp.questions.filters import ContactFilter, Listing
from smoc_mcp.questions.look import Look
from smoc_mcp.questions.rows import ContactRow
from smoc_mcp.questions.search import parse_query
from smoc_mcp.store.conflicts import done_again
from smoc_mcp.store.store import ContactStore
from smoc_mcp.text.times import Clock, Moment

__all__ = ["ContactDirectory", "FindDirectory"]

T = TypeVar("T")

_LEAST_SECONDS = 5.0


class ContactDirectory:
    """Answers questions about one company's contacts. Use it as an async context manager.

    Args:
        source: Where pages of contacts come from.
        store: Where they are kept; in memory unless given.
        cache_seconds: How long a window is live.
        timeout_seconds: The most that one question may take.
        zone: The zone of the days, weeks and months that contacts are grouped by.
        refresh_seconds: With a store file, all windows are fetched this often while questions
            come, or more often where the company grows fast.
        clock: The present moment; the store's clock unless given.
        window_limit: How many contacts a window holds at most; the API's 500.
        strict: Whether the API must have accepted our key within the cache time for an answer from
            what is in hand: the key is a caller's, not the server's own.
    """

    def __init__(
        self,
        source: ContactSource,
        *,
        store: ContactStore | None = None,
        cache_seconds: float = 60.0,
        timeout_seconds: float = 20.0,
        zone: ZoneInfo | None = None,
        refresh_seconds: float = 900.0,
        clock: Clock | None = None,
        window_limit: int = MAX_LIMIT,
        strict: bool = False,
    ) -> None:
        self._strict = strict
        self.zone = zone or ZoneInfo("UTC")
        store = store or ContactStore()
        self.clock = clock or store.clock
        self.sync = WindowSync(source, store, self.clock, window_limit)
        self._needs = Needs(self.sync)
        self._cache = round(cache_seconds * 1_000_000)
        self._timeout = timeout_seconds
        self._upkeep = Upkeep(self.sync, self.clock, self.refresh, refresh_seconds)
        # The last thing that the API said of our key was no.
        self._refused = False

    async def __aenter__(self) -> Self:
        await self.sync.__aenter__()
        await self._upkeep.tidy_if_due()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.sync.__aexit__(*error)
        self.sync.store.close()

    async def list_contacts(self, asked: Listing) -> Page:
        """Return contacts newest first by one field; the field's window, or all if it must be.

        Raises:
            UpstreamError: The API gave no usable answer, and nothing is in hand; of every method.
        """

        def ask(reading: Reading) -> Steps[Page]:
            reading = yield from self._needs.newest(asked, reading)
            return list_page(reading, asked)

        return await self._answer(ask)

    async def search_contacts(self, asked: Listing) -> Page:
        """Return the contacts of a filter, in the order that is asked for."""

        def ask(reading: Reading) -> Steps[Page]:
            reading = yield from self._needs.region(asked.wanted.region(), reading)
            if asked.wanted.terms:
                reading = yield from self._needs.words(reading)
            return list_page(reading, asked)

        return await self._answer(ask)

    async def find_by_email(self, email_key: str) -> Matches:
        """Return who has an address (see `text.email_key`), and similar ones if nobody has.

        What is live is looked at first, then the other windows together.
        """

        def ask(reading: Reading) -> Steps[Matches]:
            if not has_live_match(reading, email_key):
                reading = yield from self._needs.region(
                    Region(fields=frozenset({"email"})), reading
                )
                reading = yield from self._needs.words(reading)
            return find_matches(reading, email_key)

        return await self._answer(ask)

    async def get_contact(self, contact_id: str) -> Found:
        """Return one contact, whole.

        Raises:
            ContactNotFoundError: No contact in hand has this id.
        """

        def ask(reading: Reading) -> Steps[Found]:
            if not reading.is_live(contact_id):
                reading = yield from self._needs.windows(Sort, reading)
            return find_contact(reading, contact_id)

        return await self._answer(ask)

    async def count_contacts(self, asked: Count) -> Statistics:
        """Return how many contacts match and, by up to two dimensions, how they divide.

        Without dimensions the counts alone cost one small request.

        Raises:
            InputError: A dimension is a survey question that nobody in hand has answered.
        """

        def ask(reading: Reading) -> Steps[Statistics]:
            reading = yield from self._needs.count(asked, reading)
            return count_up(reading, asked)

        return await self._answer(ask, heavy=asked.has_labels)

    async def overlook(self, asked: Look) -> Picture:
        """Return numbers, a trend, one grouping and the newest contacts, all of one moment.

        Raises:
            InputError: The grouping is a survey question that nobody in hand has answered.
        """

        def ask(reading: Reading) -> Steps[Picture]:
            for count in (asked.numbers, asked.trend("created_month"), asked.groups):
                reading = yield from self._needs.count(count, reading)
            reading = yield from self._needs.newest(asked.newest, reading)
            reading = yield from self._needs.windows(CHANGING, reading)
            return paint(reading, asked)

        return await self._answer(ask, heavy=asked.groups.has_labels)

    async def find_duplicates(self, asked: Pairing) -> Duplicates:
        """Return the contacts that are the same person."""

        def ask(reading: Reading) -> Steps[Duplicates]:
            reading = yield from self._needs.region(asked.region, reading)
            reading = yield from self._needs.part(asked, reading)
            return find_duplicates(reading, asked)

        return await self._answer(ask)

    async def list_changes(self, progress: Progress, limit: int) -> News:
        """Return the next page of contacts that are new or changed; see `changes`."""

        def ask(reading: Reading) -> Steps[News]:
            reading = yield from self._needs.windows(CHANGING, reading)
            return list_news(reading, progress, limit)

        return await self._answer(ask)

    async def proven_part(self, wanted: ContactFilter) -> Part | None:
        """Return the part of a filter's contacts that is proven to be in hand; None for nobody."""
        asked = Count(wanted=wanted)

        def ask(reading: Reading) -> Steps[Part | None]:
            reading = yield from self._needs.region(asked.region, reading)
            reading = yield from self._needs.part(asked, reading)
            if wanted.terms:
                reading = yield from self._needs.words(reading)
            found = proven_part(reading, asked)
            return None if found is None else found[0]

        return await self._answer(ask)

    async def suggest(self, text: str, limit: int) -> list[ContactRow]:
        """Return contacts whose id begins with a text or that hold its words, the best first.

        For an empty text the newest. It looks at what is in hand and the newest window.

        Raises:
            InputError: The text is too long.
        """
        wanted = ContactFilter(terms=parse_query(text))

        def ask(reading: Reading) -> Steps[list[ContactRow]]:
            reading = yield from self._needs.windows([Sort.CREATED], reading)
            reading = yield from self._needs.words(reading)
            return suggest(reading, text.strip(), wanted, limit)

        return await self._answer(ask)

    async def standing(self) -> Standing:
        """Return what is in hand; nothing is fetched.

        Raises:
            StoreError: The store cannot be read now.
        """
        return await self._read(self._asked(), lambda r: stand(r, self.clock.elapsed()))

    @property
    def refused(self) -> bool:
        """Whether the last thing that the API said of our key was no."""
        return self._refused

    @property
    def accepted(self) -> bool:
        """Whether the API has accepted our key within the cache time."""
        return self.sync.counts(self.clock.elapsed() - self._cache) is not None

    @property
    def has_been_accepted(self) -> bool:
        """Whether the API has ever answered our key since we were opened."""
        return self.sync.counts(0) is not None

    async def refresh(self, done: Callable[[Sort], None] = lambda _: None) -> SyncReport:
        """Fetch all four windows into the store; see `WindowSync.refresh`."""
        return await self.sync.refresh(self._asked(), done)

    async def overview(self, *, looks: bool = False) -> Overview:
        """Return what is known of the company: counts, windows, history, gaps.

        Args:
            looks: Have all four windows; otherwise the counts alone are asked for.
        """

        def ask(reading: Reading) -> Steps[Overview]:
            reading = yield from self._needs.counts(reading)
            if looks:
                reading = yield from self._needs.windows(Sort, reading)
            return look_over(reading)

        return await self._answer(ask)

    async def catalogue(self) -> Catalogue:
        """Return which campaigns, flows, promotions and survey questions are seen in hand."""

        def ask(reading: Reading) -> Steps[Catalogue]:
            reading = yield from self._needs.windows(Sort, reading)
            return catalogue(reading)

        return await self._answer(ask, heavy=True)

    async def survey_windows(self) -> tuple[Company, list[Window]]:
        """Return all four windows, and the company that they show a part of.

        Raises:
            UpstreamError: The API gave no usable answer, whatever is in hand.
        """
        asked = self._asked()
        await self.sync.ensure_all(asked)
        return await self._read(
            asked, lambda reading: (reading.company(), self.sync.live.all(asked.since))
        )

    async def _answer(self, ask: Question[T], *, heavy: bool = False) -> T:
        """Take a question's steps; where the API fails, what is in hand is the answer.

        Args:
            ask: The question.
            heavy: Few contacts can be enough for it to take long.
        """
        asked = self._asked()
        await self._upkeep.tidy_if_due()
        failure: SmocError = TimedOutError(
            f"SMOC did not answer within {self._timeout:g} seconds. Nothing is lost; ask again in "
            "a minute."
        )
        with anyio.move_on_at(asked.deadline):
            try:
                answer = await take_steps(
                    ask, lambda look: self._read(asked, look, heavy=heavy), asked
                )
            except KeyRefusedError:
                # Whom the API has just refused, we do not answer from the store.
                self._refused = True
                await self.sync.forget()
                raise
            except (UpstreamError, StoreError) as error:
                failure = error
            else:
                self._refused = False
                self._upkeep.refresh_if_due()
                return answer
        in_hand = await self._read(asked, lambda reading: reading.company().in_hand)
        if self._refused or not in_hand or (self._strict and not self.accepted):
            raise failure
        return await self._read(asked, lambda r: answer_from(ask, r), str(failure), heavy=heavy)

    def _asked(self) -> Asked:
        return Asked(self.clock.elapsed() - self._cache, anyio.current_time() + self._timeout)

    def _reading(self, since: Moment, failure: str) -> Reading:
        sync = self.sync
        return Reading(
            store=sync.store,
            live=sync.live,
            counts=sync.counts(since),
            told=sync.told,
            unread=sync.unread(since),
            window_limit=sync.window_limit,
            zone=self.zone,
            since=since,
            now=self.clock(),
            failure=failure,
        )

    async def _read(
        self,
        asked: Asked,
        read: Callable[[Reading], T],
        failure: str = "",
        *,
        heavy: bool = False,
    ) -> T:
        """Run a reading of store and proofs, while neither changes; a long one in a thread."""
        # An answer from what is in hand, where the API took all the time, has some of its own.
        left = max(asked.deadline - anyio.current_time(), _LEAST_SECONDS)
        deadline = time.monotonic() + left

        def run() -> T:
            with self.sync.store.until(deadline), self.sync.store.snapshot():
                self.sync.notice_others()
                return read(self._reading(asked.since, failure))

        async with self.sync.settled:
            # A thread costs more than a look at little; a file can make a look wait.
            if self.sync.store.is_light and not heavy:
                return run()
            return await anyio.to_thread.run_sync(done_again, run)


FindDirectory = Callable[[], ContactDirectory]
"""Returns the directory of the company that the present request asks about."""
