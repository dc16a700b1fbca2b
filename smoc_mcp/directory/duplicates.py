"""Answers that are duplicates: which contacts are the same person, and what is proven of that."""

from collections.abc import Sequence
from dataclasses import replace

from smoc_mcp.directory.answers import DuplicateGroup, Duplicates
from smoc_mcp.directory.parts import proven_part
from smoc_mcp.directory.reading import Reading
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.duplicates import Alike, Pairing, evidence_of
from smoc_mcp.questions.filters import Span

__all__ = ["find_duplicates"]

_MOST_SHOWN = 10
"""Contacts of one group: some addresses, such as that of a shop's till, have hundreds."""


def find_duplicates(reading: Reading, asked: Pairing) -> Duplicates:
    """Return a page of the groups, and how many there are."""
    proof = reading.prove(asked.region)
    known = _groups(reading, asked, None if proof is None else proof.among)
    undecided = any(group.undecided for group in known)
    if undecided and proof is not None and not proof.exact:
        # Whoever was deleted and lingers may have drawn a number from the group that it is in.
        proof = None
        known = _groups(reading, asked)
    groups = [group for group in known if group.has_one]
    total = len(groups)
    if proof is None:
        # What is only remembered may be gone, so it is no part of a lower bound.
        shown = frozenset(reading.live.union(reading.since))
        total = sum(group.lasting for group in _groups(reading, asked, shown))
    left = [g for g in groups if asked.after is None or g.place < asked.after]
    found = _read(reading, left[: asked.limit])
    return Duplicates(
        company=reading.company(),
        asked=asked,
        groups=found,
        proof=proof or reading.lower_bound(),
        total=total,
        in_hand=len(groups),
        more=len(left) > asked.limit,
        # Of a number that may be in another group, two that are both in hand can be shown apart.
        part=None if proof is not None or undecided else _part(reading, asked),
        live=reading.live_ids([row for group in found for row in group.rows]),
    )


def _groups(reading: Reading, asked: Pairing, among: frozenset[str] | None = None) -> list[Alike]:
    return reading.store.find_duplicates(asked.by, replace(asked.wanted, among=among), asked.one_of)


def _part(reading: Reading, asked: Pairing) -> Part | None:
    """Return among whom no two are missing; None where that is nobody, or nobody of `one_of`."""
    found = proven_part(reading, asked)
    if found is None:
        return None
    part, _ = found
    created = asked.one_of.spans.get(Sort.CREATED, Span())
    if part.since is not None and created.before is not None and created.before <= part.since:
        return None
    return part


def _read(reading: Reading, groups: Sequence[Alike]) -> list[DuplicateGroup]:
    known = reading.store.find_rows(i for group in groups for i in group.ids)
    rows = [[known[i] for i in group.ids] for group in groups]
    return [
        DuplicateGroup(group, members[:_MOST_SHOWN], evidence_of(group, members))
        for group, members in zip(groups, rows, strict=True)
    ]
