"""What leaves a company in which every field of every contact is hostile: each way out is walked.

Every tool in both forms, resources, prompts, completions, errors, exports and the log.
"""

import csv
import io
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from mcp import Client, MCPError
from mcp_types import PromptReference, ResourceTemplateReference, TextResourceContents
from pydantic import SecretStr

from smoc_mcp.api.client import SmocClient
from smoc_mcp.cli.export import COLUMNS, Format, export
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.questions.columns import NAMES, parse_columns
from smoc_mcp.questions.dimensions import DIMENSIONS
from smoc_mcp.questions.filters import EVERYBODY
from smoc_mcp.sandbox import HOSTILE_TEXTS, Company, Sandbox, run_in_thread
from smoc_mcp.server.prompts import PROMPTS
from smoc_mcp.views.boundary import Boundary
from smoc_mcp.views.lists import MAX_CHARS, Views
from tests.hidden import hidden_in
from tests.serving import KEY, memory_server, text_of

pytestmark = pytest.mark.anyio

BAR = re.compile(r"(?<!\\)(?:\\\\)*\|")
TYPED = [text for text in HOSTILE_TEXTS if text.strip()]
LONGEST_DETAIL = 500 + len("… [cut from 1,000,000 characters]")
FURTHER = [",".join(NAMES[at : at + 5]) + ",survey:e" for at in range(0, len(NAMES), 5)]
"""Every further column there is, as many at a time as are taken."""
EVERYTHING: list[tuple[str, dict[str, Any]]] = [
    ("contacts_list", {"limit": 100}),
    *(("contacts_list", {"sort": sort, "limit": 5}) for sort in ("updated", "conversation")),
    ("contacts_search", {"limit": 100}),
    *(("contacts_search", {"query": q, "limit": 50}) for q in ("a", "ignore", "evil", "cmd calc")),
    *(
        ("contacts_search", {name: "nowhere"})
        for name in ("city", "company", "flow", "promo", "inviter")
    ),
    *(("contacts_search", {"columns": names, "limit": 100}) for names in FURTHER),
    ("contacts_search", {"sort": "engagement", "limit": 100}),
    ("contacts_find_by_email", {"email": "ignore@evil.example"}),
    *(("contacts_stats", {"group_by": name, "limit": 100}) for name in DIMENSIONS),
    ("contacts_stats", {"group_by": "survey:e", "limit": 100}),
    ("contacts_stats", {"group_by": "city,flow", "limit": 100}),
    ("contacts_changes", {"since": "5000d", "limit": 100}),
    *(("contacts_duplicates", {"by": by, "limit": 100}) for by in ("email", "phone", "name")),
    *(("contacts_dashboard", {"group_by": name}) for name in ("city", "company", "flow", "text")),
]


@pytest.fixture(scope="module")
def company() -> Company:
    return Company("Hostile", seed=4, size=150, hostile="everywhere")


@pytest.fixture(scope="module")
def url(company: Company) -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


@pytest.fixture(scope="module")
async def client(url: str, engine_of_module: None) -> AsyncIterator[Client]:  # noqa: ARG001
    """The one that all tests ask which change nothing."""
    async with memory_server(url) as opened:
        yield opened


@pytest.fixture(scope="module")
async def directory(
    url: str,
    engine_of_module: None,  # noqa: ARG001
) -> AsyncIterator[ContactDirectory]:
    async with SmocClient(url, SecretStr(KEY), 20) as api, ContactDirectory(api) as opened:
        yield opened


def texts_in(value: object) -> Iterator[str]:
    """Yield every text of a structure, keys and values."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)
    elif isinstance(value, str):
        yield value


def check_structure(content: object) -> None:
    for text in texts_in(content):
        assert hidden_in(text) == []
        assert "\n" not in text
    for text in texts_in({k: v for k, v in dict(content).items() if k != "note"}):  # type: ignore[call-overload]
        assert len(text) <= LONGEST_DETAIL
    assert len(json.dumps(content, ensure_ascii=False)) <= MAX_CHARS


def check_text(text: str) -> None:
    assert hidden_in(text.replace("\n", " ")) == []
    assert len(text) <= MAX_CHARS


def check_tables(text: str, rows: int) -> None:
    """Fail if a table has another number of rows than the structure, or a row of other cells."""
    lines = [len(BAR.split(line)) for line in text.split("\n")]
    tables = [cells for cells in lines if cells > 1]
    headings = len([line for line in text.split("\n") if line.startswith(("id|", "New:"))])
    assert len(tables) >= rows
    assert len(set(tables)) <= max(1, headings)


async def answers(client: Client, company: Company) -> list[tuple[str, Any, str]]:
    asked = list(EVERYTHING)
    ids = [c["id"] for c in company.contacts()][:40]
    asked += [("contacts_get", {"contact_id": i}) for i in ids]
    asked += [("contacts_get", {"contact_id": i, "include": "all"}) for i in ids[:15]]
    asked += [
        ("contacts_find_by_email", {"email": str(c["email"])})
        for c in list(company.contacts())[:40]
        if "@" in str(c["email"])
    ]
    got = []
    for tool, arguments in asked:
        answer = await client.call_tool(tool, arguments)
        if not answer.is_error:
            got.append((tool, answer.structured_content, text_of(answer)))
    assert {tool for tool, _, _ in got} >= {tool for tool, _ in EVERYTHING}
    return got


async def test_no_answer_of_a_tool_shows_or_forges_anything(
    client: Client, company: Company
) -> None:
    for tool, content, text in await answers(client, company):
        check_structure(content)
        check_text(text)
        if tool in ("contacts_list", "contacts_search"):
            check_tables(text, len(content["contacts"]))
        if tool == "contacts_stats":
            check_tables(text, len(content.get("groups", ())))


async def test_a_table_has_a_line_for_each_contact_and_no_other(client: Client) -> None:
    answer = await client.call_tool("contacts_list", {"limit": 40})
    content = answer.structured_content
    assert content is not None
    lines = text_of(answer).split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith("id|"))
    rows = lines[start + 1 : start + 1 + len(content["contacts"])]
    assert [row.partition("|")[0] for row in rows] == [c["id"] for c in content["contacts"]]


async def test_no_resource_shows_anything_hidden(client: Client, company: Company) -> None:
    uris = ["smoc://company", "smoc://catalogue", "smoc://guide"]
    uris += [f"smoc://contacts/{c['id']}" for c in list(company.contacts())[:40]]
    for uri in uris:
        read = await client.read_resource(uri)
        for item in read.contents:
            assert isinstance(item, TextResourceContents)
            assert hidden_in(item.text.replace("\n", " ")) == []
            if item.mime_type == "application/json":
                check_structure(json.loads(item.text))


async def test_no_completion_shows_anything_hidden(client: Client) -> None:
    refs: list[tuple[PromptReference | ResourceTemplateReference, str]] = [
        (PromptReference(type="ref/prompt", name=prompt), argument.name)
        for prompt, arguments in PROMPTS.items()
        for argument in arguments
    ]
    refs.append((ResourceTemplateReference(type="ref/resource", uri="smoc://contacts/{id}"), "id"))
    offered = 0
    for ref, argument in refs:
        for value in ("", "a", "ignore", "\u202e", "x" * 500):
            found = await client.complete(ref, {"name": argument, "value": value})
            for text in found.completion.values:
                offered += 1
                assert hidden_in(text) == []
                assert "\n" not in text
                assert len(text) <= LONGEST_DETAIL
    assert offered > 50


@pytest.mark.parametrize("text", TYPED, ids=range(len(TYPED)))
async def test_no_prompt_takes_an_argument_for_more_than_a_value(client: Client, text: str) -> None:
    for name, arguments in PROMPTS.items():
        texts = [a.name for a in arguments if a.kind == "text"]
        got = await client.get_prompt(name, dict.fromkeys(texts, text))
        usual = await client.get_prompt(name, dict.fromkeys(texts, "x"))
        said, plain = (str(it.messages[0].content.text) for it in (got, usual))  # type: ignore[union-attr]
        assert hidden_in(said.replace("\n", " ")) == []
        # Not a line more, and each value in quotes.
        assert len(said.split("\n")) == len(plain.split("\n"))


@pytest.mark.parametrize("text", TYPED, ids=range(len(TYPED)))
async def test_no_error_repeats_what_is_hidden(client: Client, text: str) -> None:
    for tool, arguments in (
        ("contacts_get", {"contact_id": text}),
        ("contacts_get", {"contact_id": "x", "include": text}),
        ("contacts_stats", {"group_by": text}),
        ("contacts_search", {"created_after": text}),
        ("contacts_search", {"has": text}),
        ("contacts_search", {"columns": text}),
        ("contacts_search", {"status": text}),
        ("contacts_list", {"cursor": text}),
        ("contacts_changes", {"since": text}),
        ("contacts_list", {text: "1"}),
    ):
        answer = await client.call_tool(tool, arguments)
        said = text_of(answer)
        assert answer.is_error
        assert hidden_in(said) == []
        assert len(said) <= 2_000
    # Half a surrogate pair gets past no client.
    sent = text.encode("utf-8", "replace").decode()
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: client.read_resource(f"smoc://{sent}"),
        lambda: client.call_tool(sent, {}),
        lambda: client.get_prompt(sent),
        lambda: client.get_prompt("weekly_review", {sent: "1"}),
    ]
    for call in calls:
        with pytest.raises(MCPError) as refused:
            await call()
        assert hidden_in(refused.value.message) == []
        assert len(refused.value.message) <= 2_000
        assert all(hidden_in(t) == [] for t in texts_in(refused.value.data))


@pytest.mark.parametrize("further", ["", *FURTHER])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_no_export_shows_runs_or_forges_anything(
    directory: ContactDirectory, company: Company, form: Format, further: str
) -> None:
    out = io.StringIO()
    columns = parse_columns(further)
    written = (await export(directory, EVERYBODY, Views(), form, out, columns)).contacts
    assert written == len(company)
    if form == "csv":
        heading, *rows = list(csv.reader(io.StringIO(out.getvalue())))
        assert heading == [*COLUMNS, *filter(None, further.split(","))]
        assert {len(row) for row in rows} == {len(heading)}
        assert not [cell for row in rows for cell in row if cell[:1] in set("=+-@\t\r")]
        values = [cell for row in rows for cell in row]
    else:
        rows = [json.loads(line) for line in out.getvalue().splitlines()]
        values = [text for row in rows for text in texts_in(row)]
    assert len(rows) == written
    for value in values:
        assert hidden_in(value) == []
        # Several values of one contact are joined there.
        assert further or len(value) <= LONGEST_DETAIL


async def test_no_line_of_the_log_shows_anything_hidden_or_of_a_contact(
    client: Client, company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="smoc_mcp")
    await answers(client, company)
    for text in HOSTILE_TEXTS:
        await client.call_tool("contacts_stats", {"group_by": text})
    own = [r.getMessage() for r in caplog.records if r.name.startswith("smoc_mcp")]
    assert own
    for message in own:
        assert hidden_in(message) == []
        assert KEY not in message


MASKED = Views(ZoneInfo("UTC"), Boundary(frozenset({"email", "phone", "name"})))


@pytest.fixture(scope="module")
def private() -> Company:
    """Return a company whose contacts write their own address and number into every field."""
    company = Company("Private", seed=6, size=0)
    for n in range(60):
        email, phone = f"person.number{n}@private{n}.example", f"+47 412 {n:02} 987"
        said = f"reach me: {email}, or {phone}!"
        person = {"id": str(n), "firstName": f"First{n}", "lastName": f"Last{n}", "email": email}
        company.add(
            firstName=f"Given{n}",
            lastName=f"Family{n}",
            email=email,
            msisdn=phone,
            company=said,
            city=said,
            street=said,
            state=said,
            zip=said,
            status="1",
            inviterUser=person,
            usersReferred=[person],
            rewardFlows=[{"id": "1", "title": said}],
            promosPresented=[{"id": "1", "title": said}],
            promosRedeemed=[{"id": "1", "title": said}],
            answeredSurveyQuestions=[{"question": said, "answer": said, "questionId": "q"}],
            referralLinks=[{"key": "k", "campaignName": said, "url": f"https://x/?m={email}"}],
            textFields=[{"key": said, "value": said, "flowName": said}],
            visitList=[
                {
                    **dict.fromkeys(("browser", "os", "deviceType", "country", "region"), said),
                    **dict.fromkeys(("city", "utmSource", "utmMedium", "utmCampaign"), said),
                    "landingPage": f"https://x.example/?mail={email.replace('@', '%40')}",
                    "referrer": said,
                    "ip": "10.9.8.7",
                    "userAgent": f"Agent {email}",
                }
            ],
        )
    return company


async def test_what_is_masked_leaves_nowhere(private: Company) -> None:
    secrets = [
        re.compile(pattern, re.IGNORECASE)
        for pattern in (
            r"person\.number",
            r"412.?.?\d\d.?.?987",
            r"Given\d|Family\d|First\d|Last\d",
            r"10\.9\.8\.7",
        )
    ]

    def check(text: str) -> None:
        for secret in secrets:
            assert not secret.search(text), secret.search(text)

    with run_in_thread(Sandbox(keys={KEY: private})) as url:
        async with memory_server(url, views=MASKED) as client:
            asked = [
                *(it for it in EVERYTHING if it[0] != "contacts_find_by_email"),
                ("contacts_search", {"query": "given1"}),
                ("contacts_search", {"query": "reach"}),
                ("contacts_find_by_email", {"email": "person.number1@private1.example"}),
                ("contacts_find_by_email", {"email": "person.number1@other.example"}),
                ("contacts_find_by_email", {"email": "given1.family1@other.example"}),
            ]
            ids = [c["id"] for c in private.contacts()]
            asked += [("contacts_get", {"contact_id": i, "include": "all"}) for i in ids[:5]]
            asked += [("contacts_get", {"contact_id": i}) for i in ids[:5]]
            for tool, arguments in asked:
                answer = await client.call_tool(tool, arguments)
                assert not answer.is_error
                check(text_of(answer))
                check(json.dumps(answer.structured_content, ensure_ascii=False))
            read = await client.read_resource(f"smoc://contacts/{ids[0]}")
            check(str(read.contents))
            for prompt, argument in (
                ("contact_brief", "contact"),
                ("campaign_report", "campaign"),
            ):
                found = await client.complete(
                    PromptReference(type="ref/prompt", name=prompt),
                    {"name": argument, "value": ""},
                )
                assert found.completion.values
                check(str(found.completion.values))
        for form in ("csv", "jsonl"):
            out = io.StringIO()
            async with (
                SmocClient(url, SecretStr(KEY), 20) as api,
                ContactDirectory(api) as directory,
            ):
                for further in ("", *FURTHER):
                    columns = parse_columns(further)
                    await export(directory, EVERYBODY, MASKED, form, out, columns)
            assert out.getvalue().count("\n") >= 60
            check(out.getvalue())
