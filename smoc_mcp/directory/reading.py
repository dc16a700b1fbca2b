"""Answers read from the store and the proofs at one moment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from smoc_mcp.directory.answers import (
    Company,
    Found,
    Matches,
    News,
    Overview,
    Page,
    Statistics,
    Sure,
    Values,
)
from smoc_mcp.directory.sync import WindowSync
from smoc_mcp.errors import ContactNotFoundError
from smoc_mcp.proof.certainty import Certainty, Proof, Region
from smoc_mcp.proof.history import BEGINNING, follows, refresh_interval
from smoc_mcp.proof.windows import COUNTED, Counts, Sort, Status, sort_key
from smoc_mcp.questions.changes import Progress, next_changes
from smoc_mcp.questions.groups import NONE, OTHER, Group, Grouping, merge
from smoc_mcp.questions.query import (
    DIMENSIONS,
    EVERYBODY,
    TIMES,
    ContactFilter,
    Dimension,
    Kind,
    Span,
)
from smoc_mcp.questions.rows import ContactRow, Position
from smoc_mcp.questions.similar import nearest
from smoc_mcp.store.sqlite import MEMORY
from smoc_mcp.text.times import Moment

__all__ = ["Reading"]

_SIMILAR_SHOWN = 5
_SECOND = 1_000_000
_INSTEAD_SHOWN = 8
_INSTEAD_SEARCHED = 1_000
_NEAR_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """What can be said now. Use it while `sync.settled` is held, within one snapshot.

    Attributes:
        sync: The store and the live windows.
        zone: The zone of days, weeks and months.
        since: What was received before this is not live.
        now: The present moment.
        failure: Why the API could not be asked; empty where it could.
    """

    sync: WindowSync
    zone: ZoneInfo
    since: Moment
    now: Moment
    failure: str = ""

    def company(self) -> Company:
        """Return the whole that every answer is a part of."""
        counts, as_of = self.sync.counts(self.since) or self._last_counts()
        in_hand = sum(self.sync.store.count(EVERYBODY).values())
        unread = self.sync.unread(self.since)
        gaps = [(g.older, g.newer) for g in self.sync.store.gaps() if g.sort is Sort.CREATED]
        return Company(*counts, in_hand, as_of, unread, self.failure, gaps)

    def prove(self, region: Region) -> Proof | None:
        """Return the proof that every contact of a region is in hand; None if there is none."""
        return self.sync.live.prove(region, self.since) or self._prove_by_history(region)

    def may_reach_back(self, region: Region) -> bool:
        """Say whether, with a new `created` and then `updated` window, history may be a proof."""
        created = self.sync.store.history(Sort.CREATED)
        updated = self.sync.store.history(Sort.UPDATED)
        after = region.after.get(Sort.CREATED, BEGINNING)
        return created is not None and created.reaches(after) and updated is not None

    def page(
        self,
        wanted: ContactFilter,
        sort: Sort,
        limit: int,
        *,
        by_relevance: bool = False,
        after: Position | None = None,
        top: Moment | None = None,
    ) -> Page:
        """Return contacts in order; parameters as `ContactDirectory.search_contacts`."""
        region = wanted.region(TIMES[sort])
        proof = self.prove(region)
        listed = wanted if proof is None else replace(wanted, among=proof.among)
        rows = self.sync.store.list_rows(
            listed, sort, limit + 1, by_relevance=by_relevance, after=after
        )
        more, rows = len(rows) > limit, rows[:limit]
        total, total_proof = self._total(wanted, self.prove(wanted.region()))
        if proof is None and len(rows) == limit and not by_relevance:
            oldest = Region({sort: sort_key(rows[-1], sort)}, None, region.fields)
            proof = self.sync.live.prove(oldest, self.since)
        first = None if by_relevance else (sort_key(rows[0], sort) if rows and top is None else top)
        return Page(
            company=self.company(),
            rows=rows,
            proof=proof or self._lower_bound(),
            total=total,
            total_proof=total_proof,
            more=more,
            moved_ahead=self._newer(wanted, sort, top) if after and top is not None else 0,
            top=first,
            instead={} if total else self._instead(wanted),
            by_word={} if total else self._by_word(wanted),
            whole=wanted.only_status,
            live=self._live(rows),
        )

    @property
    def may_be_small(self) -> bool:
        """Whether one window may be the whole company."""
        known = self.sync.counts(self.since)
        return known is not None and known[0].of(COUNTED) < self.sync.window_limit

    def is_live(self, contact_id: str) -> bool:
        """Say whether a live window holds a contact."""
        return self.sync.live.shows(contact_id, self.since)

    def live_matches(self, email_key: str) -> bool:
        """Say whether somebody in a live window has an address."""
        return any(self.is_live(row.id) for row in self.sync.store.find_email(email_key))

    def matches(self, email_key: str) -> Matches:
        """Return who has an address, and similar ones if nobody has."""
        company = self.company()
        rows = self.sync.store.find_email(email_key)
        similar = [] if rows else self.sync.store.find_similar(email_key, _SIMILAR_SHOWN)
        return Matches(
            company=company,
            rows=rows,
            similar=similar,
            proof=self.prove(Region(fields=frozenset({"email"}))) or self._lower_bound(),
            searched=company.in_hand,
            live=self._live([*rows, *similar]),
        )

    def found(self, contact_id: str) -> Found:
        """Return one contact, whole.

        Raises:
            ContactNotFoundError: No contact in hand has this id.
        """
        found = self.sync.store.get(contact_id)
        company = self.company()
        if found is not None:
            return Found(company, *found, self.is_live(contact_id))
        where = "Take an id from contacts_list, contacts_search or contacts_find_by_email."
        proof = self.prove(Region())
        if proof is not None and proof.exact:
            raise ContactNotFoundError(f"No contact of this company has this id. {where}")
        raise ContactNotFoundError(
            f"None of the {company.in_hand:,} contacts in hand has this id; the company has "
            f"{company.leads:,} leads and {company.customers:,} customers, so it may exist out of "
            f"reach. {where}"
        )

    def statistics(
        self, wanted: ContactFilter, dimensions: Sequence[Dimension], limit: int
    ) -> Statistics:
        """Return counts and groups; parameters as `ContactDirectory.count_contacts`."""
        store = self.sync.store
        proven = self.prove(wanted.region(*(d.reads for d in dimensions)))
        # Of these groups the API counts the large ones itself.
        by_status = dimensions == (DIMENSIONS["status"],) and wanted.only_status
        own = by_status and wanted.status in (None, *COUNTED) and proven is None
        total, proof = self._total(wanted, proven, whole=own or not dimensions)
        grouping = None
        if dimensions:
            if proven is not None:
                wanted = replace(wanted, among=proven.among)
            grouping = self._grouping(wanted, dimensions, len(Status) if own else limit)
            if own:
                grouping = self._with_own_counts(grouping, wanted.status)
        asked_about = [d.question for d in dimensions if d.question]
        questions = [q for words in asked_about for q in store.survey_questions(words)]
        return Statistics(
            company=self.company(),
            total=total,
            proof=proof,
            grouping=grouping,
            questions=questions,
            other_questions=store.survey_questions() if asked_about and not questions else None,
            unfiltered=wanted == EVERYBODY and (own or not dimensions),
            sure=None if proof.complete or own else self._sure(wanted, dimensions),
            own_counts=own,
            instead={} if total else self._instead(wanted),
        )

    def news(self, progress: Progress, limit: int) -> News:
        """Return the next page of contacts that are new or changed."""
        starts = {Sort.CREATED: progress.new.time, Sort.UPDATED: progress.updated.time}
        read = frozenset({"createdAt", "updatedAt"})
        proofs = [
            self.sync.live.prove(Region({sort: start}, fields=read), self.since)
            or self._unbroken_since(sort, start)
            for sort, start in starts.items()
        ]
        proven = [proof for proof in proofs if proof is not None]
        gaps: list[tuple[Moment, Moment]] = []
        if len(proven) == len(proofs):
            weakest = max(proven, key=lambda p: p.certainty is not Certainty.EXACT)
            # Who is new has a new updatedAt too, so as of the proof of the changes both are right.
            proof = Proof(weakest.certainty, proven[-1].as_of)
        else:
            proof = self._lower_bound()
            gaps = self._gaps(starts)
        changes = next_changes(progress, self.sync.store.list_since, limit)
        live = self._live([*changes.new, *changes.updated])
        return News(self.company(), changes, proof, gaps, live)

    def suggestions(self, text: str, wanted: ContactFilter, limit: int) -> list[ContactRow]:
        """Return contacts for a completion; parameters as `ContactDirectory.suggest`."""
        store = self.sync.store
        rows = store.find_id_prefix(text, limit) if text else []
        rows += store.list_rows(wanted, Sort.CREATED, limit, by_relevance=True)
        return list({row.id: row for row in rows}.values())[:limit]

    def overview(self) -> Overview:
        """Return what is known of the company."""
        windows = self.sync.live.all(self.since)
        histories = {sort: self.sync.store.history(sort) for sort in TIMES}
        return Overview(
            company=self.company(),
            windows=windows,
            reach={sort: h.reach for sort, h in histories.items() if h is not None},
            gaps=self.sync.store.gaps(),
            refresh_every=refresh_interval(self.sync.live.all(0)),
            kept=self.sync.store.path != MEMORY,
        )

    def _prove_by_history(self, region: Region) -> Proof | None:
        """Prove that nothing is missing, though something deleted may linger."""
        live, store = self.sync.live, self.sync.store
        created, updated = live.get(Sort.CREATED, self.since), live.get(Sort.UPDATED, self.since)
        history, changes = store.history(Sort.CREATED), store.history(Sort.UPDATED)
        if created is None or updated is None or history is None or changes is None:
            return None
        after = region.after.get(Sort.CREATED, BEGINNING)
        if not history.reaches(after) or not follows(updated, created, changes):
            return None
        if (created.unread | updated.unread) & region.fields:
            return None
        if not store.all_current(after, changes.began, updated):
            return None
        return Proof(Certainty.EXACT_UNLESS_DELETED, updated.sent)

    def _unbroken_since(self, sort: Sort, start: Moment) -> Proof | None:
        """Prove that whoever got a key newer than `start` was seen, up to a live window."""
        history, window = self.sync.store.history(sort), self.sync.live.get(sort, self.since)
        if history is None or window is None or window.edge is None or window.unread:
            return None
        if history.sent != window.sent or start <= history.reach:
            return None
        return Proof(Certainty.EXACT_UNLESS_DELETED, window.sent)

    def _gaps(self, starts: dict[Sort, Moment]) -> list[tuple[Moment, Moment]]:
        """Return the stretches of time since the starts in which something may be missing."""
        gaps: list[tuple[Moment, Moment]] = []
        for sort, start in starts.items():
            history = self.sync.store.history(sort)
            known = [g for g in self.sync.store.gaps() if g.sort is sort and g.newer >= start]
            gaps += [(max(start, g.older), g.newer) for g in known]
            if history is not None and not known and start <= history.reach:
                gaps.append((start, history.reach))
        return sorted(set(gaps))

    def _live(self, rows: Iterable[ContactRow]) -> frozenset[str]:
        return frozenset(row.id for row in rows if self.is_live(row.id))

    def _newer(self, wanted: ContactFilter, sort: Sort, top: Moment) -> int:
        rows = self.sync.store.list_rows(wanted, sort, 100)
        return sum(sort_key(row, sort) > top for row in rows)

    def _instead(self, wanted: ContactFilter) -> dict[str, Values]:
        """Return what a caller could have asked for: values in hand of each text filter."""
        values: dict[str, Values] = {}
        for name, folded in wanted.texts.items():
            dimensions = (DIMENSIONS[name],)
            rows = self.sync.store.group(EVERYBODY, dimensions)
            groups = merge(rows, dimensions, _INSTEAD_SEARCHED, self.zone).groups
            known = [g.values[0] for g in groups if g.values[0] != NONE]
            if known:
                near = nearest(folded, known, _NEAR_SHOWN)
                common = [value for value in known if value not in near]
                values[name] = Values(near, common[: _INSTEAD_SHOWN - len(near)])
        return values

    def _sure(self, wanted: ContactFilter, dimensions: Sequence[Dimension]) -> Sure | None:
        """Return the part of a question that the live `created` window proves."""
        window = self.sync.live.get(Sort.CREATED, self.since)
        if window is None or window.edge is None:
            return None
        # A whole second, as a caller can write it.
        since = (window.edge // _SECOND + 1) * _SECOND
        span = wanted.spans.get(Sort.CREATED, Span())
        if span.before is not None and span.before <= since:
            return None
        narrowed = replace(wanted, spans={**wanted.spans, Sort.CREATED: Span(since, span.before)})
        proof = self.prove(narrowed.region(*(d.reads for d in dimensions)))
        if proof is None:
            return None
        held = self.sync.store.count(replace(narrowed, among=proof.among))
        return Sure(since, sum(held.values()), proof)

    def _with_own_counts(self, grouping: Grouping, wanted: Status | None) -> Grouping:
        """Return groups of statuses, those of leads and customers as the API counts them."""
        counts, _ = self.sync.counts(self.since) or self._last_counts()
        groups: list[Group] = []
        for status in sorted(COUNTED if wanted is None else {wanted}):
            if known := counts.of([status]):
                groups.append(Group((status.value,), keys=(status.value,)))
                groups[-1].count(status, known)
        groups += [g for g in grouping.groups if g.keys[0] not in {s.value for s in COUNTED}]
        return replace(grouping, groups=sorted(groups, key=lambda g: -g.contacts))

    def _grouping(
        self, wanted: ContactFilter, dimensions: Sequence[Dimension], limit: int
    ) -> Grouping:
        span = wanted.spans.get(Sort.CREATED, Span())
        end = self.now if span.before is None else min(span.before - 1, self.now)
        grouping = merge(
            self.sync.store.group(wanted, dimensions),
            dimensions,
            limit,
            self.zone,
            (span.after, end),
        )
        timed = any(d.kind is Kind.TIME for d in dimensions)
        if grouping.left_out and grouping.other is None and not timed:
            # A contact may be in several groups that are left out, and counts once in the rest.
            kept = [group.keys for group in grouping.groups]
            other = Group((OTHER,) * len(dimensions))
            for status, count in self.sync.store.count_ungrouped(wanted, dimensions, kept).items():
                other.count(status, count)
            grouping = replace(grouping, other=other)
        return grouping

    def _by_word(self, wanted: ContactFilter) -> dict[str, int]:
        """Return how many hold each word, for a caller whose words nobody holds all of."""
        if len(wanted.terms) < 2:
            return {}
        return {
            term.said: sum(self.sync.store.count(ContactFilter(terms=(term,))).values())
            for term in wanted.terms
        }

    def _total(
        self, wanted: ContactFilter, proof: Proof | None, *, whole: bool = True
    ) -> tuple[int, Proof]:
        """Return how many contacts match.

        Where nothing proves it and nothing else depends on it (`whole`), the API's own count is
        taken.
        """
        if proof is not None:
            held = self.sync.store.count(replace(wanted, among=proof.among))
            if proof.exact or not whole:
                return sum(held.values()), proof
        else:
            held = self.sync.store.count(wanted)
        known = self.sync.counts(self.since)
        if whole and known is None and wanted == EVERYBODY and proof is None:
            total = max(sum(held.values()), self._last_counts()[0].of(COUNTED))
            return total, self._lower_bound()
        if whole and known is not None and wanted.only_status:
            counts, as_of = known
            if wanted.status in COUNTED:
                return counts.of([wanted.status]), Proof(Certainty.EXACT, as_of)
            if wanted.status is None and proof is None:
                # The API counts leads and customers; each window adds the others that it shows, at
                # the moment of its own counts. What is only remembered may be counted by now.
                live = self.sync.live.all(self.since)
                shown = [w.counts.of(COUNTED) + w.others for w in live]
                total = max(sum(held.values()), counts.of(COUNTED), *shown)
                return total, self._lower_bound()
        return sum(held.values()), proof or self._lower_bound()

    def _lower_bound(self) -> Proof:
        """Return the claim that needs no proof, as of the oldest thing that is live."""
        known = self.sync.counts(self.since)
        moments = [w.sent for w in self.sync.live.all(self.since)] + ([known[1]] if known else [])
        as_of = min(moments, default=None)
        return Proof(Certainty.AT_LEAST, self._last_counts()[1] if as_of is None else as_of)

    def _last_counts(self) -> tuple[Counts, Moment]:
        return self.sync.store.counts() or (Counts(0, 0), self.now)
