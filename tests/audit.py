"""Questions at random, and every claim of their answers held against the truth at its moment."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from smoc_mcp.directory.answers import Matches, News, Page, Statistics
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.errors import InputError, StoreError, UpstreamError
from smoc_mcp.proof.certainty import Proof
from smoc_mcp.proof.windows import Sort, Status
from smoc_mcp.questions.changes import Progress
from smoc_mcp.questions.dimensions import Count, Scope, parse_group_by
from smoc_mcp.questions.duplicates import By, Pairing
from smoc_mcp.questions.filters import EVERYBODY, ContactFilter, Listing, Span, parse_filter
from smoc_mcp.questions.look import Look, parse_grouping
from smoc_mcp.questions.measures import MEASURES
from smoc_mcp.questions.rows import ContactRow
from smoc_mcp.views.figures import figures
from smoc_mcp.views.lists import Views
from tests.simulation import UTC, Raw, SimulatedCompany, key
from tests.truth import (
    WIRE,
    admits,
    alike,
    check_groups,
    check_part,
    check_sample,
    check_statuses,
    check_total,
    is_since,
    moment,
    part_of,
    status_of,
)

GROUPS = (
    *("status", "status", "city", "flow", "city,status", "flow,status", "created_day"),
    *("created_day,city", "created_week", "inviter", "inviter,status", "created_weekday"),
    *("conversation_week", "survey", "survey,status", "survey:q1", "text", "text:size"),
)
ANSWERED = (
    *({"has": "surveys"}, {"has": "-surveys"}, {"has": "texts"}, {"has": "-surveys,-texts"}),
    *({"survey": "(none)"}, {"survey": "-(none)"}, {"survey": "(unnamed)"}, {"survey": "q1"}),
    *({"survey": '"q1"'}, {"survey": "q1: (none)"}, {"survey": "roof: flat"}, {"text": "(none)"}),
    *({"text": "size"}, {"text": "size: (none)"}, {"text": "(unnamed): wish"}),
)
"""Filters of who has answered, and what."""


@dataclass
class Poller:
    """Somebody who asks for changes again and again, and what he was given.

    Attributes:
        since: From when.
        progress: How far he is.
        new: The ids that he was given as new.
        given: The latest updatedAt with which he was given each contact.
        whole: No answer so far has said that something may be missing.
    """

    since: int
    progress: Progress
    new: Counter[str] = field(default_factory=Counter)
    given: dict[str, int] = field(default_factory=dict)
    whole: bool = True

    def take(self, news: News) -> None:
        """Note what an answer gave."""
        self.progress = news.changes.progress
        self.whole &= news.proof.complete
        self.new.update(row.id for row in news.changes.new)
        for row in (*news.changes.new, *news.changes.updated):
            self.given[row.id] = max(row.updated, self.given.get(row.id, row.updated))


@dataclass
class Audit:
    """Asks a directory at random, and holds every claim against the truth at its `as_of`."""

    chance: random.Random
    company: SimulatedCompany
    directory: ContactDirectory
    claims: Counter[str] = field(default_factory=Counter)
    poller: Poller | None = None
    _polling: bool = False

    async def ask(self) -> None:
        """Ask one thing; that there is no answer is no claim."""
        questions = [
            *(self.ask_list, self.ask_search, self.ask_email, self.ask_stats, self.ask_news),
            *(self.poll, self.refresh, self.ask_duplicates, self.ask_dashboard),
        ]
        try:
            await self.chance.choice(questions)()
        except (UpstreamError, StoreError):
            self.claims["no answer"] += 1
        except InputError as error:
            if "in hand has answered" not in str(error):
                raise
            self.claims["no such question"] += 1

    async def ask_list(self) -> None:
        sort = self.chance.choice(list(WIRE))
        wanted = ContactFilter(statuses=self._statuses())
        limit = self.chance.choice([1, 3, 5, 20])
        self._check_page(
            "list",
            await self.directory.list_contacts(Listing(wanted=wanted, sort=sort, limit=limit)),
            wanted,
            sort,
            limit,
        )

    async def ask_search(self) -> None:
        sort = self.chance.choice(list(WIRE))
        wanted = self.filter_of_answers()
        limit = self.chance.choice([1, 3, 5, 20])
        self._check_page(
            "search",
            await self.directory.search_contacts(Listing(wanted=wanted, sort=sort, limit=limit)),
            wanted,
            sort,
            limit,
        )

    async def ask_email(self) -> None:
        address = f"p{self.chance.randrange(9)}@example.com"
        found: Matches = await self.directory.find_by_email(address)
        self.claims[f"email {found.proof.certainty} {bool(found.rows)}"] += 1

        def check(there: list[Raw]) -> None:
            truth = [c for c in there if c["email"] == address]
            _check_rows(found.proof, found.rows, truth, there)

        self._hold(found.proof, check)

    async def ask_duplicates(self) -> None:
        by = self.chance.choice([By.EMAIL, By.PHONE])
        wanted = ContactFilter(statuses=self._statuses())
        span = replace(self.filter(), statuses=None)
        asked = Pairing(by=by, wanted=wanted, one_of=span, limit=100)
        found = await self.directory.find_duplicates(asked)
        groups = [set(g.group.ids) for g in found.groups]
        when = "ever" if span == EVERYBODY else "in a span"
        self.claims[f"duplicates by {by} {when} {found.proof.certainty}"] += 1

        def check(there: list[Raw]) -> None:
            one_of = {str(c["id"]) for c in there if admits(span, c)}
            all_alike = alike(by, [c for c in there if admits(wanted, c)])
            truth = [ids for ids in all_alike if ids & one_of]
            assert found.total == len(groups) >= len(truth)
            assert all(any(ids <= group for group in groups) for ids in truth)
            if found.proof.exact:
                assert sorted(map(sorted, groups)) == sorted(map(sorted, truth))

        self._hold(found.proof, check)
        if found.part is None:
            return
        part = found.part
        self.claims[f"duplicates by {by} {when} of a part"] += 1

        def check_pairs(there: list[Raw]) -> None:
            one_of = {str(c["id"]) for c in there if admits(span, c)}
            for ids in alike(by, part_of(part, wanted, there)):
                assert not ids & one_of or any(ids <= group for group in groups)

        self._hold(part.proof, check_pairs)

    async def ask_stats(self) -> None:
        wanted = self.filter_of_answers()
        by = self.chance.choice([*[""] * 4, *GROUPS])
        asked = Count(
            wanted=wanted,
            dimensions=parse_group_by(by) if by else (),
            limit=self.chance.choice([2, 100]),
            scope=self.chance.choice([*[Scope.PROVEN] * 4, Scope.IN_HAND]),
            measure=MEASURES[
                self.chance.choice(["rewards", "surveys", "days_quiet", "days_to_conversation"])
            ]
            if self.chance.random() < 0.3
            else None,
        )
        times = self._times("createdAt")[-6:]
        if times and not asked.is_trend and self.chance.random() < 0.3:
            span = Span(after=moment(self.chance.choice(times)))
            asked = replace(asked, compare=True, wanted=replace(wanted, spans={Sort.CREATED: span}))
        self._check_stats(await self.directory.count_contacts(asked), asked)

    async def ask_dashboard(self) -> None:
        """Ask for several answers of one moment: each of them is held against its own proof."""
        wanted = self.filter()
        asked = Look(wanted, parse_grouping(self.chance.choice(["status", "city", "inviter"])))
        picture = await self.directory.overlook(asked)
        self.claims["dashboard"] += 1
        self._check_stats(picture.numbers, asked.numbers)
        self._check_stats(picture.trend, asked.trend(picture.unit))
        self._check_stats(picture.groups, asked.groups)
        self._check_page("newest", picture.newest, wanted, Sort.CREATED, asked.newest.limit)
        companies = [picture.trend.company, picture.groups.company, picture.newest.company]
        assert all(company == picture.numbers.company for company in companies)

    def _check_stats(self, stats: Statistics, asked: Count) -> None:
        tally, found, wanted = stats.tally, stats.groups, asked.wanted
        by = ",".join(dimension.name for dimension in asked.dimensions)
        self.claims[f"stats {tally.proof.certainty}"] += 1
        self.claims[f"statuses {tally.status_proof.certainty}"] += 1
        self._hold(tally.proof, lambda there: check_total(tally, wanted, there))
        self._hold(tally.status_proof, lambda there: check_statuses(tally, wanted, there))
        if stats.part is not None:
            part = stats.part
            self.claims[f"part {part.proof.certainty}"] += 1
            self._hold(part.proof, lambda there: check_part(part, wanted, there))
        if not asked.divides_or_measures:
            return
        kind = "none" if found is None else "in hand" if found.part is None else "of all"
        if found is not None and found.part is not None and not found.part.is_whole:
            kind = "of those since" if found.part.since is not None else "of leads and customers"
        self.claims[f"groups {kind}"] += 1
        if found is None:
            return
        shown = figures(stats, asked, Views()).result
        of = found.part
        if of is None:
            check_sample(shown)
            return
        self.claims[f"groups by {by} {of.proof.certainty}"] += 1
        self.claims["compared" if found.periods else "not compared"] += 1
        groups = found
        self._hold(of.proof, lambda there: check_groups(shown, groups, asked, of, there))

    async def ask_news(self) -> None:
        """Ask for all that is new or changed since a moment, in one answer."""
        since = self._moment()
        news = await self.directory.list_changes(Progress(since), 1_000)
        self.claims[f"news {news.proof.certainty}"] += 1
        given = {row.id for row in (*news.changes.new, *news.changes.updated)}

        def check(there: list[Raw]) -> None:
            there = self._not_gone_since(news.proof, there)
            new = {str(c["id"]) for c in there if is_since(c, "createdAt", since)}
            changed = {str(c["id"]) for c in there if is_since(c, "updatedAt", since)}
            assert new <= {row.id for row in news.changes.new}
            assert changed <= given
            if news.proof.exact:
                assert given == new | changed
                for row in (*news.changes.new, *news.changes.updated):
                    assert _seen(row) in map(_true, there)

        self._hold(news.proof, check)

    async def poll(self) -> None:
        """Go on where the last poll ended; once all is read, nothing may have been left out."""
        if self._polling:
            return
        if self.poller is None or self.chance.random() < 0.1:
            since = self._moment()
            self.poller = Poller(since, Progress(since))
        poller, self._polling = self.poller, True
        try:
            news = await self.directory.list_changes(
                poller.progress, self.chance.choice([1, 3, 50])
            )
        finally:
            self._polling = False
        poller.take(news)
        self.claims[f"poll {news.proof.certainty} {poller.whole}"] += 1
        assert max(poller.new.values(), default=1) == 1, "a contact was new twice"
        if news.changes.more or not poller.whole:
            return

        def check(there: list[Raw]) -> None:
            for contact in self._not_gone_since(news.proof, there):
                i = str(contact["id"])
                if is_since(contact, "createdAt", poller.since):
                    assert i in poller.new
                if is_since(contact, "updatedAt", poller.since):
                    assert i in poller.given
                    updated = moment(key(contact, "updatedAt"))
                    # A time of the future falls back to the present at the next change.
                    assert poller.given[i] >= updated or updated > self.company.moment

        self._hold(news.proof, check)

    async def refresh(self) -> None:
        report = await self.directory.refresh()
        self.claims[f"refresh complete {report.complete}"] += 1

    def _check_page(
        self, name: str, page: Page, wanted: ContactFilter, sort: Sort, limit: int
    ) -> None:
        self.claims[f"{name} rows {page.proof.certainty}"] += 1
        self.claims[f"{name} total {page.total_proof.certainty}"] += 1

        def check_total(there: list[Raw]) -> None:
            truth = [c for c in there if admits(wanted, c)]
            assert page.total >= len(truth), wanted
            if page.total_proof.exact:
                assert page.total == len(truth), wanted

        def check_rows(there: list[Raw]) -> None:
            truth = [c for c in there if admits(wanted, c)]
            truth.sort(key=lambda c: (key(c, WIRE[sort]), str(c["id"])), reverse=True)
            full = len(page.rows) == limit
            _check_rows(page.proof, page.rows, truth[:limit], there, full=full)

        self._hold(page.total_proof, check_total)
        self._hold(page.proof, check_rows)

    def _hold(self, proof: Proof, check: Callable[[list[Raw]], None]) -> None:
        """Check a claim against what was there at its moment.

        Where the clock had not moved between several requests, one of their truths is enough.
        """
        if not proof.complete:
            return
        assert proof.as_of in self.company.truths, "as_of is no moment at which we asked"
        truths = self.company.truths[proof.as_of]
        for number, truth in enumerate(truths):
            try:
                check(list(truth.values()))
            except AssertionError:
                if number == len(truths) - 1:
                    raise
            else:
                return

    def _not_gone_since(self, proof: Proof, truth: list[Raw]) -> list[Raw]:
        """Return the truth but for who was deleted after it: a poller need not be told of him."""
        if proof.exact:
            return truth
        return [c for c in truth if c["id"] in self.company.contacts]

    def _statuses(self) -> frozenset[Status] | None:
        several = [{Status.LEAD}, {Status.CUSTOMER}, {Status.LOST}, {Status.LEAD, Status.CUSTOMER}]
        return self.chance.choice([None, None, *map(frozenset, several)])

    def _moment(self) -> int:
        """Return a moment at which something has changed lately."""
        times = self._times("updatedAt")[-12:]
        return moment(self.chance.choice(times)) if times else 0

    def _times(self, name: str) -> list[str]:
        return sorted(filter(None, (key(c, name) for c in self.company.contacts.values())))

    def filter(self) -> ContactFilter:
        spans = {}
        for sort, name in WIRE.items():
            times = self._times(name)[-12:]
            if times and self.chance.random() < 0.35:
                before = (
                    moment(self.chance.choice(times)) + 1 if self.chance.random() < 0.2 else None
                )
                spans[sort] = Span(after=moment(self.chance.choice(times)), before=before)
            elif times and self.chance.random() < 0.1:
                # Those of old, of whom the newest windows prove nothing.
                spans[sort] = Span(before=moment(self.chance.choice(self._times(name))))
        return ContactFilter(statuses=self._statuses(), spans=spans)

    def filter_of_answers(self) -> ContactFilter:
        """Return a filter, sometimes also of who has answered."""
        wanted = self.filter()
        if self.chance.random() < 0.7:
            return wanted
        of = parse_filter(self.chance.choice(ANSWERED), now=0, zone=UTC)
        return replace(wanted, has=of.has, answers=of.answers)


def _check_rows(
    proof: Proof,
    rows: Sequence[ContactRow],
    truth: list[Raw],
    company: list[Raw],
    *,
    full: bool = False,
) -> None:
    """Hold rows against the truth: the same, or the same but for deleted ones that linger."""
    there = {str(c["id"]) for c in company}
    kept = [r for r in rows if proof.exact or r.id in there]
    # What lingers takes places on a full page, so fewer of the true ones fit.
    expected = truth[: len(kept)] if full and not proof.exact else truth
    assert sorted(map(_seen, kept)) == sorted(map(_true, expected))
    if proof.exact:
        assert {r.id for r in rows} == {str(c["id"]) for c in truth}


def _seen(row: ContactRow) -> tuple[str, str, int]:
    return row.id, row.status.value, row.updated


def _true(contact: Raw) -> tuple[str, str, int]:
    return str(contact["id"]), status_of(contact), moment(key(contact, "updatedAt"))
