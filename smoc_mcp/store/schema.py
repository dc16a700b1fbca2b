"""The tables of the store, and how a store of an older version becomes one of this version.

Each migration is committed together with its number (`sqlite.Database`), so a crash leaves the old
schema or the new one, never half. A migration that was released is never changed again. A new
field of `questions.fields` is one entry there and one line here: `add_values("zip")`.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from smoc_mcp.api.facts import Facts, Label, facts_of
from smoc_mcp.api.models import read_contact
from smoc_mcp.proof.history import BEGINNING
from smoc_mcp.questions.fields import COUNTS, VALUES
from smoc_mcp.questions.search import FIELDS
from smoc_mcp.store.conditions import Value
from smoc_mcp.store.records import TRAITS, WORDS, label_columns, value_columns, values_in_columns
from smoc_mcp.store.sql import setting

__all__ = [
    "MIGRATIONS",
    "Migration",
    "Statements",
    "add_labels",
    "add_values",
    "drop_labels",
    "index_values",
]

_AT_ONCE = 500
"""How many contacts are derived anew at a time."""


class Statements(Protocol):
    """What a migration may do; it runs in a transaction."""

    def fetch(self, text: str, values: Sequence[Value] = ()) -> Sequence[Any]:
        """Return the rows of a SELECT."""

    def run(self, text: str, values: Sequence[Value] = ()) -> int:
        """Run a statement; return how many rows it changed."""


Migration = Callable[[Statements], None]

_FIRST = (
    """CREATE TABLE companies (
        id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again after a forget
        name TEXT NOT NULL UNIQUE,
        leads INTEGER, customers INTEGER,
        counted INTEGER              -- when the counts were asked for
    )""",
    """CREATE TABLE keys (
        hash TEXT PRIMARY KEY,       -- of address and key; the key itself is nowhere
        owner INTEGER NOT NULL REFERENCES companies (id) ON DELETE CASCADE
    )""",
    """CREATE TABLE contacts (
        row INTEGER PRIMARY KEY,     -- of the words
        owner INTEGER NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
        id TEXT NOT NULL,
        asked INTEGER NOT NULL,      -- when the newest answer that held it was sent for;
                                     -- -1 where nobody can tell which is the newest
        seen INTEGER NOT NULL,       -- when it was received
        digest BLOB NOT NULL,
        status TEXT NOT NULL,
        created INTEGER NOT NULL,    -- moments; ABSENT where the contact has none
        updated INTEGER NOT NULL,
        conversation INTEGER NOT NULL,
        name TEXT, email TEXT, phone TEXT, company TEXT, city TEXT, country TEXT, device TEXT,
        browser TEXT, utm_source TEXT, utm_medium TEXT, utm_campaign TEXT, inviter TEXT,
        accepted_communication TEXT, -- yes, no or null
        has_visits INTEGER NOT NULL, has_rewards INTEGER NOT NULL,
        has_referrals INTEGER NOT NULL,
        -- folded, for comparison
        email_key TEXT NOT NULL, mailbox TEXT NOT NULL, company_key TEXT,
        city_key TEXT, country_key TEXT, device_key TEXT, browser_key TEXT,
        utm_source_key TEXT, utm_medium_key TEXT, utm_campaign_key TEXT, inviter_key TEXT,
        -- as searched: see `search.searchable`
        name_words TEXT NOT NULL, email_words TEXT NOT NULL, phone_words TEXT NOT NULL,
        company_words TEXT NOT NULL, place_words TEXT NOT NULL, texts_words TEXT NOT NULL,
        answers_words TEXT NOT NULL,
        unread TEXT NOT NULL,        -- names of fields that could not be read
        source TEXT NOT NULL,        -- the JSON as sent
        UNIQUE (owner, id)
    )""",
    "CREATE INDEX contacts_created ON contacts (owner, created, id)",
    "CREATE INDEX contacts_updated ON contacts (owner, updated, id)",
    "CREATE INDEX contacts_conversation ON contacts (owner, conversation, id)",
    "CREATE INDEX contacts_email ON contacts (owner, email_key)",
    "CREATE INDEX contacts_mailbox ON contacts (owner, mailbox)",
    "CREATE INDEX contacts_seen ON contacts (owner, seen)",
    # The index of words alone: the texts are the columns of contacts.
    """CREATE VIRTUAL TABLE words USING fts5 (
        name_words, email_words, phone_words, company_words, place_words, texts_words,
        answers_words, content = 'contacts', content_rowid = 'row', columnsize = 0,
        tokenize = 'trigram case_sensitive 1')""",
    # Contacts whose words are not in the index yet: see `words.index_words`.
    "CREATE TABLE unindexed (row INTEGER PRIMARY KEY)",
    """CREATE TRIGGER words_of_new AFTER INSERT ON contacts BEGIN
        INSERT INTO unindexed VALUES (new.row);
    END""",
    # A contact goes out of the index as it went in.
    """CREATE TRIGGER words_of_old AFTER DELETE ON contacts BEGIN
        INSERT INTO words (words, rowid, name_words, email_words, phone_words, company_words,
                place_words, texts_words, answers_words)
            SELECT 'delete', old.row, old.name_words, old.email_words, old.phone_words,
                old.company_words, old.place_words, old.texts_words, old.answers_words
            WHERE old.row NOT IN (SELECT row FROM unindexed);
        DELETE FROM unindexed WHERE row = old.row;
    END""",
    """CREATE TRIGGER words_of_changed AFTER UPDATE OF name_words, email_words, phone_words,
            company_words, place_words, texts_words, answers_words ON contacts
        WHEN (new.name_words, new.email_words, new.phone_words, new.company_words,
                new.place_words, new.texts_words, new.answers_words)
            IS NOT (old.name_words, old.email_words, old.phone_words, old.company_words,
                old.place_words, old.texts_words, old.answers_words) BEGIN
        INSERT INTO words (words, rowid, name_words, email_words, phone_words, company_words,
                place_words, texts_words, answers_words)
            SELECT 'delete', old.row, old.name_words, old.email_words, old.phone_words,
                old.company_words, old.place_words, old.texts_words, old.answers_words
            WHERE old.row NOT IN (SELECT row FROM unindexed);
        INSERT INTO unindexed
            SELECT new.row WHERE new.row NOT IN (SELECT row FROM unindexed);
    END""",
    """CREATE TABLE labels (
        owner INTEGER NOT NULL, contact TEXT NOT NULL,
        kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
        question_id TEXT NOT NULL, question_key TEXT NOT NULL, question TEXT NOT NULL,
        FOREIGN KEY (owner, contact) REFERENCES contacts (owner, id) ON DELETE CASCADE
    )""",
    "CREATE INDEX labels_contact ON labels (owner, contact, kind, key, value)",
    """CREATE TABLE histories (
        owner INTEGER NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
        sort TEXT NOT NULL,
        reach INTEGER NOT NULL, began INTEGER NOT NULL, top INTEGER NOT NULL,
        sent INTEGER NOT NULL, received INTEGER NOT NULL,
        PRIMARY KEY (owner, sort)
    )""",
    """CREATE TABLE gaps (
        owner INTEGER NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
        sort TEXT NOT NULL, older INTEGER NOT NULL, newer INTEGER NOT NULL
    )""",
)


def _first(db: Statements) -> None:
    for statement in _FIRST:
        db.run(statement)


# The order in which the store learns things is told by ticks, not by clocks; what is gone is kept
# for a while; news have the tick at which they were learnt. What earlier moments proved, ticks do
# not prove, so histories begin anew and no contact is current until it is seen again.
_SECOND = (
    "ALTER TABLE companies ADD COLUMN series TEXT NOT NULL DEFAULT ''",  # of the ticks
    "UPDATE companies SET series = lower(hex(randomblob(6)))",
    "ALTER TABLE companies ADD COLUMN tick INTEGER NOT NULL DEFAULT 0",
    # When it was last seen, by the wall clock; `seen` and `asked` are ticks from now on.
    "ALTER TABLE contacts ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0",
    "UPDATE contacts SET seen_at = seen, seen = 0, asked = -1",
    # The API's clock when it was last seen: its times may lie ahead of that.
    "ALTER TABLE contacts ADD COLUMN api_now INTEGER NOT NULL DEFAULT 0",
    # The tick at which it was new, and that at which it was new or changed; 0 where it was known
    # to be old when it was first seen.
    "ALTER TABLE contacts ADD COLUMN added INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE contacts ADD COLUMN revision INTEGER NOT NULL DEFAULT 0",
    # The order of the window that should have held it and did not, and the tick of that.
    "ALTER TABLE contacts ADD COLUMN missed_by TEXT",
    "ALTER TABLE contacts ADD COLUMN missed INTEGER",
    # When it was found to be deleted, by the wall clock.
    "ALTER TABLE contacts ADD COLUMN gone INTEGER",
    "DROP TABLE histories",
    """CREATE TABLE histories (
        owner INTEGER NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
        sort TEXT NOT NULL,
        reach INTEGER NOT NULL, began INTEGER NOT NULL, top INTEGER NOT NULL,
        received INTEGER NOT NULL,
        PRIMARY KEY (owner, sort)
    )""",
    "DROP INDEX contacts_created",
    "DROP INDEX contacts_updated",
    "DROP INDEX contacts_conversation",
    "DROP INDEX contacts_email",
    "DROP INDEX contacts_mailbox",
    "DROP INDEX contacts_seen",
    "CREATE INDEX contacts_created ON contacts (owner, created, id) WHERE gone IS NULL",
    "CREATE INDEX contacts_updated ON contacts (owner, updated, id) WHERE gone IS NULL",
    "CREATE INDEX contacts_conversation ON contacts (owner, conversation, id) WHERE gone IS NULL",
    "CREATE INDEX contacts_email ON contacts (owner, email_key) WHERE gone IS NULL",
    "CREATE INDEX contacts_mailbox ON contacts (owner, mailbox) WHERE gone IS NULL",
    "CREATE INDEX contacts_revision ON contacts (owner, revision, id) WHERE gone IS NULL",
    "CREATE INDEX contacts_added ON contacts (owner, added, id) WHERE gone IS NULL AND added > 0",
    "CREATE INDEX contacts_missed ON contacts (owner, missed) WHERE missed IS NOT NULL",
    "CREATE INDEX contacts_gone ON contacts (owner, gone) WHERE gone IS NOT NULL",
    "CREATE INDEX contacts_seen ON contacts (owner, seen_at)",
    # Whose words they are is a word as well: how long a search takes tells a company nothing of
    # the words of another.
    "ALTER TABLE contacts ADD COLUMN owner_token TEXT GENERATED ALWAYS AS (printf('%03d', owner))",
    "DROP TRIGGER words_of_old",
    "DROP TRIGGER words_of_changed",
    "DROP TABLE words",
    """CREATE VIRTUAL TABLE words USING fts5 (
        owner_token, name_words, email_words, phone_words, company_words, place_words, texts_words,
        answers_words, content = 'contacts', content_rowid = 'row', columnsize = 0,
        tokenize = 'trigram case_sensitive 1')""",
    """CREATE TRIGGER words_of_old AFTER DELETE ON contacts BEGIN
        INSERT INTO words (words, rowid, owner_token, name_words, email_words, phone_words,
                company_words, place_words, texts_words, answers_words)
            SELECT 'delete', old.row, old.owner_token, old.name_words, old.email_words,
                old.phone_words, old.company_words, old.place_words, old.texts_words,
                old.answers_words
            WHERE old.row NOT IN (SELECT row FROM unindexed);
        DELETE FROM unindexed WHERE row = old.row;
    END""",
    """CREATE TRIGGER words_of_changed AFTER UPDATE OF owner, name_words, email_words, phone_words,
            company_words, place_words, texts_words, answers_words ON contacts
        WHEN (new.owner, new.name_words, new.email_words, new.phone_words, new.company_words,
                new.place_words, new.texts_words, new.answers_words)
            IS NOT (old.owner, old.name_words, old.email_words, old.phone_words,
                old.company_words, old.place_words, old.texts_words, old.answers_words) BEGIN
        INSERT INTO words (words, rowid, owner_token, name_words, email_words, phone_words,
                company_words, place_words, texts_words, answers_words)
            SELECT 'delete', old.row, old.owner_token, old.name_words, old.email_words,
                old.phone_words, old.company_words, old.place_words, old.texts_words,
                old.answers_words
            WHERE old.row NOT IN (SELECT row FROM unindexed);
        INSERT INTO unindexed
            SELECT new.row WHERE new.row NOT IN (SELECT row FROM unindexed);
    END""",
    "INSERT INTO words (words) VALUES ('rebuild')",
    "DELETE FROM unindexed",
)


def _second(db: Statements) -> None:
    for statement in _SECOND:
        db.run(statement)


def add_values(*names: str) -> Migration:
    """Return a migration that gives every contact fields of `fields.VALUES`.

    Args:
        names: Of the fields: new ones, or some that are derived in another way from now on. Their
            values are derived from the JSON that the store keeps.
    """

    def migrate(db: Statements) -> None:
        columns = value_columns(names)
        there = {row[0] for row in db.fetch("SELECT name FROM pragma_table_info('contacts')")}
        for column in columns:
            if column not in there:
                db.run(f"ALTER TABLE contacts ADD COLUMN {column} TEXT")
        for row, facts in _derived(db):
            db.run(setting(columns), (*values_in_columns(facts, names), row))

    return migrate


def add_labels(*kinds: str) -> Migration:
    """Return a migration that gives every contact labels of kinds of which it has none."""

    def migrate(db: Statements) -> None:
        for row, facts in _derived(db):
            for label in facts.labels:
                if label.kind in kinds:
                    _add_label(db, row, facts.id, label)

    return migrate


def _add_label(db: Statements, row: int, contact_id: str, label: Label) -> None:
    db.run(
        "INSERT INTO labels SELECT owner, ?, ?, ?, ?, ?, ?, ? FROM contacts WHERE row = ?",
        (*label_columns(contact_id, label), row),
    )


def count_parts(db: Statements) -> None:
    """Keep how many visits, rewards and the like a contact has, not only whether it has any."""
    for name in ("visits", "rewards", "referrals"):
        db.run(f"ALTER TABLE contacts RENAME COLUMN has_{name} TO {name}")
    for name in ("surveys", "texts"):
        db.run(f"ALTER TABLE contacts ADD COLUMN {name} INTEGER NOT NULL DEFAULT 0")
    for row, facts in _derived(db):
        db.run(setting([*facts.counts]), (*facts.counts.values(), row))


def derive_anew(db: Statements) -> None:
    """Derive all of every contact that is derived of it, from the JSON that the store keeps."""
    names = [field.name for field in VALUES]
    columns = ("email_key", "mailbox", *TRAITS, *COUNTS, *value_columns(names), *WORDS)
    db.run("DELETE FROM labels")
    for row, facts in _derived(db):
        db.run(
            setting(columns),
            (
                *(facts.email_key, facts.mailbox, *facts.traits),
                *(facts.counts[name] for name in COUNTS),
                *values_in_columns(facts, names),
                *(facts.words[field] for field in FIELDS),
                row,
            ),
        )
        for label in facts.labels:
            _add_label(db, row, facts.id, label)


def drop_labels(*kinds: str) -> Migration:
    """Return a migration that takes labels of kinds away: of no field any more, or made anew."""

    def migrate(db: Statements) -> None:
        for kind in kinds:
            db.run("DELETE FROM labels WHERE kind = ?", (kind,))

    return migrate


def _derived(db: Statements) -> Iterator[tuple[int, Facts]]:
    """Yield what is derived of each contact, with its row."""
    row = 0
    while rows := db.fetch(
        "SELECT row, source FROM contacts WHERE row > ? ORDER BY row LIMIT ?", (row, _AT_ONCE)
    ):
        for row, source in rows:
            if (read := read_contact(json.loads(source), whole=False)) is not None:
                yield row, facts_of(read)


def index_values(db: Statements) -> None:
    """Index all that is counted and filtered by: a scan of it reads a tenth of what rows are."""
    values = value_columns(field.name for field in VALUES)
    db.run("DROP INDEX IF EXISTS contacts_facts")
    db.run(
        "CREATE INDEX contacts_facts ON contacts (owner, status, created, updated, conversation, "
        f"id, {', '.join(values)}, accepted_communication, {', '.join(COUNTS)}, gone) "
        "WHERE gone IS NULL"
    )


def keep_first_sighting(db: Statements) -> None:
    """Keep the tick at which a contact became known, also where it was old by then."""
    db.run("ALTER TABLE contacts ADD COLUMN known INTEGER NOT NULL DEFAULT 0")
    db.run("UPDATE contacts SET known = added")
    # The newest createdAt of those whom retention has dropped; older than any for nobody.
    db.run(f"ALTER TABLE companies ADD COLUMN purged INTEGER NOT NULL DEFAULT {BEGINNING}")
    db.run("DROP INDEX contacts_added")
    db.run("CREATE INDEX contacts_known ON contacts (owner, known, id) WHERE gone IS NULL")


def compare_contacts(db: Statements) -> None:
    """Keep what contacts are compared by with those who may be the same person."""
    for column in TRAITS:
        db.run(f"ALTER TABLE contacts ADD COLUMN {column} TEXT NOT NULL DEFAULT ''")
    for row, facts in _derived(db):
        db.run(setting(TRAITS), (*facts.traits, row))
    for name, columns in (
        ("same_address", "same_address"),
        ("same_number", "same_number, same_country"),
        ("same_name", "same_name, company_key, city_key"),
    ):
        db.run(
            f"CREATE INDEX contacts_{name} ON contacts (owner, {columns}, created, id, gone) "
            f"WHERE gone IS NULL AND {name} != ''"
        )


MIGRATIONS: Sequence[Migration] = (
    _first,
    _second,
    add_values("inviter"),  # people are told apart by who they are, no more by their names
    add_labels("promo_presented", "promo_redeemed"),
    drop_labels("promo"),
    keep_first_sighting,
    count_parts,
    add_values("state", "zip", "landing_page", "referrer", "os"),
    add_labels("variant", "text"),
    compare_contacts,
    # What nobody sees of a value tells it from no other; a blank answer is none, and a question
    # without words is called by its id.
    derive_anew,
)
"""One for each version of the schema, in order. The last is followed by `index_values`."""
