"""Contacts and labels as records of the store's tables, and back."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from operator import itemgetter

from smoc_mcp.api.facts import Facts, Label, texts_of
from smoc_mcp.api.models import ReadContact, read_contact
from smoc_mcp.questions.duplicates import Traits
from smoc_mcp.questions.fields import COUNTS, VALUES, WIRE_FIELDS
from smoc_mcp.questions.rows import LISTED, STATUSES, ContactRow, Match
from smoc_mcp.questions.search import (
    FIELDS,
    NAME,
    Place,
    Term,
    fields_holding,
    places_holding,
    searchable,
)
from smoc_mcp.store.conditions import Value
from smoc_mcp.store.sql import saving
from smoc_mcp.text.folding import fold

__all__ = [
    "SAVE",
    "TRAITS",
    "WORDS",
    "columns",
    "label_columns",
    "matches_of",
    "row_of",
    "value_columns",
    "values_in_columns",
]

_IDENTIFIED = {field.name for field in VALUES if field.identity}


def value_columns(names: Iterable[str]) -> list[str]:
    """Return the columns of fields of `fields.VALUES`.

    For each its value, its key and, where a value is somebody, what that is called by.
    """
    return [
        column
        for name in names
        for column in (
            *(name, f"{name}_key"),
            *([f"{name}_names"] if name in _IDENTIFIED else []),
        )
    ]


TRAITS = tuple(f"same_{name}" for name in Traits._fields)
"""The columns of what contacts are compared by."""
WORDS = tuple(f"{field}_words" for field in FIELDS)
"""The columns of the words that are searched."""
_PLAIN = ("id", "name", "email", "phone")
_COUNTS = tuple(COUNTS)
_VALUES = tuple(field.name for field in VALUES)
_COLUMNS = (
    *("owner", "asked", "seen", "seen_at", "api_now", "known", "added", "revision"),
    *("digest", "status", "created", "updated", "conversation", "source", "unread"),
    "accepted_communication",
    *(*_PLAIN, *_COUNTS, "email_key", "mailbox", *TRAITS),
    *value_columns(_VALUES),
    *WORDS,
)
SAVE = saving(_COLUMNS)
"""Saves a contact: the first columns are the store's own, the others what `columns` returns."""
_LISTED = itemgetter(*LISTED, "rank")
_STATUS, _UNREAD = LISTED.index("status"), LISTED.index("unread")
_CONSENT = frozenset(WIRE_FIELDS["accepted_communication"])
_ALL_READ: frozenset[str] = frozenset()


def columns(read: ReadContact, facts: Facts) -> tuple[Value, ...]:
    """Return what SAVE saves of a contact itself."""
    keys = facts.keys
    return (
        *(keys.digest, keys.status, keys.created, keys.updated, keys.conversation),
        read.source,
        ",".join(sorted(read.unread)),
        _answer(read, facts),
        *(getattr(facts, name) for name in _PLAIN),
        *(facts.counts[name] for name in _COUNTS),
        *(facts.email_key, facts.mailbox, *facts.traits),
        *values_in_columns(facts, _VALUES),
        *(facts.words[field] for field in FIELDS),
    )


def _answer(read: ReadContact, facts: Facts) -> str | None:
    """Return yes, no, nothing where it was not asked; an empty text where that cannot be read."""
    if _CONSENT & read.unread:
        return ""
    return {True: "yes", False: "no", None: None}[facts.accepted_communication]


def values_in_columns(facts: Facts, names: Iterable[str]) -> list[str | None]:
    """Return what a contact has in `value_columns`."""
    kept: list[str | None] = []
    for name in names:
        value = facts.values[name]
        if name in facts.identities:
            kept += [value, *(facts.identities[name] or (None, None))]
        else:
            kept += [value, None if value is None else fold(value)]
    return kept


def label_columns(contact_id: str, label: Label) -> tuple[str, ...]:
    """Return the record of a label behind its owner."""
    return (
        *(contact_id, label.kind, fold(label.value), label.value),
        *(label.question_id, fold(label.question), label.question),
    )


def row_of(r: sqlite3.Row) -> ContactRow:
    """Return a contact as it is listed, from the columns of `rows.LISTED` and a rank."""
    values = list(_LISTED(r))
    values[_STATUS] = STATUSES[values[_STATUS]]
    # Nearly always everything could be read, and lists are long.
    values[_UNREAD] = frozenset(values[_UNREAD].split(",")) if values[_UNREAD] else _ALL_READ
    return ContactRow(*values)


def matches_of(r: sqlite3.Row, terms: Sequence[Term]) -> tuple[Match, ...]:
    """Return the fields in which a contact holds what was looked for; from all columns.

    Each once, the name first; nothing where the name alone holds it.
    """
    words = {field: r[f"{field}_words"] for field in FIELDS}
    held = fields_holding(terms, words)
    if held <= {NAME}:
        return ()
    read = read_contact(json.loads(r["source"]))
    texts = {} if read is None else texts_of(read.contact)
    places = [
        # The only text of a field is kept as it is searched.
        Place(field, what, text, words[field] if len(texts[field]) == 1 else searchable([text]))
        for field in FIELDS
        if field in held
        for what, text in texts.get(field, ())
    ]
    found = [Match(p.field, p.what, p.text, word) for p, word in places_holding(terms, places)]
    return () if all(match.field == NAME for match in found) else tuple(found)
