"""Which records are the same person: the relation, its evidence, its proof, its answer."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smoc_mcp.api.models import read_contact
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.duplicates import Alike, By, Candidate, groups_of, traits_of
from smoc_mcp.questions.filters import EVERYBODY, ContactFilter, Span
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.store.duplicates import candidates
from smoc_mcp.store.sqlite import SqliteDatabase
from smoc_mcp.store.store import ContactStore
from smoc_mcp.text.folding import fold
from smoc_mcp.views.boundary import Boundary
from smoc_mcp.views.lists import Views
from tests.serving import KEY, ask, memory_server, refusal, text_of
from tests.windows import whole

pytestmark = pytest.mark.anyio

Person = tuple[str | None, str | None, str | None, str, str]
"""Name, address, number, employer, city."""
NOBODY: dict[str, Any] = dict.fromkeys(("firstName", "lastName", "email", "msisdn", "company"))
NOBODY |= {"city": None, "status": "1"}


def company_of(*people: dict[str, Any], size: int = 0) -> tuple[Company, list[str]]:
    """Return a company of contacts that have just what is given, and their ids, oldest first."""
    company = Company("Twins", seed=5, size=size, hostile=0)
    ids = []
    for person in people:
        ids += company.add(1, **{**NOBODY, **person})
        company.advance(60)
    return company, ids


async def found_in(company: Company, views: Views | None = None, **asked: Any) -> dict[str, Any]:
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url, views=views) as client:
            return await ask(client, "contacts_duplicates", **asked)


def members(found: dict[str, Any]) -> list[set[str]]:
    return [{c["id"] for c in group["contacts"]} for group in found["groups"]]


def same(by: By, *people: Person) -> bool:
    """Say whether two people are one group."""
    return bool(grouped(by, people))


def grouped(by: By, people: Sequence[Person], one_of: Sequence[bool] = ()) -> list[Alike]:
    """Return the groups of some people, whose ids are their places.

    Args:
        by: By what they are the same.
        people: Nobody twice, though two may have all in common.
        one_of: For each whether it is one of those of whom a group must have one; for none all are.
    """
    made = []
    for at, (name, email, phone, employer, city) in enumerate(people):
        traits = traits_of(name, email, phone)
        key, first, second = {
            By.EMAIL: (traits.address, "", ""),
            By.PHONE: (traits.number, traits.country, ""),
            By.NAME: (traits.name, fold(employer), fold(city)),
        }[by]
        if key:
            is_one = one_of[at] if one_of else True
            made.append(Candidate(str(at), at, key, first, second, is_one))
    return groups_of(by, made)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.com", "ADA@Example.COM"),
        ("ada@example.com", "ada+news@example.com"),
        ("ada+a@example.com", " Ada+b+c@example.com"),
        ("a.da@gmail.com", "ada@gmail.com"),
        ("a.d.a+x@googlemail.com", "ada@gmail.com"),
        ("Ada <ada@example.com>", "mailto:ada@example.com"),
    ],
)
def test_one_mailbox_is_one_however_its_address_is_written(one: str, other: str) -> None:
    people = [(None, address, None, "", "") for address in (one, other)]
    assert same(By.EMAIL, *people)
    assert same(By.EMAIL, *reversed(people))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.da@example.com", "ada@example.com"),
        ("ada@example.com", "ada@example.org"),
        ("ada-news@example.com", "ada@example.com"),
        ("ada@gmail.com", "ada@mail.gmail.com"),
        ("+a@example.com", "+a@example.com"),
        ("ada", "ada"),
        ("", ""),
        ("@", "@"),
    ],
)
def test_two_mailboxes_are_two(one: str, other: str) -> None:
    assert not same(By.EMAIL, (None, one, None, "", ""), (None, other, None, "", ""))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+47 15 24 18 95", "004715241895"),
        ("+47 15 24 18 95", "15241895"),
        ("(+47) 152 41 895", "4715241895"),
        ("+46 70-123 45 67", "070-123 45 67"),
        ("+46 (0)70 123 45 67", "0046701234567"),
        ("+44 7911 123456", "07911 123456"),
        ("+1 202 555 0123", "12025550123"),
        ("+354 581 2345", "5812345"),
        ("15 24 18 95", "15241895"),
    ],
)
def test_one_number_is_one_however_it_is_written(one: str, other: str) -> None:
    people = [(None, None, number, "", "") for number in (one, other)]
    assert same(By.PHONE, *people)
    assert same(By.PHONE, *reversed(people))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+46 701234567", "+47 701234567"),
        ("+4715241895", "+4715241896"),
        ("+1 202 555 0123", "+1 302 555 0123"),
        ("112", "112"),
        ("", ""),
        ("none", "none"),
    ],
)
def test_two_numbers_are_two(one: str, other: str) -> None:
    assert not same(By.PHONE, (None, None, one, "", ""), (None, None, other, "", ""))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("Ada Øst", "Acme", ""), ("ADA OST", "acme", ""), True),
        (("Ada Øst", "", "Oslo"), ("Ada Øst", "Acme", "OSLO"), True),
        (("Ada Øst", "", ""), ("Ada Øst", "", ""), False),
        (("Ada Øst", "Acme", "Oslo"), ("Ada Øst", "Other", "Bergen"), False),
        (("Ada", "Acme", "Oslo"), ("Ada", "Acme", "Oslo"), False),
        (("Ada Øst", "Acme", ""), ("Ada Vest", "Acme", ""), False),
    ],
)
def test_one_name_is_one_person_at_one_employer_or_in_one_city(
    one: tuple[str, str, str], other: tuple[str, str, str], expected: bool
) -> None:
    people = [(name, None, None, employer, city) for name, employer, city in (one, other)]
    assert same(By.NAME, *people) is expected


@pytest.mark.parametrize(
    ("numbers", "joined"),
    [
        (["+46 701234567", "+47 701234567", "+47 70 123 45 67"], {"1", "2"}),
        (["+47 701234567", "+46 701234567", "0046701234567"], {"1", "2"}),
        # Of several as frequent the lowest code.
        (["+47 701234567", "+46 701234567"], {"1"}),
        (["+354 5812345", "+46 5812345"], {"1"}),
    ],
)
def test_a_number_without_a_country_goes_with_the_most_frequent_of_its_countries(
    numbers: list[str], joined: set[str]
) -> None:
    without = "5812345" if "5812345" in numbers[0] else "070-123 45 67"
    people = [(None, None, number, "", "") for number in [*numbers, without]]
    [group] = grouped(By.PHONE, people)
    assert set(group.ids) == {*joined, str(len(numbers))}
    assert group.undecided


@pytest.mark.parametrize("numbers", [["+46701234567", "0701234567"], ["0701234567"] * 2])
def test_a_number_that_one_country_has_at_most_is_decided(numbers: list[str]) -> None:
    [group] = grouped(By.PHONE, [(None, None, number, "", "") for number in numbers])
    assert not group.undecided


def test_somebody_may_be_one_with_some_at_work_and_with_others_at_home() -> None:
    people = [
        ("Ada Øst", None, None, "Acme", "Oslo"),
        ("Ada Øst", None, None, "Acme", "Bergen"),
        ("Ada Øst", None, None, "Other", "Oslo"),
    ]
    found = {group.shared: set(group.ids) for group in grouped(By.NAME, people)}
    assert found == {"name and employer": {"0", "1"}, "name and city": {"0", "2"}}


PEOPLE = st.lists(
    st.tuples(
        st.sampled_from([None, "Ada Øst", "ada ost", "Bo Vik", "Ada"]),
        st.sampled_from([None, "a.b@gmail.com", "ab+x@googlemail.com", "a.b@x.no", "AB@x.no"]),
        st.sampled_from(
            [None, "+46701234567", "0701234567", "+47701234567", "4615241895", "15241895", "112"]
        ),
        st.sampled_from(["", "Acme", "Other"]),
        st.sampled_from(["", "Oslo", "Bergen"]),
    ),
    max_size=9,
)


CALLERS = st.lists(
    st.tuples(
        *(st.none(), st.none(), st.sampled_from(["+46701234567", "0701234567", "+47701234567"])),
        *(st.just(""), st.just("")),
    ),
    max_size=9,
)
"""People of one number in two countries, and in none."""


@given(PEOPLE, st.sampled_from(By))
def test_who_is_in_a_group_is_the_same_as_each_other_in_it(people: list[Person], by: By) -> None:
    for group in grouped(by, people):
        for one, other in combinations(group.ids, 2):
            pair = people[int(one)], people[int(other)]
            assert same(by, *pair)
            assert same(by, *reversed(pair))


@given(PEOPLE, st.sampled_from(By))
def test_who_is_the_same_as_somebody_is_in_a_group(people: list[Person], by: By) -> None:
    found = [set(group.ids) for group in grouped(by, people)]
    grouped_together = set().union(*found)
    for one, other in combinations(range(len(people)), 2):
        if same(by, people[one], people[other]):
            # A number that names no country goes with one of several.
            assert {str(one), str(other)} & grouped_together
            if by is not By.PHONE:
                assert any({str(one), str(other)} <= group for group in found)


@given(PEOPLE, st.sampled_from([By.EMAIL, By.PHONE]))
def test_a_contact_is_in_one_group_at_most_by_address_and_by_number(
    people: list[Person], by: By
) -> None:
    times = Counter(i for group in grouped(by, people) for i in group.ids)
    assert max(times.values(), default=1) == 1


@given(PEOPLE | CALLERS, st.sampled_from(By), st.data())
def test_of_fewer_contacts_there_are_never_more_groups(
    people: list[Person],
    by: By,
    data: st.DataObject,
) -> None:
    some = [person for person in people if data.draw(st.booleans())]
    assert len(grouped(by, some)) <= len(grouped(by, people))
    assert all(group.lasting for group in grouped(by, people))


@given(PEOPLE | CALLERS, st.sampled_from(By), st.data())
def test_of_fewer_contacts_never_more_groups_of_a_time_last(
    people: list[Person],
    by: By,
    data: st.DataObject,
) -> None:
    in_time = [data.draw(st.booleans()) for _ in people]
    known = [at for at in range(len(people)) if data.draw(st.booleans())]
    some = grouped(by, [people[at] for at in known], [in_time[at] for at in known])
    whole = grouped(by, people, in_time)
    assert sum(g.lasting for g in some) <= sum(g.has_one for g in whole)
    assert all(g.has_one for g in some if g.lasting)


@given(PEOPLE | CALLERS, st.integers(0, 9), st.integers(1, 9))
@settings(deadline=None)
def test_the_store_finds_the_groups_of_the_pure_module(
    people: list[Person], first: int, days: int
) -> None:
    store = ContactStore()
    reads = [
        read
        for at, (name, email, phone, employer, city) in enumerate(people)
        if (
            read := read_contact(
                {
                    "id": str(at),
                    "firstName": name,
                    "email": email,
                    "msisdn": phone,
                    "company": employer,
                    "city": city,
                    "createdAt": f"2026-01-{at + 1:02}",
                }
            )
        )
    ]
    store.absorb(whole(reads), reads)
    span = Span(created_on(first), created_on(first + days))
    one_of = ContactFilter(spans={Sort.CREATED: span})
    in_time = [first <= at < first + days for at in range(len(people))]
    for by in By:
        stored = [(g.shared, g.ids) for g in store.find_duplicates(by, EVERYBODY)]
        assert stored == [(g.shared, g.ids) for g in grouped(by, people)]
        of_time = [g for g in store.find_duplicates(by, EVERYBODY, one_of) if g.has_one]
        assert [(g.shared, g.ids, g.lasting, g.undecided) for g in of_time] == [
            (g.shared, g.ids, g.lasting, g.undecided)
            for g in grouped(by, people, in_time)
            if g.has_one
        ]
    store.close()


def created_on(at: int) -> int:
    """Return the moment at which somebody of this place is created."""
    return round(datetime(2026, 1, at + 1, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize("by", By)
def test_duplicates_are_read_from_an_index_alone(by: By) -> None:
    db = SqliteDatabase()
    db.see(1)
    lately = ContactFilter(spans={Sort.CREATED: Span(created_on(0))})
    sql = candidates(by, EVERYBODY, lately)
    steps = [str(r["detail"]) for r in db.fetch(f"EXPLAIN QUERY PLAN {sql.text}", sql.values)]
    db.close()
    looked = [step for step in steps if " contacts" in step]
    assert len(looked) == 2
    assert all("USING COVERING INDEX contacts_same_" in step for step in looked)


async def test_duplicates_in_all_forms_are_found_and_near_misses_are_not() -> None:
    company, ids = company_of(
        {"email": "ada@example.com", "firstName": "Ada", "lastName": "Øst", "company": "Acme"},
        {"email": "ADA+news@example.com", "msisdn": "+47 15 24 18 95"},
        {"email": "ada@example.org", "msisdn": "15241895"},
        {"email": "a.da@example.com", "msisdn": "+46 15 24 18 95", "firstName": "Ada"},
        {"email": "bo.vik@gmail.com", "firstName": "Ada", "lastName": "Ost", "company": "ACME"},
        {"email": "bovik@gmail.com", "firstName": "Ada", "lastName": "Øst", "company": "Other"},
        size=60,
    )
    made = set(ids)
    expected = {
        "email": {frozenset(ids[:2]), frozenset(ids[4:])},
        "phone": {frozenset(ids[2:4])},
        "name": {frozenset({ids[0], ids[4]})},
    }
    # A number that names no country goes with the lowest code of those as frequent: +46.
    for by, groups in expected.items():
        found = await found_in(company, by=by, limit=100)
        assert found["certainty"] == "exact"
        ours = {frozenset(group) for group in members(found) if group & made}
        assert ours == groups, by


async def test_the_evidence_says_in_words_what_is_the_same() -> None:
    company, _ = company_of(
        {"email": "ada@example.com", "msisdn": "+47 15 24 18 95", "firstName": "Ada Øst"},
        {"email": "Ada+news@example.com", "msisdn": "15241895", "firstName": "Ada Øst"},
    )
    for contact in list(company.contacts()):
        company.update(str(contact["id"]), company="Acme")
    said = {by: (await found_in(company, by=by))["groups"][0]["evidence"] for by in By}
    assert said == {
        "email": "the same address ada@example.com, once with +news",
        "phone": "the same number +47 15 24 18 95, once without the country code",
        "name": "the same name and employer",
    }


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (["+47 15241895", "0047 152 41 895"], "the same number 0047 152 41 895"),
        (["4715241895", "+47 15241895"], "+47 15241895, once with its first digits read as "),
        (["+4715241895", "4715241895"], "+4715241895, once with its first digits read as "),
        (["4715241895", "47 15241895"], "47 15241895, twice with its first digits read as "),
        (["15241895", "4715241895"], "4715241895, once with its first digits read as "),
        (["15241895", "15 24 18 95"], "the same number 15 24 18 95"),
    ],
)
async def test_a_country_code_that_is_read_from_digits_is_not_shown_as_stated(
    numbers: list[str], said: str
) -> None:
    company, _ = company_of(*({"msisdn": number} for number in numbers))
    [group] = (await found_in(company, by="phone"))["groups"]
    assert said in group["evidence"]
    is_read = "read as" in said
    assert group["evidence"].count("with its first digits read as the country code") == is_read


@pytest.mark.parametrize("mask", [frozenset[Any](), frozenset({"phone"})])
async def test_a_number_that_could_be_of_another_country_is_said_to_be(
    mask: frozenset[Any],
) -> None:
    numbers = ["+46 15241895", "+47 15241895", "15241895", "+47 15 24 18 95"]
    company, ids = company_of(*({"msisdn": number} for number in numbers))
    found = await found_in(company, Views(boundary=Boundary(mask=mask)), by="phone")
    assert members(found) == [{ids[1], ids[2], ids[3]}]
    [group] = found["groups"]
    assert group["evidence"].endswith(
        ", once without the country code, so it could also be that of another country"
    )


async def test_the_text_has_a_line_of_evidence_before_each_group_and_all_that_is_known() -> None:
    company, _ = company_of(*({"email": e} for e in ("a@x.no", "b@x.no", "a+1@x.no", "B@x.no")))
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            answer = await client.call_tool("contacts_duplicates", {})
    found, text = answer.structured_content, text_of(answer)
    assert found is not None
    assert text.startswith(
        "2 of 2 groups that may be one person, the newest first. Certainty: exact."
    )
    for group in found["groups"]:
        at = text.index(f"{group['evidence']}:\nid|email|status|created\n")
        for contact in group["contacts"]:
            assert text.index("|".join(contact.values())) > at


async def test_groups_come_newest_first_in_pages_that_survive_a_restart() -> None:
    company, ids = company_of(*({"email": f"p{n % 7}@example.com"} for n in range(20)), size=0)
    seen: list[set[str]] = []
    asked: dict[str, Any] = {"limit": 2, "created_after": "30d"}
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        while True:
            async with memory_server(url) as client:
                page = await ask(client, "contacts_duplicates", **asked)
                seen += members(page)
                assert page["total"] == 7
                if "next_cursor" not in page:
                    break
                asked["cursor"] = page["next_cursor"]
                said = await refusal(client, "contacts_duplicates", **{**asked, "by": "name"})
                assert "belongs to another question" in said
    truth = [{ids[n] for n in range(20) if n % 7 == p % 7} for p in range(19, 12, -1)]
    assert seen == truth


async def test_a_field_that_cannot_be_read_leaves_nothing_proven() -> None:
    company, _ = company_of({"email": ["a@x.no"]}, {"email": "a@x.no"})
    assert (await found_in(company))["certainty"] == "at_least"
    assert (await found_in(company, by="name"))["certainty"] == "exact"


@pytest.mark.parametrize(("by", "kept"), [("email", "ada"), ("phone", "15241895")])
async def test_what_is_masked_is_in_no_evidence(by: str, kept: str) -> None:
    company, _ = company_of(
        {"email": "ada@example.com", "msisdn": "+47 15241895"},
        {"email": "ada+secret@example.com", "msisdn": "15241895"},
        {"email": "alf@example.com", "msisdn": "+47 99241895"},
        {"email": "alf@example.com", "msisdn": "+47 99241895"},
    )
    views = Views(boundary=Boundary(mask=frozenset({"email", "phone"})))
    found = await found_in(company, views, by=by)
    assert len(found["groups"]) == 2
    assert kept not in str(found)
    assert "secret" not in str(found)
    for group in found["groups"]:
        assert ", masked as " in group["evidence"]


@pytest.mark.parametrize("by", By)
async def test_an_answer_names_what_was_compared(by: By) -> None:
    company, _ = company_of({"email": "ada@x.no"}, {"email": "ADA@x.no"})
    assert (await found_in(company, by=by))["by"] == by


async def test_a_group_of_many_shows_the_newest_ten_and_says_how_many_there_are() -> None:
    company, ids = company_of(*({"email": "till@shop.no"} for _ in range(14)))
    [group] = (await found_in(company))["groups"]
    assert [c["id"] for c in group["contacts"]] == ids[:3:-1]
    assert group["evidence"].endswith("(14 contacts, the newest 10 shown)")
