"""A row of groups, passed back as filters just as it is shown, lists exactly its people."""

from collections.abc import Iterator

import pytest

from smoc_mcp.questions.dimensions import DIMENSIONS
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from tests.serving import KEY, ask, memory_server

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


@pytest.mark.parametrize("name", [*DIMENSIONS, *ANSWERS])
async def test_each_row_lists_as_many_as_it_says(url: str, name: str) -> None:
    async with memory_server(url) as client:
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


@pytest.mark.parametrize(
    ("first", "second"),
    [("city", "status"), ("utm_source", "device"), ("created_month", "flow"), ("inviter", "city")],
)
async def test_two_dimensions_are_two_filters(url: str, first: str, second: str) -> None:
    async with memory_server(url) as client:
        found = await ask(client, "contacts_stats", group_by=f"{first},{second}", limit=100)
        for group in found["groups"][:25]:
            if set(group["key"].values()) & {"(other)", "(earlier)"} or not group["contacts"]:
                continue
            listed = await ask(client, "contacts_search", **group["key"], limit=1)
            assert listed["total"] == group["contacts"], group["key"]
