"""Who stands at the door of the HTTP server: strangers keep nobody out, and cost SMOC nothing."""

import json
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest
from anyio import to_thread

from smoc_mcp.errors import AccessError
from smoc_mcp.http import tokens
from smoc_mcp.http.tokens import TokenVerifier
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.store.store import ContactStore
from tests.hosting import AUDIENCE, Served, http_client, http_server, issuer, post
from tests.serving import ask, until

pytestmark = pytest.mark.anyio

KEY, OTHER = "key-of-one", "key-of-another"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(keys={KEY: Company("One", size=30), OTHER: Company("Another", size=20)})


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[str]:
    with run_in_thread(sandbox) as url:
        yield url


@pytest.fixture
def served(api: str) -> Iterator[Served]:
    with http_server(api, SMOC_MCP_MAX_COMPANIES="4") as made:
        yield made


@contextmanager
def head_without_a_body(url: str, key: str) -> Iterator[None]:
    """Hold a connection on which a head came that promises a body."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
        connection.sendall(
            f"POST /mcp HTTP/1.1\r\nHost: {parts.netloc}\r\nX-SMOC-Token: {key}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n".encode()
        )
        yield


@contextmanager
def whole_request(url: str, key: str) -> Iterator[None]:
    """Hold a connection on which a whole call came, and nobody reads the answer."""
    parts = urlsplit(url)
    call = {"name": "contacts_stats", "arguments": {}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    body = json.dumps(message).encode()
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
        connection.sendall(
            f"POST /mcp HTTP/1.1\r\nHost: {parts.netloc}\r\nX-SMOC-Token: {key}\r\n"
            "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        yield


async def test_requests_that_never_end_keep_no_company_out(served: Served) -> None:
    with ExitStack() as held:
        for n in range(20):
            held.enter_context(head_without_a_body(served.url, f"made-up-{n}"))
        for key in (KEY, OTHER):
            async with http_client(served.url, x_smoc_token=key) as client:
                assert (await ask(client, "contacts_stats"))["total"] > 0


async def test_made_up_keys_push_no_company_out_that_smoc_has_accepted(
    served: Served, sandbox: Sandbox
) -> None:
    async with http_client(served.url, x_smoc_token=KEY) as client:
        await ask(client, "contacts_list")
        before = len(sandbox.requests)
        for n in range(12):
            post(served.url, x_smoc_token=f"made-up-{n}")
        assert len(sandbox.requests) <= before + 12
        # Still in hand: nothing of it is fetched again within the cache time.
        after = len(sandbox.requests)
        await ask(client, "contacts_list")
        assert len(sandbox.requests) == after


async def test_a_stranger_who_is_being_answered_keeps_no_company_out_of_a_full_house(
    sandbox: Sandbox, served: Served
) -> None:
    more = [f"key-of-company-{n}" for n in range(3)]
    for key in more:
        sandbox.keys[key] = Company(key, size=5)
    for key in (KEY, *more[:2]):
        assert post(served.url, x_smoc_token=key).status_code == 200
    sandbox.latency = 2.0
    asked = len(sandbox.requests)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(to_thread.run_sync, post_with, served.url, "made-up-key")
        await asked_by(sandbox, asked + 1)
        assert await to_thread.run_sync(status_of, served.url, more[2]) == 200


async def test_a_company_that_smoc_has_accepted_takes_the_room_of_a_stranger_being_answered(
    sandbox: Sandbox, served: Served
) -> None:
    others = [f"key-of-company-{n}" for n in range(4)]
    for key in others:
        sandbox.keys[key] = Company(key, size=5)
    # The first is pushed out by those that come after it.
    for key in (KEY, *others):
        assert post(served.url, x_smoc_token=key).status_code == 200
    sandbox.latency = 2.0
    found: list[int] = []

    async def stranger(key: str) -> None:
        found.append(await to_thread.run_sync(status_of, served.url, key))

    async with anyio.create_task_group() as tasks:
        asked = len(sandbox.requests)
        for n in range(2):
            tasks.start_soon(stranger, f"made-up-key-{n}")
        await asked_by(sandbox, asked + 2)
        assert await to_thread.run_sync(status_of, served.url, KEY) == 200
    assert sorted(found) == [200, 503]
    assert not [line for line in served.log if "Traceback" in line or "ERROR" in line]


async def asked_by(sandbox: Sandbox, requests: int) -> None:
    """Wait until so many requests have come to SMOC."""
    await until(lambda: len(sandbox.requests) >= requests)


def status_of(url: str, key: str) -> int:
    return post(url, x_smoc_token=key).status_code


async def test_a_refused_key_costs_smoc_one_request_a_minute(
    served: Served, sandbox: Sandbox
) -> None:
    first, *others = [post(served.url, x_smoc_token="made-up") for _ in range(5)]
    assert "refused the key" in first.text
    assert [answer.status_code for answer in others] == [401] * 4
    assert all("less than a minute ago" in answer.text for answer in others)
    assert len(sandbox.requests) == 1


async def test_an_address_of_many_refused_keys_is_slowed_down_and_known_keys_are_not(
    served: Served,
) -> None:
    async with http_client(served.url, x_smoc_token=KEY) as client:
        await ask(client, "contacts_stats")
        answers = [post(served.url, x_smoc_token=f"made-up-{n}") for n in range(30)]
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["retry-after"]) <= 61
        assert sum(answer.status_code == 200 for answer in answers) == 20
        assert (await ask(client, "contacts_stats"))["total"] == 30


async def test_a_key_that_smoc_has_accepted_passes_though_nothing_is_cached(api: str) -> None:
    with http_server(api, SMOC_MCP_CACHE_SECONDS="0", SMOC_MCP_MAX_COMPANIES="2") as served:
        # Its company is dropped for the others', and it is known all the same.
        assert post(served.url, x_smoc_token=KEY).status_code == 200
        for n in range(25):
            post(served.url, x_smoc_token=f"made-up-{n}")
        assert post(served.url, x_smoc_token=f"made-up-{n + 1}").status_code == 429
        assert post(served.url, x_smoc_token=KEY).status_code == 200


def test_nobody_comes_from_where_a_header_says(served: Served) -> None:
    for n in range(25):
        post(served.url, x_smoc_token=f"made-up-{n}")
    last = post(served.url, x_smoc_token="made-up", x_forwarded_for="203.0.113.9")
    assert last.status_code == 429


@pytest.mark.parametrize("name", ["X-SMOC-Token", "Authorization", "Origin", "Host"])
def test_a_header_that_comes_twice_is_refused(served: Served, name: str) -> None:
    parts = urlsplit(served.url)
    own = {
        "Host": parts.netloc,
        "X-SMOC-Token": KEY,
        "Authorization": "Bearer a",
        "Origin": served.url,
    }
    twice = f"{name}: {own[name]}\r\n"
    kept = "".join(f"{n}: {v}\r\n" for n, v in own.items() if n in ("Host", "X-SMOC-Token", name))
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"})
    request = (
        f"POST /mcp HTTP/1.1\r\n{kept}{twice}Content-Type: application/json\r\n"
        f"Accept: application/json, text/event-stream\r\nContent-Length: {len(body)}\r\n"
        f"Connection: close\r\n\r\n{body}"
    )
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
        connection.sendall(request.encode())
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_the_host_header_forges_no_line_of_the_log(api: str) -> None:
    with http_server(api, SMOC_MCP_LOG_LEVEL="DEBUG") as made:
        parts = urlsplit(made.url)
        with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
            connection.sendall(
                b"POST /mcp HTTP/1.1\r\nHost: evil\x85FORGED\x9b31m\r\nContent-Length: 0\r\n"
                b"Connection: close\r\n\r\n"
            )
            while connection.recv(65_536):
                pass
    told = "".join(made.log)
    assert "\x85" not in told
    assert "\x9b" not in told


async def test_no_contact_is_in_the_log_at_debug(api: str) -> None:
    with http_server(api, SMOC_MCP_LOG_LEVEL="DEBUG") as made:
        for mode in ("auto", "legacy"):
            async with http_client(made.url, mode, x_smoc_token=KEY) as client:
                page = await ask(client, "contacts_list", limit=5)
    told = "".join(made.log)
    for contact in page["contacts"]:
        assert contact["id"] not in told
    assert KEY not in told


@pytest.fixture
def no_value_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_FRESH_SECONDS", -1)
    monkeypatch.setattr(tokens, "_LEAST_SECONDS", -1)


@pytest.mark.usefixtures("no_value_is_fresh")
async def test_while_the_issuer_is_down_known_keys_open_the_door_and_others_are_told_to_wait() -> (
    None
):
    with issuer() as it:
        verifier = TokenVerifier(it.url, AUDIENCE)
        token = it.token()
        await verifier.claims(token)
        it.is_down = True
        before = it.requests
        for _ in range(10):
            assert (await verifier.claims(token))["sub"] == "somebody"
        # It is asked less and less often.
        assert it.requests - before <= 4
        it.rotate("second")
        with pytest.raises(AccessError) as refused:
            await verifier.claims(it.token())
    assert refused.value.status == 503


@pytest.mark.parametrize(
    "instead",
    [
        {"/.well-known/openid-configuration": {"issuer": 5}},
        {"/.well-known/openid-configuration": ["issuer"]},
        {"/jwks": [1, 2]},
        {"/jwks": {"keys": 5}},
        {"/jwks": "keys"},
        {"/jwks": b"[" * 20_000 + b"]" * 20_000},
        {"/.well-known/openid-configuration": b'{"issuer": ' + b"[" * 20_000},
        {"/jwks": b"[" * 100_000},
    ],
    ids=range(8),
)
async def test_an_issuer_that_says_odd_things_is_one_that_cannot_be_asked(
    instead: dict[str, object],
) -> None:
    with issuer() as it:
        it.instead = instead
        with pytest.raises(AccessError) as refused:
            await TokenVerifier(it.url, AUDIENCE).claims(it.token())
    assert refused.value.status == 503


@pytest.mark.parametrize("address", ["http://a\0b/jwks", "http://[", "file:///etc/passwd", 5])
async def test_an_issuer_whose_keys_are_at_no_address_is_one_that_cannot_be_asked(
    address: object,
) -> None:
    with issuer() as it:
        it.instead = {"/.well-known/openid-configuration": {"issuer": it.url, "jwks_uri": address}}
        with pytest.raises(AccessError) as refused:
            await TokenVerifier(it.url, AUDIENCE).claims(it.token())
    assert refused.value.status == 503


@pytest.mark.usefixtures("no_value_is_fresh")
async def test_while_the_issuer_does_not_answer_nobody_whose_key_is_known_waits() -> None:
    with issuer() as it:
        verifier = TokenVerifier(it.url, AUDIENCE)
        token = it.token()
        await verifier.claims(token)
        before = it.requests
        it.answers.clear()
        with anyio.fail_after(2):
            for _ in range(10):
                await verifier.claims(token)
            # It is being asked meanwhile, once.
            await until(lambda: it.requests > before)
        assert it.requests == before + 1
        it.answers.set()


@pytest.mark.parametrize(
    "claims", [{"sub": ""}, {"sub": " "}, {"exp": "99999999999"}, {"exp": 10**30}]
)
async def test_a_token_of_nobody_or_without_an_end_is_not_valid(claims: dict[str, Any]) -> None:
    with issuer() as it, pytest.raises(AccessError) as refused:
        await TokenVerifier(it.url, AUDIENCE).claims(it.token(**claims))
    assert refused.value.status == 401


async def test_a_slow_opening_of_one_store_keeps_nobody_waiting(api: str, tmp_path: Path) -> None:
    path = tmp_path / "store"
    ContactStore(path).close()
    with http_server(api, SMOC_MCP_STORE=str(path)) as made:
        async with http_client(made.url, x_smoc_token=KEY) as client:
            await ask(client, "contacts_stats")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            async with anyio.create_task_group() as tasks:
                for n in range(4):
                    tasks.start_soon(to_thread.run_sync, post_with, made.url, f"new-key-{n}")
                await anyio.sleep(0.2)
                began = time.monotonic()
                with httpx2.Client() as http:
                    assert http.get(f"{made.url}/healthz").status_code == 200
                waited = time.monotonic() - began
            other.execute("ROLLBACK")
    # Each of them waits for four seconds; the answer on its health does not wait for any.
    assert waited < 2


async def test_openings_take_no_thread_that_others_need(api: str, tmp_path: Path) -> None:
    path = tmp_path / "store"
    ContactStore(path).close()
    with http_server(api, SMOC_MCP_STORE=str(path)) as made:
        assert status_of(made.url, KEY) == 200
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            # The windows that the company's first question makes it fetch are written by then.
            await until(lambda: windows_taken_in(other) >= 5)
            other.execute("BEGIN IMMEDIATE")
            with ExitStack() as strangers:
                # More than the threads that answers share, and all wait for the file.
                for n in range(45):
                    strangers.enter_context(whole_request(made.url, f"new-key-{n}"))
                began = time.monotonic()
                assert status_of(made.url, KEY) == 200
                waited = time.monotonic() - began
            other.execute("ROLLBACK")
    assert waited < 2


def windows_taken_in(store: sqlite3.Connection) -> int:
    found: int = store.execute("SELECT max(tick) FROM companies").fetchone()[0]
    return found


def post_with(url: str, key: str) -> None:
    post(url, x_smoc_token=key)
