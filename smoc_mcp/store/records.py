"""Contacts and labels as records of the store's tables, and back."""

import json
import sqlite3
from collections.abc import Sequence
from operator import itemgetter

from smoc_mcp.api.facts import Facts, Label, texts_of
from smoc_mcp.api.models import ReadContact, read_contact
from smoc_mcp.questions.rows import LISTED, STATUSES, ContactRow, Match
from smoc_mcp.questions.search import FIELDS, Term, fields_holding, searchable
from smoc_mcp.store.sqlite import Value
from smoc_mcp.text.folding import fold

__all__ = ["UPSERT", "columns", "label_columns", "matches_of", "row_of"]

_FOLDED = (
    *("company", "city", "country", "device", "browser", "inviter"),
    *("utm_source", "utm_medium", "utm_campaign"),
)
_PLAIN = (
    *("id", "name", "email", "phone", "company", "city", "country", "device", "browser"),
    *("utm_source", "utm_medium", "utm_campaign", "inviter"),
    *("has_visits", "has_rewards", "has_referrals", "email_key", "mailbox"),
)
_COLUMNS = (
    *("owner", "asked", "seen"),
    *("digest", "status", "created", "updated", "conversation", "source", "unread"),
    "accepted_communication",
    *_PLAIN,
    *(f"{name}_key" for name in _FOLDED),
    *(f"{field}_words" for field in FIELDS),
)
_LISTED = itemgetter(*LISTED, "rank")
_STATUS = LISTED.index("status")
# The names are those above; the values are bound.
UPSERT = (
    f"INSERT INTO contacts ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608
    "ON CONFLICT (owner, id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in ("owner", "id"))
)


def columns(read: ReadContact, facts: Facts) -> tuple[Value, ...]:
    """Return the values of UPSERT behind owner, asked and seen."""
    keys = facts.keys
    return (
        *(keys.digest, keys.status, keys.created, keys.updated, keys.conversation),
        read.source,
        ",".join(sorted(read.unread)),
        {True: "yes", False: "no", None: None}[facts.accepted_communication],
        *(getattr(facts, name) for name in _PLAIN),
        *(_folded(getattr(facts, name)) for name in _FOLDED),
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
