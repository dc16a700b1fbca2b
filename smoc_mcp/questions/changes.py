"""Who is new or changed since: each contact once, in order of time, in pages. Pure.

Two streams are read one after the other. New contacts come in order of createdAt, which never
changes, so none comes twice. Then come the changed ones in order of updatedAt, without the new
ones, whose content was just given. A *run* is the pages from one `since` until nothing is left;
what changes while it is read belongs to the next one, unless it was already given in this one.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from smoc_mcp.proof.windows import ABSENT, Sort, sort_key
from smoc_mcp.questions.cursors import Value
from smoc_mcp.questions.rows import ContactRow
from smoc_mcp.text.times import Moment

__all__ = ["Changes", "Mark", "Progress", "next_changes"]

_MOST_IDS = 32
_BATCH = 200

ReadSince = Callable[[Sort, Moment, str | None, int], Sequence[ContactRow]]
"""(order, moment, id, limit): contacts from (moment, id) on, exclusive, oldest first; without an
id from the moment on, inclusive."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a stream was read.

    Contacts can share a time, and one more of the same time can turn up later. So a mark holds
    short hashes of the ids it has passed at its very time; past 32 of them (an import) it holds
    the last id instead of more.

    Attributes:
        time: Everything older was read.
        passed: Hashes of ids of this time that were read.
        last_id: The ids of this time up to it were read too.
    """

    time: Moment
    passed: tuple[str, ...] = ()
    last_id: str = ""

    def is_before(self, key: Moment, contact_id: str) -> bool:
        """Say whether a contact with this key comes after the mark."""
        if key != self.time:
            return key > self.time
        return contact_id > self.last_id and _hash(contact_id) not in self.passed

    def moved_to(self, rows: Sequence[ContactRow], sort: Sort) -> "Mark":
        """Return the mark after reading these, in order."""
        if not rows or sort_key(rows[-1], sort) < self.time:
            return self
        time = sort_key(rows[-1], sort)
        ids = [row.id for row in rows if sort_key(row, sort) == time]
        before = self if time == self.time else Mark(time)
        passed = tuple(dict.fromkeys((*before.passed, *map(_hash, ids))))
        if before.last_id or len(passed) > _MOST_IDS:
            # Read in order of id, so none of this time and a lower id is left.
            return Mark(time, before.passed, max(*ids, before.last_id))
        return Mark(time, passed)

    def values(self) -> list[Value]:
        """Return it for a cursor."""
        return [self.time, list(self.passed), self.last_id]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a poller is.

    Attributes:
        base: Contacts created up to here were known before this run.
        new: How far the new contacts were read.
        updated: How far the changes were read.
        run_top: The newest change when the run began; None between runs.
    """

    base: Mark
    new: Mark
    updated: Mark
    run_top: Mark | None = None

    @classmethod
    def since(cls, moment: Moment) -> Self:
        """Return the beginning: everything at or after a moment is new or changed."""
        mark = Mark(moment)
        return cls(mark, mark, mark)

    def values(self) -> list[Value]:
        """Return it for a cursor."""
        marks = [self.base, self.new, self.updated, *([self.run_top] if self.run_top else [])]
        return [value for mark in marks for value in mark.values()]

    @classmethod
    def of(cls, values: Sequence[Value]) -> Self:
        """Return what `values` gave."""
        marks = [_mark(*values[i : i + 3]) for i in range(0, len(values), 3)]
        return cls(marks[0], marks[1], marks[2], marks[3] if len(marks) > 3 else None)


@dataclass(frozen=True, slots=True)
class Changes:
    """One page.

    Attributes:
        new: Contacts created since, oldest first.
        updated: Other contacts changed since, by the time of their last change, oldest first.
        progress: Where to go on.
        more: More is waiting already.
    """

    new: Sequence[ContactRow]
    updated: Sequence[ContactRow]
    progress: Progress
    more: bool


def next_changes(progress: Progress, read: ReadSince, limit: int) -> Changes:
    """Return the next page of at most `limit` contacts."""
    top = progress.run_top or _top(progress.updated, read)
    new, more = _take(_rows(Sort.CREATED, progress.new, read), limit)
    at = replace(progress, new=progress.new.moved_to(new, Sort.CREATED), run_top=top)
    if more:
        return Changes(new, (), at, more=True)
    given = {row.id for row in new}

    def is_news(row: ContactRow) -> bool:
        if not progress.base.is_before(row.created, row.id):
            return True
        # New in this run: an earlier page gave it; what changed after that page is news.
        return row.id not in given and top.is_before(row.updated, row.id)

    changed = (r for r in _rows(Sort.UPDATED, progress.updated, read) if is_news(r))
    updated, more = _take(changed, limit - len(new))
    if more:
        at = replace(at, updated=progress.updated.moved_to(updated, Sort.UPDATED))
        return Changes(new, updated, at, more=True)
    end = _top(progress.updated, read)
    return Changes(new, updated, Progress(at.new, at.new, end), more=False)


def _rows(sort: Sort, mark: Mark, read: ReadSince) -> Iterator[ContactRow]:
    """Yield every contact after a mark, oldest first."""
    moment, last = mark.time, mark.last_id or None
    while batch := read(sort, moment, last, _BATCH):
        for row in batch:
            if sort_key(row, sort) > ABSENT and mark.is_before(sort_key(row, sort), row.id):
                yield row
        moment, last = sort_key(batch[-1], sort), batch[-1].id


def _top(mark: Mark, read: ReadSince) -> Mark:
    """Return the mark after everything that is in hand."""
    for row in _rows(Sort.UPDATED, mark, read):
        mark = mark.moved_to([row], Sort.UPDATED)
    return mark


def _take(rows: Iterator[ContactRow], limit: int) -> tuple[list[ContactRow], bool]:
    taken: list[ContactRow] = []
    for row in rows:
        if len(taken) == limit:
            return taken, True
        taken.append(row)
    return taken, False


def _mark(time: Value, passed: Value, last_id: Value) -> Mark:
    if not (isinstance(time, int) and isinstance(passed, list) and isinstance(last_id, str)):
        raise TypeError("not a mark")
    return Mark(time, tuple(passed), last_id)


def _hash(contact_id: str) -> str:
    return hashlib.blake2b(contact_id.encode(), digest_size=5).hexdigest()
