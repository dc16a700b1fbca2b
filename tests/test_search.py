"""Search as people expect it, in a real store: any field, order and spelling, parts of words."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smoc_mcp.api.models import read_contact
from smoc_mcp.errors import InputError
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.dimensions import Count, parse_group_by
from smoc_mcp.questions.filters import ContactFilter, Listing
from smoc_mcp.questions.rows import ContactRow, Position
from smoc_mcp.questions.search import (
    Place,
    parse_query,
    places_holding,
    searchable,
    searchable_phone,
)
from smoc_mcp.store.conditions import Sql
from smoc_mcp.store.sql import counting, grouping, listing, namesakes, owning, resembling
from smoc_mcp.store.sqlite import SqliteDatabase
from smoc_mcp.store.store import ContactStore
from smoc_mcp.text.cleaning import visible
from smoc_mcp.text.folding import fold
from tests.windows import whole

WORDS = ContactFilter(terms=parse_query("anna oslo"))
PEOPLE: dict[str, dict[str, object]] = {
    "anna": {
        "firstName": "Anna",
        "lastName": "Øverland",
        "email": "Anna.Overland+news@Example.com",
        "msisdn": "+47 412 34 567",
        "company": "Fjord & Fjell AS",
        "street": "Storgata 12 B",
        "zip": "0150",
        "city": "Oslo",
    },
    "lukasz": {"firstName": "Łukasz", "lastName": "Świątek", "msisdn": "0048 512-345-678"},
    "muller": {"firstName": "Jürgen", "lastName": "Müller", "city": "München"},
    "mueller": {"firstName": "Jurgen", "lastName": "Mueller", "msisdn": "41234567"},
    "bo": {"firstName": "Bo", "lastName": "Li", "company": "Jacobsen & Co"},
    "mary": {"firstName": "Mary-Jo", "lastName": "O\u2019Brien", "msisdn": "07700 900123"},
    "ming": {"firstName": "小明", "lastName": "李", "company": "株式会社みらい"},
    "olena": {"firstName": "Олена", "lastName": "Бондар"},
    "quiet": {
        "email": "q@example.org",
        "textFields": [{"key": "diet", "value": "Vegan\nno nuts"}, {"key": "size", "value": "XL"}],
        "answeredSurveyQuestions": [
            {"question": "Which roof?", "answer": "Solar panels on the south side"},
        ],
    },
}


@pytest.fixture(scope="module")
def store() -> Iterator[ContactStore]:
    store = ContactStore()
    reads = []
    for number, (contact_id, fields) in enumerate(PEOPLE.items()):
        read = read_contact(
            {"id": contact_id, "createdAt": f"2026-01-{number + 1:02}T00:00:00Z", **fields}
        )
        assert read is not None
        reads.append(read)
    store.absorb(whole(reads), reads)
    yield store
    store.close()


def found(store: ContactStore, query: str) -> list[ContactRow]:
    wanted = ContactFilter(terms=parse_query(query))
    return store.list_rows(Listing(wanted=wanted, limit=100, by_relevance=True))


def ids(store: ContactStore, query: str) -> set[str]:
    return {row.id for row in found(store, query)}


@pytest.mark.parametrize(
    ("query", "who"),
    [
        ("overland", {"anna"}),
        ("ØVERLAND anna", {"anna"}),
        ("oeverland", {"anna"}),
        ("verla", {"anna"}),
        ("lukasz", {"lukasz"}),
        ("swiatek łuk", {"lukasz"}),
        ("muller", {"muller"}),
        ("mueller", {"muller", "mueller"}),
        ("Müller", {"muller", "mueller"}),
        ("munchen", {"muller"}),
        ("anna oslo", {"anna"}),
        ("oslo fjord anna", {"anna"}),
        ("fjord & fjell", {"anna"}),
        ("storgata 12", {"anna"}),
        ("0150", {"anna"}),
        ("anna.overland", {"anna"}),
        ("@example", {"anna", "quiet"}),
        ("anna bergen", set()),
        ("obrien", set()),
        ("o'brien", {"mary"}),
        ("mary jo", {"mary"}),
        ("vegan", {"quiet"}),
        ("no nuts", {"quiet"}),
        ("xl", {"quiet"}),
        ("solar south", {"quiet"}),
        ("Бондар", {"olena"}),
        ("олена", {"olena"}),
        ("李小明", {"ming"}),
        ("小明", {"ming"}),
        ("明", {"ming"}),
        ("みらい", {"ming"}),
        ("mirai", set()),
        ("\u201coverland\u201d, anna!", {"anna"}),
        ("overland,oslo;0150", {"anna"}),
        ("mailto:anna.overland+news@example.com", {"anna"}),
        ("(fjord)", {"anna"}),
        ("o\u00b4brien", {"mary"}),
        ("`o`brien`", {"mary"}),
    ],
)
def test_words_are_found_in_any_field_order_and_spelling(
    store: ContactStore, query: str, who: set[str]
) -> None:
    assert ids(store, query) == who


@pytest.mark.parametrize(
    ("query", "who"),
    [
        ("412 34 567", {"anna", "mueller"}),
        ("+4741234567", {"anna", "mueller"}),
        ("0047 412 34 567", {"anna", "mueller"}),
        ("004741234567", {"anna", "mueller"}),
        ("(+47) 412-34-567", {"anna", "mueller"}),
        ("41234567", {"anna", "mueller"}),
        ("4123", {"anna", "mueller"}),
        ("anna 412 34 567", {"anna"}),
        ("412 34 567 anna", {"anna"}),
        ("+48512345678", {"lukasz"}),
        ("512345678", {"lukasz"}),
        ("+44 7700 900123", {"mary"}),
        ("+44 (0)7700 900123", {"mary"}),
        ("07700900123", {"mary"}),
        ("tel:+4741234567", {"anna", "mueller"}),
        ("412/34/567", {"anna", "mueller"}),
        ("99999999", set()),
    ],
)
def test_a_phone_number_is_found_in_any_writing(
    store: ContactStore, query: str, who: set[str]
) -> None:
    assert ids(store, query) == who


@pytest.mark.parametrize(("query", "who"), [("bo", {"bo"}), ("b", {"bo", "anna"})])
def test_one_or_two_letters_are_found_where_a_word_begins(
    store: ContactStore, query: str, who: set[str]
) -> None:
    assert ids(store, query) == who


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("anna", [("name", "name"), ("email", "email")]),
        ("anna.overland", [("email", "email")]),
        ("412 34 567 overland", [("name", "name"), ("email", "email"), ("phone", "phone")]),
        ("fjord", [("company", "company")]),
        ("oslo", [("place", "city")]),
        ("storgata", [("place", "street")]),
        ("vegan", [("texts", "diet")]),
        ("xl", [("texts", "size")]),
        ("solar", [("answers", "Which roof?")]),
        ("storgata 0150 12 fjord", [("company", "company"), ("place", "street"), ("place", "zip")]),
        ("side south panels", [("answers", "Which roof?")]),
        ("vegan xl roof", []),
        ("nuts solar", [("texts", "diet"), ("answers", "Which roof?")]),
    ],
)
def test_every_field_that_holds_one_of_the_words_is_said_once(
    store: ContactStore, query: str, where: list[tuple[str, str]]
) -> None:
    matched = [r.matched for r in found(store, query) if r.id in ("anna", "quiet")]
    assert [(match.field, match.what) for match in sum(matched, ())] == where


@pytest.mark.parametrize("query", ["swiatek", "łukasz świątek", "mary jo", "小明"])
def test_no_field_is_said_where_the_name_alone_holds_the_words(
    store: ContactStore, query: str
) -> None:
    assert [row.matched for row in found(store, query)] == [()]


def test_of_two_spellings_that_are_there_the_one_whose_worst_place_is_best_is_said() -> None:
    [term] = parse_query("+47 412 34 567")
    name, phone, text = (
        Place("name", "name", "Agent +47 412 567", searchable(["Agent +47 412 567"])),
        Place("phone", "phone", "+4741234567", searchable_phone("+4741234567")),
        Place("texts", "garden", "34 trees", searchable(["34 trees"])),
    )
    # Its words are there one by one too, of which one in the name and one in a text.
    assert places_holding([term], [name, phone, text]) == [(phone, "4741234567")]
    assert [place for place, _ in places_holding([term], [name, text])] == [name, text]


def test_a_number_without_its_country_has_at_least_seven_digits() -> None:
    def holds(query: str, phone: str) -> bool:
        place = Place("phone", "phone", phone, searchable_phone(phone))
        return bool(places_holding(parse_query(query), [place]))

    assert holds("+47 1234567", "1234567")
    assert not holds("+47 123456", "123456")
    assert holds("+47 123456", "+47 123456")


def test_the_best_match_comes_first() -> None:
    people: dict[str, dict[str, object]] = {
        "whole": {"firstName": "Ann"},
        "beginning": {"firstName": "Anna"},
        "within": {"firstName": "Joanna"},
        "address": {"email": "ann@example.com"},
        "company": {"company": "Ann AS"},
        "place": {"city": "Ann Arbor"},
        "text": {"textFields": [{"key": "k", "value": "ann"}]},
        "answer": {"answeredSurveyQuestions": [{"question": "q", "answer": "ann"}]},
    }
    store = ContactStore()
    # The worst is the newest, so that no order but that of relevance gives the expected one.
    reads = [
        read
        for n, (i, fields) in enumerate(people.items())
        if (read := read_contact({"id": i, "createdAt": f"2026-01-0{n + 1}T00:00:00Z", **fields}))
    ]
    store.absorb(whole(reads), reads)
    assert [row.id for row in found(store, "ann")] == list(people)
    store.close()


@pytest.mark.parametrize(
    "query",
    ["word " * 21, "x" * 401, "\u660e" * 101, "1;" * 200],
    ids=["words", "characters", "unspaced", "apart"],
)
def test_a_query_that_is_too_long_is_refused_with_the_bounds(query: str) -> None:
    with pytest.raises(InputError, match="up to 20 words and 400 characters"):
        parse_query(query)


@pytest.mark.parametrize("query", ["\u200b", "&#8203;", "\u0301 \u202e"])
def test_a_query_of_which_nothing_can_be_seen_is_refused(query: str) -> None:
    with pytest.raises(InputError, match="nothing that can be searched"):
        parse_query(query)


@given(st.text(max_size=40))
@example(":&")
@example('" OR name_words : "')
@example("NEAR(a b) AND NOT c*")
@example('^"')
@example("' ; DROP TABLE words --")
@example("0\x1f1")
def test_any_query_is_words_and_never_fts5_syntax(query: str) -> None:
    store = ContactStore()
    read = read_contact({"id": "1", "textFields": [{"key": "k", "value": query}]})
    assert read is not None
    store.absorb(whole([read]), [read])
    # Whoever typed it is found by it.
    expected = {"1"} if fold(visible(query)) else set()
    if query.strip() and not expected:
        with pytest.raises(InputError, match="nothing that can be searched"):
            parse_query(query)
        store.close()
        return
    terms = parse_query(query)
    assert (ids(store, query) if terms else set()) == expected
    store.close()


@given(st.lists(st.text(max_size=8), max_size=3))
def test_searchable_text_has_two_blanks_around_each_word(values: list[str]) -> None:
    for line in filter(None, searchable(values).split("\n")):
        assert line.startswith("  ")
        assert line.endswith("  ")
        assert "   " not in line.strip()


def test_an_address_is_looked_up_in_its_index() -> None:
    db = SqliteDatabase()
    db.see(1)
    sql = owning("ada@example.com")
    plan = [r["detail"] for r in db.fetch(f"EXPLAIN QUERY PLAN {sql.text}", sql.values)]
    db.close()
    assert plan[0] == "SEARCH contacts USING INDEX contacts_email (owner=? AND email_key=?)"


@pytest.mark.parametrize("searched", [True, False], ids=["searched before", "not yet"])
@pytest.mark.parametrize("kept", [True, False], ids=["in a file", "in memory"])
def test_what_was_changed_or_deleted_is_no_longer_found(
    tmp_path: Path, *, searched: bool, kept: bool
) -> None:
    store = ContactStore(str(tmp_path / "store.sqlite3")) if kept else ContactStore()

    def absorb(**names: str) -> None:
        reads = [read for i, n in names.items() if (read := read_contact({"id": i, "company": n}))]
        # In two orders, for one answer alone takes nobody to be deleted.
        for sort in (Sort.CREATED, Sort.UPDATED):
            store.absorb(whole(reads, sort=sort, sent=store.tick()), reads)

    absorb(a="Alpha", b="Beta")
    assert store.words_wait is not (kept or store._db.indexes_by_itself)
    if searched:
        assert ids(store, "alpha") == {"a"}
        assert not store.words_wait
    absorb(a="Gamma")
    assert sum(store.count(ContactFilter(terms=parse_query("gamma"))).values()) == 1
    assert ids(store, "gamma") == {"a"}
    assert ids(store, "alpha") == ids(store, "beta") == set()
    store.close()


@pytest.mark.parametrize(
    "sql",
    [
        listing(Listing(wanted=WORDS, by_relevance=True)),
        listing(Listing(wanted=WORDS, after=Position(0, 5, "x"))),
        counting(WORDS),
        grouping(Count(wanted=WORDS, dimensions=parse_group_by("city,flow"))),
        resembling("ada.lovelace@example.com", 100),
        namesakes("ada.lovelace@example.com", 100),
    ],
    ids=["by relevance", "by time", "counted", "grouped", "similar addresses", "same name"],
)
def test_a_search_looks_up_what_the_index_finds_and_looks_through_nothing(sql: Sql) -> None:
    db = SqliteDatabase()
    db.see(1)
    plan = [r["detail"] for r in db.fetch(f"EXPLAIN QUERY PLAN {sql.text}", sql.values)]
    db.close()
    contacts = [step for step in plan if "contacts" in step]
    assert any("words VIRTUAL TABLE INDEX" in step for step in plan)
    assert contacts
    for step in contacts:
        assert "INTEGER PRIMARY KEY (rowid=?)" in step or "contacts_mailbox (owner=? AND" in step
