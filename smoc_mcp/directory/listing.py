"""Answers that are contacts: lists, one address, one contact, news, suggestions."""

from dataclasses import replace

from smoc_mcp.directory.answers import Found, Matches, News, Page
from smoc_mcp.directory.hints import had_by_nobody, instead, matches_by_word, named_questions
from smoc_mcp.directory.reading import Reading
from smoc_mcp.errors import ContactNotFoundError
from smoc_mcp.proof.certainty import Certainty, Proof, Region
from smoc_mcp.proof.windows import LATE, Sort, sort_key
from smoc_mcp.questions.changes import Changes, Now, Progress, next_changes
from smoc_mcp.questions.engagement import COUNTED, READS
from smoc_mcp.questions.filters import TIMES, ContactFilter, Listing, Question
from smoc_mcp.questions.rows import ContactRow
from smoc_mcp.text.times import Moment

__all__ = [
    "CHANGING",
    "find_contact",
    "find_matches",
    "has_live_match",
    "list_news",
    "list_page",
    "suggest",
]

_SIMILAR_SHOWN = 5
_MOST_MOVED = 100


def list_page(reading: Reading, asked: Listing) -> Page:
    """Return contacts in order.

    Raises:
        InputError: It is asked, as a filter or a column, for a survey question or a field that
            nobody in hand has answered.
    """
    wanted, sort = asked.wanted, asked.sort
    for named in wanted.questions:
        named_questions(reading, named)
    questions = {
        column: named_questions(reading, Question(column.source, column.question))
        for column in asked.columns
        if column.question
    }
    ranked_by = READS if asked.engaged_at is not None else ()
    proof = reading.prove(wanted.region(TIMES[sort], *ranked_by))
    listed = wanted if proof is None else replace(wanted, among=proof.among)
    # One more than asked for: it shows that more follow.
    rows = reading.store.list_rows(replace(asked, wanted=listed, limit=asked.limit + 1))
    more, rows = len(rows) > asked.limit, rows[: asked.limit]
    total, total_proof = reading.total_of(wanted)
    counted = COUNTED if asked.engaged_at is not None else ()
    columns = list(dict.fromkeys((*asked.columns, *counted)))
    return Page(
        company=reading.company(),
        rows=rows,
        proof=proof or _prove_rows(reading, asked, rows) or reading.lower_bound(),
        total=total,
        total_proof=total_proof,
        in_hand=total if total_proof.complete else reading.in_hand_of(wanted),
        more=more,
        moved_ahead=_moved_ahead(reading, asked),
        top=_top(asked, rows),
        instead={} if total or rows else instead(reading, wanted),
        had_by_nobody=had_by_nobody(reading, wanted),
        by_word={} if total or rows else matches_by_word(reading, wanted),
        whole=wanted.only_status,
        live=reading.live_ids(rows),
        columns=asked.columns,
        cells=reading.store.cells([row.id for row in rows], columns),
        questions={column: named for column, named in questions.items() if len(named) > 1},
        engaged_at=asked.engaged_at,
    )


def _prove_rows(reading: Reading, asked: Listing, rows: list[ContactRow]) -> Proof | None:
    """Prove a full page by its own oldest row: whoever is newer is in a live window."""
    if len(rows) < asked.limit or asked.is_ranked:
        return None
    fields = asked.wanted.region(TIMES[asked.sort]).fields
    oldest = Region({asked.sort: sort_key(rows[-1], asked.sort)}, None, fields)
    proof = reading.live.prove(oldest, reading.since)
    if proof is None or proof.among is None or all(row.id in proof.among for row in rows):
        return proof
    return None


def _top(asked: Listing, rows: list[ContactRow]) -> Moment | None:
    """Return the key of the first page's first row; None where the order is not by time."""
    if asked.is_ranked:
        return None
    return sort_key(rows[0], asked.sort) if rows and asked.top is None else asked.top


def _moved_ahead(reading: Reading, asked: Listing) -> int:
    """Return how many contacts came in front of the first page since it was made."""
    if asked.after is None or asked.top is None:
        return 0
    newest = replace(asked, after=None, by_relevance=False, limit=_MOST_MOVED)
    rows = reading.store.list_rows(newest)
    return sum(sort_key(row, asked.sort) > asked.top for row in rows)


def has_live_match(reading: Reading, email_key: str) -> bool:
    """Say whether somebody in a live window has an address."""
    return any(reading.is_live(row.id) for row in reading.store.find_email(email_key))


def find_matches(reading: Reading, email_key: str) -> Matches:
    """Return who has an address, and similar ones if nobody has."""
    company = reading.company()
    rows = reading.store.find_email(email_key)
    similar = [] if rows else reading.store.find_similar(email_key, _SIMILAR_SHOWN)
    return Matches(
        company=company,
        rows=rows,
        similar=similar,
        proof=reading.prove(Region(fields=frozenset({"email"}))) or reading.lower_bound(),
        searched=company.in_hand,
        live=reading.live_ids([*rows, *similar]),
    )


def find_contact(reading: Reading, contact_id: str) -> Found:
    """Return one contact, whole.

    Raises:
        ContactNotFoundError: No contact in hand has this id.
    """
    found = reading.store.get(contact_id)
    company = reading.company()
    if found is not None:
        return Found(company, *found, reading.is_live(contact_id))
    where = "Take an id from contacts_list, contacts_search or contacts_find_by_email."
    proof = reading.prove(Region())
    if proof is not None and proof.exact:
        raise ContactNotFoundError(f"No contact of this company has this id. {where}")
    raise ContactNotFoundError(
        f"None of the {company.in_hand:,} contacts in hand has this id; the company has "
        f"{company.leads:,} leads and {company.customers:,} customers, so it may exist out of "
        f"reach. {where}"
    )


def list_news(reading: Reading, progress: Progress, limit: int) -> News:
    """Return the next page of contacts that are new or changed."""
    now = _now(reading, progress)
    changes = next_changes(progress, now, reading.store.list_news, limit)
    since = progress.begun(now).since
    read = frozenset({"createdAt", "updatedAt"})
    proofs = [
        # Of a moment that lies ahead nothing is proven: times of the future fall back.
        None
        if since > reading.now
        else reading.live.prove(Region({sort: since}, fields=read), reading.since)
        or reading.unbroken_since(sort, since)
        for sort in CHANGING
    ]
    proven = [proof for proof in proofs if proof is not None]
    gaps: list[tuple[Moment, Moment]] = []
    if len(proven) == len(proofs) and not _may_be_new(changes, progress):
        # Who is new since has a new updatedAt too. So as of the proof of the changes, whichever
        # came first, both are right: what the other shows besides would contradict it. A
        # createdAt that lies ahead is no such thing, and who is not among those of a proof may
        # be gone: such are given all the same.
        exact = all(p.exact and p.among is None for p in proven)
        exact &= all(row.updated >= since for row in changes.new)
        certainty = Certainty.EXACT if exact else Certainty.EXACT_UNLESS_DELETED
        proof = Proof(certainty, proven[-1].as_of)
    else:
        proof = reading.lower_bound()
        gaps = _gaps_since(reading, since)
    live = reading.live_ids([*changes.new, *changes.updated])
    return News(reading.company(), changes, since, proof, gaps, live)


def _may_be_new(changes: Changes, progress: Progress) -> bool:
    """Say whether nobody can tell if one who is given as changed is new: see `store.sql.news`."""
    return any(
        row.known > progress.base >= 0 and (row.added > 0 or row.created >= progress.floor)
        for row in changes.updated
    )


CHANGING = (Sort.CREATED, Sort.UPDATED)
"""The orders of which windows show who is new or changed."""


def _now(reading: Reading, progress: Progress) -> Now:
    """Return what is known now: up to when everybody is visible, at most."""
    windows = [reading.live.get(sort, reading.since) for sort in CHANGING]
    known = [w.api_now - LATE for w in windows if w is not None and w.edge is not None]
    covered = min(known) if len(known) == len(CHANGING) else progress.since
    return Now(reading.store.series(), reading.store.tick(), covered)


def _gaps_since(reading: Reading, start: Moment) -> list[tuple[Moment, Moment]]:
    """Return the stretches of time since a moment in which something may be missing."""
    gaps: list[tuple[Moment, Moment]] = []
    for sort in CHANGING:
        history = reading.store.history(sort)
        known = [g for g in reading.store.gaps() if g.sort is sort and g.newer >= start]
        gaps += [(max(start, g.older), g.newer) for g in known]
        if history is not None and not known and start <= history.reach:
            gaps.append((start, history.reach))
    return sorted(set(gaps))


def suggest(reading: Reading, text: str, wanted: ContactFilter, limit: int) -> list[ContactRow]:
    """Return contacts for a completion: whose id begins with a text, then who match a filter."""
    rows = reading.store.find_id_prefix(text, limit) if text else []
    rows += reading.store.list_rows(Listing(wanted=wanted, limit=limit, by_relevance=True))
    return list({row.id: row for row in rows}.values())[:limit]
