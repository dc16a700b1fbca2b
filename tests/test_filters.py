"""Filters through the real tools: what one means, and that each leads to the people of a group."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import Client

from smoc_mcp.api.facts import Facts, facts_of
from smoc_mcp.api.models import read_contact
from smoc_mcp.questions.choices import WITHOUT, spelt
from smoc_mcp.questions.dimensions import DIMENSIONS, Count, Dimension, Kind
from smoc_mcp.questions.fields import FIELDS, NAMED_FILTERS, Consent
from smoc_mcp.questions.filters import Listing, parse_filter
from smoc_mcp.questions.groups import merge
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.store.store import ContactStore
from smoc_mcp.text.folding import fold
from smoc_mcp.views.boundary import Boundary
from smoc_mcp.views.identities import told_apart
from smoc_mcp.views.lists import Views
from tests.serving import KEY, ask, memory_server, refusal
from tests.stores import window

pytestmark = pytest.mark.anyio


@pytest.fixture
def company() -> Company:
    return Company("Empty", seed=8, size=0)


@pytest.fixture
def url(company: Company) -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


async def found(client: Client, **filters: Any) -> set[str]:
    """Return the ids that a search finds; it must be exact."""
    answer = await ask(client, "contacts_search", **filters, limit=100)
    assert answer["certainty"] == "exact"
    assert answer["total"] == len(answer["contacts"])
    return {contact["id"] for contact in answer["contacts"]}


async def groups(client: Client, by: str) -> dict[str, int]:
    """Return the size of each group."""
    answer = await ask(client, "contacts_stats", group_by=by, limit=100)
    return {next(iter(group["key"].values())): group["contacts"] for group in answer["groups"]}


async def test_those_who_were_never_asked_are_a_group_and_a_filter(
    url: str, company: Company
) -> None:
    [yes] = company.add(acceptedCommunication=True)
    [no] = company.add(acceptedCommunication=False)
    unasked = {*company.add(acceptedCommunication=None), *company.add(acceptedCommunication=None)}
    async with memory_server(url) as client:
        by_answer = await groups(client, "accepted_communication")
        assert by_answer == {"unasked": 2, "yes": 1, "no": 1}
        assert await found(client, accepted_communication="unasked") == unasked
        assert await found(client, accepted_communication="no") == {no}
        assert await found(client, accepted_communication="-no") == {yes, *unasked}
        assert await found(client, accepted_communication="yes, no") == {yes, no}


async def test_a_list_of_cities_finds_those_of_any_of_them(url: str, company: Company) -> None:
    """Until it did, two cities with contacts in them were answered "nobody", exact."""
    oslo = set(company.add(count=2, city="Oslo"))
    bergen = set(company.add(count=1, city="Bergen"))
    company.add(city="Trondheim")
    async with memory_server(url) as client:
        assert await found(client, city="Oslo,Bergen") == oslo | bergen
        counted = await ask(client, "contacts_stats", city="Oslo, Bergen")
    assert (counted["total"], counted["certainty"]) == (3, "exact")


async def test_a_minus_leaves_out_and_none_is_those_without(url: str, company: Company) -> None:
    [oslo] = company.add(city="Oslo")
    [oslo_s] = company.add(city="Oslo S")
    [bergen] = company.add(city="Bergen")
    without = {*company.add(city=None), *company.add(city=" ")}
    async with memory_server(url) as client:
        assert await found(client, city="-Oslo") == {bergen, *without}
        assert await found(client, city="(none)") == without
        assert await found(client, city="-(none)") == {oslo, oslo_s, bergen}
        assert await found(client, city="-Oslo, -(none)") == {bergen}
        assert await found(client, city="Bergen, (none)") == {bergen, *without}
        assert await found(client, city='"Oslo"') == {oslo}
        assert await found(client, city='Oslo, -"Oslo"') == {oslo_s}


async def test_values_with_commas_minuses_and_quotes_stand_in_quotes(
    url: str, company: Company
) -> None:
    [comma] = company.add(city="Oslo, Norway")
    [minus] = company.add(city="-Oslo")
    [quote] = company.add(city='"Oslo"')
    [none] = company.add(city="(none)")
    async with memory_server(url) as client:
        assert await found(client, city='"Oslo, Norway"') == {comma}
        assert await found(client, city='"-Oslo"') == {minus}
        assert await found(client, city='"""Oslo"""') == {quote}
        assert await found(client, city='"(none)"') == {none}
        assert await found(client, city='-"(none)", -"Oslo, Norway"') == {minus, quote}


async def test_a_contact_of_several_flows_has_any_of_those_wanted_and_none_of_those_not(
    url: str, company: Company
) -> None:
    def flows(*titles: str) -> dict[str, Any]:
        return {"rewardFlows": [{"id": t, "title": t} for t in titles], "textFields": []}

    [both] = company.add(**flows("Quiz", "Survey"))
    [quiz] = company.add(**flows("Quiz"))
    [other] = company.add(**flows("Raffle"))
    [without] = company.add(**flows())
    async with memory_server(url) as client:
        assert await found(client, flow="quiz") == {both, quiz}
        assert await found(client, flow="quiz, raffle") == {both, quiz, other}
        assert await found(client, flow="quiz, -survey") == {quiz}
        assert await found(client, flow="-quiz") == {other, without}
        assert await found(client, flow="(none)") == {without}
        assert await found(client, flow="-(none), -survey") == {quiz, other}


async def test_promotions_presented_and_redeemed_are_two(url: str, company: Company) -> None:
    summer, winter = [{"id": "1", "title": "Summer"}], [{"id": "2", "title": "Winter"}]
    [shown] = company.add(promosPresented=summer, promosRedeemed=[])
    [used] = company.add(promosPresented=winter, promosRedeemed=summer)
    async with memory_server(url) as client:
        assert await found(client, promo_presented="Summer") == {shown}
        assert await found(client, promo_redeemed="Summer") == {used}
        assert await groups(client, "promo_redeemed") == {"(none)": 1, "Summer": 1}


async def test_promo_means_presented_and_the_answer_says_so(url: str, company: Company) -> None:
    [shown] = company.add(promosPresented=[{"id": "1", "title": "Summer"}], promosRedeemed=[])
    async with memory_server(url) as client:
        assert await found(client, promo="summer") == {shown}
        assert await found(client, promo="summer", promo_presented="") == {shown}
        counted = await ask(client, "contacts_stats", group_by="promo")
        assert counted["groups"][0]["key"] == {"promo_presented": "Summer"}
        both = await refusal(client, "contacts_search", promo="a", promo_presented="b")
        assert both == "promo means promo_presented: give one of the two."
        assert "no parameter 'promo'" in await refusal(client, "contacts_list", promo="a")
        schemas = {t.name: t.input_schema for t in (await client.list_tools()).tools}
    assert "promo" not in schemas["contacts_search"]["properties"]


async def test_who_invited_is_found_by_id_address_and_name(url: str, company: Company) -> None:
    per = {"firstName": "Per", "lastName": "Nowak"}
    seven = set(company.add(count=2, inviterUser={"id": 7, **per, "email": "per@x.no"}))
    [nine] = company.add(inviterUser={"id": 17, **per, "email": "nowak@y.no"})
    [kari] = company.add(inviterUser={"id": 8, "firstName": "Kari", "lastName": "Berg"})
    company.add(inviterUser=None)
    async with memory_server(url) as client:
        assert await found(client, inviter="7") == seven
        assert await found(client, inviter="per nowak") == {*seven, nine}
        assert await found(client, inviter="Per Nowak (7)") == seven
        assert await found(client, inviter='"nowak@y.no"') == {nine}
        assert await found(client, inviter="nowak@y") == {nine}
        assert await found(client, inviter="-7, -(none)") == {nine, kari}


async def test_two_inviters_of_one_name_are_two_groups(url: str, company: Company) -> None:
    per = {"firstName": "Per", "lastName": "Nowak"}
    company.add(count=3, inviterUser={"id": 7, **per})
    company.add(count=2, inviterUser={"id": 9, **per})
    async with memory_server(url) as client:
        answer = await ask(client, "contacts_stats", group_by="inviter")
    assert [group["contacts"] for group in answer["groups"]] == [3, 2]


async def test_the_nearest_of_each_value_are_told_and_people_masked(
    url: str, company: Company
) -> None:
    company.add(city="Oslo", inviterUser={"id": 7, "firstName": "Ada", "lastName": "Lovelace"})
    company.add(city="Bergen", inviterUser=None)
    masked = Views(boundary=Boundary(frozenset({"name"})))
    async with memory_server(url, views=masked) as client:
        cities = await ask(client, "contacts_search", city="Osloo, Bergenn")
        inviters = await ask(client, "contacts_search", inviter="Ada Lovelase")
    assert 'Nearest city in hand: "Bergen", "Oslo".' in cities["note"]
    assert 'Nearest inviter in hand: "A*** L***".' in inviters["note"]


TEXTS = st.sampled_from(
    [
        *("Oslo", "OSLO", "oslo s", "Oslo, Norway", "-Oslo", '"Oslo"', 'a "b", c', "Bø", "bo"),
        *("(none)", "(other)", "\u2013x", " Oslo ", "", " ", None),
    ]
)
TITLES = st.lists(TEXTS, max_size=3)


@st.composite
def people(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return inviters, all different: some of one name, some without an id or an address."""
    names = ["Per", "PER", "Per, Nowak", '"Per"', "-Per", "(none)", None]
    known = [
        {"id": i, "email": address, "firstName": draw(st.sampled_from(names))}
        for i, address in ((1, "one@x.no"), (2, None), (3, None), (None, "four@x.no"))
    ]
    return [*known, {"firstName": "Per"}]


@st.composite
def companies(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return a few contacts as the API sends them."""
    inviters = st.sampled_from([None, *draw(people())])
    visit = st.fixed_dictionaries(
        {
            **dict.fromkeys(("country", "deviceType", "browser"), TEXTS),
            **dict.fromkeys(("utmSource", "utmMedium", "utmCampaign"), TEXTS),
        }
    )
    titled = TITLES.map(lambda titles: [{"title": title} for title in titles])
    contact = st.fixed_dictionaries(
        {
            "city": TEXTS,
            "company": TEXTS,
            "inviterUser": inviters,
            "status": st.sampled_from(["1", "2", "3", "4", "5", None]),
            "acceptedCommunication": st.sampled_from([True, False, None]),
            "visitList": st.lists(visit, max_size=2),
            **dict.fromkeys(("rewardFlows", "promosPresented", "promosRedeemed"), titled),
            "referralLinks": TITLES.map(lambda titles: [{"campaignName": t} for t in titles]),
        }
    )
    made = draw(st.lists(contact, min_size=1, max_size=8))
    return [{"id": f"c{i}", **fields} for i, fields in enumerate(made)]


def keys_of_contact(facts: Facts, dimension: Dimension) -> set[str | None]:
    """Return the groups that a contact is in, by their keys."""
    if dimension.kind is Kind.LABEL:
        labels = {fold(la.value) for la in facts.labels if la.kind == dimension.source}
        return {*labels} or {None}
    if dimension.source in facts.identities:
        who = facts.identities[dimension.source]
        return {None if who is None else who.key}
    if dimension.source == "status":
        return {facts.keys.status.value}
    if dimension.source == "accepted_communication":
        return {Consent.of(facts.accepted_communication).value}
    value = facts.values[dimension.source]
    return {None if value is None else fold(value)}


@settings(max_examples=60, deadline=None)
@given(companies())
def test_the_key_of_a_group_as_filter_lists_that_group(sent: list[dict[str, Any]]) -> None:
    reads = [read for contact in sent if (read := read_contact(contact)) is not None]
    facts = {read.contact.id: facts_of(read) for read in reads}
    store = ContactStore()
    store.absorb(window(store, reads), reads)
    for name in (*NAMED_FILTERS, "status", "accepted_communication"):
        dimension = DIMENSIONS[name]
        asked = Count(dimensions=(dimension,), limit=100)
        found = merge(store.group(asked), asked, ZoneInfo("UTC")).groups
        shown = {g.keys[0]: g.values[0] for g in found if g.keys[0] is not None}
        is_person = name in FIELDS and bool(FIELDS[name].identity)
        if is_person:
            shown = told_apart(shown, lambda key: key)
        for group in found:
            key = group.keys[0]
            said = [WITHOUT] if key is None else [spelt(shown[key], exact=True)]
            if key is not None and not is_person:
                said.append(spelt(key, exact=True))
            group_is = {i for i, f in facts.items() if key in keys_of_contact(f, dimension)}
            assert group.contacts == len(group_is)
            for text in said:
                for filtered, is_in in ((text, group_is), (f"-{text}", facts.keys() - group_is)):
                    wanted = parse_filter({name: filtered}, now=0, zone=ZoneInfo("UTC"))
                    rows = store.list_rows(Listing(wanted=wanted, limit=100))
                    assert {row.id for row in rows} == is_in, (name, filtered)
    store.close()
