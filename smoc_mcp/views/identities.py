"""People as they are shown: what may be shown of a name, and two of one name told apart."""

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count

from smoc_mcp.text.folding import fold
from smoc_mcp.views.boundary import Boundary

__all__ = ["person", "told_apart"]

_ROUNDS = 2
"""Somebody may be called what another is shown as: twice the identity is behind a text at most."""


def person(value: str, boundary: Boundary) -> str:
    """Return what may be shown of how somebody is called: a name, or where nameless an address."""
    is_address = "@" in value and not any(map(str.isspace, value))
    return boundary.email(value) if is_address else boundary.name(value)


def told_apart(shown: Mapping[str, str], identity: Callable[[str], str]) -> dict[str, str]:
    """Return a text for each key that no other key has, not even in another case or accent.

    A text that one key has alone stays as it is. Of several keys each gets its identity behind it,
    such as `Per Nowak (7)`; a number where that does not tell them apart either.

    Args:
        shown: The text of each key.
        identity: Returns what may be shown of a key.
    """
    texts = dict(shown)
    of_several = _of_several(shown)
    alone = {key for key, text in shown.items() if fold(text) not in of_several}
    for _ in range(_ROUNDS):
        of_several = _of_several(texts)
        for key in texts.keys() - alone:
            if fold(texts[key]) in of_several:
                texts[key] = f"{texts[key]} ({identity(key)})"
    return _numbered(texts, alone)


def _of_several(texts: Mapping[str, str]) -> set[str]:
    """Return the folded texts that more than one key has."""
    times = Counter(map(fold, texts.values()))
    return {folded for folded, keys in times.items() if keys > 1}


def _numbered(texts: Mapping[str, str], alone: set[str]) -> dict[str, str]:
    """Return each text with a number behind it where another key has it; in order of the keys."""
    of_several = _of_several(texts)
    numbered = dict(texts)
    # Those alone keep their texts, so theirs are taken first.
    taken = {fold(texts[key]) for key in alone}
    taken |= {fold(text) for text in texts.values()} - of_several
    for key in sorted(texts.keys() - alone):
        if fold(text := texts[key]) in of_several:
            forms = (text if n == 1 else f"{text} #{n}" for n in count(1))
            numbered[key] = next(form for form in forms if fold(form) not in taken)
            taken.add(fold(numbered[key]))
    return numbered
