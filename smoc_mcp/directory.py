"""The one object that tools talk to: it decides which windows a question needs, and answers.

Each question fetches what it needs (`WindowSync`), then reads the store and the proofs together.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Self, TypeVar
from zoneinfo import ZoneInfo

import anyio
import anyio.to_thread

from smoc_mcp.answers import Company, Found, Matches, News, Page, Statistics
from smoc_mcp.changes import Progress, next_changes
from smoc_mcp.client import MAX_LIMIT
from smoc_mcp.coverage import COUNTED, Certainty, Proof, Region, Sort, Status, Window
from smoc_mcp.errors import ContactNotFoundError, TimedOutError
from smoc_mcp.groups import NONE, merge
from smoc_mcp.query import DIMENSIONS, EVERYBODY, TIMES, ContactFilter, Dimension
from smoc_mcp.rows import ContactRow, Position
from smoc_mcp.store import ContactStore
from smoc_mcp.sync import Asked, ContactSource, WindowSync
from smoc_mcp.times import Clock, Moment

__all__ = ["ContactDirectory"]

T = TypeVar("T")

SIMILAR_SHOWN = 5
_SIMILAR_SCORE = 75.0
_INSTEAD_SHOWN = 8


class ContactDirectory:
    """Answers questions about one company's contacts. Use it as an async context manager.

    Args:
        source: Where pages of contacts come from.
        store: Where they are kept; in memory unless given.
        cache_seconds: How long a window is live.
        timeout_seconds: The most that one question may take.
        zone: The zone of the days, weeks and months that contacts are grouped by.
        clock: The present moment.
        window_limit: How many contacts a window holds at most; the API's 500.
    """

    def __init__(
        self,
        source: ContactSource,
        *,
        store: ContactStore | None = None,
        cache_seconds: float = 60.0,
        timeout_seconds: float = 20.0,
        zone: ZoneInfo | None = None,
        clock: Clock | None = None,
        window_limit: int = MAX_LIMIT,
    ) -> None:
        self.zone = zone or ZoneInfo("UTC")
        self.clock = clock or Clock()
        self.sync = WindowSync(source, store or ContactStore(), self.clock, window_limit)
        self._cache = round(cache_seconds * 1_000_000)
        self._timeout = timeout_seconds

    async def __aenter__(self) -> Self:
        await self.sync.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.sync.__aexit__(*error)
        self.sync.store.close()

    async def list_contacts(
        self,
        wanted: ContactFilter,
        sort: Sort,
        limit: int,
        *,
        after: Position | None = None,
        top: Moment | None = None,
    ) -> Page:
        """Return contacts newest first by one field; the field's window, or all if it must be.

        Args:
            wanted: Which; usually of one status.
            sort: The field.
            limit: The most rows.
            after: Where the last page ended.
            top: The key of the first page's first row, if this is a later one.

        Raises:
            UpstreamError: The API gave no usable answer.
        """
        async with self._question() as asked:
            await self.sync.ensure([sort], asked)
            page = await self._page(asked, wanted, sort, limit, after=after, top=top)
            if not page.proof.exact:
                await self.sync.ensure_all(asked, wanted.region().statuses)
                page = await self._page(asked, wanted, sort, limit, after=after, top=top)
            return page

    async def search_contacts(
        self,
        wanted: ContactFilter,
        sort: Sort,
        limit: int,
        *,
        by_relevance: bool = False,
        after: Position | None = None,
        top: Moment | None = None,
    ) -> Page:
        """Return the contacts of a filter; parameters and errors as `list_contacts`.

        By relevance, equally good matches are in the order of `sort`.
        """
        async with self._question() as asked:
            await self._ensure_region(wanted.region(), asked)
            return await self._page(
                asked, wanted, sort, limit, by_relevance=by_relevance, after=after, top=top
            )

    async def find_by_email(self, email_key: str) -> Matches:
        """Return who has an address (see `text.email_key`), and similar ones if nobody has.

        What is live is looked at first, then the other windows together.
        """
        async with self._question() as asked:
            live = await self._read(lambda: self._live_matches(email_key, asked.since))
            if not live:
                await self.sync.ensure_all(asked)
            return await self._read(lambda: self._matches(email_key, asked.since))

    async def get_contact(self, contact_id: str) -> Found:
        """Return one contact, whole.

        Raises:
            ContactNotFoundError: No contact in hand has this id.
            UpstreamError: The API gave no usable answer.
        """
        async with self._question() as asked:
            if contact_id not in self.sync.live.union(asked.since):
                await self.sync.ensure_all(asked)
            return await self._read(lambda: self._found(contact_id, asked.since))

    async def count_contacts(
        self, wanted: ContactFilter, dimensions: Sequence[Dimension], limit: int
    ) -> Statistics:
        """Return how many contacts match and, by up to two dimensions, how they divide.

        Args:
            wanted: Which contacts.
            dimensions: None for the counts alone, which cost one small request.
            limit: The most groups.
        """
        async with self._question() as asked:
            await self.sync.ensure_counts(asked)
            region = wanted.region(*(d.reads for d in dimensions))
            if dimensions or not wanted.only_status or wanted.status not in (None, *COUNTED):
                await self._ensure_region(region, asked)
            elif wanted.status is None and self._may_be_small(asked.since):
                # One window may well be the whole company; a larger one needs no look.
                await self.sync.ensure([Sort.UPDATED], asked)
            return await self._read(
                lambda: self._statistics(wanted, dimensions, region, limit, asked.since)
            )

    async def list_changes(self, progress: Progress, limit: int) -> News:
        """Return the next page of contacts that are new or changed; see `changes`."""
        async with self._question() as asked:
            await self.sync.ensure([Sort.CREATED, Sort.UPDATED], asked)
            return await self._read(lambda: self._news(progress, limit, asked.since))

    async def survey_windows(self) -> tuple[Company, list[Window]]:
        """Return all four windows, and the company that they show a part of."""
        async with self._question() as asked:
            await self.sync.ensure_all(asked)
            return await self._read(
                lambda: (self._company(asked.since), self.sync.live.all(asked.since))
            )

    @asynccontextmanager
    async def _question(self) -> AsyncIterator[Asked]:
        asked = Asked(self.clock() - self._cache, anyio.current_time() + self._timeout)
        with anyio.move_on_at(asked.deadline) as scope:
            yield asked
        if scope.cancelled_caught:
            raise TimedOutError(
                f"SMOC did not answer within {self._timeout:g} seconds. Nothing is lost; ask again "
                "in a minute."
            )

    async def _ensure_region(self, region: Region, asked: Asked) -> None:
        """Fetch one window if it can hold the whole region, otherwise all."""
        for sort in TIMES:
            if self.sync.live.prove(region, asked.since) is not None:
                return
            if sort in region.after:
                await self.sync.ensure([sort], asked)
        if self.sync.live.prove(region, asked.since) is None:
            await self.sync.ensure_all(asked, region.statuses)

    async def _read(self, read: Callable[[], T]) -> T:
        """Run a reading of store and proofs, while neither changes, off the event loop."""
        async with self.sync.settled:
            return await anyio.to_thread.run_sync(read)

    async def _page(
        self,
        asked: Asked,
        wanted: ContactFilter,
        sort: Sort,
        limit: int,
        *,
        by_relevance: bool = False,
        after: Position | None = None,
        top: Moment | None = None,
    ) -> Page:
        def read() -> Page:
            region = wanted.region(TIMES[sort])
            counted = self.sync.live.prove(wanted.region(), asked.since)
            proof = self.sync.live.prove(region, asked.since)
            listed = wanted if proof is None else replace(wanted, among=proof.among)
            rows = self.sync.store.list_rows(
                listed, sort, limit + 1, by_relevance=by_relevance, after=after
            )
            more, rows = len(rows) > limit, rows[:limit]
            total, total_proof = self._total(wanted, counted, asked.since)
            if proof is None and len(rows) == limit and not by_relevance:
                oldest = Region({sort: rows[-1].key(sort)}, None, region.fields)
                proof = self.sync.live.prove(oldest, asked.since)
            first = None if by_relevance else (rows[0].key(sort) if rows and top is None else top)
            return Page(
                company=self._company(asked.since),
                rows=rows,
                proof=proof or self._lower_bound(asked.since),
                total=total,
                total_proof=total_proof,
                more=more,
                moved_ahead=self._newer(wanted, sort, top) if after and top is not None else 0,
                top=first,
                instead={} if total else self._instead(wanted),
            )

        return await self._read(read)

    def _newer(self, wanted: ContactFilter, sort: Sort, top: Moment) -> int:
        rows = self.sync.store.list_rows(wanted, sort, 100)
        return sum(row.key(sort) > top for row in rows)

    def _live_matches(self, email_key: str, since: Moment) -> list[ContactRow]:
        live = self.sync.live.union(since)
        return [row for row in self.sync.store.find_email(email_key) if row.id in live]

    def _matches(self, email_key: str, since: Moment) -> Matches:
        company = self._company(since)
        rows = self.sync.store.find_email(email_key)
        proof = self.sync.live.prove(Region(fields=frozenset({"email"})), since)
        return Matches(
            company=company,
            rows=rows,
            similar=[] if rows else self._similar(email_key),
            proof=proof or self._lower_bound(since),
            searched=company.in_hand,
        )

    def _similar(self, email_key: str) -> list[ContactRow]:
        # Imported when first needed: most sessions never miss an address.
        from rapidfuzz import fuzz, process

        addresses = self.sync.store.email_addresses()
        best = process.extract(
            email_key,
            addresses,
            scorer=fuzz.ratio,
            limit=SIMILAR_SHOWN,
            score_cutoff=_SIMILAR_SCORE,
        )
        order = [contact_id for _, _, contact_id in best]
        rows = self.sync.store.find_rows(order)
        return sorted(rows, key=lambda row: order.index(row.id))

    def _found(self, contact_id: str, since: Moment) -> Found:
        found = self.sync.store.get(contact_id)
        company = self._company(since)
        if found is None:
            if self.sync.live.prove(Region(), since) is not None:
                raise ContactNotFoundError(
                    "No contact of this company has this id. Take an id from contacts_list, "
                    "contacts_search or contacts_find_by_email."
                )
            raise ContactNotFoundError(
                f"None of the {company.in_hand:,} contacts in hand has this id; the company has "
                f"{company.leads:,} leads and {company.customers:,} customers, so it may exist out "
                "of reach. Take an id from contacts_list, contacts_search or "
                "contacts_find_by_email."
            )
        live = contact_id in self.sync.live.union(since)
        return Found(company, found[0], found[1], found[2], live)

    def _statistics(
        self,
        wanted: ContactFilter,
        dimensions: Sequence[Dimension],
        region: Region,
        limit: int,
        since: Moment,
    ) -> Statistics:
        store = self.sync.store
        proven = self.sync.live.prove(region, since)
        if not dimensions:
            total, proof = self._total(wanted, proven, since)
            unfiltered = wanted == EVERYBODY
            instead = {} if total else self._instead(wanted)
            return Statistics(self._company(since), total, proof, None, (), unfiltered, instead)
        if proven is not None:
            wanted = replace(wanted, among=proven.among)
        grouping = merge(store.group(wanted, dimensions), dimensions, limit, self.zone)
        total = sum(store.count(wanted).values())
        asked_about = [d.question for d in dimensions if d.question]
        return Statistics(
            company=self._company(since),
            total=total,
            proof=proven or self._lower_bound(since),
            grouping=grouping,
            questions=[q for words in asked_about for q in store.survey_questions(words)],
            unfiltered=False,
            instead={} if total else self._instead(wanted),
        )

    def _news(self, progress: Progress, limit: int, since: Moment) -> News:
        starts = {Sort.CREATED: progress.new.time, Sort.UPDATED: progress.updated.time}
        read = frozenset({"createdAt", "updatedAt"})
        regions = [Region({sort: start}, fields=read) for sort, start in starts.items()]
        proofs = [self.sync.live.prove(region, since) for region in regions]
        proven = [proof for proof in proofs if proof is not None]
        if len(proven) == len(proofs):
            proof, gap = min(proven, key=lambda p: p.as_of), None
        else:
            proof = self._lower_bound(since)
            windows = [self.sync.live.sound(sort, since) for sort in starts]
            edges = [w.edge for w in windows if w is not None and w.edge is not None]
            gap = (min(starts.values()), max(edges)) if edges else None
        changes = next_changes(progress, self.sync.store.list_since, limit)
        return News(self._company(since), changes, proof, gap)

    def _instead(self, wanted: ContactFilter) -> dict[str, list[str]]:
        """Return what a caller could have asked for: the commonest values of each text filter."""
        values: dict[str, list[str]] = {}
        for name in wanted.texts:
            dimensions = (DIMENSIONS[name],)
            rows = self.sync.store.group(EVERYBODY, dimensions)
            groups = merge(rows, dimensions, _INSTEAD_SHOWN + 1, self.zone).groups
            known = [g.values[0] for g in groups if g.values[0] != NONE][:_INSTEAD_SHOWN]
            if known:
                values[name] = known
        return values

    def _total(
        self, wanted: ContactFilter, proof: Proof | None, since: Moment
    ) -> tuple[int, Proof]:
        """Return how many contacts match; the API's own count where that is the answer."""
        if proof is not None:
            held = self.sync.store.count(replace(wanted, among=proof.among))
            return sum(held.values()), proof
        held = self.sync.store.count(wanted)
        known = self.sync.counts(since)
        if known is not None and wanted.only_status:
            counts, as_of = known
            if wanted.status in COUNTED:
                return counts.of([wanted.status]), Proof(Certainty.EXACT, as_of)
            if wanted.status is None:
                # Statuses that nobody can read may be among those that the API counts.
                others = held.get(Status.LOST, 0) + held.get(Status.CONVERTED, 0)
                total = max(sum(held.values()), counts.of(COUNTED) + others)
                return total, self._lower_bound(since)
        return sum(held.values()), self._lower_bound(since)

    def _may_be_small(self, since: Moment) -> bool:
        known = self.sync.counts(since)
        return known is not None and known[0].of(COUNTED) < self.sync.window_limit

    def _lower_bound(self, since: Moment) -> Proof:
        """Return the claim that needs no proof, as of the oldest thing that is live."""
        known = self.sync.counts(since)
        moments = [w.sent for w in self.sync.live.all(since)] + ([known[1]] if known else [])
        return Proof(Certainty.AT_LEAST, min(moments, default=self.clock()))

    def _company(self, since: Moment) -> Company:
        known = self.sync.counts(since)
        counts, as_of = known if known is not None else ((0, 0), self.clock())
        in_hand = sum(self.sync.store.count(EVERYBODY).values())
        unread: Counter[str] = self.sync.unread(since)
        return Company(*counts, in_hand, as_of, unread)
