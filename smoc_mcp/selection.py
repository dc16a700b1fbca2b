"""SQL from a filter: which rows, in which order, grouped by what. Text only; nothing runs here.

Every value of a caller is a bound parameter; the names that are put into the text come from the
tables of `query` and of this module.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from smoc_mcp.coverage import ABSENT, Sort
from smoc_mcp.query import EQUALS, ContactFilter, Dimension, Kind
from smoc_mcp.rows import Position

__all__ = ["QUARTER_HOUR", "Sql", "grouping", "listing", "where"]

QUARTER_HOUR = 15 * 60 * 1_000_000
"""Time groups leave SQL by the quarter of an hour, which no zone's offset splits."""

_HAS = {
    "email": "email IS NOT NULL",
    "phone": "phone IS NOT NULL",
    "conversation": f"conversation > {ABSENT}",
    "visits": "has_visits",
    "rewards": "has_rewards",
    "referrals": "has_referrals",
}
_LABELS = ("flow", "promo")


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the values bound to its question marks, in order."""

    text: str
    values: tuple[int | str, ...] = ()


def where(wanted: ContactFilter) -> Sql:
    """Return the condition that a contact of the filter meets."""
    tests: list[str] = []
    values: list[int | str] = []

    def add(test: str, *bound: int | str) -> None:
        tests.append(test)
        values.extend(bound)

    if wanted.status is not None:
        add("status = ?", wanted.status)
    for sort, span in wanted.spans.items():
        if span.after is not None:
            add(f"{sort} >= ?", span.after)
        if span.before is not None:
            add(f"{sort} < ? AND {sort} > {ABSENT}", span.before)
    for name, folded in wanted.texts.items():
        if name in _LABELS:
            add(
                "EXISTS (SELECT 1 FROM label WHERE contact = contact.id AND kind = ? "
                "AND instr(key, ?))",
                name,
                folded,
            )
        else:
            add(f"{name}_key = ?" if name in EQUALS else f"instr({name}_key, ?)", folded)
    if wanted.accepted is not None:
        add("accepted_communication = ?", "yes" if wanted.accepted else "no")
    for name, present in wanted.has.items():
        add(_HAS[name] if present else f"NOT ({_HAS[name]})")
    if wanted.words:
        said = " AND ".join("instr(search, ?)" for _ in wanted.words)
        if wanted.phone:
            add(f"(instr(phone_digits, ?) OR ({said}))", wanted.phone, *wanted.words)
        else:
            add(said, *wanted.words)
    if wanted.among is not None:
        add("id IN (SELECT value FROM json_each(?))", json.dumps(list(wanted.among)))
    return Sql(" AND ".join(tests) or "1", tuple(values))


def listing(
    wanted: ContactFilter, sort: Sort, *, by_relevance: bool, after: Position | None
) -> Sql:
    """Return the rest of a SELECT that lists contacts in order: WHERE …, ORDER BY.

    By relevance, those whose name holds all words come first, then those whose e-mail address
    does; among equals the newest by `sort`.
    """
    condition = where(wanted)
    text, values = condition.text, list(condition.values)
    rank = _rank(wanted) if by_relevance else Sql("0")
    order = f"{sort} DESC, id DESC"
    if by_relevance:
        order = f"rank DESC, {order}"
    head = f"SELECT *, {rank.text} AS rank FROM contact WHERE {text}"  # noqa: S608 (see above)
    values = [*rank.values, *values]
    if after is not None:
        if by_relevance:
            # An alias cannot stand in WHERE, so the ranked rows are one level down.
            head = f"SELECT * FROM ({head}) WHERE (rank, {sort}, id) < (?, ?, ?)"  # noqa: S608
            values += after
        else:
            head += f" AND ({sort}, id) < (?, ?)"
            values += after[1:]
    return Sql(f"{head} ORDER BY {order} LIMIT ?", tuple(values))


def grouping(wanted: ContactFilter, dimensions: Sequence[Dimension]) -> Sql:
    """Return a SELECT of (key, value) of each dimension, then status and the number of contacts.

    A spelling of a value is a row of its own, for the caller to merge by key. A contact counts
    once per value of a label; one without any has the key NULL.
    """
    columns: list[str] = []
    joins: list[str] = []
    values: list[int | str] = []
    for i, dimension in enumerate(dimensions):
        if dimension.kind is Kind.LABEL:
            columns += [f"l{i}.key", f"l{i}.value"]
            on, bound = f"l{i}.contact = contact.id AND l{i}.kind = ?", [dimension.source]
            if dimension.source == "survey":
                question = _question(f"l{i}", dimension.question)
                on, bound = f"{on} AND {question.text}", [*bound, *map(str, question.values)]
            joins.append(f"LEFT JOIN label AS l{i} ON {on}")
            values += bound
        elif dimension.kind is Kind.TIME:
            columns += [
                f"CASE WHEN created > {ABSENT} THEN created / {QUARTER_HOUR} END",
                "NULL",
            ]
        elif dimension.source in ("status", "accepted_communication"):
            columns += [f"contact.{dimension.source}", f"contact.{dimension.source}"]
        else:
            columns += [f"contact.{dimension.source}_key", f"contact.{dimension.source}"]
    condition = where(wanted)
    picked = ", ".join(f"{column} AS c{i}" for i, column in enumerate(columns))
    by = ", ".join(str(i + 1) for i in range(len(columns)))
    return Sql(
        f"SELECT {picked}, contact.status, count(DISTINCT contact.id) FROM contact "  # noqa: S608
        f"{' '.join(joins)} WHERE {condition.text} GROUP BY {by}, contact.status",
        (*values, *condition.values),
    )


def questions(question: str) -> Sql:
    """Return a SELECT of the survey questions that these folded words or this id name."""
    named = _question("label", question)
    return Sql(
        "SELECT DISTINCT question_key, question FROM label "  # noqa: S608
        f"WHERE kind = 'survey' AND {named.text}",
        named.values,
    )


def _question(table: str, question: str) -> Sql:
    words = question.split()
    said = " AND ".join(f"instr({table}.question_key, ?)" for _ in words)
    return Sql(f"({table}.question_id = ? OR ({said}))", (question, *words))


def _rank(wanted: ContactFilter) -> Sql:
    if not wanted.words:
        return Sql("0")
    tests = {
        column: " AND ".join(f"instr(coalesce({column}, ''), ?)" for _ in wanted.words)
        for column in ("name_key", "email_key")
    }
    return Sql(
        f"CASE WHEN {tests['name_key']} THEN 2 WHEN {tests['email_key']} THEN 1 ELSE 0 END",
        (*wanted.words, *wanted.words),
    )
