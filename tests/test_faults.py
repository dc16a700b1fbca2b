"""The whole server while the API fails: each call is answered in time, and the next one works."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp_types import CallToolResult
from pydantic import SecretStr

from smoc_mcp.api.client import SmocClient
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.sandbox import FAULT_KINDS, Company, Fault, Sandbox, run_in_thread
from tests.serving import KEY, ask, open_client, text_of, until
from tests.test_client import NEXT_STEP, UPSTREAM

pytestmark = pytest.mark.anyio

CALLS = {
    "contacts_list": {},
    "contacts_search": {"query": "anna"},
    "contacts_find_by_email": {"email": "nobody@example.com"},
    "contacts_get": {"contact_id": "665a1b2c3d4e5f6789012345"},
    "contacts_stats": {"group_by": "status"},
    "contacts_changes": {},
    "contacts_duplicates": {},
    "contacts_dashboard": {},
}
LARGE = "key-of-a-company-that-no-window-holds"
ANSWERED = {"odd_contacts"}
"""Faults that are no failure: what can be read is the answer."""
PASSING = {"rate_limited", "server_error", "bad_gateway", "cut_off", "dropped", "not_json"}
"""Faults that a second request mends."""


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[Sandbox, str]]:
    small = Company("Small", seed=8, size=120, hostile=0)
    large = Company("Large", seed=8, size=1_500, hostile=0)
    sandbox = Sandbox({KEY: small, LARGE: large})
    with run_in_thread(sandbox) as url:
        yield sandbox, url


@pytest.fixture
def url(started: tuple[Sandbox, str]) -> str:
    return started[1]


@pytest.fixture
def sandbox(started: tuple[Sandbox, str]) -> Sandbox:
    sandbox = started[0]
    sandbox.recover()
    sandbox.forget_requests()
    return sandbox


@asynccontextmanager
async def server(url: str, seconds: float = 20.0, key: str = KEY) -> AsyncIterator[Client]:
    """Open a server in this process for which nothing is live but what comes while it waits."""
    async with (
        SmocClient(url, SecretStr(key), seconds) as api,
        ContactDirectory(api, cache_seconds=0, timeout_seconds=seconds) as directory,
        open_client(directory) as client,
    ):
        yield client


def lasting(kind: str) -> Fault:
    return Fault.from_json({"kind": kind, "times": None, "seconds": 30, "megabytes": 1_000})


def check_failure(answer: CallToolResult) -> None:
    """Check that it is an error that says what to do next, and nothing that is not ours."""
    said = text_of(answer)
    assert answer.is_error, said
    assert len(said) <= 2_000
    assert NEXT_STEP.search(said), said
    assert not UPSTREAM.search(said), said
    assert not re.search("pydantic|Traceback|httpx|Error executing", said), said
    assert KEY not in said
    assert "\n" not in said
    assert answer.structured_content is None


# Every fault, through the server.


@pytest.mark.parametrize("kind", [kind for kind in FAULT_KINDS if kind not in ANSWERED])
async def test_a_fault_that_lasts_is_an_error_and_the_next_call_works(
    sandbox: Sandbox, url: str, kind: str
) -> None:
    async with server(url, seconds=0.6) as client:
        sandbox.fail(lasting(kind))
        with anyio.fail_after(3):
            check_failure(await client.call_tool("contacts_list", {}))
        sandbox.recover()
        assert len((await ask(client, "contacts_list"))["contacts"]) == 20


@pytest.mark.parametrize("kind", sorted(PASSING | ANSWERED))
async def test_a_fault_that_passes_is_not_seen(sandbox: Sandbox, url: str, kind: str) -> None:
    async with server(url) as client:
        sandbox.fail(Fault.from_json({"kind": kind}))
        with anyio.fail_after(20):
            assert len((await ask(client, "contacts_list"))["contacts"]) == 20


@pytest.mark.parametrize("tool", CALLS)
async def test_every_tool_says_that_the_key_is_wrong(sandbox: Sandbox, url: str, tool: str) -> None:
    sandbox.fail(lasting("unauthorized"))
    async with server(url) as client:
        answer = await client.call_tool(tool, CALLS[tool])
    check_failure(answer)
    assert "SMOC_API_KEY" in text_of(answer)


@pytest.mark.parametrize("tool", CALLS)
async def test_every_tool_answers_in_time_where_the_api_does_not(
    sandbox: Sandbox, url: str, tool: str
) -> None:
    sandbox.fail(lasting("slow"))
    async with server(url, seconds=0.4) as client:
        with anyio.fail_after(1.5):
            answer = await client.call_tool(tool, CALLS[tool])
    check_failure(answer)
    assert "did not answer within" in text_of(answer)


async def test_a_window_that_a_question_does_not_need_may_fail(sandbox: Sandbox, url: str) -> None:
    sandbox.fail(Fault("server_error", times=None, sort="natural"))
    async with server(url, key=LARGE) as client:
        assert (await ask(client, "contacts_list"))["certainty"] == "exact"


# A failure after a success: what is in hand is the answer, and says so.


def check_remembered(answer: dict[str, Any]) -> None:
    """Check that an answer claims no proof, and says why and what to do next."""
    said = answer["note"]
    assert answer["certainty"] != "exact"
    assert "and this was known at" in said
    assert NEXT_STEP.search(said), said
    assert not UPSTREAM.search(said), said


@pytest.mark.parametrize("kind", ["dropped", "slow", "html", "wrong_shape"])
async def test_what_is_in_hand_is_the_answer_while_the_api_fails(
    sandbox: Sandbox, url: str, kind: str
) -> None:
    async with server(url, seconds=0.6) as client:
        before = await ask(client, "contacts_list")
        sandbox.fail(lasting(kind))
        with anyio.fail_after(3):
            during = await ask(client, "contacts_list")
        sandbox.recover()
        after = await ask(client, "contacts_list")
    check_remembered(during)
    shown = [[contact["id"] for contact in page["contacts"]] for page in (before, during, after)]
    assert shown[0] == shown[1] == shown[2]
    assert after["certainty"] == "exact"


@pytest.mark.parametrize("kind", ["unauthorized", "forbidden"])
async def test_whom_the_api_refuses_gets_nothing_that_is_in_hand(
    sandbox: Sandbox, url: str, kind: str
) -> None:
    async with server(url) as client:
        await ask(client, "contacts_list")
        sandbox.fail(lasting(kind))
        check_failure(await client.call_tool("contacts_list", {}))


@pytest.mark.parametrize("sort", ["natural", "lastConversationDate"])
async def test_a_window_that_a_question_needs_and_lacks_costs_the_proof(
    sandbox: Sandbox, url: str, sort: str
) -> None:
    sandbox.fail(Fault("html", times=None, sort=sort))
    async with server(url, key=LARGE) as client:
        check_remembered(await ask(client, "contacts_search", query="anna"))


async def test_calls_at_once_each_get_the_error_of_the_request_that_they_share(
    sandbox: Sandbox, url: str
) -> None:
    sandbox.fail(lasting("forbidden"))
    async with server(url) as client:
        for answer in await together(10, lambda: client.call_tool("contacts_list", {})):
            check_failure(answer)
    assert len(sandbox.requests) == 1


# Questions share requests, and leave them.


async def together(
    count: int, call: Callable[[], Awaitable[CallToolResult]]
) -> list[CallToolResult]:
    """Return the answers to as many equal calls at once."""
    answers: list[CallToolResult] = []

    async def one() -> None:
        answers.append(await call())

    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(one)
    return answers


async def test_ten_equal_lists_at_once_cost_one_request(sandbox: Sandbox, url: str) -> None:
    async with server(url, key=LARGE) as client:
        answers = await together(10, lambda: client.call_tool("contacts_list", {}))
    assert len(sandbox.requests) == 1
    shown = {json.dumps((a.structured_content or {})["contacts"]) for a in answers}
    assert len(shown) == 1


@pytest.mark.parametrize("present", [True, False])
async def test_ten_equal_looks_for_an_address_cost_four_requests_at_most(
    sandbox: Sandbox, url: str, *, present: bool
) -> None:
    newest = sandbox.company("Large").page("createdAt", 50)
    address = next(str(c["email"]) for c in newest if "@" in str(c.get("email")))
    email = address if present else "nobody@example.com"
    async with server(url, key=LARGE) as client:
        answers = await together(
            10, lambda: client.call_tool("contacts_find_by_email", {"email": email})
        )
    assert len(sandbox.requests) <= 4
    for answer in answers:
        assert bool((answer.structured_content or {})["matches"]) is present


async def test_a_question_that_nobody_waits_for_is_cancelled_upstream(
    sandbox: Sandbox, url: str
) -> None:
    sandbox.fail(Fault("slow", seconds=30))
    async with server(url) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "contacts_list", {})
            await until(lambda: len(sandbox.requests) == 1)
            tasks.cancel_scope.cancel()
        await until(lambda: sandbox.requests[0].abandoned)
        assert len((await ask(client, "contacts_list"))["contacts"]) == 20


async def test_one_who_leaves_does_not_take_the_answer_from_another(
    sandbox: Sandbox, url: str
) -> None:
    sandbox.fail(Fault("slow", seconds=1))
    answers: list[CallToolResult] = []
    async with server(url) as client, anyio.create_task_group() as tasks:
        leaves = anyio.CancelScope()

        async def leave() -> None:
            with leaves:
                await client.call_tool("contacts_list", {})

        async def stay() -> None:
            answers.append(await client.call_tool("contacts_list", {}))

        tasks.start_soon(leave)
        await until(lambda: len(sandbox.requests) == 1)
        tasks.start_soon(stay)
        await anyio.wait_all_tasks_blocked()
        leaves.cancel()
    assert [answer.is_error for answer in answers] == [False]
    assert [request.abandoned for request in sandbox.requests] == [False]


async def test_when_the_last_of_several_leaves_the_request_is_cancelled(
    sandbox: Sandbox, url: str
) -> None:
    sandbox.fail(lasting("slow"))
    async with server(url) as client:
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(client.call_tool, "contacts_list", {})
            await until(lambda: len(sandbox.requests) == 1)
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        await until(lambda: sandbox.requests[0].abandoned)
    assert len(sandbox.requests) == 1


async def test_a_server_that_closes_leaves_no_request_behind(sandbox: Sandbox, url: str) -> None:
    sandbox.fail(lasting("slow"))
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, server(url) as client:
            tasks.start_soon(client.call_tool, "contacts_stats", {"group_by": "city"})
            await until(lambda: len(sandbox.requests) > 0)
            tasks.cancel_scope.cancel()
    await until(lambda: all(request.abandoned for request in sandbox.requests))
