"""Further columns of a list and of an export, each against the truth of a company."""

import csv
import json
from collections.abc import AsyncIterator, Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from mcp import Client
from pydantic import SecretStr

from smoc_mcp.api.client import SmocClient
from smoc_mcp.cli.export import Format, export
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.errors import InputError
from smoc_mcp.questions.columns import NAMES, parse_columns
from smoc_mcp.questions.fields import FIELDS
from smoc_mcp.questions.filters import EVERYBODY
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.store.cells import in_columns
from smoc_mcp.store.sqlite import SqliteDatabase
from smoc_mcp.text.folding import fold
from smoc_mcp.views.boundary import Boundary
from smoc_mcp.views.lists import MAX_CHARS, Views
from tests.commands import Done, run_here
from tests.serving import KEY, ask, memory_server, refusal, text_of

pytestmark = pytest.mark.anyio

Raw = dict[str, Any]
Truth = Callable[[Raw], Any]
QUESTION = "Hvor hørte du om oss?"
SHOWN = 5


@pytest.fixture(scope="module")
def company() -> Company:
    return Company("Small", seed=8, size=300, hostile=0)


@pytest.fixture(scope="module")
def url(company: Company) -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


@pytest.fixture(scope="module")
async def client(url: str, engine_of_module: None) -> AsyncIterator[Client]:  # noqa: ARG001
    """The one that all tests ask which change nothing."""
    async with memory_server(url) as opened:
        yield opened


@pytest.fixture
def small() -> Company:
    return Company("Tiny", seed=3, size=12, hostile=0)


@pytest.fixture
def small_url(small: Company) -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: small})) as address:
        yield address


def people(company: Company) -> dict[str, Raw]:
    return {str(c["id"]): dict(c) for c in company.contacts()}


def visit(which: int, field: str) -> Truth:
    return lambda c: (c.get("visitList") or [{}])[which].get(field)


def number(field: str) -> Truth:
    return lambda c: len(c.get(field) or [])


def labels(*values: tuple[str, str]) -> Truth:
    """Return the truth of a column of several values: each once, whatever its spelling."""
    return lambda c: {
        entry[name] for field, name in values for entry in c.get(field) or [] if entry.get(name)
    }


def answers(c: Raw) -> set[str]:
    given = [a for a in c.get("answeredSurveyQuestions") or [] if a["question"] == QUESTION]
    return {str(a["answer"]) for a in given}


def inviter(c: Raw) -> str | None:
    person = c.get("inviterUser")
    if not person:
        return None
    name = " ".join(filter(None, (person.get("firstName"), person.get("lastName"))))
    return f"{name or person['email']} ({person['id']})"


TRUTHS: dict[str, Truth] = {
    "visits": number("visitList"),
    "rewards": number("rewardFlows"),
    "referrals": number("usersReferred"),
    "surveys": number("answeredSurveyQuestions"),
    "texts": number("textFields"),
    "state": lambda c: c.get("state"),
    "zip": lambda c: c.get("zip"),
    "utm_source": visit(0, "utmSource"),
    "utm_medium": visit(0, "utmMedium"),
    "utm_campaign": visit(0, "utmCampaign"),
    "landing_page": visit(0, "landingPage"),
    "referrer": visit(0, "referrer"),
    "device": visit(-1, "deviceType"),
    "browser": visit(-1, "browser"),
    "os": visit(-1, "os"),
    "flow": labels(("rewardFlows", "title"), ("textFields", "flowName")),
    "variant": labels(("textFields", "variantName")),
    "promo_presented": labels(("promosPresented", "title")),
    "promo_redeemed": labels(("promosRedeemed", "title")),
    "referral_campaign": labels(("referralLinks", "campaignName")),
    "inviter": inviter,
    f"survey:{QUESTION}": answers,
    "text:årsforbruk": lambda c: {
        str(t["value"])
        for t in c.get("textFields") or []
        if t["key"] == "årsforbruk" and t["value"]
    },
}
"""What each column shows of a contact, from what the API sends."""


def test_every_name_of_a_column_has_a_truth_here() -> None:
    assert set(NAMES) == {name for name in TRUTHS if ":" not in name}
    assert set(FIELDS) - set(NAMES) == {"city", "country", "company"}


def check(name: str, shown: Any, truth: Any) -> None:
    """Hold what a row shows in a column against the truth; None for nothing."""
    if not isinstance(truth, set):
        expected = truth if truth is None or isinstance(truth, int) else truth[:79]
        assert shown == expected or (shown or "").startswith(f"{expected}"[:70]), name
        return
    once = {fold(value) for value in truth}
    parts = [] if shown is None else shown.split("; ")
    if len(once) > SHOWN:
        assert parts.pop() == f"and {len(once) - SHOWN} more"
    assert len(parts) == min(len(once), SHOWN), name
    assert {fold(part) for part in parts} <= once


async def everybody(client: Any, **given: str) -> list[Raw]:
    """Return the rows of all pages."""
    rows: list[Raw] = []
    cursor = ""
    while True:
        found = await ask(client, "contacts_search", limit=100, cursor=cursor, **given)
        rows += found["contacts"]
        cursor = found.get("next_cursor", "")
        if not cursor:
            return rows


@pytest.mark.parametrize("name", TRUTHS)
async def test_each_column_is_that_of_each_contact(
    client: Client, company: Company, name: str
) -> None:
    rows = await everybody(client, columns=f'"{name}"')
    truth = people(company)
    assert {row["id"] for row in rows} == set(truth)
    some = 0
    for row in rows:
        shown = row.get("columns", {}).get(name)
        some += shown is not None
        check(name, shown, TRUTHS[name](truth[row["id"]]))
    assert some


async def test_six_columns_stand_behind_the_others_in_text_too(client: Client) -> None:
    asked = ["visits", "flow", "inviter", "device", "survey:hørte", "promo_redeemed"]
    given = {"columns": ",".join(asked), "limit": 40}
    answer = await client.call_tool("contacts_search", given)
    assert answer.structured_content is not None
    lines = text_of(answer).split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith("id|"))
    assert lines[start].split("|")[-6:] == asked
    for row, line in zip(answer.structured_content["contacts"], lines[start + 1 :], strict=False):
        shown = [str(row["columns"].get(name, "")) for name in asked]
        assert line.split("|")[-6:] == shown


async def test_a_column_that_nobody_of_a_page_has_anything_in_is_there_all_the_same(
    small: Company, small_url: str
) -> None:
    for contact_id in people(small):
        small.update(contact_id, inviterUser=None)
    async with memory_server(small_url) as client:
        answer = await client.call_tool("contacts_search", {"columns": "inviter"})
    assert "|inviter\n" in text_of(answer)
    assert answer.structured_content is not None
    assert all("columns" not in row for row in answer.structured_content["contacts"])


async def test_columns_change_neither_rows_nor_what_is_proven(client: Client) -> None:
    without = await ask(client, "contacts_search", status="customer")
    found = await ask(client, "contacts_search", status="customer", columns="visits,flow")
    for row in found["contacts"]:
        row.pop("columns", None)
    del without["next_cursor"], found["next_cursor"]
    assert found == without


async def test_words_that_name_several_questions_are_told(client: Client) -> None:
    found = await ask(client, "contacts_search", columns="survey:du")
    one = await ask(client, "contacts_search", columns="survey:hørte")
    assert '"survey:du" is of ' in found["note"]
    assert QUESTION in found["note"]
    assert "is of" not in one.get("note", "")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("visit", "Did you mean visits? Choose up to 6 of visits, rewards"),
        ("colour", "columns does not know 'colour'. Choose up to 6"),
        ("consent", "need not name consent: every row has it. Leave"),
        ("accepted_communication", "every row has it as consent"),
        ("City", "need not name city: every row has it"),
        ("visits,-flow", "takes no minus, as before 'flow'"),
        ("visits,Visits", "names one of them twice"),
        ("survey:roof,survey:Roof", "names one of them twice"),
        ("promo,promo_presented", "names one of them twice"),
        ("survey", "columns needs a question with survey"),
        ("text: ", "columns needs a field with text"),
        ("visits,rewards,referrals,surveys,texts,flow,device", "columns takes up to 6"),
        ("survey:no such thing", "Answered were: "),
        ("text:no such thing", 'Answered were: "'),
        ('"visits', "has a quote that is not closed"),
    ],
)
async def test_what_is_no_column_is_refused_with_what_to_write(
    client: Client, asked: str, said: str
) -> None:
    assert said in await refusal(client, "contacts_search", columns=asked)


async def test_what_could_not_be_read_is_said_and_never_taken_for_nothing(
    small: Company, small_url: str
) -> None:
    whole, some, *_ = people(small)
    small.update(
        whole,
        visitList="?",
        rewardFlows="?",
        answeredSurveyQuestions=7,
        inviterUser=["?"],
    )
    small.update(
        some,
        visitList=[{"landingPage": "/a", "browser": ["?"]}, {"browser": "Firefox"}],
        rewardFlows=[{"title": "Spin"}, {"title": {}}],
        answeredSurveyQuestions=[
            {"question": QUESTION, "answer": "radio"},
            {"question": QUESTION, "answer": [{}]},
        ],
    )
    columns = "visits,rewards,flow,landing_page,inviter,survey:hørte"
    async with memory_server(small_url) as client:
        rows = {
            r["id"]: r for r in (await ask(client, "contacts_search", columns=columns))["contacts"]
        }
    assert set(rows[whole]["columns"].values()) == {"could not be read"} | {
        value for name, value in rows[whole]["columns"].items() if name == "flow"
    }
    assert rows[whole]["columns"]["flow"].endswith("could not be read")
    assert len(rows[whole]["columns"]) == 6
    shown = rows[some]["columns"]
    assert (shown["visits"], shown["rewards"]) == ("at least 2", "at least 2")
    assert shown["landing_page"] == "/a"
    assert shown["survey:hørte"] == "radio; others could not be read"
    assert "Spin" in shown["flow"]
    assert shown["flow"].endswith("; others could not be read")


async def test_no_value_reads_like_two_or_like_a_sentence_of_ours(
    small: Company, small_url: str
) -> None:
    one, two, three, *_ = people(small)
    flows = ["a; b", "and 3 more"]
    small.update(one, rewardFlows=[{"title": t} for t in flows], textFields=[], state="Oslo; N")
    small.update(two, state="could not be read", rewardFlows=[], textFields=[])
    small.update(three, rewardFlows=[{"title": "others could not be read"}], textFields=[])
    async with memory_server(small_url) as client:
        found = await ask(client, "contacts_search", columns="flow,state")
    rows = {row["id"]: row.get("columns", {}) for row in found["contacts"]}
    assert rows[one] == {"flow": '"a; b"; "and 3 more"', "state": "Oslo; N"}
    assert rows[two] == {"state": '"could not be read"'}
    assert rows[three]["flow"] == '"others could not be read"'


async def test_people_addresses_and_numbers_are_masked(small: Company, small_url: str) -> None:
    one, two, *_ = people(small)
    small.update(
        one,
        inviterUser={"firstName": "Per", "lastName": "Nowak", "id": "per@example.com"},
        answeredSurveyQuestions=[{"question": "Reach", "answer": "per@example.com, 412 34 567"}],
        visitList=[{"landingPage": "/?mail=per%40example.com"}],
        textFields=[{"key": "per@example.com", "value": "tel 41234567"}],
    )
    small.update(two, inviterUser={"email": "per@example.com", "id": "41234567"})
    columns = "inviter,survey:reach,landing_page,text:per@example.com"
    views = Views(boundary=Boundary(frozenset({"email", "phone", "name"})))
    async with memory_server(small_url, views=views) as client:
        answer = await client.call_tool("contacts_search", {"columns": columns})
    assert answer.structured_content is not None
    rows = {row["id"]: row.get("columns") for row in answer.structured_content["contacts"]}
    assert rows[one]["inviter"] == "P*** N*** (p***@example.com)"
    assert rows[two]["inviter"] == "p***@example.com (***67)"
    assert set(rows[one]) == {"inviter", "survey:reach", "landing_page", "text:p***@example.com"}
    for form in (json.dumps(answer.structured_content), text_of(answer)):
        for secret in ("per@", "per%40", "412", "Nowak"):
            assert secret not in form


async def test_a_contact_with_a_hundred_long_values_fits_into_an_answer(
    small: Company, small_url: str
) -> None:
    long = [{"title": f"{n} {'x' * 300}"} for n in range(100)]
    for contact_id in people(small):
        small.update(contact_id, rewardFlows=long, promosPresented=long, promosRedeemed=long)
    async with memory_server(small_url) as client:
        rows = await everybody(client, columns="flow,promo_presented,promo_redeemed")
    assert {row["id"] for row in rows} == set(people(small))
    assert all(row["columns"]["promo_presented"].endswith("; and 95 more") for row in rows)
    assert len(json.dumps(rows[0])) < MAX_CHARS


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_an_export_has_the_columns_with_all_values(
    small: Company, small_url: str, form: Format
) -> None:
    one, two, *_ = people(small)
    small.update(one, rewardFlows=[{"title": f"flow {n}"} for n in range(8)], textFields=[])
    small.update(two, answeredSurveyQuestions=[{"question": "=Roof, or", "answer": "=1+1"}])
    small.update(one, answeredSurveyQuestions=[])
    out = StringIO()
    columns = parse_columns('rewards,flow,"survey:=roof, or"')
    async with SmocClient(small_url, SecretStr(KEY), 20) as api, ContactDirectory(api) as directory:
        await export(directory, EVERYBODY, Views(), form, out, columns)
    text = out.getvalue()
    rows: dict[str, Raw] = {
        row["id"]: row
        for row in (
            csv.DictReader(StringIO(text)) if form == "csv" else map(json.loads, text.splitlines())
        )
    }
    assert set(rows) == set(people(small))
    assert rows[one]["flow"] == "; ".join(f"flow {n}" for n in range(8))
    assert rows[one]["rewards"] == ("8" if form == "csv" else 8)
    [question] = {name for row in rows.values() for name in row if name.startswith("survey")}
    assert question == "survey:=roof, or"
    assert rows[two][question] == ("'=1+1" if form == "csv" else "=1+1")
    assert not rows[one].get(question)


async def test_an_export_of_an_unknown_question_writes_nothing(small_url: str) -> None:
    out = StringIO()
    async with SmocClient(small_url, SecretStr(KEY), 20) as api, ContactDirectory(api) as directory:
        with pytest.raises(InputError, match="Answered were"):
            await export(directory, EVERYBODY, Views(), "csv", out, parse_columns("survey:zzz"))
    assert out.getvalue() == ""


def test_a_page_looks_its_columns_up_in_one_statement_without_reading_all_contacts() -> None:
    db = SqliteDatabase()
    db.see(1)
    sql = in_columns(["a", "b"], parse_columns("visits,device,flow,inviter,survey:roof,text:size"))
    plan = [r["detail"] for r in db.fetch(f"EXPLAIN QUERY PLAN {sql.text}", sql.values)]
    db.close()
    read = [step for step in plan if " contacts" in step]
    assert len(read) == 3
    assert all("(owner=? AND id=?)" in step for step in read)
    labels = [step for step in plan if " labels" in step and "(owner=? AND contact=?" in step]
    assert len(labels) == 3


def run_export(url: str, *arguments: str) -> Done:
    return run_here("export", *arguments, SMOC_API_KEY=KEY, SMOC_BASE_URL=url)


def test_the_command_takes_columns_as_an_option(small: Company, small_url: str) -> None:
    done = run_export(small_url, "--columns", "visits,texts")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(StringIO(done.stdout)))
    truth = people(small)
    assert {row["id"]: row["visits"] for row in rows} == {
        i: str(len(c.get("visitList") or [])) for i, c in truth.items()
    }
    as_filter = run_export(small_url, "columns=visits")
    assert "columns is an option of export: write --columns" in as_filter.stderr
    unknown = run_export(small_url, "--columns", "visit")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "Did you mean visits?" in unknown.stderr
