"""contacts_stats against the truth of a company: groups, the rest of them, SMOC's own counts."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from mcp import Client
from pydantic import SecretStr

from smoc_mcp.api.client import SmocClient
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.questions.dimensions import DIMENSIONS, Count
from smoc_mcp.questions.filters import EVERYBODY
from smoc_mcp.sandbox import Company, Contact, Fault, Sandbox, run_in_thread
from smoc_mcp.views.boundary import Boundary
from smoc_mcp.views.lists import Views
from tests.serving import KEY, ask, memory_server, refusal, text_of

pytestmark = pytest.mark.anyio

STATUSES = frozenset({"leads", "customers", "lost", "converted"})


@pytest.fixture
def company() -> Company:
    return Company("Small", seed=8, size=120)


@pytest.fixture
def url(company: Company) -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


Asked = tuple[Client, Company]


@pytest.fixture(scope="module")
async def of_large(engine_of_module: None) -> AsyncIterator[Asked]:  # noqa: ARG001
    """Return who answers for a company that no test changes, and the company."""
    company = Company("Large", seed=3, size=3000)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            yield client, company


async def test_the_rest_of_many_flows_counts_each_contact_once(url: str, company: Company) -> None:
    for flows in (("A", "B"), ("A", "B", "C"), ("C", "D"), ("D", "E", "F"), ("A",)):
        company.add(rewardFlows=[{"id": f, "title": f"Flow {f}"} for f in flows], textFields=[])
    async with memory_server(url) as client:
        whole = await ask(client, "contacts_stats", group_by="flow", limit=100)
        few = await ask(client, "contacts_stats", group_by="flow", limit=2)
    kept = {g["key"]["flow"] for g in few["groups"]} - {"(other)"}
    rest = sum(
        1
        for contact in company.contacts()
        if flows_of(contact) - kept or (not flows_of(contact) and "(none)" not in kept)
    )
    assert few["groups"][-1]["key"]["flow"] == "(other)"
    assert few["groups"][-1]["contacts"] == rest
    assert rest < sum(g["contacts"] for g in whole["groups"] if g["key"]["flow"] not in kept)


def first_visit(contact: Contact) -> dict[str, str | None]:
    visits = contact.get("visitList") or [{}]
    assert isinstance(visits, list)
    return dict(visits[0])


def flows_of(contact: Contact) -> set[str]:
    rewards, texts = contact.get("rewardFlows") or [], contact.get("textFields") or []
    assert isinstance(rewards, list)
    assert isinstance(texts, list)
    return {r["title"] for r in rewards if r.get("title")} | {
        t["flowName"] for t in texts if t.get("flowName")
    }


async def test_every_group_says_how_many_of_its_contacts_are_customers(
    url: str, company: Company
) -> None:
    async with memory_server(url) as client:
        found = await ask(client, "contacts_stats", group_by="city", limit=5)
    shares = {g["key"]["city"]: g["customer_share"] for g in found["groups"]}
    for city, share in shares.items():
        if not city.startswith("("):
            there = [c for c in company.contacts() if c.get("city") == city]
            customers = sum(c.get("status") == "2" for c in there)
            assert share == pytest.approx(customers / len(there), abs=0.001)


async def test_statuses_of_a_large_company_have_its_own_counts(of_large: Asked) -> None:
    client, company = of_large
    found = await ask(client, "contacts_stats", group_by="status")
    alone = {
        status: await ask(client, "contacts_stats", status=status)
        for status in ("lead", "customer", "lost", "converted")
    }
    groups = {g["key"]["status"]: g for g in found["groups"]}
    assert {s: g["contacts"] for s, g in groups.items()} == {
        s: one["total"] for s, one in alone.items()
    }
    assert groups["lead"]["contacts"] == company.leads_count
    assert groups["customer"]["contacts"] == company.customer_count
    certainties = {g["key"]["status"]: g["certainty"] for g in found["groups"]}
    assert certainties == {
        "lead": "exact",
        "customer": "exact",
        "lost": "at_least",
        "converted": "at_least",
    }
    assert found["total_certainty"] == "at_least"
    assert company.leads_count + company.customer_count < found["total"] <= 3000
    assert found["total"] == found["company"]["at_least"]
    together = sum(g["contacts"] for g in found["groups"])
    assert ("add up to more than the total" in found["note"]) == (together > found["total"])
    assert not any("share" in group for group in found["groups"])
    assert "SMOC's own counts" in found["note"]


async def test_one_status_of_a_large_company_is_exact_by_its_own_count(of_large: Asked) -> None:
    client, company = of_large
    found = await ask(client, "contacts_stats", status="customer", group_by="status")
    assert found["total_certainty"] == found["groups_certainty"] == "exact"
    assert found["total"] == company.customer_count
    assert [g["contacts"] for g in found["groups"]] == [company.customer_count]
    assert found["groups"][0]["share"] == 1


async def test_a_total_is_no_more_than_there_are_though_what_is_remembered_has_changed() -> None:
    company = Company("Small", seed=3, size=60, hostile=0)
    known = [str(contact["id"]) for contact in company.contacts()]
    lost, others = known[28:32], [*known[:28], *known[32:]]

    def become(ids: list[str], status: str) -> None:
        for contact_id in ids:
            company.update(contact_id, status=status)

    become(others, "1")
    become(lost, "3")
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with (
            SmocClient(url, SecretStr(KEY), 20) as api,
            ContactDirectory(api, window_limit=10, cache_seconds=0) as directory,
        ):
            await directory.refresh()
            become(lost, "1")
            become(others, "1")
            found = await directory.count_contacts(
                Count(wanted=EVERYBODY, dimensions=(DIMENSIONS["status"],), limit=10)
            )
    assert found.groups is not None
    assert found.tally.total == 60


async def test_words_are_counted_before_anybody_has_searched(url: str, company: Company) -> None:
    company.add(count=7, company="Zanzibarine")
    async with memory_server(url) as client:
        counted = await ask(client, "contacts_stats", query="zanzibarine")
        company.add(count=2, company="Zanzibarine")
    assert counted["total"] == 7
    async with memory_server(url) as client:
        grouped = await ask(client, "contacts_stats", query="zanzibarine", group_by="status")
    assert grouped["total"] == sum(g["contacts"] for g in grouped["groups"]) == 9


async def test_a_question_that_nobody_was_asked_is_answered_with_those_that_were(url: str) -> None:
    async with memory_server(url) as client:
        said = await refusal(client, "contacts_stats", group_by="survey:no such words")
    assert said.startswith("No survey question that somebody in hand has answered has")
    assert 'Answered were: "' in said


async def test_a_value_that_looks_like_ours_is_in_quotes(url: str, company: Company) -> None:
    company.add(count=2, city="(other)")
    company.add(count=3, city="(none)")
    async with memory_server(url) as client:
        found = await ask(client, "contacts_stats", group_by="city", limit=100)
    groups = {g["key"]["city"]: g["contacts"] for g in found["groups"]}
    assert groups['"(other)"'] == 2
    assert groups['"(none)"'] == 3
    assert groups["(none)"] == sum(not c.get("city") for c in company.contacts())


async def test_a_masked_name_is_no_group_either(url: str, company: Company) -> None:
    company.add(count=2, inviterUser={"id": 7, "firstName": "Ada", "lastName": "Lovelace"})
    company.add(inviterUser={"id": 8, "email": "grace@example.com"})
    views = Views(boundary=Boundary(frozenset({"name", "email"})))
    async with memory_server(url, views=views) as client:
        found = await ask(client, "contacts_stats", group_by="inviter", limit=100)
    groups = [g["key"]["inviter"] for g in found["groups"]]
    # By its id a group can be asked for again.
    assert "A*** L*** (7)" in groups
    assert "g***@example.com (8)" in groups
    assert "(none)" in groups


async def test_a_trend_shows_the_proven_periods_only_and_names_those_in_part(
    of_large: Asked,
) -> None:
    client, company = of_large
    found = await ask(
        client, "contacts_stats", group_by="created_week", created_after="150d", limit=100
    )
    truth: Counter[str] = Counter()
    for contact in company.contacts():
        created = datetime.fromisoformat(str(contact["createdAt"])).date()
        truth[(created - timedelta(days=created.weekday())).isoformat()] += 1
    whole = {g["key"]["created_week"]: g["contacts"] for g in found["groups"] if "partial" not in g}
    assert whole
    assert whole == {week: truth[week] for week in whole}
    assert [i for i, g in enumerate(found["groups"]) if "partial" in g] == [0, len(whole) + 1]
    assert found["total_certainty"] == "at_least"
    assert found["groups_certainty"] == "exact"
    assert sum(g["contacts"] for g in found["groups"]) == found["grouped"] < found["total"]


async def test_what_is_asked_since_the_proven_moment_is_exact_and_the_same(of_large: Asked) -> None:
    client, _ = of_large
    wide = await ask(client, "contacts_stats", group_by="city")
    since = wide["proven_since"]
    narrow = await ask(client, "contacts_stats", group_by="city", created_after=since)
    assert f"all created since {since} (exact); created_after={since} gives only" in wide["note"]
    assert narrow["total_certainty"] == narrow["groups_certainty"] == "exact"
    assert "proven_since" not in narrow
    assert narrow["total"] == narrow["grouped"] == wide["grouped"]
    assert narrow["groups"] == wide["groups"]


async def test_of_all_in_hand_there_are_counts_and_nothing_that_is_compared() -> None:
    company = Company("Large", seed=3, size=3000, hostile=0)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            sample = await ask(
                client, "contacts_stats", group_by="city", scope="in_hand", limit=100
            )
            trend = await ask(client, "contacts_stats", group_by="created_month", scope="in_hand")
    assert sample["scope"] == "in_hand"
    assert sample["grouped"] == sample["company"]["in_hand"]
    assert sum(g["contacts"] for g in sample["groups"]) == sample["grouped"]
    assert "groups_certainty" not in sample
    cities = [g["key"]["city"] for g in sample["groups"]]
    assert cities == sorted(cities)
    for group in (*sample["groups"], *trend["groups"]):
        assert group["contacts"] > 0
        assert not {name for name in group if name.endswith("share")}


async def test_where_nothing_is_proven_there_are_no_groups_and_the_way_to_a_sample(
    of_large: Asked,
) -> None:
    client, _ = of_large
    old = await ask(client, "contacts_stats", group_by="city", created_before="200d")
    assert "groups" not in old
    assert old["total"] > 0
    assert "scope=in_hand counts those in hand" in old["note"]


async def test_a_share_of_customers_is_never_one_of_leads_and_customers_only() -> None:
    company = Company("Middle", seed=2, size=900, hostile=0)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            found = await ask(client, "contacts_stats", group_by="utm_campaign", limit=100)
    since = found["proven_since"]
    assert "proven_statuses" not in found
    people = [c for c in company.contacts() if str(c["createdAt"]) >= since]
    for group in found["groups"]:
        campaign = group["key"]["utm_campaign"]
        theirs = [
            c.get("status")
            for c in people
            if (first_visit(c).get("utmCampaign") or "(none)") == campaign
        ]
        customers, converted = theirs.count("2"), theirs.count("4")
        assert (group["lost"], group["converted"]) == (theirs.count("3"), converted)
        assert group["customer_share"] == round(customers / len(theirs), 4)
        assert group["converted_share"] == round((customers + converted) / len(theirs), 4)


async def test_leads_and_customers_are_the_last_resort_with_their_own_numbers_only() -> None:
    company = Company("Middle", seed=11, size=900)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            old = {"created_before": "400d", "group_by": "device", "limit": 100}
            found = await ask(client, "contacts_stats", **old)
            again = await ask(client, "contacts_stats", **old, status="lead,customer")
            trend = await ask(client, "contacts_stats", **{**old, "group_by": "created_month"})
    assert found["proven_statuses"] == ["lead", "customer"]
    assert found["grouped"] == again["total"]
    assert found["groups"] == again["groups"]
    assert "groups" not in trend
    for group in found["groups"]:
        assert group["contacts"] == group["leads"] + group["customers"]
        assert not {"lost", "converted", "customer_share", "converted_share"} & group.keys()


@pytest.mark.parametrize("status", ["customer,lost", "-lead", "lead,lost"])
async def test_groups_of_some_statuses_have_numbers_of_those_and_no_conversion(
    url: str, status: str
) -> None:
    async with memory_server(url) as client:
        found = await ask(client, "contacts_stats", group_by="utm_source", status=status)
        unasked = {"leads", "customers", "lost", "converted"} - found.keys()
    assert unasked
    for group in found["groups"]:
        assert not (unasked | {"customer_share", "converted_share"}) & group.keys()


async def test_a_bound_of_some_statuses_counts_those_that_smoc_counts(of_large: Asked) -> None:
    client, company = of_large
    found = await ask(client, "contacts_stats", status="lead,lost")
    searched = await ask(client, "contacts_search", status="lead,lost", limit=1)
    truth = Counter(c.get("status") or "1" for c in company.contacts())
    assert found["leads"] == truth["1"] == company.leads_count
    assert company.leads_count < found["total"] <= truth["1"] + truth["3"]
    assert searched["total"] == found["total"]


async def test_who_has_a_status_that_smoc_does_not_name_is_counted_too(
    url: str, company: Company
) -> None:
    company.add(count=4, status="7")
    async with memory_server(url) as client:
        found = await ask(client, "contacts_stats", group_by="created_month")
        text = text_of(await client.call_tool("contacts_stats", {}))
    assert found["unknown"] == 4
    assert found["total"] == sum(found[n] for n in (*STATUSES, "unknown"))
    for group in found["groups"]:
        assert group["contacts"] == sum(group.get(n, 0) for n in (*STATUSES, "unknown"))
    assert "4 of another status" in text


async def test_who_bears_a_time_of_the_future_is_named_beside_the_new(
    url: str, company: Company
) -> None:
    company.add(count=3, createdAt="2099-12-27T10:00:00.000Z")
    async with memory_server(url) as client:
        found = await ask(client, "contacts_stats", created_after="1d")
        months = await ask(client, "contacts_stats", group_by="created_month")
        past = await ask(client, "contacts_stats", group_by="created_month", created_before="1d")
        talks = await ask(client, "contacts_stats", group_by="conversation_week")
    assert "3 of them bear a createdAt of the future." in found["note"]
    assert "3 of them bear a createdAt of the future." in months["note"]
    assert months["groups"][-1] == months["groups"][-1] | {"contacts": 3, "partial": True}
    assert "of the future" not in past.get("note", "")
    assert "createdAt of the future" not in talks["note"]


async def test_a_trend_of_conversations_names_those_of_the_future(
    url: str, company: Company
) -> None:
    company.add(count=2, lastConversationDate="2099-12-27T10:00:00.000Z")
    ahead = sum(str(c.get("lastConversationDate") or "") > "2050" for c in company.contacts())
    async with memory_server(url) as client:
        talks = await ask(client, "contacts_stats", group_by="conversation_month")
    assert f"{ahead} of them bear a lastConversationDate of the future." in talks["note"]


async def test_people_of_one_name_are_told_apart_also_from_those_past_the_limit(
    url: str, company: Company
) -> None:
    for number, invited in ((7, 90), (8, 1)):
        person = {"id": number, "firstName": "Per", "lastName": "Nowak"}
        company.add(count=invited, inviterUser=person)
    async with memory_server(url) as client:
        found = await ask(client, "contacts_stats", group_by="inviter", limit=2)
        named = {g["key"]["inviter"]: g["contacts"] for g in found["groups"]}
        listed = await ask(client, "contacts_search", inviter="Per Nowak (7)", limit=1)
    assert named["Per Nowak (7)"] == listed["total"] == 90


async def test_a_trend_of_something_says_that_nobody_came_without_naming_a_value(
    url: str, company: Company
) -> None:
    company.add(createdAt="2020-01-05T10:00:00.000Z", city="Voss")
    company.add(createdAt="2020-03-05T10:00:00.000Z", city="Voss")
    async with memory_server(url) as client:
        found = await ask(
            client, "contacts_stats", group_by="created_month,city", created_before="2020-04-01"
        )
    assert [(g["key"], g["contacts"]) for g in found["groups"]] == [
        ({"created_month": "2020-01", "city": "Voss"}, 1),
        ({"created_month": "2020-02"}, 0),
        ({"created_month": "2020-03", "city": "Voss"}, 1),
    ]
    assert "A pair that is not shown has nobody." in found["note"]


async def test_where_smoc_fails_what_was_known_is_the_answer_and_no_zero(company: Company) -> None:
    sandbox = Sandbox(keys={KEY: company})
    with run_in_thread(sandbox) as url:
        async with memory_server(url, cache_seconds=0) as client:
            before = await ask(client, "contacts_stats", created_after="60d")
            sandbox.fail(Fault("html", times=None))
            after = await ask(client, "contacts_stats", created_after="60d")
            text = text_of(await client.call_tool("contacts_stats", {"created_after": "60d"}))
    assert before["total"] > 0
    assert after["remembered"] == before["total"]
    assert not STATUSES & after.keys()
    assert text.startswith(f"{before['total']} contacts matched as they were last seen.")
    assert "500" not in after["note"]


async def test_numbers_beside_a_filter_are_numbers_of_that_filter(of_large: Asked) -> None:
    client, company = of_large
    found = await ask(client, "contacts_stats", created_after="7d")
    week = (datetime.now(UTC) - timedelta(days=7)).isoformat()
    truth = Counter(
        c.get("status") or "1" for c in company.contacts() if str(c["createdAt"]) >= week
    )
    names = {"leads": "1", "customers": "2", "lost": "3", "converted": "4"}
    assert {name: found[name] for name in names} == {n: truth[s] for n, s in names.items()}
    assert found["total"] == sum(found[name] for name in names)
    assert found["company"]["leads"] == company.leads_count > found["leads"]


async def test_every_answer_of_one_moment_has_the_same_lower_bound_of_the_company(
    of_large: Asked,
) -> None:
    client, _ = of_large
    await ask(client, "contacts_search", query="nobody is called this")
    someone = next(
        c["email"]
        for c in (await ask(client, "contacts_list", limit=20))["contacts"]
        if "email" in c
    )
    answers = [
        await ask(client, tool, **arguments)
        for tool, arguments in (
            ("contacts_stats", {}),
            ("contacts_stats", {"group_by": "status"}),
            ("contacts_stats", {"group_by": "city,status"}),
            ("contacts_stats", {"group_by": "city", "scope": "in_hand"}),
            ("contacts_stats", {"status": "lost"}),
            ("contacts_search", {"city": "Oslo"}),
            ("contacts_search", {}),
            ("contacts_list", {"sort": "updated"}),
            ("contacts_find_by_email", {"email": someone}),
        )
    ]
    bounds = {answer["company"]["at_least"] for answer in answers}
    whole = {a["total"] for a in (*answers[:4], answers[6], answers[7])}
    assert len(bounds) == 1
    assert whole == bounds


async def test_a_limit_leaves_no_status_out_of_the_companys_own_counts(of_large: Asked) -> None:
    client, company = of_large
    found = await ask(client, "contacts_stats", group_by="status", limit=1)
    counts = {g["key"]["status"]: g["contacts"] for g in found["groups"]}
    assert counts["lead"] == company.leads_count
    assert counts["customer"] == company.customer_count


async def test_a_value_in_two_spellings_counts_a_contact_once(url: str, company: Company) -> None:
    company.add(rewardFlows=[{"title": "Solar Roof"}, {"title": "solar roof"}], textFields=[])
    async with memory_server(url) as client:
        found = await ask(client, "contacts_stats", group_by="flow", limit=100)
    counts = [g["contacts"] for g in found["groups"] if g["key"]["flow"].lower() == "solar roof"]
    assert counts == [1]


async def test_the_id_of_a_question_is_that_question_only(url: str, company: Company) -> None:
    company.add(
        answeredSurveyQuestions=[
            {"questionId": "roof1", "question": "Which roof?", "answer": "flat"},
            {"questionId": "roof2", "question": "Is roof1 what you have?", "answer": "yes"},
        ]
    )
    async with memory_server(url) as client:
        by_id = await ask(client, "contacts_stats", group_by="survey:roof1", limit=100)
        by_words = await ask(client, "contacts_stats", group_by="survey:what you have", limit=100)
    assert {g["key"]["survey:roof1"] for g in by_id["groups"]} == {"flat", "(none)"}
    assert {g["key"]["survey:what you have"] for g in by_words["groups"]} == {"yes", "(none)"}


async def test_an_inviter_of_several_words_is_masked_as_a_name(url: str, company: Company) -> None:
    company.add(invitedBy={"firstName": "Ada", "lastName": "@ Lovelace"})
    views = Views(boundary=Boundary(frozenset({"name"})))
    async with memory_server(url, views=views) as client:
        found = await ask(client, "contacts_stats", group_by="inviter", limit=100)
    assert "Lovelace" not in str(found)


async def test_two_inviters_of_one_name_are_two(url: str, company: Company) -> None:
    for number, invited in ((7, 2), (8, 1)):
        person = {"id": number, "firstName": "Per", "lastName": "Nowak"}
        company.add(count=invited, inviterUser=person)
    company.add(inviterUser={"firstName": "Per", "lastName": "Nowak"})
    async with memory_server(url) as client:
        found = await ask(client, "contacts_stats", group_by="inviter", limit=100)
    groups = {g["key"]["inviter"]: g["contacts"] for g in found["groups"]}
    assert groups["Per Nowak (7)"] == 2
    assert groups["Per Nowak (8)"] == 1
    assert groups["Per Nowak (per nowak)"] == 1


async def test_people_told_apart_stay_masked(url: str, company: Company) -> None:
    for first in ("Pia", "Per"):
        company.add(inviterUser={"firstName": first, "lastName": "Nowak"})
    company.add(inviterUser={"firstName": "Pål", "lastName": "Nes", "email": "pal@example.com"})
    views = Views(boundary=Boundary(frozenset({"name", "email"})))
    async with memory_server(url, views=views) as client:
        found = await ask(client, "contacts_stats", group_by="inviter", limit=100)
    shown = [g["key"]["inviter"] for g in found["groups"]]
    assert len(set(shown)) == len(shown)
    assert sum(name.startswith("P*** N***") for name in shown) >= 3
    assert "pia" not in str(found).lower()
    assert "pal@" not in str(found)
