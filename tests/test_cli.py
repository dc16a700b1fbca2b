"""The commands, as real processes where that makes a difference."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from smoc_mcp.cli.config import CLIENTS
from smoc_mcp.sandbox import FJELL_KEY, NORDLYS_KEY, UNBOUND_KEY, Sandbox, run_in_thread
from tests.commands import run, run_here


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with run_in_thread(Sandbox.demo(size=700, other_size=40)) as address:
        yield address


def key(url: str, value: str = NORDLYS_KEY) -> dict[str, str]:
    return {"SMOC_BASE_URL": url, "SMOC_API_KEY": value}


@pytest.mark.parametrize("command", [(), ("check",), ("call", "contacts_stats")])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "SMOC_API_KEY is not set. Generate one in SMOC Console under Settings"),
        ("sk_live_123", "SMOC_API_KEY holds a Clerk key (sk_…), which the SMOC API rejects."),
        ("Bearer x", "SMOC_API_KEY begins with 'Bearer': set it to the key alone"),
    ],
)
def test_a_key_that_cannot_be_one_stops_the_start_with_one_line(
    command: tuple[str, ...], value: str, said: str
) -> None:
    done = run_here(*command, SMOC_API_KEY=value)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"smoc-mcp: {said}")
    assert done.stderr.count("\n") == 1
    assert "live_123" not in done.stderr


def test_check_says_what_can_be_seen(url: str) -> None:
    done = run("check", **key(url))
    assert done.returncode == 0, done.stderr
    assert "accepted" in done.stdout
    assert "window created" in done.stdout
    assert NORDLYS_KEY not in done.stdout


def test_check_as_json_can_be_read_by_a_program(url: str) -> None:
    found = json.loads(run_here("check", "--json", **key(url, FJELL_KEY)).stdout)
    assert found["key"] == "accepted"
    assert found["windows"]["created"] == {"contacts": 40, "complete": True}
    assert found["operator_id"] == "20"
    assert found["whole_company"] is True
    assert found["at_least"] == found["in_hand"] == 40
    assert found["proven"] == "all"
    assert found["round_trip_seconds"] > 0
    assert FJELL_KEY not in str(found)


def test_check_is_colourful_on_a_terminal_only(url: str) -> None:
    reader, writer = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "smoc_mcp", "check"],
        env={**os.environ, "NO_COLOR": "", **key(url)},
        stdout=writer,
    ) as process:
        os.close(writer)
        shown = b""
        while b"took" not in shown:
            shown += os.read(reader, 10_000)
        assert process.wait(30) == 0
    os.close(reader)
    assert b"\x1b[32maccepted\x1b[0m" in shown
    assert "█".encode() in shown
    assert "\x1b" not in run_here("check", **key(url)).stdout


def test_check_of_a_refused_key_is_json_too(url: str) -> None:
    done = run_here("check", "--json", **key(url, "wrong-key"))
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert "wrong or was revoked" in found["error"]
    assert found["version"]
    assert "wrong-key" not in done.stdout + done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_a_shell_completes_the_commands(shell: str) -> None:
    script = run_here("completion", shell)
    assert script.returncode == 0, script.stderr
    for command in ("check", "export", "config"):
        assert command in script.stdout


def test_bash_takes_the_completion() -> None:
    script = run("completion", "bash").stdout
    asked = "COMP_WORDS=(smoc-mcp exp); COMP_CWORD=1; _shtab_smoc_mcp smoc-mcp exp smoc-mcp"
    done = subprocess.run(
        ["bash", "-c", f'{script}\n{asked}; echo "${{COMPREPLY[@]}}"'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "export"


@pytest.mark.parametrize(
    ("value", "said"),
    [("wrong", "wrong or was revoked. Generate a new one"), (UNBOUND_KEY, "bound to no company")],
)
def test_check_fails_with_one_line_where_the_api_refuses_the_key(
    url: str, value: str, said: str
) -> None:
    done = run("check", **key(url, value))
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_call_prints_what_a_model_reads(url: str) -> None:
    done = run("call", "contacts_list", "limit=3", "sort=updated", **key(url))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3 of at least ")
    assert done.stdout.count("|") > 20


def test_call_prints_the_structured_form_as_json(url: str) -> None:
    found = json.loads(run_here("call", "--json", "contacts_stats", **key(url, FJELL_KEY)).stdout)
    assert (found["total"], found["total_certainty"]) == (40, "exact")


def test_call_without_a_tool_lists_the_tools_and_needs_no_key() -> None:
    done = run("call")
    assert done.returncode == 0
    assert "contacts_find_by_email(email)" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("contacts_list", "limit=0"), 1, "limit must be a whole number from 1 to 100."),
        (("contacts_list", "limit"), 2, "write 'limit' as name=value."),
        (("contacts_lost",), 1, "This server has no such tool; it has contacts_list"),
    ],
)
def test_call_fails_with_one_line_for_a_mistake(
    url: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = run_here("call", *arguments, **key(url))
    assert done.returncode == code
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_reader_that_goes_away_is_no_error(url: str) -> None:
    command = f'"{sys.executable}" -m smoc_mcp call contacts_list limit=100 | head -n 1'
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        env={**os.environ, **key(url)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""


@pytest.mark.parametrize("client", CLIENTS)
def test_config_prints_a_snippet_with_a_command_that_exists(client: str) -> None:
    done = run_here("config", client)
    assert done.returncode == 0
    assert "SMOC_API_KEY" in done.stdout or "smoc-api-key" in done.stdout
    assert sys.executable in done.stdout or "smoc-mcp" in done.stdout
    if client in ("claude-desktop", "cursor", "vscode"):
        (servers,) = [v for k, v in json.loads(done.stdout).items() if "ervers" in k]
        assert Path(servers["smoc"]["command"]).is_file()


@pytest.mark.parametrize("client", CLIENTS)
def test_config_hands_the_settings_on_and_the_store_as_an_absolute_path(client: str) -> None:
    done = run_here(
        *("config", client),
        SMOC_API_KEY="the-key-itself",
        SMOC_MCP_MASK="email,name",
        SMOC_MCP_STORE="kept here.sqlite3",
    )
    assert done.returncode == 0
    assert "the-key-itself" not in done.stdout + done.stderr
    assert "SMOC_MCP_MASK" in done.stdout
    assert "email,name" in done.stdout
    assert str(Path.cwd() / "kept here.sqlite3") in done.stdout


def test_config_refuses_a_setting_that_the_server_would_refuse() -> None:
    done = run("config", "cursor", SMOC_MCP_MASK="everything")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "SMOC_MCP_MASK must be a comma-separated choice of" in done.stderr


def test_a_parameter_that_is_given_twice_is_refused() -> None:
    done = run_here("call", "contacts_list", "limit=1", "limit=2")
    assert done.returncode == 2
    assert done.stderr.startswith("smoc-mcp: limit is given twice")


def test_the_demo_finds_somebody_beyond_the_newest_500_and_admits_what_it_cannot_know() -> None:
    done = run("demo")
    assert done.returncode == 0, done.stderr
    assert [f"\n{n}. " in done.stdout for n in range(1, 8)] == [True] * 6 + [False]
    assert "1 contact with " in done.stdout
    assert "which does not prove that nobody has it" in done.stdout
    assert "Certainty: exact" in done.stdout


def test_the_sandbox_prints_its_address_and_can_be_asked() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "smoc_mcp", "sandbox", "--port", "0", "--size", "20"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        try:
            found = json.loads(run_here("call", "--json", "contacts_stats", **key(address)).stdout)
        finally:
            process.terminate()
    assert found["total"] == 20


def test_a_taken_port_is_said_in_one_line(url: str) -> None:
    done = run("sandbox", "--port", url.rpartition(":")[2])
    assert done.returncode == 1
    assert done.stderr.startswith("smoc-mcp: the sandbox cannot start:")
    assert done.stderr.count("\n") == 1
