"""The condition of a filter as SQL: which contacts it admits, but for its words.

What is put into a text are names of our own, from the tables of `questions.fields` and this module;
every value is bound.
"""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from smoc_mcp.proof.windows import ABSENT
from smoc_mcp.questions.choices import Choice, Wanted
from smoc_mcp.questions.fields import COUNTS, FIELDS, Consent, Field, Match
from smoc_mcp.questions.filters import Answered, ContactFilter, Question
from smoc_mcp.questions.periods import During
from smoc_mcp.text.times import QUARTER_HOUR

__all__ = ["CONSENT", "Sql", "Value", "question", "where"]

CONSENT = f"ifnull(contact.accepted_communication, '{Consent.UNASKED}')"
"""What a contact answered about communication, as a word of `Consent`."""
_HAS = {
    "name": "name IS NOT NULL",
    "email": "email IS NOT NULL",
    "phone": "phone IS NOT NULL",
    "company": "ifnull(company_key, '') != ''",
    "inviter": "ifnull(inviter_key, '') != ''",
    "conversation": f"conversation > {ABSENT}",
    **{name: f"{name} > 0" for name in COUNTS},
}
Value = int | str | bytes | None
"""What can be bound to a statement."""


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL.

    Attributes:
        text: With question marks for values.
        values: What is bound to them, in order.
        searches: It looks into the index of words, which must be up to date.
    """

    text: str
    values: tuple[int | str, ...] = ()
    searches: bool = False


def where(wanted: ContactFilter) -> Sql:
    """Return the condition that a contact of the filter meets, but for the words: see `holding`."""
    tests: list[str] = []
    values: list[int | str] = []

    def add(test: str, *bound: int | str) -> None:
        tests.append(test)
        values.extend(bound)

    if wanted.statuses is not None:
        add(f"status IN ({_marks(wanted.statuses)})", *sorted(wanted.statuses))
    for sort, span in wanted.spans.items():
        if span.after is not None:
            add(f"{sort} >= ?", span.after)
        if span.before is not None:
            add(f"{sort} < ? AND {sort} > {ABSENT}", span.before)
    for name, choice in wanted.texts.items():
        for test in _chosen(FIELDS[name], choice):
            add(test.text, *test.values)
    if wanted.consents is not None:
        add(f"{CONSENT} IN ({_marks(wanted.consents)})", *sorted(wanted.consents))
    for name, present in wanted.has.items():
        add(_HAS[name] if present else f"NOT ({_HAS[name]})")
    if wanted.quiet_since is not None:
        add("conversation < ?", wanted.quiet_since)
    for during in wanted.during.values():
        test = _within(during)
        add(test.text, *test.values)
    for answered in wanted.answers.values():
        for test in _answered(answered):
            add(test.text, *test.values)
    if wanted.among is not None:
        add("id IN (AMONG(?))", json.dumps(list(wanted.among)))
    return Sql(" AND ".join(tests) or "TRUE", tuple(values))


def _within(during: During) -> Sql:
    """Return the condition of a time that is in one of some periods."""
    tests = [Sql(f"({during.sort} >= ? AND {during.sort} < ?)", span) for span in during.spans]
    if during.cycle:
        quarter = f"{during.sort} / {QUARTER_HOUR}"
        tests.append(
            Sql(
                f"({during.sort} > {ABSENT} AND "
                f"period_of({quarter}, ?, ?) IN ({_marks(during.cycle)}))",
                (during.unit, during.zone, *sorted(during.cycle)),
            )
        )
    if during.undated:
        tests.append(Sql(f"{during.sort} = {ABSENT}"))
    return _either(tests)


def question(table: str, named: Question) -> Sql:
    """Return the condition for the question of an id or, if it is no id, with all these words.

    Args:
        table: Of labels.
        named: The question, by its id or words.
    """
    kind, words, exact = named
    if exact:
        return Sql(f"{table}.question_key = ?", (words,))
    said = " AND ".join(f"instr({table}.question_key, ?)" for _ in words.split())
    known = f"SELECT 1 FROM label AS k WHERE k.kind = '{kind}' AND k.question_id = ?"
    # A field has no id; one that is called just so is meant alone.
    same = f"SELECT 1 FROM label AS k WHERE k.kind = '{kind}' AND k.question_key = ?"
    return Sql(
        f"({table}.question_id = ? OR {table}.question_key = ? OR (NOT EXISTS ({known}) "
        f"AND NOT EXISTS ({same}) AND {said}))",
        (words, words, words, words, *words.split()),
    )


def _answered(answered: Answered) -> list[Sql]:
    """Return what must hold of a contact, all of it, whose answers are as chosen."""
    kind, choice = answered.question.kind, answered.choice
    asked = question("label", answered.question) if answered.question.words else Sql("TRUE")

    def has(condition: Sql) -> Sql:
        return Sql(
            f"EXISTS (SELECT 1 FROM label WHERE contact = contact.id AND kind = '{kind}' "
            f"AND {asked.text} AND {condition.text})",
            (*asked.values, *condition.values),
        )

    def one_of(values: Iterable[Wanted]) -> Sql:
        return has(
            _either(
                [
                    Sql("key = ?" if value.exact else "instr(key, ?)", (value.folded,))
                    for value in sorted(values)
                ]
            )
        )

    return _admitting(choice, has(Sql("TRUE")), one_of)


def _chosen(field: Field, choice: Choice) -> list[Sql]:
    """Return what must hold of a contact, all of it, whose values are as chosen."""
    return _admitting(choice, _has_any(field), partial(_has_one, field))


def _admitting(
    choice: Choice, has_any: Sql, has_one: Callable[[Iterable[Wanted]], Sql]
) -> list[Sql]:
    """Return what must hold, all of it, for a choice.

    Args:
        choice: What is chosen.
        has_any: The condition of having a value, whichever.
        has_one: Returns the condition of having one of some values.
    """
    admitted: list[Sql] = []
    tests: list[Sql] = []
    if choice.wanted:
        admitted.append(has_one(choice.wanted))
    if choice.without is True:
        admitted.append(_negated(has_any))
    if admitted:
        tests.append(_either(admitted))
    if choice.without is False:
        tests.append(has_any)
    if choice.unwanted:
        tests.append(_negated(has_one(choice.unwanted)))
    return tests


def _has_any(field: Field) -> Sql:
    """Return the condition of a contact with a value, whichever."""
    if field.many:
        return _has_label(field, Sql("key != ''"))
    return Sql(f"ifnull({field.name}_key, '') != ''")


def _has_one(field: Field, wanted: Iterable[Wanted]) -> Sql:
    """Return the condition of a contact with a value that is one of these; never null."""
    key = "key" if field.many else f"{field.name}_key"
    of_value = _of_identity if field.identity else _of_text
    # In order, so that SQLite knows the statement again.
    tests = [of_value(field, key, value) for value in sorted(wanted)]
    one = _either(tests)
    return _has_label(field, one) if field.many else Sql(f"({one.text}) IS TRUE", one.values)


def _has_label(field: Field, condition: Sql) -> Sql:
    return Sql(
        "EXISTS (SELECT 1 FROM label WHERE contact = contact.id AND kind = ? "
        f"AND {condition.text})",
        (field.name, *condition.values),
    )


def _of_text(field: Field, key: str, value: Wanted) -> Sql:
    whole = value.exact or field.match is Match.WHOLE
    return Sql(f"{key} = ?" if whole else f"instr({key}, ?)", (value.folded,))


def _of_identity(field: Field, key: str, value: Wanted) -> Sql:
    """Return the condition of somebody: who it is, what it is called, or both as `name (id)`."""
    names = f"{field.name}_names"
    called = f"\n{value.folded}\n" if value.exact else value.folded
    return Sql(
        f"({key} = ? OR instr({names}, ?) OR (length({key}) + 3 <= ? AND "
        f"substr(?, ? - length({key}) - 2) = ' (' || {key} || ')'))",
        (value.folded, called, len(value.folded), value.folded, len(value.folded)),
    )


def _either(tests: Sequence[Sql]) -> Sql:
    values = tuple(value for test in tests for value in test.values)
    return Sql(f"({' OR '.join(test.text for test in tests)})", values)


def _negated(test: Sql) -> Sql:
    return Sql(f"NOT {test.text}", test.values)


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
