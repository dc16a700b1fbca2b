"""SQL as text: which rows, in which order, grouped by what. Nothing runs here.

SQL is put together here, as far as filters go in `conditions`, for further columns and the order by
engagement in `cells` and `engagement`, for who may be the same in `duplicates`, and nowhere else.
What is put into a text are names of our own, from the tables of `questions.fields`,
`questions.rows` and these modules; values are bound.
"""

import json
from collections.abc import Sequence

from smoc_mcp.proof.windows import ABSENT, Sort
from smoc_mcp.questions.dimensions import Count, Dimension, Kind
from smoc_mcp.questions.fields import FIELDS
from smoc_mcp.questions.filters import ContactFilter, Listing, Question
from smoc_mcp.questions.rows import LISTED
from smoc_mcp.questions.search import NAME, PHONE, Term
from smoc_mcp.questions.similar import traces
from smoc_mcp.store.conditions import CONSENT, Sql, question, where
from smoc_mcp.store.engagement import most_engaged
from smoc_mcp.text.times import QUARTER_HOUR, Moment

__all__ = [
    "ANSWERED",
    "COLUMNS",
    "QUESTION_IDS",
    "beginning_with",
    "counting",
    "covered",
    "everybody",
    "grouping",
    "holding",
    "listing",
    "namesakes",
    "needles_of",
    "owning",
    "questions",
    "resembling",
    "saving",
    "setting",
    "ungrouped",
]

# What every search by words is made of: each engine has a search of its own for it.
_MATCHING = "HITS(?)"
_WORTH = (
    (7, NAME, "  {}  "),  # as a whole word
    (6, NAME, "  {}"),  # as a beginning
    (5, NAME, "{}"),
    (4, "email", "{}"),
    (4, PHONE, "{}"),
    (3, "company", "{}"),
    (2, "place", "{}"),
    (1, "texts", "{}"),
)
"""How much it says that a term is in a field."""
COLUMNS = ", ".join(LISTED)
"""The columns of a contact as it is listed."""
# What decides whether a contact that is missing is gone.
_MISSING = "id, seen, missed, missed_by"
_LIST = f"SELECT {COLUMNS}, 0 AS rank FROM contact"
# CROSS JOIN: the few that the index of words finds are looked up, not all contacts looked through.
_OF_HITS = 'FROM ({}) AS found CROSS JOIN contact ON contact."row" = hit'


def holding(wanted: ContactFilter) -> Sql:
    """Return the FROM for contacts of the filter: those that hold its words, or all."""
    if not wanted.terms:
        return Sql("FROM contact")
    return Sql(_OF_HITS.format(_MATCHING), (needles_of(wanted.terms),), searches=True)


def counting(wanted: ContactFilter) -> Sql:
    """Return a SELECT of status and number of the contacts of a filter."""
    source, condition = holding(wanted), where(wanted)
    return Sql(
        f"SELECT status, count(*) {source.text} WHERE {condition.text} GROUP BY 1",
        (*source.values, *condition.values),
        source.searches,
    )


def listing(asked: Listing) -> Sql:
    """Return a SELECT of contacts in order, at most as many as asked for.

    By relevance, those come first that hold the words in the name, as whole words before others,
    then in e-mail address or phone, company, place, texts; among equals the newest by `sort`.
    """
    sort, after = asked.sort, asked.after
    condition, source = where(asked.wanted), holding(asked.wanted)
    if asked.engaged_at is not None:
        return most_engaged(asked, asked.engaged_at, COLUMNS, source, condition)
    rank = _rank(asked.wanted.terms) if asked.by_relevance else Sql("0")
    order = f"{sort} DESC, id DESC"
    if asked.by_relevance:
        order = f"rank DESC, {order}"
    text = f"SELECT {COLUMNS}, {rank.text} AS rank {source.text} WHERE {condition.text}"
    values = [*rank.values, *source.values, *condition.values]
    if after is not None and asked.by_relevance:
        # An alias cannot stand in WHERE, so the ranked rows are one level down.
        text = f"SELECT * FROM ({text}) AS ranked WHERE (rank, {sort}, id) < (?, ?, ?)"
        values += after
    elif after is not None:
        text += f" AND ({sort}, id) < (?, ?)"
        values += after[1:]
    return Sql(f"{text} ORDER BY {order} LIMIT ?", (*values, asked.limit), source.searches)


def beginning_with(prefix: str, limit: int) -> Sql:
    """Return a SELECT of contacts whose id begins with a text, in order of id."""
    return Sql(
        f"{_LIST} WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?",
        (prefix, f"{prefix}\U0010ffff", limit),
    )


def covered(sort: Sort, edge: int) -> Sql:
    """Return a SELECT of the contacts with a newer key in a sort order than an edge."""
    # createdAt never changes, so it does not matter that it lies ahead.
    ahead = "0" if sort is Sort.CREATED else f"{sort} > api_now"
    return Sql(f"SELECT {_MISSING}, {ahead} FROM contact WHERE {sort} > ?", (edge,))


def everybody() -> Sql:
    """Return a SELECT of the contacts that a complete window must hold: all."""
    return Sql(f"SELECT {_MISSING}, 0 FROM contact")


# Of whoever has not talked yet there is none.
_TALKED = f"conversation > {ABSENT} AND conversation <= ?"
_NUMBERS = {
    "days_quiet": f"CASE WHEN {_TALKED} THEN -conversation END",
    "days_to_conversation": (
        f"CASE WHEN {_TALKED} AND created > {ABSENT} THEN conversation - created END"
    ),
}
"""The measures that are no column of their own; days quiet up to the moment 0."""


def grouping(asked: Count, now: Moment = 0) -> Sql:
    """Return a SELECT of (key, value) of each dimension, then status, measure, number of contacts.

    A spelling of a value is a row of its own, for the caller to merge by key. A contact counts
    once per value of a label; one without any has the key NULL.

    Args:
        asked: The question.
        now: A conversation after this has not been, and is not measured; of no matter otherwise.
    """
    dimensions = asked.dimensions
    inner = _grouped(asked, dimensions, now)
    text = inner.text
    if any(d.kind in (Kind.LABEL, Kind.QUESTION) for d in dimensions):
        # A contact may have a value in two spellings: one of them, or it would count twice.
        pairs = range(len(dimensions))
        once = ", ".join(f"c{2 * i}, min(c{2 * i + 1}) AS c{2 * i + 1}" for i in pairs)
        keys = ", ".join(f"c{2 * i}" for i in pairs)
        text = (
            f"SELECT {once}, min(status) AS status, min(number) AS number, id "
            f"FROM ({text}) AS each GROUP BY {keys}, id"
        )
    columns, by = _columns_and_groups(dimensions)
    by += ["status", *(["number"] if asked.measure else [])]
    number = "number" if asked.measure else "NULL"
    return Sql(
        f"SELECT {''.join(f'{c}, ' for c in columns)}status, {number}, count(*) "
        f"FROM ({text}) AS each GROUP BY {', '.join(by)}",
        inner.values,
        inner.searches,
    )


def _columns_and_groups(dimensions: Sequence[Dimension]) -> tuple[list[str], list[str]]:
    """Return the keys and values of dimensions, and by which of them they are grouped.

    A text is of one key, so the values alone make its groups, which is faster; several people have
    the same name.
    """
    columns: list[str] = []
    by: list[str] = []
    for at, dimension in enumerate(dimensions):
        key, value = f"c{2 * at}", f"c{2 * at + 1}"
        field = FIELDS.get(dimension.source)
        if dimension.kind in (Kind.TIME, Kind.CYCLE):
            columns += [key, "NULL"]
            by.append(key)
        elif field is not None and field.identity:
            columns += [key, value]
            by += [key, value]
        else:
            columns += [f"min({key})", value]
            by.append(value)
    return columns, by


def _grouped(asked: Count, dimensions: Sequence[Dimension], now: Moment = 0) -> Sql:
    """Return a SELECT of (key, value) of each dimension, status, measure, id; a row per group."""
    wanted = asked.wanted
    columns: list[str] = []
    joins: list[str] = []
    values: list[int | str] = []
    for i, dimension in enumerate(dimensions):
        if dimension.kind is Kind.LABEL:
            columns += [f"l{i}.key", f"l{i}.value"]
            on, bound = f"l{i}.contact = contact.id AND l{i}.kind = ?", [dimension.source]
            if dimension.question:
                named = question(f"l{i}", Question(dimension.source, dimension.question))
                on, bound = f"{on} AND {named.text}", [*bound, *map(str, named.values)]
            joins.append(f"LEFT JOIN label AS l{i} ON {on}")
            values += bound
        elif dimension.kind is Kind.QUESTION:
            columns += [f"l{i}.question_key", f"l{i}.question"]
            joins.append(f"LEFT JOIN label AS l{i} ON l{i}.contact = contact.id AND l{i}.kind = ?")
            values.append(dimension.source)
        elif dimension.kind in (Kind.TIME, Kind.CYCLE):
            moment = f"contact.{dimension.sort}"
            columns += [f"CASE WHEN {moment} > {ABSENT} THEN {moment} / {QUARTER_HOUR} END", "NULL"]
        elif dimension.source == "accepted_communication":
            columns += [CONSENT, CONSENT]
        elif dimension.source == "status":
            columns += ["contact.status", "contact.status"]
        else:
            columns += [f"contact.{dimension.source}_key", f"contact.{dimension.source}"]
    source, condition = holding(wanted), where(wanted)
    picked = "".join(f"{column} AS c{i}, " for i, column in enumerate(columns))
    number = _NUMBERS.get(asked.measure.name, asked.measure.name) if asked.measure else "NULL"
    until = [now] * number.count("?")
    # The empty text keeps SQLite from walking the contacts by id, and so from reading them whole.
    return Sql(
        f"SELECT {picked}contact.status AS status, {number} AS number, contact.id || '' AS id "
        f"{source.text} "
        f"{' '.join(joins)} WHERE {condition.text}",
        (*until, *source.values, *values, *condition.values),
        source.searches,
    )


def ungrouped(asked: Count, kept: Sequence[Sequence[str | None]]) -> Sql:
    """Return a SELECT of status and number of the contacts that are in another group than these.

    Args:
        asked: The question; none of its dimensions is a time.
        kept: The keys of the groups; at least one.
    """
    dimensions = asked.dimensions
    inner = _grouped(asked, dimensions)
    keys = ", ".join(f"ifnull(c{2 * i}, '')" for i in range(len(dimensions)))
    marks = ", ".join(f"({', '.join('?' * len(dimensions))})" for _ in kept)
    return Sql(
        f"SELECT status, count(DISTINCT id) FROM ({inner.text}) AS each "
        f"WHERE ({keys}) NOT IN (VALUES {marks}) GROUP BY status",
        (*inner.values, *(key or "" for group in kept for key in group)),
        inner.searches,
    )


ANSWERED = Sql(
    "SELECT min(question) AS question, count(DISTINCT contact) AS contacts FROM label "
    "WHERE kind = 'survey' GROUP BY question_key ORDER BY 2 DESC, 1"
)
"""A SELECT of each survey question and how many contacts answered it."""


def questions(named: Question) -> Sql:
    """Return a SELECT of the questions or fields that are named so; of all where nothing is."""
    condition = question("label", named) if named.words else Sql("TRUE")
    return Sql(
        f"SELECT DISTINCT question_key, question FROM label WHERE kind = ? AND {condition.text}",
        (named.kind, *condition.values),
    )


QUESTION_IDS = Sql(
    "SELECT DISTINCT question_id FROM label WHERE question_id != '' AND question_id != question_key"
)
"""A SELECT of the ids of questions that are called by their words."""


def owning(email_key: str) -> Sql:
    """Return a SELECT of the contacts with an address, newest first."""
    # The plus keeps SQLite from walking all contacts in order of time for the sake of the order.
    return Sql(f"{_LIST} WHERE email_key = ? ORDER BY +created DESC, id DESC", (email_key,))


def resembling(email_key: str, limit: int) -> Sql:
    """Return a SELECT of (id, address) of those that may be like an address, newest first."""
    found = traces(email_key)
    hits = f'SELECT "row" AS hit FROM contact WHERE mailbox = ? UNION {_MATCHING}'
    return Sql(
        f"SELECT id, email_key {_OF_HITS.format(hits)} WHERE email_key != '' "
        f"ORDER BY mailbox = ? DESC, created DESC, id DESC LIMIT {limit:d}",
        (found.mailbox, needles_of(found.pieces), found.mailbox),
        searches=True,
    )


def namesakes(email_key: str, limit: int) -> Sql | None:
    """Return a SELECT of the ids of those with the name that an address is made of."""
    found = traces(email_key)
    if not found.name:
        return None
    return Sql(
        f"SELECT id {_OF_HITS.format(_MATCHING)} ORDER BY created DESC, id DESC LIMIT {limit:d}",
        (needles_of(found.name),),
        searches=True,
    )


def _rank(terms: Sequence[Term]) -> Sql:
    """Return how well a row that holds all terms does so: for each what its best place is worth."""
    ranks = [_worth(term) for term in terms]
    return Sql(
        " + ".join(rank.text for rank in ranks) or "0",
        tuple(value for rank in ranks for value in rank.values),
    )


def _worth(term: Term) -> Sql:
    cases: list[str] = []
    values: list[int | str] = []
    for worth, field, form in _WORTH:
        tests: list[str] = []
        for needles in term.spellings:
            if all(needle.field in ("", field) for needle in needles):
                tests.append(" AND ".join(f"instr({field}_words, ?)" for _ in needles))
                values += [form.format(needle.text.strip()) for needle in needles]
        if tests:
            cases.append(f"WHEN {' OR '.join(tests)} THEN {worth}")
    return Sql(f"CASE {' '.join(cases)} ELSE 0 END", tuple(values))


def needles_of(terms: Sequence[Term]) -> str:
    """Return what a search finds contacts by that hold all of the terms, as JSON.

    A list of terms; each is a list of spellings, each a list of needles, each a field (an empty
    text for any) and the text that it must hold.
    """
    return json.dumps(
        [[[list(needle) for needle in needles] for needles in term.spellings] for term in terms],
        ensure_ascii=False,
    )


def saving(columns: Sequence[str]) -> str:
    """Return an INSERT of a contact's columns that replaces those of the contact's id.

    It stays known and new since when it was, and is neither missed nor gone any more.
    """
    kept = ("owner", "id", "known", "added")
    changed = (f"{name} = excluded.{name}" for name in columns if name not in kept)
    return (
        f"INSERT INTO contacts ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "
        f"ON CONFLICT (owner, id) DO UPDATE SET {', '.join(changed)}, "
        "missed = NULL, missed_by = NULL, gone = NULL"
    )


def setting(columns: Sequence[str]) -> str:
    """Return an UPDATE of some columns of the contact of a row."""
    return f'UPDATE contacts SET {", ".join(f"{name} = ?" for name in columns)} WHERE "row" = ?'
