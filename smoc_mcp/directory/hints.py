"""What a caller whose question matches nobody could have asked instead."""

from smoc_mcp.directory.answers import Values
from smoc_mcp.directory.reading import Reading
from smoc_mcp.questions.dimensions import DIMENSIONS, Count
from smoc_mcp.questions.filters import ContactFilter
from smoc_mcp.questions.groups import NONE, merge
from smoc_mcp.questions.similar import nearest

__all__ = ["instead", "matches_by_word"]

_SHOWN = 8
_SEARCHED = 1_000
_NEAR_SHOWN = 3


def instead(reading: Reading, wanted: ContactFilter) -> dict[str, Values]:
    """Return values that contacts in hand have, for each text of a filter that wants some."""
    values: dict[str, Values] = {}
    for name, choice in wanted.texts.items():
        if not choice.wanted:
            continue
        asked = Count(dimensions=(DIMENSIONS[name],), limit=_SEARCHED)
        groups = merge(reading.store.group(asked), asked, reading.zone).groups
        known = [g.values[0] for g in groups if g.values[0] != NONE]
        if known:
            alike = (nearest(w.folded, known, _NEAR_SHOWN) for w in sorted(choice.wanted))
            near = list(dict.fromkeys(value for found in alike for value in found))[:_SHOWN]
            common = [value for value in known if value not in near]
            values[name] = Values(near, common[: _SHOWN - len(near)])
    return values


def matches_by_word(reading: Reading, wanted: ContactFilter) -> dict[str, int]:
    """Return how many contacts in hand hold each of several words."""
    if len(wanted.terms) < 2:
        return {}
    return {
        term.said: sum(reading.store.count(ContactFilter(terms=(term,))).values())
        for term in wanted.terms
    }
