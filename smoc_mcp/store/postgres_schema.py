"""The tables of the store in PostgreSQL, and functions that it lacks and SQLite has.

With them queries mean here what they mean there. All texts are compared by their bytes
(`COLLATE "C"`), as in SQLite.
"""

from collections.abc import Sequence

from smoc_mcp.proof.history import BEGINNING
from smoc_mcp.questions.fields import COUNTS, VALUES
from smoc_mcp.questions.search import FIELDS
from smoc_mcp.store.records import TRAITS, value_columns

__all__ = ["CONTACT_COLUMNS", "MIGRATIONS"]

_TEXT = 'TEXT COLLATE "C"'
_NUMBERS = (
    *("asked", "seen", "seen_at", "api_now", "known", "added", "revision"),
    *("created", "updated", "conversation", *COUNTS),
)
_NEEDED = ("id", "status", "source", "unread", "email_key", "mailbox", *TRAITS)
_OPTIONAL = (
    *("accepted_communication", "name", "email", "phone", "missed_by"),
    *value_columns(field.name for field in VALUES),
)
_WORDS = tuple(f"{field}_words" for field in FIELDS)
CONTACT_COLUMNS = ("digest", *_NUMBERS, *_NEEDED, *_WORDS, *_OPTIONAL, "missed", "gone")
"""The columns of a contact beside `row` and `owner`; the same in both engines."""
_OWNER = "owner BIGINT NOT NULL REFERENCES companies (id) ON DELETE CASCADE"
_MINE = "owner = nullif(nullif(current_setting('smoc.owner', true), ''), 'all')::bigint"
_OF_OWNER = ("contacts", "labels", "histories", "gaps", "windows")

_CONTACTS = ",\n".join(
    [
        '"row" BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
        _OWNER,
        "digest BYTEA NOT NULL",
        *(f"{name} BIGINT NOT NULL DEFAULT 0" for name in _NUMBERS),
        *(f"{name} {_TEXT} NOT NULL DEFAULT ''" for name in (*_NEEDED, *_WORDS)),
        *(f"{name} {_TEXT}" for name in _OPTIONAL),
        "missed BIGINT",
        "gone BIGINT",
        "UNIQUE (owner, id)",
    ]
)
_QUOTED = _MINE.replace("'", "''")
_NEW = ", ".join(f"new.{words}" for words in _WORDS)
_OLD = ", ".join(f"old.{words}" for words in _WORDS)
_EXCLUDED = ", ".join(f"{words} = excluded.{words}" for words in _WORDS)
_HITS = " || ' OR ' || ".join(f"format('{words} LIKE %L', pattern)" for words in _WORDS)

_FIRST = (
    # The index of words; a trusted extension, so that the owner of a database may make it.
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    f"""CREATE TABLE companies (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name {_TEXT} NOT NULL UNIQUE,
        leads BIGINT, customers BIGINT, counted BIGINT,
        series {_TEXT} NOT NULL DEFAULT '', tick BIGINT NOT NULL DEFAULT 0,
        purged BIGINT NOT NULL DEFAULT {BEGINNING}
    )""",
    f"CREATE TABLE keys (hash {_TEXT} PRIMARY KEY, {_OWNER})",
    f"CREATE TABLE contacts ({_CONTACTS})",
    f"""CREATE TABLE labels (
        owner BIGINT NOT NULL, contact {_TEXT} NOT NULL, kind {_TEXT} NOT NULL,
        key {_TEXT} NOT NULL, value {_TEXT} NOT NULL, question_id {_TEXT} NOT NULL,
        question_key {_TEXT} NOT NULL, question {_TEXT} NOT NULL,
        FOREIGN KEY (owner, contact) REFERENCES contacts (owner, id) ON DELETE CASCADE
    )""",
    f"""CREATE TABLE histories (
        {_OWNER}, sort {_TEXT} NOT NULL,
        reach BIGINT NOT NULL, began BIGINT NOT NULL, top BIGINT NOT NULL,
        received BIGINT NOT NULL,
        PRIMARY KEY (owner, sort)
    )""",
    f"CREATE TABLE gaps ({_OWNER}, sort {_TEXT} NOT NULL, older BIGINT, newer BIGINT NOT NULL)",
    # The live windows, and beside them counts that came alone and when all were fetched last.
    f"""CREATE TABLE windows (
        {_OWNER}, what {_TEXT} NOT NULL, key {_TEXT} NOT NULL, received BIGINT NOT NULL,
        as_of BIGINT NOT NULL, unsound INTEGER NOT NULL, united INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (owner, what)
    )""",
    # Counts what is written, so that a process knows that another has.
    "CREATE TABLE changes (number BIGINT NOT NULL)",
    "INSERT INTO changes VALUES (0)",
    *(
        f"CREATE INDEX contacts_{name} ON contacts (owner, {columns}) WHERE gone IS NULL"
        for name, columns in (
            *(("created", "created, id"), ("updated", "updated, id")),
            *(("conversation", "conversation, id"), ("revision", "revision, id")),
            *(("known", "known, id"), ("email", "email_key"), ("mailbox", "mailbox")),
        )
    ),
    *(
        f"CREATE INDEX contacts_{name} ON contacts (owner, {columns}, created, id) "
        f"WHERE gone IS NULL AND {name} <> ''"
        for name, columns in (
            ("same_address", "same_address"),
            ("same_number", "same_number, same_country"),
            ("same_name", "same_name, company_key, city_key"),
        )
    ),
    "CREATE INDEX contacts_missed ON contacts (owner, missed) WHERE missed IS NOT NULL",
    "CREATE INDEX contacts_gone ON contacts (owner, gone) WHERE gone IS NOT NULL",
    # Before a table is analysed, all indexes that begin with the owner are equal to the planner,
    # and looking up a contact in one that goes on with something else reads all of the company.
    "CREATE INDEX contacts_seen ON contacts (seen_at)",
    "CREATE INDEX labels_contact ON labels (owner, contact, kind, key, value)",
    "CREATE INDEX labels_kind ON labels (kind, owner, question_key)",
    # The words once more, for an index of trigrams. Row-level security would keep such an index
    # from being used: LIKE might tell of rows that a policy hides. So these rows have none, and
    # `hits`, which alone reads them, asks for one company's.
    f"""CREATE TABLE words (
        "row" BIGINT PRIMARY KEY REFERENCES contacts ("row") ON DELETE CASCADE,
        owner BIGINT NOT NULL, {", ".join(f"{words} {_TEXT} NOT NULL" for words in _WORDS)}
    )""",
    f"CREATE INDEX words_trigrams ON words USING gin "
    f"({', '.join(f'{words} gin_trgm_ops' for words in _WORDS)})",
    f"""CREATE FUNCTION keep_words() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO words VALUES (new."row", new.owner, {_NEW})
            ON CONFLICT ("row") DO UPDATE SET owner = excluded.owner, {_EXCLUDED};
            RETURN NULL;
        END $$""",
    "CREATE TRIGGER words_of_new AFTER INSERT ON contacts "
    "FOR EACH ROW EXECUTE FUNCTION keep_words()",
    f"""CREATE TRIGGER words_of_changed AFTER UPDATE OF owner, {", ".join(_WORDS)} ON contacts
        FOR EACH ROW WHEN ((new.owner, {_NEW}) IS DISTINCT FROM (old.owner, {_OLD}))
        EXECUTE FUNCTION keep_words()""",
    *(
        f"CREATE VIEW {view} WITH (security_barrier = false) AS SELECT * FROM {table} WHERE {which}"
        for view, table, which in (
            ("contact", "contacts", f"{_MINE} AND gone IS NULL"),
            ("label", "labels", _MINE),
            ("history", "histories", _MINE),
            ("gap", "gaps", _MINE),
        )
    ),
    # What SQLite has under these names. Ours come first in the path.
    """CREATE FUNCTION instr(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
        AS $$ SELECT strpos($1, $2) > 0 $$""",
    """CREATE FUNCTION ifnull(text, text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
        AS $$ SELECT coalesce($1, $2) $$""",
    """CREATE FUNCTION json_each(text) RETURNS TABLE (value text) LANGUAGE sql IMMUTABLE
        AS $$ SELECT json_array_elements_text($1::json) COLLATE "C" $$""",
    """CREATE FUNCTION strings(text) RETURNS text[] LANGUAGE sql IMMUTABLE
        AS $$ SELECT array_agg(value) FROM json_each($1) $$""",
    """CREATE FUNCTION period_of(quarter bigint, unit text, zone text) RETURNS text
        LANGUAGE sql STABLE AS $$
        SELECT CASE unit WHEN 'hour' THEN to_char(local, 'HH24')
            ELSE to_char(local, 'FMDay') END
        FROM (SELECT to_timestamp(quarter * 900) AT TIME ZONE zone AS local) AS moment $$""",
    # The contacts that hold all of some terms: each is one of some spellings, each of which is all
    # of some needles, each in a field or in any; see `sql.needles_of`.
    rf"""CREATE FUNCTION hits(terms text) RETURNS TABLE (hit bigint)
        LANGUAGE plpgsql STABLE ROWS 200 AS $$
        DECLARE term json; spelling json; needle json; pattern text;
            tests text := 'TRUE'; one_of text; all_of text;
        BEGIN
            FOR term IN SELECT json_array_elements(terms::json) LOOP
                one_of := 'FALSE';
                FOR spelling IN SELECT json_array_elements(term) LOOP
                    all_of := 'TRUE';
                    FOR needle IN SELECT json_array_elements(spelling) LOOP
                        pattern := '%' ||
                            regexp_replace(needle ->> 0, '([\\%_])', '\\\1', 'g') || '%';
                        all_of := all_of || ' AND (' || CASE WHEN needle ->> 1 = ''
                            THEN {_HITS}
                            ELSE format('%I LIKE %L', (needle ->> 1) || '_words', pattern)
                            END || ')';
                    END LOOP;
                    one_of := one_of || ' OR (' || all_of || ')';
                END LOOP;
                tests := tests || ' AND (' || one_of || ')';
            END LOOP;
            RETURN QUERY EXECUTE 'SELECT words."row" FROM words WHERE {_QUOTED} AND ' || tests;
        END $$""",
    *(
        statement
        for table in _OF_OWNER
        for statement in (
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY of_company ON {table} USING "
            f"({_MINE} OR current_setting('smoc.owner', true) = 'all')",
        )
    ),
)

MIGRATIONS: Sequence[Sequence[str]] = (_FIRST,)
"""The statements of each version of the schema, in order."""
