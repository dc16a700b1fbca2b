"""A row of groups, passed back as filters just as it is shown, lists exactly its people."""

from collections.abc import AsyncIterator, Iterator

import pytest
from mcp import Client

from smoc_mcp.questions.dimensions import DIMENSIONS
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.settings import Mask
from smoc_mcp.views.boundary import Boundary
from smoc_mcp.views.lists import Views
from tests.serving import KEY, ask, memory_server, refusal

pytestmark = pytest.mark.anyio

ANSWERS = ("survey:interessert", "text:boligtype", "text:role")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    company = Company("Small", seed=8, size=160, hostile=0)
    for city in ("Oslo", "Oslo S", "Oslo, Norway", "-Oslo", '"Oslo"', "(none)", "(other)", "a;b"):
        company.add(city=city, company=city)
    for number in (7, 8):
        company.add(inviterUser={"id": number, "firstName": "Per", "lastName": "Nowak"})
    company.add(
        answeredSurveyQuestions=[{"questionId": "q", "question": "Roof: which?", "answer": "a, b"}]
    )
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


@pytest.fixture(scope="module")
async def client(url: str, engine_of_module: None) -> AsyncIterator[Client]:  # noqa: ARG001
    """The one that all tests ask which change nothing."""
    async with memory_server(url) as opened:
        yield opened


@pytest.mark.parametrize("name", [*DIMENSIONS, *ANSWERS])
async def test_each_row_lists_as_many_as_it_says(client: Client, name: str) -> None:
    found = await ask(client, "contacts_stats", group_by=name, limit=100)
    groups = [g for g in found["groups"] if g["key"][name] not in ("(other)", "(earlier)")]
    assert groups
    for group in groups[:25]:
        value = group["key"][name]
        kind, colon, question = name.partition(":")
        given = {kind: f"{question}: {value}" if colon else value}
        listed = await ask(client, "contacts_search", **given, limit=1)
        assert listed["total"] == group["contacts"], given
        assert listed["total_certainty"] == "exact"


ODD = (
    *("Oslo\nNorge", r"Oslo\tNorge", "&shy;a&amp;b", "\x1b[31mRed\x1b[0m", "x\u200by", "(other)"),
    *("(earlier)", "( none )", "-(none)", '"a", "b"', "a | b", "Roof, " * 60),
    "https://a.no/" + "p" * 400,
)


@pytest.fixture(scope="module")
async def of_odd(engine_of_module: None) -> AsyncIterator[Client]:  # noqa: ARG001
    company = Company("Odd", seed=1, size=0, hostile=0)
    for value in ODD:
        visit = {"landingPage": value, "createdAt": "2026-01-02T03:04:05Z"}
        company.add(2, city=value, company=value, visitList=[visit], rewardFlows=[{"title": value}])
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as opened:
            yield opened


@pytest.mark.parametrize("name", ["city", "company", "landing_page", "flow"])
async def test_a_row_of_an_odd_or_long_value_lists_its_people_too(
    of_odd: Client, name: str
) -> None:
    found = await ask(of_odd, "contacts_stats", group_by=name, limit=100)
    assert len(found["groups"]) >= len(ODD)
    for group in found["groups"]:
        listed = await ask(of_odd, "contacts_search", **group["key"], limit=1)
        assert listed["total"] == group["contacts"], group["key"]


@pytest.mark.parametrize("mask", [frozenset(), frozenset({"name"})])
async def test_a_row_of_an_inviter_lists_just_who_was_invited(mask: frozenset[Mask]) -> None:
    company = Company("Inviters", seed=1, size=0, hostile=0)
    names = (
        "Per Nowak",
        "Per",
        "Per Nowakowski",
        "Nowak, Per",
        "-Per",
        "(none)",
        'A "B" | C',
        "(other)",
    )
    for number, name in enumerate(names, 1):
        company.add(number, inviterUser={"id": str(number), "firstName": name})
    company.add(3)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url, views=Views(boundary=Boundary(mask))) as client:
            found = await ask(client, "contacts_stats", group_by="inviter", limit=100)
            assert len(found["groups"]) > len(names)
            for group in found["groups"]:
                listed = await ask(client, "contacts_search", **group["key"], limit=1)
                assert listed["total"] == group["contacts"], group["key"]


async def test_a_value_that_was_cut_and_what_stands_for_several_are_refused() -> None:
    company = Company("Odd", seed=1, size=0, hostile=0)
    company.add(city="Oslo " * 200)
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            found = await ask(client, "contacts_stats", group_by="city")
            cut = found["groups"][0]["key"]["city"]
            assert "which was cut" in await refusal(client, "contacts_search", city=cut)
            for given, why in (
                ({"city": "(other)"}, "all groups past the limit together"),
                ({"created_month": "(earlier)"}, "created_before"),
                ({"created_month": "-2026-01"}, "takes no minus, as before '2026-01'"),
            ):
                assert why in await refusal(client, "contacts_search", **given)


@pytest.mark.parametrize(
    ("first", "second"),
    [("city", "status"), ("utm_source", "device"), ("created_month", "flow"), ("inviter", "city")],
)
async def test_two_dimensions_are_two_filters(client: Client, first: str, second: str) -> None:
    found = await ask(client, "contacts_stats", group_by=f"{first},{second}", limit=100)
    for group in found["groups"][:25]:
        if set(group["key"].values()) & {"(other)", "(earlier)"} or not group["contacts"]:
            continue
        listed = await ask(client, "contacts_search", **group["key"], limit=1)
        assert listed["total"] == group["contacts"], group["key"]
