"""What can be said at one moment: the store and the proofs, read together."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from smoc_mcp.directory.answers import Company, Tally
from smoc_mcp.proof.certainty import Certainty, Proof, Region
from smoc_mcp.proof.history import BEGINNING, follows
from smoc_mcp.proof.live import LiveWindows
from smoc_mcp.proof.windows import COUNTED, NOT_COUNTED, Counts, Sort, Status
from smoc_mcp.questions.filters import EVERYBODY, ContactFilter
from smoc_mcp.questions.rows import ContactRow
from smoc_mcp.store.store import ContactStore
from smoc_mcp.text.times import Moment

__all__ = ["Reading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What can be said now. Use it while `sync.settled` is held, within one snapshot.

    Attributes:
        store: The contacts in hand.
        live: The windows, and which of them are proofs.
        counts: The API's newest counts and when we asked for them; None if they are not live.
        told: Those that came last without a window, live or not; None for none.
        unread: What could not be read in the live windows: entries by wire name of the field.
        window_limit: How many contacts a window holds at most.
        zone: The zone of days, weeks and months.
        since: What came before this, by the clock that only goes on, is not live.
        now: The present moment, by the wall clock.
        failure: Why the API could not be asked; empty where it could.
    """

    store: ContactStore
    live: LiveWindows
    counts: tuple[Counts, Moment] | None
    told: tuple[Counts, Moment] | None
    unread: Counter[str]
    window_limit: int
    zone: ZoneInfo
    since: Moment
    now: Moment
    failure: str = ""

    def company(self) -> Company:
        """Return the whole that every answer is a part of."""
        counts, as_of = self.last_counts()
        held = self.store.count(EVERYBODY)
        gaps = [(g.older, g.newer) for g in self.store.gaps() if g.sort is Sort.CREATED]
        return Company(
            *counts,
            at_least=self.least_of_all(),
            in_hand=sum(held.values()),
            must_be_gone=sum(self._surplus(held).values()),
            as_of=as_of,
            unread=self.unread,
            failure=self.failure,
            gaps=gaps,
        )

    def prove(self, region: Region) -> Proof | None:
        """Return the proof that every contact of a region is in hand; None if there is none."""
        return self.live.prove(region, self.since) or self._prove_by_history(region)

    def may_reach_back(self, region: Region) -> bool:
        """Say whether, with a new `created` and then `updated` window, history may be a proof."""
        created = self.store.history(Sort.CREATED)
        updated = self.store.history(Sort.UPDATED)
        after = region.after.get(Sort.CREATED, BEGINNING)
        return created is not None and created.reaches(after) and updated is not None

    @property
    def may_be_small(self) -> bool:
        """Whether one window may be the whole company."""
        return self.counts is not None and self.counts[0].of(COUNTED) < self.window_limit

    def is_live(self, contact_id: str) -> bool:
        """Say whether a live window holds a contact."""
        return self.live.shows(contact_id, self.since)

    def live_ids(self, rows: Iterable[ContactRow]) -> frozenset[str]:
        """Return the ids of those rows that are in live windows; the others are remembered."""
        return frozenset(row.id for row in rows if self.is_live(row.id))

    def lower_bound(self) -> Proof:
        """Return the claim that needs no proof, as of the oldest thing that is live."""
        moments = [w.as_of for w in self.live.all(self.since)]
        moments += [self.counts[1]] if self.counts else []
        as_of = min(moments, default=None)
        return Proof(Certainty.AT_LEAST, self.last_counts()[1] if as_of is None else as_of)

    def last_counts(self) -> tuple[Counts, Moment]:
        """Return the newest counts, live or remembered, and when we asked for them."""
        if self.counts is not None:
            return self.counts
        known = [k for k in (self.told, self.store.counts()) if k is not None]
        return max(known, key=lambda k: k[1], default=(Counts(0, 0), self.now))

    def tally(self, wanted: ContactFilter) -> Tally:
        """Return how many contacts match, of which statuses, and what is proven of both."""
        total, proof = self.total_of(wanted)
        known = self.prove(wanted.region("status"))
        if known is not None and (known.exact or not self._counts_better(wanted)):
            held = self.store.count(replace(wanted, among=known.among))
            return Tally(total, proof, _every(wanted, held), known)
        if wanted == EVERYBODY or wanted.only_counted:
            counts, own = self._own_counts()
            admitted = [s for s in Status if s in (wanted.statuses or COUNTED)]
            return Tally(total, proof, {s: counts.of([s]) for s in admitted}, own)
        return Tally(total, proof, self._least_by_status(wanted), self.lower_bound())

    def total_of(self, wanted: ContactFilter) -> tuple[int, Proof]:
        """Return how many contacts match, and what is proven of that."""
        proof = self.prove(wanted.region())
        if proof is not None and (proof.exact or not self._counts_better(wanted)):
            held = self.store.count(replace(wanted, among=proof.among))
            return sum(held.values()), proof
        if wanted.only_counted and wanted.statuses:
            counts, own = self._own_counts()
            return counts.of(wanted.statuses), own
        if wanted.only_status:
            return self.least_of(wanted.statuses or frozenset(Status)), self.lower_bound()
        return sum(self.live_matches(wanted).values()), self.lower_bound()

    def _least_by_status(self, wanted: ContactFilter) -> Mapping[Status, int]:
        """Return how many of each status match at least; nothing where no window is live."""
        if not self.live.all(self.since):
            return {}
        least = dict(_every(wanted, self.live_matches(wanted)))
        if wanted.only_status:
            least |= {s: self.last_counts()[0].of([s]) for s in COUNTED & least.keys()}
        return least

    def _own_counts(self) -> tuple[Counts, Proof]:
        """Return the API's own counts: exact while they are live, afterwards the last known."""
        counts, as_of = self.last_counts()
        return counts, self.lower_bound() if self.counts is None else Proof(Certainty.EXACT, as_of)

    def _counts_better(self, wanted: ContactFilter) -> bool:
        """Say whether the API's own counts are better than a proof that lets deleted ones linger.

        They are where it counts all that is wanted, or where it counts fewer than are held.
        """
        held = self.store.count(EVERYBODY)
        return wanted.only_counted or (wanted.only_status and any(self._surplus(held).values()))

    def in_hand_of(self, wanted: ContactFilter) -> int:
        """Return how many contacts in hand match, as they were last seen."""
        return sum(self.store.count(wanted).values())

    def least_of_all(self) -> int:
        """Return how many contacts the company has at least; the same in every answer."""
        return self.least_of(frozenset(Status))

    def least_of(self, statuses: frozenset[Status]) -> int:
        """Return how many contacts of some statuses the company has at least.

        The API counts leads and customers; each window adds the others that it shows, at the
        moment of its own counts. What is only remembered may be gone by now.
        """
        counted, others = statuses & COUNTED, statuses & NOT_COUNTED
        shown = [w.counts.of(counted) + w.number_of(others) for w in self.live.all(self.since)]
        held = sum(n for s, n in self.live_matches(EVERYBODY).items() if s in statuses)
        return max(self.last_counts()[0].of(counted), held, *shown)

    def live_matches(self, wanted: ContactFilter) -> Mapping[Status, int]:
        """Return how many contacts of live windows match: lower bounds, as of the oldest."""
        shown = frozenset(self.live.union(self.since))
        return self.store.count(replace(wanted, among=shown)) if shown else {}

    def _surplus(self, held: Mapping[Status, int]) -> dict[Status, int]:
        """Return how many more leads and customers are held than the API counts."""
        counts, _ = self.last_counts()
        return {s: max(0, held.get(s, 0) - counts.of([s])) for s in COUNTED}

    def unbroken_since(self, sort: Sort, start: Moment) -> Proof | None:
        """Prove that whoever got a key newer than `start` was seen, up to a live window."""
        history, window = self.store.history(sort), self.live.get(sort, self.since)
        if history is None or window is None or window.edge is None or window.unread:
            return None
        if history.received != window.received or not history.reach < start <= window.api_now:
            return None
        return Proof(Certainty.EXACT_UNLESS_DELETED, window.as_of)

    def _prove_by_history(self, region: Region) -> Proof | None:
        """Prove that nothing is missing, though something deleted may linger."""
        live, store = self.live, self.store
        created, updated = live.get(Sort.CREATED, self.since), live.get(Sort.UPDATED, self.since)
        history, changes = store.history(Sort.CREATED), store.history(Sort.UPDATED)
        if created is None or updated is None or history is None or changes is None:
            return None
        after = region.after.get(Sort.CREATED, BEGINNING)
        if not history.reaches(after) or not follows(updated, created, history, changes):
            return None
        if (created.unread.keys() | updated.unread.keys()) & region.fields:
            return None
        if store.newest_outdated(after, changes.began, updated) is not None:
            return None
        return Proof(Certainty.EXACT_UNLESS_DELETED, updated.as_of)


def _every(wanted: ContactFilter, held: Mapping[Status, int]) -> dict[Status, int]:
    """Return a number for every status that a filter admits; for unknown ones if there are any."""
    admitted = wanted.statuses or frozenset(Status)
    return {
        status: held.get(status, 0)
        for status in Status
        if status in admitted and (status is not Status.UNKNOWN or held.get(status))
    }
