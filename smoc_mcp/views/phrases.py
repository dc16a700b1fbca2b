"""The sentences of answers: each function returns one, or nothing where it does not apply."""

import json
from collections.abc import Iterable, Mapping, Sequence

from smoc_mcp.directory.answers import Company, Page, Values
from smoc_mcp.proof.certainty import Proof
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.fields import FIELDS
from smoc_mcp.text.cleaning import clean
from smoc_mcp.text.folding import fold
from smoc_mcp.views.boundary import Boundary, table_cell
from smoc_mcp.views.identities import person

__all__ = [
    "apart",
    "by_word",
    "cut_short",
    "everybody_of",
    "excerpt",
    "first_line",
    "gaps",
    "grid",
    "lines",
    "looked_at",
    "lower_total",
    "many",
    "may_be_deleted",
    "moved_ahead",
    "must_be_gone",
    "nobody_has",
    "noun",
    "quoted",
    "remembered",
    "remembered_more",
    "sentences",
    "suggestions",
    "total_words",
    "unread",
    "utm",
    "why_not_exact",
    "why_not_fresh",
]

_GAPS_SHOWN = 3


def first_line(heading: str, as_of: str, company: Company, *, says_all: bool = False) -> str:
    """Return the first line of an answer: the heading, its moment, and the whole company.

    Args:
        heading: What the answer is.
        as_of: Its moment.
        company: The whole that it is a part of.
        says_all: The heading says how large the company is.
    """
    whole = (
        f"{many(company.leads, 'lead')}, {many(company.customers, 'customer')}, at least "
        f"{many(company.at_least, 'contact')}; "
    )
    in_hand = f"{company.in_hand:,} in hand."
    return f"{heading} As of {as_of}. {in_hand if says_all else f'Company: {whole}{in_hand}'}"


def moved_ahead(count: int) -> str:
    """Return what to know about contacts that came in front of the first page."""
    if not count:
        return ""
    return (
        f"{many(count, 'contact')} moved in front of this list since its first page; ask without "
        "a cursor to see them."
    )


def many(count: int, singular: str) -> str:
    """Return a count and its noun, such as 1 lead or 2,000 leads."""
    return f"{count:,} {noun(count, singular)}"


def noun(count: int, singular: str) -> str:
    """Return the noun that goes with a count."""
    return singular if count == 1 else f"{singular}s"


def total_words(total: int, proof: Proof) -> str:
    """Return a total as the number that it is, or as the lower bound that it is."""
    return f"{total:,}" if proof.complete else f"at least {total:,}"


def why_not_exact(page: Page) -> str:
    """Return why rows or total are not exact, and what that means; empty where both are."""
    if not page.proof.complete:
        return looked_at(page.company)
    if not page.total_proof.complete:
        why = lower_total() if page.whole else f"The total is not. {looked_at(page.company)}"
        return f"The rows are right. {why}"
    return may_be_deleted(page.proof) or may_be_deleted(page.total_proof)


def everybody_of(part: Part, since: str) -> str:
    """Return who a part of a question is, such as all created since a moment.

    Args:
        part: Not the whole.
        since: Its moment in words.
    """
    if part.since is not None:
        what = "created" if part.sort is Sort.CREATED else "last talked to"
        return f"all {what} since {since}"
    return f"all {' and '.join(f'{status}s' for status in part.of_statuses)}"


def may_be_deleted(proof: Proof) -> str:
    """Return what exact_unless_deleted means; empty for another certainty."""
    if proof.exact or not proof.complete:
        return ""
    return "Nothing is missing, but contacts deleted in SMOC since they were last seen may linger."


def why_not_fresh(company: Company, as_of: str) -> str:
    """Return why SMOC could not be asked; empty where it could."""
    if not company.failure:
        return ""
    return f"SMOC failed, and this was known at {as_of}: {company.failure}"


def lower_total() -> str:
    """Return why the number of all contacts is a lower bound."""
    return (
        "SMOC counts leads and customers only; others are added as far as its windows show them, "
        "so the total is a lower bound."
    )


def looked_at(company: Company) -> str:
    """Return why more may exist than what is in hand; empty where SMOC could not be asked."""
    if company.failure:
        return ""
    return (
        f"SMOC shows 500 contacts at a time, and {company.in_hand:,} are in hand: more may exist."
    )


def remembered_more(total: int, proof: Proof, in_hand: int) -> int:
    """Return how many in hand are no part of a lower bound, for they may be gone by now."""
    return 0 if proof.complete else max(0, in_hand - total)


def remembered(more: int) -> str:
    """Return what is known of those who are no part of a lower bound."""
    if not more:
        return ""
    return f"{more:,} more match as they were last seen, and may be gone or changed."


def must_be_gone(company: Company) -> str:
    """Return how many in hand the API's own counts have no room for."""
    if not company.must_be_gone:
        return ""
    return (
        f"At least {company.must_be_gone:,} of those in hand were deleted or have changed since: "
        "SMOC counts fewer leads and customers."
    )


def suggestions(values: Mapping[str, Values], boundary: Boundary) -> str:
    """Return which values there are, for a caller whose filters matched nobody."""

    def listed(which: str, name: str, known: Sequence[str]) -> str:
        if not known:
            return ""
        is_person = bool(FIELDS[name].identity)
        shown = (person(v, boundary) if is_person else boundary.text(v) for v in known)
        # Two people of one name are one name to ask for.
        return f"{which} {name} in hand: {', '.join(map(quoted, dict.fromkeys(shown)))}."

    return sentences(
        listed(which, name, known)
        for name, (near, common) in values.items()
        for which, known in (("Nearest", near), ("Some", common))
    )


def nobody_has(values: Mapping[str, Sequence[str]]) -> str:
    """Return which of the wanted values nobody in hand has: they may be misspelt."""
    return sentences(
        f"Nobody in hand has {name} {', '.join(map(quoted, missing))}."
        for name, missing in values.items()
    )


def quoted(text: str) -> str:
    """Return a value of a stranger's so that it cannot read like a sentence of ours."""
    return json.dumps(text, ensure_ascii=False)


def apart(text: str, *marks: str) -> str:
    """Return a value, in quotes where it holds what separates it from others."""
    return quoted(text) if any(mark in text for mark in marks) else text


def by_word(counts: Mapping[str, int], boundary: Boundary) -> str:
    """Return how many contacts hold each word, for a caller whose words nobody holds all of."""
    if not counts:
        return ""
    shown = ", ".join(f"{quoted(boundary.text(word))} {count:,}" for word, count in counts.items())
    return f"Contacts in hand with each word alone: {shown}."


def gaps(stretches: Sequence[tuple[str, str]], what: str) -> str:
    """Return when contacts may have gone unseen; empty where there was no such time."""
    if not stretches:
        return ""
    shown = "; ".join(f"{older} to {newer}" for older, newer in stretches[:_GAPS_SHOWN])
    more = len(stretches) - _GAPS_SHOWN
    others = f", and {more:,} earlier" if more > 0 else ""
    return f"Gap: contacts that {what} in this time may be missing: {shown}{others}."


def excerpt(text: str, word: str, limit: int) -> str:
    """Return the part of a text where a folded word is, of about as many characters."""
    if len(text) <= limit:
        return text
    words = text.split(" ")
    at = next((i for i, w in enumerate(words) if word in fold(w)), 0)
    start = at
    while start > 0 and sum(map(len, words[start - 1 : at])) < limit // 3:
        start -= 1
    shown = " ".join(words[start:])
    end = f"{shown[:limit].rstrip()}…" if len(shown) > limit else shown
    return f"…{end}" if start else end


def unread(company: Company) -> str:
    """Return the sentence about values that could not be read; empty where all could be."""
    if not company.unread:
        return ""
    parts = ", ".join(
        f"{clean(name)} of {many(n, 'contact')}" for name, n in sorted(company.unread.items())
    )
    return f"Values that could not be read are left out: {parts}."


def utm(source: str | None, medium: str | None, campaign: str | None) -> str:
    """Return whence a visit came, such as `google / cpc / -`; empty where nothing is known."""
    known = (source, medium, campaign)
    # A part that holds the sign between the parts is in quotes, so that it is one part.
    shown = (quoted(part) if part and (" / " in part or part == "-") else part for part in known)
    return " / ".join(part or "-" for part in shown) if any(known) else ""


def cut_short(kept: int, whole: int, then: str) -> str:
    """Return that rows were left out for their size, and how to get them."""
    if kept == whole:
        return ""
    return f"Only {kept:,} of {whole:,} rows fit into one answer; {then}."


def sentences(notes: Iterable[str]) -> str:
    """Return the notes that there are, as one text."""
    return " ".join(note for note in notes if note)


def lines(parts: Iterable[str]) -> str:
    """Return the parts that there are, each on lines of its own."""
    return "\n".join(part for part in parts if part)


def grid(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a heading and rows of cells between bars; nothing where there are no rows."""
    body = [_row(row) for row in rows]
    return "\n".join([_row(columns), *body]) if body else ""


def _row(values: Iterable[object]) -> str:
    cells = [str(value) for value in values]
    row = "|".join(cells)
    # Few values hold what a cell must not: it is looked for once a row.
    if row.count("|") < len(cells) and "\\" not in row:
        return row
    return "|".join(map(table_cell, cells))
