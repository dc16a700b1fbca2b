"""What a caller whose question matches nobody could have asked instead."""

import json

from smoc_mcp.directory.answers import Values
from smoc_mcp.directory.reading import Reading
from smoc_mcp.errors import InputError
from smoc_mcp.questions.choices import WITHOUT, Choice
from smoc_mcp.questions.dimensions import DIMENSIONS, Count
from smoc_mcp.questions.filters import ContactFilter, Question
from smoc_mcp.questions.groups import merge
from smoc_mcp.questions.similar import nearest
from smoc_mcp.text.folding import quoted

__all__ = ["had_by_nobody", "instead", "matches_by_word", "named_questions"]

_SHOWN = 8
_SEARCHED = 1_000
_NEAR_SHOWN = 3
_QUESTIONS_SHOWN = 8


def instead(reading: Reading, wanted: ContactFilter) -> dict[str, Values]:
    """Return values that contacts in hand have, for each text of a filter that wants some."""
    values: dict[str, Values] = {}
    for name, choice in wanted.texts.items():
        if not choice.wanted:
            continue
        asked = Count(dimensions=(DIMENSIONS[name],), limit=_SEARCHED)
        groups = merge(reading.store.group(asked), asked, reading.zone).groups
        known = [g.values[0] for g in groups if g.values[0] != WITHOUT]
        if known:
            alike = (nearest(w.folded, known, _NEAR_SHOWN) for w in sorted(choice.wanted))
            near = list(dict.fromkeys(value for found in alike for value in found))[:_SHOWN]
            common = [value for value in known if value not in near]
            values[name] = Values(near, common[: _SHOWN - len(near)])
    return values


def had_by_nobody(reading: Reading, wanted: ContactFilter) -> dict[str, list[str]]:
    """Return which of several values that a filter of texts wants nobody in hand has."""
    missing: dict[str, list[str]] = {}
    for name, choice in wanted.texts.items():
        for value in sorted(choice.wanted) if len(choice.wanted) > 1 else ():
            alone = ContactFilter(texts={name: Choice(frozenset({value}))})
            if not reading.in_hand_of(alone):
                missing.setdefault(name, []).append(value.folded)
    return missing


def matches_by_word(reading: Reading, wanted: ContactFilter) -> dict[str, int]:
    """Return how many contacts in hand hold each of several words."""
    if len(wanted.terms) < 2:
        return {}
    return {
        term.said: sum(reading.store.count(ContactFilter(terms=(term,))).values())
        for term in wanted.terms
    }


def named_questions(reading: Reading, named: Question) -> list[str]:
    """Return the questions or fields that are named so.

    Raises:
        InputError: There are none; the message says which there are.
    """
    found = reading.store.questions(named)
    if not found:
        raise _no_such_question(reading, named)
    return found


def _no_such_question(reading: Reading, named: Question) -> InputError:
    """Return the error that says which questions or fields there are, where none is named so."""
    known = reading.store.questions(Question(named.kind, ""))
    what = {"survey": "survey question", "text": "text field"}[named.kind]
    if not known:
        return InputError(f"Nobody in hand has answered a {what}: leave it out.")
    shown = "; ".join(json.dumps(q, ensure_ascii=False) for q in known[:_QUESTIONS_SHOWN])
    more = len(known) - _QUESTIONS_SHOWN
    return InputError(
        f"No {what} that somebody in hand has answered "
        f"{'is, in quotes, just' if named.exact else 'has the id or words'} {quoted(named.words)}. "
        f"Answered were: {shown}{f' and {more:,} more' if more > 0 else ''}."
    )
