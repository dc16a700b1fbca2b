"""What a question needs fetched before it can be answered: steps that ask for no more than that."""

from collections.abc import Iterable

from smoc_mcp.directory.listing import list_page
from smoc_mcp.directory.parts import Divided, admitting_counted, may_reach_further, proven_part
from smoc_mcp.directory.reading import Reading
from smoc_mcp.directory.steps import Steps
from smoc_mcp.directory.sync import WindowSync
from smoc_mcp.proof.certainty import Region
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.dimensions import Count, Scope
from smoc_mcp.questions.filters import EVERYBODY, TIMES, Listing

__all__ = ["Needs"]


class Needs:
    """The steps by which questions have what they need: each returns the reading after them.

    Args:
        sync: What fetches it.
    """

    def __init__(self, sync: WindowSync) -> None:
        self._sync = sync

    def windows(self, sorts: Iterable[Sort], reading: Reading) -> Steps[Reading]:
        """Have a live window of each order."""
        if self._sync.missing(sorts, reading.since):
            reading = yield lambda asked: self._sync.ensure(sorts, asked)
        return reading

    def counts(self, reading: Reading) -> Steps[Reading]:
        """Have the company's counts."""
        if self._sync.counts(reading.since) is None:
            reading = yield self._sync.ensure_counts
        return reading

    def newest(self, asked: Listing, reading: Reading) -> Steps[Reading]:
        """Have the newest contacts of a filter: by the window of their order, or all if it must."""
        reading = yield from self.windows([asked.sort], reading)
        if not list_page(reading, asked).proof.complete:
            reading = yield from self.region(asked.wanted.region(), reading)
        return reading

    def count(self, asked: Count, reading: Reading) -> Steps[Reading]:
        """Have what a count is made of; the counts alone cost one small request."""
        wanted = asked.wanted
        reading = yield from self.counts(reading)
        if periods := asked.periods(reading.now):
            reading = yield from self.region(asked.created(*periods[:2]).region, reading)
        if asked.divides_or_measures or not (wanted == EVERYBODY or wanted.only_counted):
            reading = yield from self.region(asked.region, reading)
        elif wanted == EVERYBODY and reading.may_be_small:
            # One window may well be the whole company; a larger one needs no look.
            reading = yield from self.windows([Sort.UPDATED], reading)
        in_parts = asked.divides_or_measures and not asked.by_status_alone
        if in_parts and asked.scope is not Scope.IN_HAND:
            reading = yield from self.part(asked, reading)
        if wanted.terms:
            reading = yield from self.words(reading)
        return reading

    def words(self, reading: Reading) -> Steps[Reading]:
        """Have all words indexed."""
        if self._sync.store.words_wait:
            reading = yield self._sync.index_words
        return reading

    def region(self, region: Region, reading: Reading) -> Steps[Reading]:
        """Fetch one window if it can hold the whole region, two if history can, otherwise all."""
        for sort in TIMES:
            if sort in region.after and reading.prove(region) is None:
                reading = yield from self.windows([sort], reading)
        if reading.prove(region) is not None:
            return reading
        if reading.may_reach_back(region) and not self._sync.in_turn(reading.since):
            reading = yield self._sync.ensure_in_turn
            if reading.prove(region) is not None:
                return reading
        if self._sync.may_learn(region.statuses, reading.since):
            reading = yield lambda asked: self._sync.ensure_all(asked, region.statuses)
        return reading

    def part(self, asked: Divided, reading: Reading) -> Steps[Reading]:
        """Have the proof of the largest part of a question, where not all of it can be proven."""
        if reading.prove(asked.region) is not None:
            return reading
        if may_reach_further(reading) and not self._sync.in_turn(reading.since):
            reading = yield self._sync.ensure_in_turn
        counted = admitting_counted(asked.wanted).statuses
        if (
            counted
            and not asked.is_trend
            and proven_part(reading, asked) is None
            and self._sync.may_learn(counted, reading.since)
        ):
            reading = yield lambda asked: self._sync.ensure_all(asked, counted)
        return reading
