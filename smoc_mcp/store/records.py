"""Contacts and labels as records of the store's tables, and back."""

import json
import sqlite3
from collections.abc import Sequence
from operator import itemgetter

from smoc_mcp.api.facts import Facts, Label, texts_of
from smoc_mcp.api.models import ReadContact, read_contact
from smoc_mcp.questions.fields import VALUES
from smoc_mcp.questions.rows import LISTED, STATUSES, ContactRow, Match
from smoc_mcp.questions.search import FIELDS, Term, fields_holding, searchable
from smoc_mcp.store.sql import Value, saving
from smoc_mcp.text.folding import fold

__all__ = ["SAVE", "columns", "label_columns", "matches_of", "row_of"]

_PLAIN = ("id", "name", "email", "phone", "has_visits", "has_rewards", "has_referrals")
_VALUES = tuple(field.name for field in VALUES)
_COLUMNS = (
    *("owner", "asked", "seen"),
    *("digest", "status", "created", "updated", "conversation", "source", "unread"),
    "accepted_communication",
    *(*_PLAIN, "email_key", "mailbox"),
    *_VALUES,
    *(f"{name}_key" for name in _VALUES),
    *(f"{field}_words" for field in FIELDS),
)
SAVE = saving(_COLUMNS)
"""Saves a contact: owner, asked, seen, and what `columns` returns."""
_LISTED = itemgetter(*LISTED, "rank")
_STATUS = LISTED.index("status")


def columns(read: ReadContact, facts: Facts) -> tuple[Value, ...]:
    """Return the values of SAVE behind owner, asked and seen."""
    keys = facts.keys
    return (
        *(keys.digest, keys.status, keys.created, keys.updated, keys.conversation),
        read.source,
        ",".join(sorted(read.unread)),
        {True: "yes", False: "no", None: None}[facts.accepted_communication],
        *(getattr(facts, name) for name in _PLAIN),
        *(facts.email_key, facts.mailbox),
        *(facts.values[name] for name in _VALUES),
        *(_folded(facts.values[name]) for name in _VALUES),
        *(facts.words[field] for field in FIELDS),
    )


def label_columns(contact_id: str, label: Label) -> tuple[str, ...]:
    """Return the record of a label behind its owner."""
    return (
        *(contact_id, label.kind, fold(label.value), label.value),
        *(label.question_id, fold(label.question), label.question),
    )


def _folded(value: str | None) -> str | None:
    return None if value is None else fold(value)


def row_of(r: sqlite3.Row) -> ContactRow:
    """Return a contact as it is listed, from the columns of `rows.LISTED` and a rank."""
    values = list(_LISTED(r))
    values[_STATUS] = STATUSES[values[_STATUS]]
    return ContactRow(*values)


def matches_of(r: sqlite3.Row, terms: Sequence[Term]) -> tuple[Match, ...]:
    """Return where a contact holds what was looked for, but for its name; from all columns."""
    held = fields_holding(terms, {field: r[f"{field}_words"] for field in FIELDS})
    if not held:
        return ()
    read = read_contact(json.loads(r["source"]))
    texts = {} if read is None else texts_of(read.contact)
    found: dict[Match, None] = {}
    for field, needle in held:
        for what, text in texts.get(field, ()):
            if len(texts[field]) == 1 or needle in searchable([text]):
                found[Match(field, what, text, needle.strip())] = None
                break
    return tuple(found)
