"""Claims against the truth: what a model's last words say, and what of it is right.

A claim is right, wrong or not made. False certainty is counted apart: somebody says exact, or that
there is nobody, where it is not so or the proofs did not allow it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from evals.task import Certainty, Truth

__all__ = ["CANNOT_SAY", "TurnScore", "Verdict", "claims_in", "score"]

CANNOT_SAY, _CERTAINTY = "cannot_say", "certainty"
_ROUNDING = 0.006
"""How far a share may be from the truth: a model says whole per cents."""
_WORDS = {
    "exact": Certainty.EXACT,
    # After a minute the server itself says this of what was exact before: nothing is missing.
    "exact_unless_deleted": Certainty.EXACT,
    "at_least": Certainty.AT_LEAST,
}


class Verdict(StrEnum):
    """What became of one claim."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_MADE = "not made"


@dataclass(frozen=True, slots=True)
class TurnScore:
    """The score of one turn.

    Attributes:
        verdicts: What became of each claim.
        false_certainty: Whether more was claimed than is true or proven.
    """

    verdicts: Mapping[str, Verdict]
    false_certainty: bool


def claims_in(words: str) -> dict[str, Any]:
    """Return the last JSON object in a text; empty where there is none.

    Models put it in a block or not, and words behind it; what is no JSON is passed over.
    """
    decoder = json.JSONDecoder()
    found: dict[str, Any] = {}
    end = 0
    for brace in re.finditer(r"\{", words):
        # What lies within the last object that was read is a part of it.
        if brace.start() < end:
            continue
        try:
            value, end = decoder.raw_decode(words, brace.start())
        except ValueError:
            continue
        if isinstance(value, dict):
            found = value
    return found


def score(said: Mapping[str, Any], truth: Truth) -> TurnScore:
    """Return what of the claims of one turn is right.

    A weaker certainty than the proofs allow is a claim that was not made; a stronger one is wrong.
    """
    claimed = _WORDS.get(_folded(said.get(_CERTAINTY, "")), Certainty.NOTHING)
    too_strong = claimed is Certainty.EXACT and truth.may < Certainty.EXACT
    too_strong |= any(_folded(said.get(name, "")) == word for name, word in truth.forbidden.items())
    if truth.may is Certainty.NOTHING:
        verdict = _whether_unknown(said)
        return TurnScore({CANNOT_SAY: verdict}, too_strong)
    gave_up = said.get(CANNOT_SAY) is True
    verdicts = {
        name: Verdict.NOT_MADE
        if gave_up or said.get(name) is None
        else Verdict.RIGHT
        if _is_true(said[name], value)
        else Verdict.WRONG
        for name, value in truth.claims.items()
    }
    false = too_strong or (claimed is Certainty.EXACT and Verdict.WRONG in verdicts.values())
    verdicts[_CERTAINTY] = (
        Verdict.NOT_MADE
        if gave_up or claimed < truth.may
        else Verdict.WRONG
        if claimed > truth.may
        else Verdict.RIGHT
    )
    return TurnScore(verdicts, false)


def _whether_unknown(said: Mapping[str, Any]) -> Verdict:
    if said.get(CANNOT_SAY) is True:
        return Verdict.RIGHT
    return Verdict.WRONG if said else Verdict.NOT_MADE


def _is_true(said: object, truth: object) -> bool:
    """Return whether what was said is what is true, however a model writes it."""
    if callable(truth):
        return bool(truth(said))
    if isinstance(truth, float):
        number = _number(said)
        return number is not None and abs(number - truth) <= _ROUNDING
    if isinstance(truth, int):
        return _number(said) == truth
    if isinstance(truth, Mapping):
        return isinstance(said, Mapping) and _table(said) == _table(truth)
    if isinstance(truth, (set, frozenset, list, tuple)):
        texts = said if isinstance(said, list) else [said]
        return _texts(texts) == _texts(truth)
    return _folded(said) == _folded(truth)


def _number(said: object) -> float | None:
    if isinstance(said, bool):
        return None
    if isinstance(said, (int, float)):
        return float(said)
    text = str(said).replace(",", "").strip()
    try:
        return float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return None


def _table(rows: Mapping[Any, object]) -> dict[str, float | None]:
    # A group of nobody may be shown or left out.
    return {_folded(key): number for key, value in rows.items() if (number := _number(value))}


def _texts(values: Iterable[object]) -> set[str]:
    return {_folded(value) for value in values}


def _folded(value: object) -> str:
    return str(value).strip().casefold()
