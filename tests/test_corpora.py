"""Other people's attacks: two published corpora, put through the boundary and the real server.

The cases of mcp-defense-bench are for defences that recognise an attack; this server recognises
none, and promises instead that whatever a stranger typed stays one visible value in its place.
The fixtures of mcp-adversarial come in as arguments too.
"""

import re
import unicodedata
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp_adversarial.runner import load_fixtures
from mcp_defense_bench import Bench

from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.text.cleaning import clean
from tests.hidden import hidden_in
from tests.serving import KEY, memory_server, text_of

pytestmark = pytest.mark.anyio

TAKEN = {
    *("command-injection", "credential-token-theft", "cross-tool-exfiltration"),
    *("false-error-escalation", "indirect-retrieval-injection", "list-cache-poisoning"),
    *("mcp-app-sandbox-bypass", "mrtr-input-phishing", "multi-tool-split-poisoning"),
    *("out-of-scope-params", "response-injection", "roots-scope-gap", "rug-pull"),
    *("sandbox-escape", "schema-bypass", "system-prompt-leakage", "tool-poisoning"),
    *("tool-shadowing", "tool-transfer"),
}
"""Categories with a text that a stranger could type into a form as well."""

LEFT_OUT = {
    "config-drift": "a client's configuration changes; nobody types it",
    "consent-fatigue": "a client asks its user for consent; this server asks for nothing",
    "delegation-audience-confusion": "tokens between gateways; ours are never passed on",
    "delegation-chain-laundering": "tokens between gateways; ours are never passed on",
    "delegation-signature-forgery": "tokens between gateways; ours are never passed on",
    "delegation-stale-relay": "tokens between gateways; ours are never passed on",
    "delegation-subject-mixing": "tokens between gateways; ours are never passed on",
    "dns-rebinding": "Host and Origin over HTTP: tests/test_http.py and the conformance suite",
    "excessive-permission": "OAuth scopes: there is one, contacts:read (tests/test_http.py)",
    "header-body-desync": "HTTP headers: the conformance suite",
    "mid-session-tool-injection": "a tool's annotations change; its texts are harmless",
    "mitm-transport": "TLS, which is a proxy's before this server",
    "package-squatting": "a name in a registry",
    "requeststate-forgery": "state between requests, which no tool of this server has",
    "server-impersonation": "a server's identity, which is the client's to check",
    "supply-chain-poisoning": "an artifact's signature in a registry",
    "task-authz-bypass": "tasks, which this server does not offer",
    "transport-downgrade": "HTTP sessions, which a stateless server has none of",
}
"""Categories without one, and what they are about instead."""

_PROSE = {"text", "description", "html", "message", "systemPrompt"}
_DETAIL, _CELL = 500, 80


def strings(value: object) -> Iterator[str]:
    """Yield every text of a structure, keys and values."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


def payloads(value: object) -> Iterator[str]:
    """Yield what a reader or a tool is made to take of a case: its prose and its arguments."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "arguments":
                yield from strings(list(inner.values()))
            elif name in _PROSE and isinstance(inner, str):
                yield inner
            else:
                yield from payloads(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from payloads(inner)


def leaves(value: object) -> Iterator[str]:
    """Yield the texts of a structure without its keys."""
    inside = value.values() if isinstance(value, dict) else value
    if isinstance(inside, str):
        if inside.strip():  # An empty text is no field of an answer.
            yield inside
    elif not isinstance(inside, int | float | None):
        for inner in inside:  # type: ignore[attr-defined]
            yield from leaves(inner)


_BENCH = Bench.vendored_snapshot()
CASES = _BENCH.load_cases("dev")
ATTACKS: dict[str, list[str]] = {
    case["id"]: list(dict.fromkeys(payloads(case["fixture"])))
    for case in CASES
    if case["vector"] in TAKEN
}
CALLS: dict[str, dict[str, Any]] = {
    case["id"]: case["fixture"]["call"]["arguments"]
    for case in CASES
    if case["fixture"]["type"] == "tool-call"
}
BENIGN: dict[str, list[str]] = {}
for _case in _BENCH.load_cases("benign"):
    BENIGN.setdefault(_case["kind"], []).extend(strings(_case["fixture"]))
BENIGN_RESULTS = [
    text
    for case in _BENCH.load_cases("benign")
    if case["kind"] == "tool-result"
    for text in payloads(case["fixture"]["result"])
]

FIXTURES: list[dict[str, Any]] = load_fixtures(None)
ADVERSARIAL: dict[str, list[str]] = {}
"""By fixture: the arguments of a generic one, the texts of the plan that one of Terraform reads."""
STRUCTURES: dict[str, object] = {}
"""By fixture: the plan itself, one 1,000 levels deep, another with values of mixed types."""
for _fixture in FIXTURES:
    _files = _fixture.get("setup", {}).get("write_files", {})
    ADVERSARIAL[_fixture["id"]] = list(dict.fromkeys(leaves(_files or _fixture["args"])))
    if _files:
        STRUCTURES[_fixture["id"]] = next(iter(_files.values()))

TYPED = {
    **{f"{name}#{n}": text for name, found in ATTACKS.items() for n, text in enumerate(found)},
    **{f"{name}#{n}": text for name, found in ADVERSARIAL.items() for n, text in enumerate(found)},
    **{f"benign/tool-result#{n}": text for n, text in enumerate(BENIGN_RESULTS)},
}
"""What somebody types into every field of a contact, one text each."""


def shown(text: str) -> str:
    """Return what a reader sees of a text on one line; written here again, without our module."""
    # A terminal takes the letter behind ESC for a part of its command.
    seen = re.sub("\x1b.", "", text)
    kept = "".join(c for c in seen if c == "\n" or unicodedata.category(c)[0] != "C")
    return kept.strip().replace("\n", r"\n")


def check(content: object, text: str) -> None:
    """Fail if an answer shows anything hidden in either form, or the key."""
    for part in [*strings(content), *text.split("\n")]:
        assert hidden_in(part) == []
        assert KEY not in part
    assert not [part for part in strings(content) if "\n" in part]


def test_each_category_of_attacks_is_taken_or_left_out_for_a_reason() -> None:
    assert {case["vector"] for case in CASES} == TAKEN | set(LEFT_OUT)
    assert not TAKEN & set(LEFT_OUT)
    assert all(LEFT_OUT.values())
    assert all(ATTACKS.values())
    assert all(ADVERSARIAL.values())
    assert len(BENIGN_RESULTS) > 20


@pytest.mark.parametrize("case", [*ATTACKS, *ADVERSARIAL])
def test_an_attack_is_one_line_of_what_can_be_seen_of_it(case: str) -> None:
    for text in ATTACKS.get(case) or ADVERSARIAL[case]:
        cleaned = clean(text)
        assert hidden_in(cleaned) == []
        assert len(cleaned.splitlines()) <= 1
        assert cleaned == shown(text)


@pytest.mark.parametrize("kind", BENIGN)
def test_what_is_harmless_comes_out_as_it_went_in(kind: str) -> None:
    assert BENIGN[kind]
    for text in BENIGN[kind]:
        assert clean(text).replace(r"\n", "\n") == text.strip().replace(r"\n", "\n")


@pytest.fixture(scope="module")
def company() -> Company:
    """Return a company of one contact a text, which stands in every field of it."""
    company = Company("Corpora", seed=3, size=0)
    for text in TYPED.values():
        flow = [{"id": "1", "title": text}]
        person = {"id": "1", "firstName": text, "lastName": text, "email": text}
        visit = dict.fromkeys(
            (
                *("browser", "os", "deviceType", "country", "region", "city", "referrer"),
                *("utmSource", "utmMedium", "utmCampaign", "landingPage"),
            ),
            text,
        )
        plain = ("email", "msisdn", "company", "city", "street", "state", "zip")
        company.add(
            1,
            **dict.fromkeys(plain, text),
            firstName=text,
            lastName="Bystander",
            userId=text,
            brandId=text,
            inviterUser=person,
            usersReferred=[person],
            rewardFlows=flow,
            promosPresented=flow,
            promosRedeemed=flow,
            referralLinks=[{"key": text, "campaignName": text, "url": text}],
            answeredSurveyQuestions=[{"question": text, "answer": text, "questionId": text}],
            textFields=[{"key": text, "value": text, "flowName": text}],
            visitList=[visit, visit],
        )
    return company


@pytest.fixture(scope="module")
def url(company: Company) -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


@pytest.fixture(scope="module")
async def client(url: str, engine_of_module: None) -> AsyncIterator[Client]:  # noqa: ARG001
    """The one that all tests ask which change nothing."""
    async with memory_server(url) as opened:
        yield opened


async def pages(
    client: Client, tool: str, **arguments: Any
) -> Iterator[tuple[dict[str, Any], str]]:
    """Return every page of a list, in both forms."""
    found: list[tuple[dict[str, Any], str]] = []
    cursor = ""
    while cursor or not found:
        answer = await client.call_tool(tool, {**arguments, "limit": 100, "cursor": cursor})
        assert not answer.is_error
        assert answer.structured_content is not None
        found.append((answer.structured_content, text_of(answer)))
        cursor = answer.structured_content.get("next_cursor", "")
    return iter(found)


def cells(line: str) -> list[str]:
    return [cell.replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("contacts_list", {}),
        ("contacts_list", {"sort": "updated"}),
        ("contacts_search", {}),
        ("contacts_search", {"query": "bystander"}),
    ],
)
async def test_no_text_forges_a_line_or_a_cell_of_a_table(
    client: Client, company: Company, tool: str, arguments: dict[str, str]
) -> None:
    typed = dict(zip((c["id"] for c in company.contacts()), TYPED.values(), strict=True))
    seen: list[str] = []
    for content, text in await pages(client, tool, **arguments):
        check(content, text)
        contacts = content["contacts"]
        notes = ("note" in content) + ("next_cursor" in content)
        _, heading, *rows = text.split("\n")
        columns = heading.split("|")
        assert len(rows) == len(contacts) + notes
        for contact, row in zip(contacts, rows, strict=False):
            # Cell by cell, both forms say the same: no bar and no line break is a stranger's.
            assert cells(row) == [contact.get(name, "") for name in columns]
            expected = shown(typed[contact["id"]])
            assert contact["company"].startswith(expected[:_CELL])
            assert contact["city"] == contact["company"]
        seen += [contact["id"] for contact in contacts]
    assert sorted(seen) == sorted(str(found) for found in typed)


def labels(value: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield what each line of a contact's text begins with, and what it says."""
    for name, inner in value.items():
        yield f"{name}:", inner
        if isinstance(inner, dict):
            yield from labels(inner)
        elif isinstance(inner, list):
            yield from (("", entry) for entry in inner)


def fields(line: str) -> list[str]:
    """Return the fields of an entry that stands on one line; a value in quotes is one value."""
    return re.sub(r'(?:^|(?<=: ))"(?:[^"\\]|\\.)*"(?=; |$)', '""', line).split("; ")


@pytest.mark.parametrize("include", ["", "all"])
async def test_no_text_forges_a_line_or_a_field_of_a_contact(
    client: Client, company: Company, include: str
) -> None:
    for (name, text), contact in zip(TYPED.items(), company.contacts(), strict=True):
        answer = await client.call_tool(
            "contacts_get", {"contact_id": contact["id"], "include": include}
        )
        content, said = answer.structured_content, text_of(answer)
        assert content is not None, name
        check(content, said)
        expected = shown(text)
        assert content["contact"]["company"].startswith(expected[:_DETAIL]), name
        assert content["contact"]["name"].startswith(expected[: _DETAIL - 20]), name
        body = {k: v for k, v in content["contact"].items() if k not in ("id", "status")}
        notes = ("note" in content) + ("next_cursor" in content)
        expected_lines = list(labels(body))
        lines = [line.strip() for line in said.split("\n")[1:]]
        assert len(lines) == len(expected_lines) + notes, name
        for line, (label, value) in zip(lines, expected_lines, strict=False):
            assert line.startswith(label), name
            if label:
                assert isinstance(value, dict | list) or line == f"{label} {value}", name
            else:
                assert len(fields(line)) == (len(value) if isinstance(value, dict) else 1), line


@pytest.mark.parametrize("case", STRUCTURES)
async def test_a_structure_where_a_text_belongs_loses_no_contact(case: str) -> None:
    company = Company("Nested", seed=3, size=5, hostile=0)
    odd = company.add(
        company=STRUCTURES[case], city=[STRUCTURES[case]], textFields=STRUCTURES[case]
    )
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        async with memory_server(url) as client:
            for tool, arguments in (
                ("contacts_list", {}),
                ("contacts_get", {"contact_id": odd[0], "include": "all"}),
            ):
                answer = await client.call_tool(tool, arguments)
                assert not answer.is_error
                check(answer.structured_content, text_of(answer))
                assert odd[0] in text_of(answer)


def refused(said: str) -> None:
    """Fail unless an error is one clean line of bounded length that ends like a sentence."""
    assert hidden_in(said) == []
    assert "\n" not in said
    assert 0 < len(said) <= 2_000
    assert said.endswith((".", "?"))


async def parameters(client: Client) -> list[tuple[str, str, dict[str, str]]]:
    """Return each text parameter of each tool, with what else its tool needs."""
    filled = {"contact_id": "x", "email": "nobody@example.com"}
    return [
        (tool.name, name, {k: v for k, v in filled.items() if k in tool.input_schema["properties"]})
        for tool in (await client.list_tools()).tools
        for name, schema in tool.input_schema["properties"].items()
        if schema["type"] == "string"
    ]


@pytest.mark.long
@pytest.mark.parametrize("case", ADVERSARIAL)
async def test_a_hostile_argument_gets_a_clean_answer_or_a_clean_sentence(
    client: Client, case: str
) -> None:
    asked = await parameters(client)
    assert len(asked) > 40
    for text in ADVERSARIAL[case]:
        for tool, name, others in asked:
            answer = await client.call_tool(tool, {**others, name: text})
            check(answer.structured_content or {}, text_of(answer))
            if answer.is_error:
                refused(text_of(answer))


@pytest.mark.parametrize(
    "arguments",
    [
        *(pytest.param(given, id=name) for name, given in CALLS.items()),
        *(pytest.param(f["args"], id=f["id"]) for f in FIXTURES),
        *(pytest.param({"query": it}, id=f"{name}-as-query") for name, it in STRUCTURES.items()),
        *(pytest.param({"status": [it]}, id=f"{name}-as-list") for name, it in STRUCTURES.items()),
    ],
)
async def test_arguments_that_no_tool_takes_are_refused_by_all(
    client: Client, arguments: dict[str, Any]
) -> None:
    for tool in (await client.list_tools()).tools:
        answer = await client.call_tool(tool.name, arguments)
        assert answer.is_error
        refused(text_of(answer))


@pytest.mark.parametrize("case", ADVERSARIAL)
async def test_a_hostile_name_of_a_tool_or_a_parameter_is_refused(
    client: Client, case: str
) -> None:
    for text in ADVERSARIAL[case]:
        answer = await client.call_tool("contacts_list", {text: text})
        assert answer.is_error
        refused(text_of(answer))
        with pytest.raises(MCPError) as wrong:
            await client.call_tool(text, {})
        refused(wrong.value.message)


def test_what_the_texts_are_checked_with_would_notice() -> None:
    assert [cells(row) for row in (r"a\|b|c", "a|b|c")] == [["a|b", "c"], ["a", "b", "c"]]
    assert fields('key: "a; b"; value: c') == ['key: ""', "value: c"]
    assert fields("key: a; value: b; value: c") == ["key: a", "value: b", "value: c"]
    assert shown("\x1b[31mA\u202eB\u200b\nC\x07 ") == r"31mAB\nC"
    with pytest.raises(AssertionError):
        check({"name": "A\u200bB"}, "")
    with pytest.raises(AssertionError):
        refused("one\ntwo.")
