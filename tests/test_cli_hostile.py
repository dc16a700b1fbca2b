"""The commands among hostile values, files of others and odd settings."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from smoc_mcp.cli.files import replacing
from smoc_mcp.errors import StoreError
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.store.store import ContactStore
from tests import commands
from tests.serving import KEY

HOSTILE = "10\x1b]0;owned\x07\u202e\x9b31m\nkey  refused"


@pytest.fixture(scope="module")
def company() -> Company:
    return Company("Hostile", seed=3, size=0, hostile=0)


@pytest.fixture(scope="module")
def url(company: Company) -> Iterator[str]:
    company.add(30, operatorId=HOSTILE, lastConversationDate=None)
    with run_in_thread(Sandbox({KEY: company})) as address:
        yield address


def run_here(*arguments: str, **env: str) -> commands.Done:
    return commands.run_here(*arguments, SMOC_API_KEY=KEY, **env)


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_check_shows_nothing_of_a_contact_that_a_terminal_would_obey(
    url: str, form: list[str]
) -> None:
    done = run_here("check", *form, SMOC_BASE_URL=url)
    assert done.returncode == 0, done.stderr
    assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(done.stdout)
    assert "\\u001b" not in done.stdout
    assert not [line for line in done.stdout.splitlines() if line.startswith("key  refused")]


def test_check_does_not_call_a_window_without_conversations_complete(url: str) -> None:
    found = json.loads(run_here("check", "--json", SMOC_BASE_URL=url).stdout)
    assert found["windows"]["conversation"]["nobody_talked"] is True
    assert "nobody has talked yet" in run_here("check", SMOC_BASE_URL=url).stdout


def test_a_company_where_nobody_has_talked_is_synced_again_and_again(tmp_path: Path) -> None:
    silent = Company("Silent", seed=5, size=0, hostile=0)
    for _ in range(600):
        silent.advance(0.002)
        silent.add(lastConversationDate=None)
    with run_in_thread(Sandbox({KEY: silent})) as address:
        for _ in range(2):
            store = str(tmp_path / "store.sqlite3")
            done = run_here("sync", SMOC_BASE_URL=address, SMOC_MCP_STORE=store)
            assert done.returncode == 0, done.stderr
            assert done.stdout.startswith("seen ")


@pytest.mark.parametrize("value", ["x" * 300, "~nosuchuser/x", "a/" * 3_000 + "x"])
def test_a_store_that_no_file_can_be_is_one_line(url: str, value: str) -> None:
    done = run_here("sync", SMOC_BASE_URL=url, SMOC_MCP_STORE=value)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("smoc-mcp: ")
    assert done.stderr.count("\n") == 1


def test_an_unexpected_failure_is_one_line_and_a_traceback_only_for_who_asks(
    url: str, tmp_path: Path
) -> None:
    # The interpreter's own hook breaks something that no code of ours expects to break.
    (tmp_path / "sitecustomize.py").write_text(
        "import anyio\ndef broken(*_): raise LookupError('secret-detail')\nanyio.run = broken\n"
    )
    env = {"SMOC_API_KEY": KEY, "SMOC_BASE_URL": url, "PYTHONPATH": str(tmp_path)}
    done = commands.run("check", **env)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "an unexpected error (LookupError). Report it with the version" in done.stderr
    assert "secret-detail" not in done.stderr
    loud = commands.run("check", SMOC_MCP_LOG_LEVEL="DEBUG", **env).stderr
    assert loud.count("Traceback") == 1


def test_sync_every_goes_on_after_a_round_that_fails_unexpectedly(url: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "from smoc_mcp.directory import directory\n"
        "real, rounds = directory.ContactDirectory.refresh, []\n"
        "async def refresh(self, done=None):\n"
        "    rounds.append(1)\n"
        "    if len(rounds) == 1: raise LookupError('odd')\n"
        "    return await real(self, done)\n"
        "directory.ContactDirectory.refresh = refresh\n"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "smoc_mcp", "sync", "--every", "1s"],
        env={
            **os.environ,
            "SMOC_API_KEY": KEY,
            "SMOC_BASE_URL": url,
            "SMOC_MCP_STORE": str(tmp_path / "store.sqlite3"),
            "PYTHONPATH": str(tmp_path),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told = process.stdout.readline()
        process.terminate()
        said = process.stderr.read()
    assert told.startswith("seen 30")
    assert said.startswith("smoc-mcp: an unexpected error (LookupError).")
    assert "Traceback" not in said


def test_export_names_an_unknown_filter_cleaned(url: str) -> None:
    done = run_here("export", "a\x1b[31m\u202eb=1", SMOC_BASE_URL=url)
    assert done.returncode == 1
    assert "no filter 'ab'" in done.stderr


def test_two_files_that_replace_one_at_once_are_each_whole(tmp_path: Path) -> None:
    out = tmp_path / "o.csv"
    begun = threading.Barrier(2)

    def write(letter: str) -> None:
        with replacing(out) as file:
            begun.wait(10)
            for _ in range(10_000):
                file.write(letter)

    writers = [threading.Thread(target=write, args=(letter,)) for letter in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert out.read_text() in ("a" * 10_000, "b" * 10_000)
    assert [*tmp_path.iterdir()] == [out]


def test_an_export_follows_no_link_and_leaves_other_files_alone(url: str, tmp_path: Path) -> None:
    out, target, part = (tmp_path / name for name in ("o.csv", "target", "o.csv.part"))
    target.write_text("mine")
    part.symlink_to(target)
    out.symlink_to(target)
    done = run_here("export", "--out", str(out), SMOC_BASE_URL=url)
    assert done.returncode == 0, done.stderr
    assert target.read_text() == "mine"
    assert part.is_symlink()
    assert not out.is_symlink()
    assert out.read_text().startswith("id,")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_mode_of_somebody_elses_file_is_left_as_it_is(tmp_path: Path) -> None:
    text, other, link = (tmp_path / name for name in ("notes", "other.db", "link"))
    text.write_text("my notes " * 40)
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE theirs (x)")
    database.close()
    script = tmp_path / "script"
    script.write_text("#!/bin/sh")
    link.symlink_to(script)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    files = {text: 0o644, other: 0o664, script: 0o755, fifo: 0o644}
    for file, before in files.items():
        file.chmod(before)
    for named in (text, other, link, fifo, Path("/dev/null")):
        with pytest.raises(StoreError, match=r"Set SMOC_MCP_STORE to|restore a copy of it"):
            ContactStore(named)
    assert {file: mode(file) for file in files} == files
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert mode(Path("/dev/null")) & 0o006


def test_a_store_of_ours_is_made_private_again_and_its_new_folders_are(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "store.sqlite3"
    ContactStore(path).close()
    assert [mode(p) for p in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]
    path.chmod(0o644)
    ContactStore(path).close()
    assert mode(path) == 0o600


def test_forget_says_what_a_reader_keeps_it_from_overwriting(url: str, tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    env = {"SMOC_BASE_URL": url, "SMOC_MCP_STORE": str(path)}
    assert run_here("sync", **env).returncode == 0
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM contacts").fetchone()
    done = run_here("forget", "--yes", **env)
    assert (done.returncode, done.stdout) == (1, "")
    assert "30 contacts erased" in done.stderr
    assert "not yet overwritten" in done.stderr
    reader.close()
    again = run_here("forget", "--yes", **env)
    assert (again.returncode, again.stderr) == (0, "")
    held = b"".join(p.read_bytes() for p in tmp_path.iterdir() if p.is_file())
    assert b"@example" not in held
