"""What clients meet at the edges: refused calls, wrong prompts, mistakes of ours, an end."""

import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any, Literal

import pytest
from mcp import Client, MCPError
from mcp_types import INVALID_PARAMS

from smoc_mcp.cli.stdin import with_whole_pairs
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.server.server import build_server
from smoc_mcp.views.lists import Views
from tests.serving import KEY

pytestmark = pytest.mark.anyio

Mode = Literal["auto", "legacy"]


@pytest.fixture(scope="module")
def url() -> Any:
    with run_in_thread(Sandbox(keys={KEY: Company("Edge", size=20)})) as address:
        yield address


def broken() -> ContactDirectory:
    raise RuntimeError("a mistake of ours, with secret@example.com in it")


@pytest.mark.parametrize(
    ("prompt", "arguments", "said"),
    [
        ("weekly_review", {"since": "whenever"}, "since is not a time"),
        ("campaign_report", {"since": "2026-13-45"}, "since is not a time"),
        ("follow_up_list", {"quiet_for": "long"}, "quiet_for is not a time"),
        ("follow_up_list", {"status": "friend"}, "status must be one of lead, customer"),
    ],
)
async def test_a_prompt_refuses_what_no_tool_could_take(
    prompt: str, arguments: dict[str, str], said: str
) -> None:
    async with Client(build_server(broken, Views())) as client:
        with pytest.raises(MCPError) as refused:
            await client.get_prompt(prompt, arguments)
        await client.get_prompt("follow_up_list", {"quiet_for": "21d", "status": "Lost"})
    assert refused.value.code == INVALID_PARAMS
    assert said in str(refused.value)


async def test_each_tool_that_shows_what_people_typed_says_that_it_is_data() -> None:
    async with Client(build_server(broken, Views())) as client:
        tools = (await client.list_tools()).tools
    showing = {t.name for t in tools if "never instructions" in (t.description or "")}
    assert showing == {t.name for t in tools} - {"contacts_stats"}


def started(url: str, **streams: Any) -> subprocess.Popen[str]:
    environment = {**os.environ, "SMOC_API_KEY": KEY, "SMOC_BASE_URL": url}
    return subprocess.Popen(
        [sys.executable, "-m", "smoc_mcp"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        **streams,
    )


def test_one_interrupt_ends_a_server_on_stdio_quietly(url: str) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with started(url, **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write('{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
        process.stdin.flush()
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr.read() == ""


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_a_server_without_stdin_or_stdout_says_so_in_one_line(url: str, closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -m smoc_mcp {closed}', sys.executable],
        env={**os.environ, "SMOC_API_KEY": KEY, "SMOC_BASE_URL": url},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("smoc-mcp: stdin and stdout")
    assert done.stderr.count("\n") == 1


def test_what_is_meant_for_a_closed_stderr_never_gets_to_stdout(url: str) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -m smoc_mcp 2>&-', sys.executable],
        env={k: v for k, v in os.environ.items() if k != "SMOC_API_KEY"} | {"SMOC_BASE_URL": url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_a_port_that_there_is_not_is_said_in_one_line(url: str, port: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "smoc_mcp", "http", f"--port={port}"],
        env={**os.environ, "SMOC_BASE_URL": url},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "65535" in done.stderr


def test_half_a_surrogate_pair_over_stdio_is_answered_as_what_it_cannot_be_read_as(
    url: str,
) -> None:
    asked: list[dict[str, Any]] = [
        {"method": "initialize", "params": INITIALIZE, "id": 0},
        {"method": "notifications/initialized"},
        *(call(n, query) for n, query in enumerate(["HALF", "Brand HALF whole PAIR"], start=1)),
    ]
    sent = "".join(json.dumps({"jsonrpc": "2.0", **message}) + "\n" for message in asked)
    sent = sent.replace("HALF", r"\ud83d").replace("PAIR", r"\ud83d\ude00")
    command = [sys.executable, "-m", "smoc_mcp"]
    environment = {"SMOC_API_KEY": KEY, "SMOC_BASE_URL": url, "PATH": os.environ["PATH"]}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(sent)
        process.stdin.flush()
        # One that is never answered is noticed when the process is ended.
        killer = threading.Timer(20, process.kill)
        killer.start()
        answers = [json.loads(process.stdout.readline() or "{}") for _ in range(3)]
        killer.cancel()
        process.stdin.close()
    assert {answer.get("id") for answer in answers} == {0, 1, 2}
    assert all("result" in answer for answer in answers)


INITIALIZE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "a client", "version": "1"},
}


def call(number: int, query: str) -> dict[str, Any]:
    """Return a call of contacts_search."""
    params = {"name": "contacts_search", "arguments": {"query": query}}
    return {"method": "tools/call", "params": params, "id": number}


@pytest.mark.parametrize(
    ("line", "read"),
    [
        (rb'"\ud83d"', rb'"\ufffd"'),
        (rb'"\uDE00 \uD83D"', rb'"\ufffd \ufffd"'),
        (rb'"\ud83d\ude00"', rb'"\ud83d\ude00"'),
        (rb'"\ud83d\ud83d\ude00"', rb'"\ufffd\ud83d\ude00"'),
        (rb'"\\ud83d"', rb'"\\ud83d"'),
        (rb'"\\\ud83d"', rb'"\\\ufffd"'),
    ],
)
def test_only_half_a_pair_is_replaced(line: bytes, read: bytes) -> None:
    assert with_whole_pairs(line) == read
    json.loads(read).encode()
