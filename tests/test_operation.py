"""A server that a team runs: many companies with sign-in, what is seen, and what is bounded."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from smoc_mcp.errors import ConfigurationError
from smoc_mcp.http.company_file import read_company_file
from smoc_mcp.sandbox import Company, Fault, Sandbox, run_in_thread
from tests.hosting import AUDIENCE, Issuer, Served, http_client, http_server, issuer, post
from tests.serving import ask

pytestmark = pytest.mark.anyio

FJORD, DELTA, THIRD = "key-of-fjord-solar", "key-of-delta-roofs", "key-of-nobody-yet"
SECRET = "a-secret-of-delta-0123456789"
SCOPE = "contacts:read"


class RsaIssuer(Issuer):
    """An issuer that signs with RS256, and can be made to sign wrongly."""

    def rotate(self, kid: str) -> None:
        self.kid = kid
        self.rsa = rsa.generate_private_key(65537, 2048)

    def signed(self, **claims: Any) -> str:
        """Return a token that is good, but for the claims given; None leaves one out."""
        usual = {"iss": self.url, "aud": AUDIENCE, "sub": "somebody", "scope": SCOPE}
        whole = {**usual, "exp": int(time.time()) + 300, **claims}
        named = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(named, self.rsa, "RS256", {"kid": self.kid})

    def public(self) -> bytes:
        """Return the public key as anybody may have it."""
        return self.rsa.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def jwks(self) -> dict[str, Any]:
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.rsa.public_key()))
        return {"keys": [{**key, "kid": self.kid, "alg": "RS256"}]}


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(
        keys={
            FJORD: Company("Fjord", seed=1, size=120, operator_id="1", hostile=0),
            DELTA: Company("Delta", seed=2, size=80, operator_id="2", hostile=0),
        }
    )


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[str]:
    with run_in_thread(sandbox) as url:
        yield url


@pytest.fixture
def signer(monkeypatch: pytest.MonkeyPatch) -> Iterator[RsaIssuer]:
    monkeypatch.setattr("tests.hosting.Issuer", RsaIssuer)
    with issuer() as it:
        assert isinstance(it, RsaIssuer)
        yield it


@pytest.fixture
def companies(tmp_path: Path) -> Path:
    path = tmp_path / "companies.toml"
    write(path)
    return path


def write(path: Path, more: str = "") -> None:
    path.write_text(
        f'''claim = "org_id"

        [[company]]
        name = "Fjord Solar"
        key = "{FJORD}"
        claim_values = ["org_fjord"]
        timezone = "Europe/Oslo"
        mask = ["email"]

        [[company]]
        name = "Delta Roofs"
        key = "{DELTA}"
        claim_values = ["org_delta", "org_delta_two"]
        secrets = ["{SECRET}"]
        {more}'''
    )
    path.chmod(0o600)


def add_a_third(sandbox: Sandbox, companies: Path, proof: str) -> None:
    """Let SMOC have a third company, and the file name it with what proves who belongs to it."""
    sandbox.keys[THIRD] = Company("Third", seed=3, size=10, operator_id="3", hostile=0)
    write(companies, f'[[company]]\nname = "Third"\nkey = "{THIRD}"\n{proof}')


@pytest.fixture
def served(api: str, signer: RsaIssuer, companies: Path) -> Iterator[Served]:
    with http_server(
        api,
        SMOC_MCP_COMPANIES=str(companies),
        SMOC_MCP_OAUTH_ISSUER=signer.url,
        SMOC_MCP_OAUTH_AUDIENCE=AUDIENCE,
        SMOC_MCP_LOG_FORMAT="json",
    ) as running:
        yield running


async def said_to(served: Served, token: str) -> dict[str, Any]:
    async with http_client(served.url, authorization=f"Bearer {token}") as client:
        return await ask(client, "contacts_list", limit=50)


async def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline


async def test_a_claim_leads_to_the_company_and_no_answer_crosses(
    served: Served, signer: RsaIssuer, sandbox: Sandbox
) -> None:
    fjord = {str(c["id"]) for c in sandbox.company("Fjord").contacts()}
    delta = {str(c["id"]) for c in sandbox.company("Delta").contacts()}
    for _ in range(2):
        for token, ids in (
            (signer.signed(org_id="org_fjord"), fjord),
            (signer.signed(org_id="org_delta"), delta),
            (signer.signed(org_id=["org_delta_two", "org_elsewhere"]), delta),
            (SECRET, delta),
        ):
            found = await said_to(served, token)
            assert {c["id"] for c in found["contacts"]} <= ids
            assert len(found["contacts"]) == 50
            masked = [c["email"] for c in found["contacts"] if "***" in c.get("email", "")]
            assert bool(masked) is (ids is fjord)
            # Days and times are the company's.
            assert found["as_of"].endswith("Z") is (ids is delta)


async def test_who_belongs_to_no_company_is_told_so_and_gets_nothing(
    served: Served, signer: RsaIssuer
) -> None:
    for claims in ({}, {"org_id": "org_other"}, {"org_id": ["org_fjord", "org_delta"]}):
        answer = post(served.url, authorization=f"Bearer {signer.signed(**claims)}")
        assert answer.status_code == 403
        assert "SMOC_MCP_COMPANIES" in answer.json()["error"]["message"]
        assert "insufficient_scope" in answer.headers["www-authenticate"]


async def test_a_token_that_is_wrong_in_any_way_is_refused(
    served: Served, signer: RsaIssuer
) -> None:
    stranger = RsaIssuer()
    stranger.url, stranger.kid = signer.url, signer.kid
    forged = jwt.encode(
        {"iss": signer.url, "aud": AUDIENCE, "sub": "x", "scope": SCOPE, "org_id": "org_fjord"},
        "x" * 64,
        "HS256",
        {"kid": signer.kid},
    )
    head, body, _ = signer.signed(org_id="org_fjord").split(".")
    for token in (
        signer.signed(org_id="org_fjord", aud="https://elsewhere.example"),
        signer.signed(org_id="org_fjord", sub=None),
        signer.signed(org_id="org_fjord", iss="https://elsewhere.example"),
        signer.signed(org_id="org_fjord", exp=int(time.time()) - 3600),
        stranger.signed(org_id="org_fjord"),
        hs256_with_the_public_key(signer),
        forged,
        f"{head}.{body}.",
    ):
        answer = post(served.url, authorization=f"Bearer {token}")
        assert answer.status_code == 401, answer.text
        assert "contacts" not in answer.text


def hs256_with_the_public_key(signer: RsaIssuer) -> str:
    """Return a token whose shared secret is the key that everybody knows."""
    import base64
    import hashlib
    import hmac

    def packed(what: object) -> str:
        raw = what if isinstance(what, bytes) else json.dumps(what).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    claims = {
        "iss": signer.url,
        "aud": AUDIENCE,
        "sub": "x",
        "scope": SCOPE,
        "org_id": "org_fjord",
        "exp": int(time.time()) + 300,
    }
    text = f"{packed({'alg': 'HS256', 'kid': signer.kid})}.{packed(claims)}"
    return f"{text}.{packed(hmac.digest(signer.public(), text.encode(), hashlib.sha256))}"


async def test_after_a_rotation_a_good_token_is_accepted_within_seconds(
    served: Served, signer: RsaIssuer
) -> None:
    assert (await said_to(served, signer.signed(org_id="org_fjord")))["contacts"]
    signer.rotate("second")
    began, asked = time.monotonic(), signer.requests
    token = signer.signed(org_id="org_fjord")
    while post(served.url, authorization=f"Bearer {token}").status_code != 200:
        assert time.monotonic() - began < 20
        await anyio.sleep(0.2)
    # The issuer was not asked at every try.
    assert signer.requests - asked <= 8


async def test_companies_are_read_again_when_told_and_nobodys_call_ends(
    served: Served, signer: RsaIssuer, companies: Path, sandbox: Sandbox
) -> None:
    token = signer.signed(org_id="org_third")
    assert post(served.url, authorization=f"Bearer {token}").status_code == 403
    add_a_third(sandbox, companies, 'claim_values = ["org_third"]')
    sandbox.forget_requests()
    sandbox.latency = 1.0
    answers: list[dict[str, Any]] = []

    async def ask_meanwhile() -> None:
        answers.append(await said_to(served, SECRET))

    async with anyio.create_task_group() as together:
        together.start_soon(ask_meanwhile)
        with anyio.fail_after(20):
            while not sandbox.requests:  # noqa: ASYNC110  no event crosses the thread
                await anyio.sleep(0.01)
        os.kill(served.process.pid, signal.SIGHUP)
        assert answers == []
    assert len(answers[0]["contacts"]) == 50
    assert len((await said_to(served, token))["contacts"]) == 10
    companies.write_text("claim = ")  # noqa: ASYNC240  a few bytes
    os.kill(served.process.pid, signal.SIGHUP)
    await until(lambda: any("nothing was changed" in line for line in served.log))
    assert (await said_to(served, token))["contacts"]


async def test_secrets_of_a_file_are_read_again_when_told(api: str, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.write_text(f"{SECRET}\n")
    env = {"SMOC_API_KEY": FJORD, "SMOC_MCP_BEARER_TOKENS_FILE": str(secrets)}
    with http_server(api, **env) as served:

        def status(secret: str) -> int:
            return post(served.url, authorization=f"Bearer {secret}").status_code

        assert (status(SECRET), status(f"{SECRET}-new")) == (200, 401)
        secrets.write_text(f"{SECRET}-new\n")
        os.kill(served.process.pid, signal.SIGHUP)
        await until(lambda: any("were read again" in line for line in served.log))
        assert (status(SECRET), status(f"{SECRET}-new")) == (401, 200)


async def test_who_asks_to_be_registered_is_told_what_to_send(api: str) -> None:
    with http_server(api) as served:
        answer = httpx2.post(f"{served.url}/register", json={"redirect_uris": ["http://x"]})
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_client_metadata"
    assert "X-SMOC-Token" in answer.json()["error_description"]
    env = {"SMOC_API_KEY": FJORD, "SMOC_MCP_BEARER_TOKENS": SECRET}
    with http_server(api, **env) as served:
        answer = httpx2.post(f"{served.url}/register", json={})
    assert "Authorization: Bearer" in answer.json()["error_description"]


async def test_300_wrong_tokens_are_limited_and_in_the_log_once(api: str) -> None:
    env = {
        "SMOC_API_KEY": FJORD,
        "SMOC_MCP_BEARER_TOKENS": SECRET,
        "SMOC_MCP_ADDRESS_HEADER": "X-Forwarded-For",
        "SMOC_MCP_LOG_ADDRESSES": "1",
    }
    with http_server(api, **env) as served:
        statuses = [
            post(
                served.url, authorization=f"Bearer guess-{n}", x_forwarded_for="1.1.1.1, 9.9.9.9"
            ).status_code
            for n in range(300)
        ]
        assert statuses == [401] * 20 + [429] * 280
        # Who is known passes, from wherever; who is not may still ask from elsewhere.
        known = post(served.url, authorization=f"Bearer {SECRET}", x_forwarded_for="9.9.9.9")
        assert known.status_code == 200
        other = post(served.url, authorization="Bearer guess", x_forwarded_for="8.8.8.8")
        assert other.status_code == 401
        numbers = metrics(served)
        assert numbers['smoc_mcp_refusals_total{status="401"}'] == 21
        assert numbers['smoc_mcp_refusals_total{status="429"}'] == 280
    of_guesser = [line for line in served.log if "9.9.9.9" in line]
    assert len(of_guesser) == 2
    assert all("guess-" not in line for line in served.log)


def metrics(served: Served) -> dict[str, float]:
    """Return what /metrics shows, each line read as Prometheus would."""
    answer = httpx2.get(f"{served.url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def test_while_smoc_is_down_it_is_seen_and_answers_come_from_the_store(
    api: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    env = {
        "SMOC_API_KEY": FJORD,
        "SMOC_MCP_BEARER_TOKENS": SECRET,
        "SMOC_MCP_STORE": str(tmp_path / "store"),
        "SMOC_MCP_CACHE_SECONDS": "0",
        "SMOC_MCP_TIMEOUT_SECONDS": "2",
    }
    with http_server(api, **env) as served:
        assert len((await said_to(served, SECRET))["contacts"]) == 50
        sandbox.fail(Fault("server_error", times=None))
        for _ in range(3):
            assert len((await said_to(served, SECRET))["contacts"]) == 50
        ready = httpx2.get(f"{served.url}/readyz")
        assert (ready.status_code, ready.json()) == (200, {"ready": True})
        alive = httpx2.get(f"{served.url}/healthz").json()
        assert re.match(r"\d+\.\d+\.\d+", alive["version"])
        numbers = metrics(served)
        assert numbers['smoc_mcp_upstream_seconds_count{outcome="ServerFailureError"}'] > 3
        assert numbers['smoc_mcp_upstream_seconds_count{outcome="ok"}'] >= 1
        assert numbers['smoc_mcp_call_seconds_count{failed="false",tool="contacts_list"}'] == 4
        assert numbers["smoc_mcp_companies"] == 1
        assert numbers["smoc_mcp_contacts_in_hand"] == 120
        assert numbers["smoc_mcp_store_bytes"] > 100_000
    assert sum("SMOC: " in line for line in served.log) == 1


async def test_a_probe_for_readiness_is_not_in_the_log(api: str) -> None:
    with http_server(api) as served:
        assert httpx2.get(f"{served.url}/readyz").json() == {"ready": True}
    assert not any("SMOC: " in line for line in served.log)


async def test_without_anything_in_hand_a_server_is_not_ready_while_smoc_is_down(
    api: str, sandbox: Sandbox
) -> None:
    sandbox.fail(Fault("server_error", times=None))
    env = {"SMOC_API_KEY": FJORD, "SMOC_MCP_BEARER_TOKENS": SECRET}
    with http_server(api, SMOC_MCP_TIMEOUT_SECONDS="1", **env) as served:
        ready = httpx2.get(f"{served.url}/readyz", timeout=20)
        assert ready.status_code == 503
        assert "SMOC" in ready.json()["why"]


async def test_a_call_is_in_the_log_with_caller_company_and_request(
    served: Served, signer: RsaIssuer
) -> None:
    token = signer.signed(org_id="org_delta")
    answer = post(served.url, authorization=f"Bearer {token}", x_request_id="abc-123")
    assert answer.headers["x-request-id"] == "abc-123"
    forged = post(served.url, authorization=f"Bearer {token}", x_request_id="a b{}")
    assert re.fullmatch(r"[0-9a-f]{16}", forged.headers["x-request-id"])
    await until(lambda: sum('"tool"' in line for line in served.log) == 2)
    calls = [json.loads(line) for line in served.log if '"tool"' in line]
    assert [call["company"] for call in calls] == ["2", "2"]
    assert calls[0]["request"] == "abc-123"
    assert calls[0]["caller"] == calls[1]["caller"]


async def test_pings_and_lists_are_no_calls(api: str) -> None:
    def sent(served: Served, method: str) -> int:
        message = {"jsonrpc": "2.0", "id": 1, "method": method}
        return post(served.url, json.dumps(message).encode(), x_smoc_token=FJORD).status_code

    with http_server(api, SMOC_MCP_CALLS_PER_MINUTE="5") as served:
        assert {sent(served, "tools/list") for _ in range(20)} == {200}
        assert {sent(served, "ping") for _ in range(20)} == {200}
        calls = [post(served.url, x_smoc_token=FJORD).status_code for _ in range(6)]
        assert calls == [200] * 5 + [429]
        assert 429 in {sent(served, "ping") for _ in range(20)}


WRONG = [
    ("[[company]]\nname = 'A'\nkey = 'k-0123456789'", "nobody belongs to it"),
    ("[[company]]\nname = 'A'\nsecrets = ['0123456789abcdef']", "A: key is not set"),
    ("[[company]]\nname = 'A'\nkey = 'sk_hush'\nsecrets = ['0123456789abcdef']", "Clerk key"),
    ("[[company]]\nname = 'A'\nkey = 'k-hush'\nsecrets = ['short']", "company.1.secrets.1"),
    ("[[company]]\nname = 'A'\nkey = 'k-hush'\nclaim_values = ['a']", "and no claim"),
    ("[[company]]\nname = 'A'\nkye = 'k-hush'", "company.1.kye"),
    ("claim = 'a'", "company: "),
    ("claim = hush", "is no TOML"),
    (
        "claim = 'c'\n[[company]]\nname = 'A'\nkey = 'k-hush'\nclaim_values = ['a']\n"
        "[[company]]\nname = 'B'\nkey = 'k-hush'\nclaim_values = ['b']",
        "the same key",
    ),
    (
        "[[company]]\nname = 'A'\nkey = 'k-hush'\nsecrets = ['0123456789abcdef']\ntimezone = 'X/Y'",
        "timezone must be one",
    ),
    ("[[company]]\nname = 'A'\nkey_file = '/no/such'\nsecrets = ['0123456789abcdef']", "key_file"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_mistake_in_the_file_is_a_sentence_without_a_secret(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "companies.toml"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError) as wrong:
        read_company_file(path)
    assert said in str(wrong.value)
    assert "hush" not in str(wrong.value)


def test_a_file_that_others_may_read_is_refused(companies: Path) -> None:
    companies.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_company_file(companies)


@pytest.mark.skipif(sys.platform != "linux", reason="the processes are looked up in /proc")
async def test_several_processes_answer_on_one_port_and_read_companies_again_in_turn(
    api: str, companies: Path, sandbox: Sandbox, signer: RsaIssuer
) -> None:
    env = {
        "SMOC_MCP_COMPANIES": str(companies),
        "SMOC_MCP_OAUTH_ISSUER": signer.url,
        "SMOC_MCP_OAUTH_AUDIENCE": AUDIENCE,
    }
    with http_server(api, "--workers", "2", **env) as served:
        assert len((await said_to(served, SECRET))["contacts"]) == 50
        before = workers_of(served.process.pid)
        assert len(before) == 2
        for _ in range(7):
            await said_to(served, SECRET)
        # Whichever of the two answers, it shows the calls of both.
        counted = 'smoc_mcp_call_seconds_count{failed="false",tool="contacts_list"}'
        assert {metrics(served)[counted] for _ in range(8)} == {8}
        assert {metrics(served)["smoc_mcp_companies"] for _ in range(8)} <= {1, 2}
        # One that dies is replaced.
        os.kill(before[0], signal.SIGKILL)
        await settled(served, lambda now: len(now) == 2 and before[0] not in now)
        add_a_third(sandbox, companies, f'secrets = ["{SECRET}-third"]')
        before = workers_of(served.process.pid)
        os.kill(served.process.pid, signal.SIGHUP)
        await settled(served, lambda now: len(now) == 2 and not {*before} & {*now})
        assert len((await said_to(served, f"{SECRET}-third"))["contacts"]) == 10


def workers_of(pid: int) -> list[int]:
    """Return the processes that serve; multiprocessing has one more that watches over resources."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            command = (path.parent / "cmdline").read_text()
        except OSError:
            continue
        if parent == pid and "spawn_main" in command:
            found.append(int(path.parent.name))
    return found


async def settled(served: Served, is_so: Callable[[list[int]], bool]) -> None:
    """Wait until the processes are as they shall be, while every call is answered."""
    with anyio.fail_after(120):
        while not is_so(workers_of(served.process.pid)):
            assert (await said_to(served, SECRET))["contacts"]


async def test_a_number_of_workers_that_cannot_be_is_a_sentence(api: str) -> None:
    command = [sys.executable, "-m", "smoc_mcp", "http", "--workers", "0"]
    done = subprocess.run(command, env={"SMOC_BASE_URL": api}, capture_output=True, text=True)  # noqa: ASYNC221
    assert done.returncode == 2
    assert "--workers is a number from 1 on" in done.stderr
