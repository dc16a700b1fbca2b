"""The server over HTTP, as a real process: whose contacts, who may ask, and what is refused."""

import asyncio
import base64
import hmac
import json
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.to_thread
import httpx2
import jwt
import pytest

from smoc_mcp.http.serve import listen
from smoc_mcp.sandbox import Company, Fault, Sandbox, run_in_thread
from tests.hosting import AUDIENCE, Issuer, Served, http_client, http_server, issuer, post
from tests.serving import ask, refusal

pytestmark = pytest.mark.anyio

ONE, OTHER, LARGE = "key-of-company-one", "key-of-company-other", "key-of-a-large-one"
SECRET, NEXT_SECRET = "first-secret-of-the-team", "second-secret-of-the-team"


@pytest.fixture(scope="module")
def companies() -> dict[str, Company]:
    return {
        ONE: Company("One", seed=1, size=60, operator_id="1"),
        OTHER: Company("Other", seed=2, size=90, operator_id="2"),
        LARGE: Company("Large", seed=3, size=1_200, operator_id="3"),
    }


@pytest.fixture(scope="module")
def api(companies: dict[str, Company]) -> Iterator[str]:
    with run_in_thread(Sandbox(keys=companies)) as url:
        yield url


@pytest.fixture(scope="module")
def own_key(api: str) -> Iterator[Served]:
    with http_server(api) as served:
        yield served


@pytest.fixture(scope="module")
def token_issuer() -> Iterator[Issuer]:
    with issuer() as it:
        yield it


@pytest.fixture(scope="module")
def team(api: str, token_issuer: Issuer) -> Iterator[Served]:
    with http_server(
        api,
        SMOC_API_KEY=ONE,
        SMOC_MCP_BEARER_TOKENS=f"{SECRET},{NEXT_SECRET}",
        SMOC_MCP_OAUTH_ISSUER=token_issuer.url,
        SMOC_MCP_OAUTH_AUDIENCE=AUDIENCE,
        SMOC_MCP_ALLOWED_HOSTS="mcp.example.com",
        SMOC_MCP_ALLOWED_ORIGINS="https://app.example.com",
    ) as served:
        yield served


def check_of(company: Company, found: dict[str, Any]) -> None:
    assert found["total"] == len(company)
    assert found["contacts"]
    assert {c["id"] for c in found["contacts"]} <= {c["id"] for c in company.contacts()}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_each_request_is_answered_from_the_company_of_its_key(
    own_key: Served, companies: dict[str, Company], mode: Literal["auto", "legacy"]
) -> None:
    for key in (ONE, OTHER, ONE):
        async with http_client(own_key.url, mode, x_smoc_token=key) as client:
            found = await ask(client, "contacts_list", limit=100)
        check_of(companies[key], found)


async def test_companies_that_ask_at_once_never_see_each_other(
    own_key: Served, companies: dict[str, Company]
) -> None:
    async def caller(key: str) -> None:
        async with http_client(own_key.url, x_smoc_token=key) as client:
            for _ in range(4):
                check_of(companies[key], await ask(client, "contacts_list", limit=100))

    async with anyio.create_task_group() as together:
        for n in range(12):
            together.start_soon(caller, (ONE, OTHER)[n % 2])


def test_without_a_key_nobody_is_answered(own_key: Served) -> None:
    answer = post(own_key.url)
    assert answer.status_code == 401
    assert "X-SMOC-Token" in answer.json()["error"]["message"]


@pytest.mark.parametrize("key", ["sk_live_123456", "pk_live_123456", "two words", "Bearer abc"])
def test_a_key_that_cannot_be_one_is_refused_without_a_request(own_key: Served, key: str) -> None:
    answer = post(own_key.url, x_smoc_token=key)
    assert answer.status_code == 401
    assert "Integrations" in answer.json()["error"]["message"]
    assert "SMOC_API_KEY" not in answer.text


def test_a_smoc_key_is_never_taken_from_authorization(own_key: Served) -> None:
    assert post(own_key.url, authorization=f"Bearer {ONE}").status_code == 401


async def test_a_key_that_the_api_refuses_gets_no_contact(own_key: Served) -> None:
    async with http_client(own_key.url, x_smoc_token="not-a-key-of-anybody") as client:
        told = await refusal(client, "contacts_list")
    assert "Integrations" in told
    assert told.endswith("Then send it in X-SMOC-Token.")


async def test_a_key_is_not_trusted_longer_than_the_api_has_accepted_it(
    companies: dict[str, Company], tmp_path: Path
) -> None:
    sandbox = Sandbox(keys=companies)
    store = {"SMOC_MCP_STORE": str(tmp_path / "store"), "SMOC_MCP_CACHE_SECONDS": "0"}
    with run_in_thread(sandbox) as api:
        with http_server(api, **store) as served:
            async with http_client(served.url, x_smoc_token=ONE) as client:
                await ask(client, "contacts_list")
        with http_server(api, **store) as served:
            sandbox.fail(*(Fault("server_error") for _ in range(60)))
            async with http_client(served.url, x_smoc_token=ONE) as client:
                told = await refusal(client, "contacts_list")
    assert "contact" not in told.lower()


async def test_a_cursor_of_one_replica_goes_on_at_another(api: str) -> None:
    with http_server(api) as one, http_server(api) as other:
        seen: list[str] = []
        arguments: dict[str, object] = {"limit": 40}
        for number in range(5):
            url = (one, other)[number % 2].url
            async with http_client(
                url, ("auto", "legacy")[number // 2 % 2], x_smoc_token=LARGE
            ) as client:
                page = await ask(client, "contacts_list", **arguments)
            seen += [c["id"] for c in page["contacts"]]
            arguments["cursor"] = page["next_cursor"]
    assert len(set(seen)) == 200


def refused(answer: httpx2.Response, status: int = 401) -> str:
    assert answer.status_code == status, answer.text
    message: str = answer.json()["error"]["message"]
    assert ONE not in answer.text
    return message


async def test_each_of_several_secrets_opens_the_door(team: Served) -> None:
    for secret in (SECRET, NEXT_SECRET):
        async with http_client(team.url, authorization=f"Bearer {secret}") as client:
            assert (await ask(client, "contacts_stats"))["total"] == 60


async def test_a_file_of_secrets_opens_the_door(api: str, tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    path.write_text(f"{SECRET}\n{NEXT_SECRET}\n")
    with http_server(api, SMOC_API_KEY=ONE, SMOC_MCP_BEARER_TOKENS_FILE=str(path)) as served:
        async with http_client(served.url, authorization=f"Bearer {NEXT_SECRET}") as client:
            assert (await ask(client, "contacts_stats"))["total"] == 60
        assert post(served.url, authorization="Bearer first-secret-of-the-tean").status_code == 401


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", f"Basic {SECRET}", SECRET, f"Bearer {SECRET}x"]
)
def test_a_wrong_secret_is_told_where_to_get_a_token(team: Served, header: str) -> None:
    answer = post(team.url, authorization=header)
    refused(answer)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "oauth-protected-resource/mcp" in answer.headers["www-authenticate"]


def test_a_smoc_key_is_no_secret_of_the_team(team: Served) -> None:
    refused(post(team.url, x_smoc_token=ONE))
    refused(post(team.url, authorization=f"Bearer {ONE}"))


def test_a_good_token_opens_the_door(team: Served, token_issuer: Issuer) -> None:
    for scope in ({}, {"scope": None, "scp": ["contacts:read"]}):
        answer = post(team.url, authorization=f"Bearer {token_issuer.token(**scope)}")
        assert answer.status_code == 200
        assert "60 contacts" in answer.text


@pytest.mark.parametrize(
    ("claims", "status", "why"),
    [
        ({"exp": 1_000_000_000}, 401, "expired"),
        ({"exp": None}, 401, "not valid"),
        ({"aud": "https://another.example.com"}, 401, "another server"),
        ({"aud": None}, 401, "not valid"),
        ({"iss": "https://evil.example"}, 401, "another issuer"),
        ({"sub": None}, 401, "not valid"),
        ({"nbf": 4_000_000_000}, 401, "not valid"),
        ({"scope": "openid"}, 403, "contacts:read"),
        ({"scope": None}, 403, "contacts:read"),
    ],
)
def test_a_token_that_is_not_for_us_is_refused(
    team: Served, token_issuer: Issuer, claims: dict[str, object], status: int, why: str
) -> None:
    answer = post(team.url, authorization=f"Bearer {token_issuer.token(**claims)}")
    assert why in refused(answer, status)
    code = "insufficient_scope" if status == 403 else "invalid_token"
    assert f'error="{code}"' in answer.headers["www-authenticate"]


def test_a_token_that_nobody_signed_is_refused(team: Served, token_issuer: Issuer) -> None:
    good = jwt.decode(token_issuer.token(), options={"verify_signature": False})
    public = json.dumps(token_issuer.jwks()["keys"][0])
    for forged in (
        unsigned({"alg": "none", "kid": token_issuer.kid}, good, b""),
        unsigned({"alg": "HS256", "kid": token_issuer.kid}, good, public.encode()),
        Issuer().token(iss=token_issuer.url),
        token_issuer.token()[:-6] + "AAAAAA",
        "a.b.c",
    ):
        refused(post(team.url, authorization=f"Bearer {forged}"))


def unsigned(header: dict[str, str], claims: dict[str, Any], secret: bytes) -> str:
    """Return a token without a signature, or with that of whoever knows a public key."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(it).encode()).rstrip(b"=") for it in (header, claims)
    ]
    signature = hmac.digest(secret, b".".join(parts), "sha256") if secret else b""
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def test_keys_that_the_issuer_has_replaced_are_fetched_once(api: str) -> None:
    with issuer() as it:
        env = {"SMOC_MCP_OAUTH_ISSUER": it.url, "SMOC_MCP_OAUTH_AUDIENCE": AUDIENCE}
        with http_server(api, SMOC_API_KEY=ONE, **env) as served:
            for _ in range(5):
                assert post(served.url, authorization=f"Bearer {it.token()}").status_code == 200
            asked = it.requests
            it.rotate("second")
            # Within the minute after the last look it is not asked again, whoever forges key ids.
            for _ in range(5):
                refused(post(served.url, authorization=f"Bearer {it.token()}"))
            assert it.requests == asked


def test_the_metadata_say_who_issues_tokens(team: Served, token_issuer: Issuer) -> None:
    for path in ("", "/mcp"):
        url = f"{team.url}/.well-known/oauth-protected-resource{path}"
        found = httpx2.get(url).json()
        assert found["resource"] == AUDIENCE
        assert found["authorization_servers"] == [token_issuer.url]
        assert found["scopes_supported"] == ["contacts:read"]


@pytest.mark.parametrize(
    ("env", "arguments", "named"),
    [
        ({"SMOC_API_KEY": ONE}, [], "SMOC_MCP_BEARER_TOKENS"),
        ({"SMOC_API_KEY": ONE}, ["--allow-unauthenticated", "--host", "192.0.2.1"], "loopback"),
        ({"SMOC_API_KEY": ONE, "SMOC_MCP_BEARER_TOKENS": "short"}, [], "16"),
        ({"SMOC_API_KEY": ONE, "SMOC_MCP_OAUTH_ISSUER": "https://x.example"}, [], "AUDIENCE"),
        ({"SMOC_API_KEY": ONE, "SMOC_MCP_OAUTH_ISSUER": "http://x.example"}, [], "https://"),
        ({"SMOC_MCP_BEARER_TOKENS": SECRET}, [], "SMOC_API_KEY"),
        ({}, ["--allow-unauthenticated"], "SMOC_API_KEY"),
        ({"SMOC_MCP_CALLS_PER_MINUTE": "0"}, [], "SMOC_MCP_CALLS_PER_MINUTE"),
        ({"SMOC_API_KEY": "sk_123"}, [], "Clerk"),
    ],
)
def test_a_server_that_could_not_tell_its_callers_apart_does_not_start(
    env: dict[str, str], arguments: list[str], named: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "smoc_mcp", "http", "--port", "0", *arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert named in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert ONE not in done.stderr


async def test_on_loopback_everybody_may_ask_if_that_is_asked_for(api: str) -> None:
    with http_server(api, "--allow-unauthenticated", SMOC_API_KEY=ONE) as served:
        async with http_client(served.url) as client:
            assert (await ask(client, "contacts_stats"))["total"] == 60


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example:80"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"host": "mcp.example.com"}, 200),
        ({"origin": "https://app.example.com"}, 200),
    ],
)
def test_a_host_or_origin_of_somebody_else_is_refused(
    team: Served, headers: dict[str, str], status: int
) -> None:
    answer = post(team.url, None, authorization=f"Bearer {SECRET}", **headers)
    assert answer.status_code == status
    if status != 200:
        setting = "ALLOWED_HOSTS" if status == 421 else "ALLOWED_ORIGINS"
        assert f"SMOC_MCP_{setting}" in answer.json()["error"]["message"]


def test_the_request_of_the_docs_gets_the_answer_of_the_docs(api: str) -> None:
    page = (Path(__file__).parent.parent / "docs" / "http.md").read_text("utf-8")
    section = page.split("## Try it\n")[1].split("\n## ")[0]
    _, typed, answered = section.split("```")[1::2]
    words = shlex.split(typed.removeprefix("sh").replace("\\\n", " "))
    told = [words[i + 1] for i, word in enumerate(words) if word == "-H"]
    headers = dict(header.split(": ", 1) for header in told)
    bearer = headers["Authorization"].removeprefix("Bearer ")
    with http_server(api, SMOC_API_KEY=ONE, SMOC_MCP_BEARER_TOKENS=bearer) as served:
        body = words[words.index("-d") + 1]
        answer = httpx2.post(f"{served.url}/mcp", content=body, headers=headers, timeout=30)
    found, shown = answer.json()["result"], json.loads(answered.removeprefix("json"))["result"]
    assert found.keys() == shown.keys()
    assert found["structuredContent"].keys() == shown["structuredContent"].keys()


def test_an_answer_is_a_stream_only_for_who_asks_for_progress(team: Served) -> None:
    message: dict[str, Any] = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "contacts_stats", "arguments": {}},
    }
    answer = post(team.url, json.dumps(message).encode(), authorization=f"Bearer {SECRET}")
    assert answer.headers["content-type"] == "application/json"
    message["params"]["_meta"] = {"progressToken": 7}
    stream = post(team.url, json.dumps(message).encode(), authorization=f"Bearer {SECRET}")
    assert stream.headers["content-type"].startswith("text/event-stream")
    said = [line for line in stream.text.splitlines() if line.startswith("data: {")]
    assert json.loads(said[-1].removeprefix("data: ")) == answer.json()


def test_a_body_of_5_mb_is_refused(team: Served) -> None:
    body = b'{"jsonrpc": "2.0", "x": "' + b"x" * 5_000_000 + b'"}'
    assert post(team.url, body, authorization=f"Bearer {SECRET}").status_code == 413
    assert post(team.url, authorization=f"Bearer {SECRET}").status_code == 200


def test_who_calls_too_often_is_told_when_to_come_back(api: str) -> None:
    with http_server(api, SMOC_MCP_CALLS_PER_MINUTE="5") as served:
        answers = [post(served.url, x_smoc_token=ONE) for _ in range(7)]
        assert [a.status_code for a in answers] == [200] * 5 + [429] * 2
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert "Come back in" in answers[-1].json()["error"]["message"]
        assert post(served.url, x_smoc_token=OTHER).status_code == 200


async def test_keys_in_turn_push_no_accepted_company_out(companies: dict[str, Company]) -> None:
    sandbox = Sandbox(keys=companies)
    with run_in_thread(sandbox) as own, http_server(own, SMOC_MCP_MAX_COMPANIES="5") as served:
        async with http_client(served.url, x_smoc_token=ONE) as client:
            await ask(client, "contacts_list")
            asked = len(sandbox.requests)
            for n in range(60):
                post(served.url, x_smoc_token=f"made-up-key-{n}")
            await ask(client, "contacts_list")
        of_one = [r for r in sandbox.requests[asked:] if r.status == 200]
    assert of_one == []


def test_health_says_that_it_lives_and_readiness_why_the_api_cannot_be_asked(api: str) -> None:
    with http_server(api) as served:
        assert httpx2.get(f"{served.url}/healthz").status_code == 200
        assert httpx2.get(f"{served.url}/readyz").json() == {"ready": True}
    with http_server("http://127.0.0.1:9") as served:
        assert httpx2.get(f"{served.url}/healthz").status_code == 200
        answer = httpx2.get(f"{served.url}/readyz", timeout=20)
        assert answer.status_code == 503
        assert not answer.json()["ready"]
        assert answer.json()["why"]


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_no_stream_is_held_open_for_who_only_listens(team: Served, method: str) -> None:
    headers = {"authorization": f"Bearer {SECRET}", "accept": "text/event-stream"}
    answer = httpx2.request(method, f"{team.url}/mcp", headers=headers, timeout=10)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


def test_other_paths_and_methods_are_not_found(own_key: Served) -> None:
    assert httpx2.get(f"{own_key.url}/").status_code == 404
    assert httpx2.get(f"{own_key.url}/mcp/../etc/passwd").status_code == 404
    assert httpx2.post(f"{own_key.url}/healthz").status_code == 404


async def test_calls_in_flight_are_answered_when_it_is_told_to_end() -> None:
    keys = [f"key-of-caller-{n}" for n in range(10)]
    sandbox = Sandbox(keys={key: Company(key, seed=1, size=60) for key in keys})
    sandbox.latency = 1.0
    answered: list[int] = []
    with run_in_thread(sandbox) as api, http_server(api) as served:

        async def caller(key: str) -> None:
            async with http_client(served.url, x_smoc_token=key) as client:
                # The client looks up what an answer must be like, if it does not know yet.
                await client.list_tools()
                answered.append((await ask(client, "contacts_list"))["total"])

        def told_to_end() -> float:
            # Each caller has a company of its own, so that each call in flight is seen below.
            while len({record.company for record in sandbox.requests}) < len(keys):
                time.sleep(0.01)
            served.process.send_signal(signal.SIGTERM)
            return time.monotonic()

        with anyio.fail_after(25):
            async with anyio.create_task_group() as together:
                for key in keys:
                    together.start_soon(caller, key)
                stopped = await anyio.to_thread.run_sync(told_to_end)
        code = served.process.wait(15)
    assert answered == [60] * 10
    assert code == -signal.SIGTERM
    assert time.monotonic() - stopped < 10


async def test_each_call_is_a_line_of_json_without_a_key_or_a_contact(api: str) -> None:
    with http_server(api, SMOC_MCP_LOG_FORMAT="json") as served:
        async with http_client(served.url, x_smoc_token=ONE) as client:
            first = await ask(client, "contacts_list", limit=5)
            await ask(client, "contacts_list", limit=5)
            await refusal(client, "contacts_get", contact_id="nobody\x1b[31m")
    calls = [line for text in served.log if "tool" in (line := json.loads(text))]
    assert [call["tool"] for call in calls] == ["contacts_list", "contacts_list", "contacts_get"]
    assert [call["rows"] for call in calls] == [5, 5, 0]
    assert [call["failed"] for call in calls] == [False, False, True]
    assert calls[0]["requests"] >= 1
    assert calls[1]["requests"] == 0
    assert calls[0]["certainty"] == "exact"
    assert calls[0]["milliseconds"] > 0
    assert len({call["caller"] for call in calls}) == 1
    said = "".join(served.log)
    assert ONE not in said
    for contact in first["contacts"]:
        assert contact["id"] not in said
        assert contact.get("email", "@") not in said


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_no_answer_waits_for_more_to_send(host: str) -> None:
    taken: list[int] = []

    def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        taken.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with listen(host, 0) as listener:
        server = await asyncio.start_server(take, sock=listener)
        async with server:
            reader, writer = await asyncio.open_connection(*listener.getsockname()[:2])
            await reader.read()
            writer.close()
    assert taken[0]


def test_a_taken_port_is_said_in_one_line(api: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "smoc_mcp", "http", "--port", str(port)],
            env={"SMOC_BASE_URL": api},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 2
    assert f"port {port}" in done.stderr
