"""Addresses and values like one that nobody has, the most alike first. Pure.

Four ways in which an address is nearly right, most alike first: the same mailbox (`ada+news@`,
`a.da@`), a typing error or two, the same mailbox elsewhere, a contact of that name.
"""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from smoc_mcp.questions.search import NAME, Needle, Term
from smoc_mcp.text.folding import fold

__all__ = ["Likeness", "Traces", "liken", "mailbox", "nearest", "traces"]

_MOST_ERRORS = 2
_LEAST_WORD = 2
_PIECES = 3
_LEAST_PIECE = 3
_LEAST_ALIKE = 75


class Likeness(StrEnum):
    """In which way an address is like another; the most alike first."""

    MAILBOX = "same mailbox"
    TYPO = "typing error"
    DOMAIN = "other domain"
    NAME = "same name"


class Traces(NamedTuple):
    """What contacts with a similar address have.

    Attributes:
        mailbox: See `mailbox`.
        pieces: What to search for a part of the address that is right.
        name: What to search for the name that the address is made of; nothing for none.
    """

    mailbox: str
    pieces: tuple[Term, ...]
    name: tuple[Term, ...]


def mailbox(email_key: str) -> str:
    """Return what of an address says whose it is: no domain, no dots, no tag behind a plus."""
    return email_key.partition("@")[0].partition("+")[0].replace(".", "")


def traces(email_key: str) -> Traces:
    """Return what to look for in order to find addresses like this one."""
    # As searchable text is: folded.
    local = fold(email_key.partition("@")[0])
    step = -(-len(local) // _PIECES)
    # Two errors leave one piece of three as it is; the ends of a short one may be all that is.
    pieces = [local[i : i + step] for i in range(0, len(local), step or 1)]
    texts = [f" {local[:2]}".rjust(_LEAST_PIECE), f"{local[-2:]}@".rjust(_LEAST_PIECE)]
    texts += [piece for piece in pieces if len(piece) >= _LEAST_PIECE]
    names = [w for w in re.split(r"[\W\d_]+", local.partition("+")[0]) if len(w) >= _LEAST_WORD]
    return Traces(
        mailbox(email_key),
        (Term(tuple((Needle(text, "email"),) for text in texts)),),
        tuple(Term(((Needle(f"  {word}  ", NAME),),)) for word in names if len(names) > 1),
    )


def liken(
    email_key: str, addresses: Iterable[tuple[str, str]], namesakes: Iterable[str], most: int
) -> list[tuple[str, Likeness]]:
    """Return the contacts whose address is most like one, and in which way.

    Args:
        email_key: The address that nobody has.
        addresses: (contact id, address) of all who may be; among equals the first are preferred.
        namesakes: The ids of those with the name that the address is made of.
        most: How many to return at most.
    """
    # Imported when first needed: most sessions never miss an address.
    from rapidfuzz.distance import OSA

    found: dict[str, tuple[int, int, Likeness]] = {}
    domain = email_key.partition("@")[2]
    # An error in a short mailbox makes it another person's.
    errors = min(_MOST_ERRORS, len(mailbox(email_key)) // 3)
    for contact_id, address in addresses:
        same = mailbox(address) == mailbox(email_key) != ""
        distance = OSA.distance(address, email_key, score_cutoff=errors)
        if same and address.partition("@")[2] == domain:
            found[contact_id] = (0, 0, Likeness.MAILBOX)
        elif distance <= errors:
            found[contact_id] = (1, distance, Likeness.TYPO)
        elif same:
            found[contact_id] = (2, 0, Likeness.DOMAIN)
    for contact_id in namesakes:
        found.setdefault(contact_id, (3, 0, Likeness.NAME))
    best = sorted(found, key=lambda contact_id: found[contact_id][:2])[:most]
    return [(contact_id, found[contact_id][2]) for contact_id in best]


def nearest(folded: str, values: Sequence[str], most: int) -> list[str]:
    """Return the values that somebody may have meant, the most alike first.

    Args:
        folded: What was asked for, see `text.fold`.
        values: What there is; among equals the first are preferred.
        most: How many to return at most.
    """
    # Imported when first needed, as above.
    from rapidfuzz import fuzz

    scores: dict[str, float] = {}
    for value in values:
        known = fold(value)
        likeness = 100.0 if folded in known else fuzz.ratio(folded, known)
        if likeness >= _LEAST_ALIKE:
            scores[value] = -likeness
    return sorted(scores, key=scores.__getitem__)[:most]
