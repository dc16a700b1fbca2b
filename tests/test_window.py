"""The dashboard in a browser of its own: who may open it, and what it lets a page do."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.server.apps import PAGE
from tests.serving import KEY

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    company = Company("Small", seed=8, size=60, hostile=0)
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


@contextmanager
def dashboard(url: str, *arguments: str) -> Iterator[tuple[httpx.Client, str]]:
    """Start the command, and yield a client of its address and the token."""
    command = [sys.executable, "-m", "smoc_mcp", "dashboard", "--no-open", *arguments]
    env = {"SMOC_API_KEY": KEY, "SMOC_BASE_URL": url}
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            address, _, token = process.stdout.readline().split()[-1].partition("#")
            with httpx.Client(base_url=address, trust_env=False) as client:
                yield client, token
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(10) in (0, 130)
            assert process.stderr is not None
            assert "Traceback" not in process.stderr.read()


@pytest.fixture(scope="module")
def opened(url: str) -> Iterator[tuple[httpx.Client, str]]:
    with dashboard(url, "status=lead", "group_by=device") as (client, token):
        answer = client.post("/enter", json={"token": token})
        client.headers["X-Session"] = answer.json()["session"]
        yield client, token


def test_its_address_opens_once(opened: tuple[httpx.Client, str]) -> None:
    client, token = opened
    assert token
    for given in (token, "", "another"):
        again = client.post("/enter", json={"token": given})
        assert again.status_code == 403
        assert "smoc-mcp dashboard" in again.json()["error"]


def test_the_page_asks_any_tool_within_its_session(opened: tuple[httpx.Client, str]) -> None:
    client, _ = opened
    assert client.post("/asked", json={}).json() == {
        "asked": {"status": "lead", "group_by": "device"}
    }
    found = client.post(
        "/call", json={"name": "contacts_dashboard", "arguments": {"group_by": "device"}}
    ).json()
    assert found["structuredContent"]["numbers"]["total"] == 60
    wrong = client.post("/call", json={"name": "contacts_get", "arguments": {"contact_id": "x"}})
    assert wrong.json()["isError"]
    unknown = client.post("/call", json={"name": "erase"})
    assert unknown.status_code == 400
    assert client.post("/call", content=b"{").status_code == 400


def test_what_is_too_long_or_no_json_or_of_another_page_is_not_read(
    opened: tuple[httpx.Client, str],
) -> None:
    client, _ = opened
    call = {"name": "contacts_list", "arguments": {}}
    nested = "[" * 30_000
    for content in (b"x" * 200_000, nested.encode()):
        assert client.post("/call", content=content).status_code == 400
    evil = client.post("/call", json=call, headers={"Origin": "https://evil.example"})
    assert evil.status_code == 400
    for body in (rb'{"token": "\u00e9"}', rb'{"token": "\ud83d"}'):
        assert client.post("/enter", content=body).status_code == 403
    odd = client.post("/call", json=call, headers=[(b"X-Session", b"\xe9")])
    assert odd.status_code == 403
    assert client.post("/call", json=call).status_code == 200


@pytest.mark.parametrize("path", ["/call", "/asked"])
@pytest.mark.parametrize("session", ["", "another"])
def test_without_the_session_nothing_is_answered(
    opened: tuple[httpx.Client, str], path: str, session: str
) -> None:
    client, _ = opened
    body = {"name": "contacts_list", "arguments": {}}
    refused = client.post(path, json=body, headers={"X-Session": session})
    assert refused.status_code == 403
    assert "contacts" not in refused.text


def test_a_name_of_somebody_elses_that_leads_here_is_refused(
    opened: tuple[httpx.Client, str],
) -> None:
    client, _ = opened
    for path in ("/", "/page"):
        assert client.get(path, headers={"Host": "evil.example"}).status_code == 400
    named = client.post("/call", json={"name": "contacts_list"}, headers={"Host": "evil.example"})
    assert named.status_code == 400


def test_the_page_is_the_one_that_clients_show_and_reaches_nobody(
    opened: tuple[httpx.Client, str],
) -> None:
    client, _ = opened
    page, host = client.get("/page"), client.get("/")
    assert page.text == PAGE.html
    for policy in (page, host):
        rules = policy.headers["Content-Security-Policy"]
        assert rules.startswith("default-src 'none'")
        assert policy.headers["Cache-Control"] == "no-store"
        assert "access-control-allow-origin" not in policy.headers
    assert "connect-src 'none'" in page.headers["Content-Security-Policy"]
    assert "sandbox allow-scripts" in page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in host.headers["Content-Security-Policy"]


def test_what_is_asked_wrongly_on_the_command_line_stops_it(url: str) -> None:
    command = [sys.executable, "-m", "smoc_mcp", "dashboard", "--no-open", "status"]
    env = {"SMOC_API_KEY": KEY, "SMOC_BASE_URL": url}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "name=value" in done.stderr
