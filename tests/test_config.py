"""config --write on real files: other servers stay, a copy is kept, nothing is lost."""

import base64
import json
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from smoc_mcp.cli.client_files import KEY_TO_FILL_IN
from smoc_mcp.cli.config import CLIENTS, file_of, install_link
from smoc_mcp.cli.main import main

KEY = "key-of-the-company"
WITH_FILE = [client for client in CLIENTS if client != "claude-code"]
TOML = """\
# Mine.
model = "some-model"  # the best

[mcp_servers.other]
command = "other"
"""


class Done(NamedTuple):
    """What a command said, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


Write = Callable[..., Done]


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Write:
    """Return the command, as a function."""

    def run(client: str, file: Path, key: str = KEY) -> Done:
        monkeypatch.setenv("SMOC_API_KEY", key)
        code = main(["config", client, "--write", "--file", str(file)])
        return Done(code, *capsys.readouterr())

    return run


def servers(file: Path) -> dict[str, Any]:
    text = file.read_text("utf-8")
    whole = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    names = [n for n in ("mcpServers", "servers", "mcp_servers") if n in whole]
    found: dict[str, Any] = whole[names[0]]
    return found


def file_in(folder: Path, client: str) -> Path:
    usual = file_of(client)
    assert usual is not None
    return folder / usual.name


@pytest.mark.parametrize("client", WITH_FILE)
def test_what_is_masked_here_is_masked_there(
    write: Write, monkeypatch: pytest.MonkeyPatch, client: str, tmp_path: Path
) -> None:
    file = file_in(tmp_path, client)
    monkeypatch.setenv("SMOC_MCP_MASK", "email")
    monkeypatch.setenv("SMOC_MCP_BEARER_TOKENS", "only-of-the-http-server")
    write(client, file)
    assert servers(file)["smoc"]["env"].items() >= {"SMOC_MCP_MASK": "email"}.items()
    assert "only-of-the-http-server" not in file.read_text("utf-8")


@pytest.mark.parametrize("client", WITH_FILE)
def test_an_entry_names_one_address(
    write: Write, monkeypatch: pytest.MonkeyPatch, client: str, tmp_path: Path
) -> None:
    file = file_in(tmp_path, client)
    monkeypatch.setenv("SMOC_ENVIRONMENT", "staging")
    write(client, file)
    monkeypatch.delenv("SMOC_ENVIRONMENT")
    monkeypatch.setenv("SMOC_BASE_URL", "https://api.example.com")
    write(client, file)
    env = servers(file)["smoc"]["env"]
    assert env["SMOC_BASE_URL"] == "https://api.example.com"
    assert "SMOC_ENVIRONMENT" not in env


@pytest.mark.parametrize("client", WITH_FILE)
def test_a_new_file_is_private_and_starts_this_installation(
    write: Write, client: str, tmp_path: Path
) -> None:
    file = file_in(tmp_path / "new" / "folder", client)
    done = write(client, file)
    assert done.returncode == 0, done.stderr
    entry = servers(file)["smoc"]
    assert Path(entry["command"]).is_absolute()
    assert Path(entry["command"]).exists()
    expected = "${input:smoc-api-key}" if client == "vscode" else KEY
    assert entry["env"] == {"SMOC_API_KEY": expected}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert KEY not in done.stdout
    assert [*file.parent.iterdir()] == [file]


@pytest.mark.parametrize("client", [c for c in WITH_FILE if c != "codex"])
def test_other_servers_and_settings_stay_and_the_old_file_is_kept(
    write: Write, client: str, tmp_path: Path
) -> None:
    name = "servers" if client == "vscode" else "mcpServers"
    file = file_in(tmp_path, client)
    old = {
        "theme": "dark",
        "inputs": [{"id": "mine", "type": "promptString"}],
        name: {
            "other": {"command": "other", "args": ["--æøå"]},
            "smoc": {"command": "uvx", "args": ["smoc-mcp"], "env": {"SMOC_MCP_MASK": "email"}},
        },
    }
    text = json.dumps(old, ensure_ascii=False)
    file.write_text("\ufeff" + text, "utf-8")
    file.chmod(0o644)
    done = write(client, file)
    assert done.returncode == 0, done.stderr
    new = json.loads(file.read_text("utf-8"))
    assert (new["theme"], new[name]["other"]) == ("dark", old[name]["other"])  # type: ignore[index]
    assert new["inputs"][0] == {"id": "mine", "type": "promptString"}
    entry = new[name]["smoc"]
    assert entry["env"]["SMOC_MCP_MASK"] == "email"
    assert entry.get("args") != ["smoc-mcp"]
    (kept,) = [path for path in tmp_path.iterdir() if path != file]
    assert {stat.S_IMODE(f.stat().st_mode) for f in (file, kept)} == {0o600}
    assert kept.read_text("utf-8-sig") == text
    assert str(kept) in done.stdout


def test_comments_of_a_toml_file_stay(write: Write, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(TOML, "utf-8")
    assert write("codex", file).returncode == 0
    assert file.read_text("utf-8").startswith(TOML)
    assert servers(file)["smoc"]["env"] == {"SMOC_API_KEY": KEY}
    assert servers(file)["other"] == {"command": "other"}


@pytest.mark.parametrize("client", WITH_FILE)
def test_writing_twice_changes_nothing(write: Write, client: str, tmp_path: Path) -> None:
    file = file_in(tmp_path, client)
    write(client, file)
    before = file.read_bytes()
    done = write(client, file)
    assert "nothing was changed" in done.stdout
    assert file.read_bytes() == before
    assert [*tmp_path.iterdir()] == [file]


def test_without_a_key_the_present_one_stays_or_a_place_for_it_is_left(
    write: Write, tmp_path: Path
) -> None:
    file = tmp_path / "mcp.json"
    assert f"Put your key in place of {KEY_TO_FILL_IN}" in write("cursor", file, "").stdout
    assert servers(file)["smoc"]["env"]["SMOC_API_KEY"] == KEY_TO_FILL_IN
    write("cursor", file)
    write("cursor", file, "")
    assert servers(file)["smoc"]["env"]["SMOC_API_KEY"] == KEY


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mcp.json", '{"mcpServers": {'),
        ("mcp.json", "[]"),
        ("mcp.json", '{"mcpServers": []}'),
        ("mcp.json", '// a comment\n{"mcpServers": {}}'),
        ("mcp.json", '{"mcpServers": {"a": {}}, "mcpServers": {"b": {}}}'),
        ("mcp.json", '{"mcpServers": {}, "scale": 1e400}'),
        ("mcp.json", '{"mcpServers": {}, "scale": NaN}'),
        ("mcp.json", '{"mcpServers": ' + "[" * 100_000),
        ("config.toml", "[mcp_servers"),
        ("config.toml", "mcp_servers = 1"),
    ],
)
def test_a_file_that_cannot_be_understood_is_left_alone(
    write: Write, tmp_path: Path, name: str, text: str
) -> None:
    file = tmp_path / name
    file.write_text(text, "utf-8")
    done = write("codex" if name.endswith("toml") else "cursor", file)
    assert done.returncode == 2
    assert "nothing was changed. Mend it, or put in what the command prints" in done.stderr
    assert done.stderr.count("\n") == 1
    assert file.read_text("utf-8") == text
    assert [*tmp_path.iterdir()] == [file]


def test_a_file_that_is_a_link_stays_one(write: Write, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "mcp.json"
    real.parent.mkdir()
    real.write_text("{}", "utf-8")
    link = tmp_path / "mcp.json"
    link.symlink_to(real)
    assert write("cursor", link).returncode == 0
    assert link.is_symlink()
    assert "smoc" in servers(real)


def test_a_file_that_is_a_loop_of_links_is_refused_in_one_line(
    write: Write, tmp_path: Path
) -> None:
    link = tmp_path / "mcp.json"
    link.symlink_to(link)
    done = write("cursor", link)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "loop of links" in done.stderr


def test_claude_code_has_a_command_of_its_own(write: Write, tmp_path: Path) -> None:
    done = write("claude-code", tmp_path / "x.json")
    assert done.returncode == 2
    assert "run what `smoc-mcp config claude-code` prints" in done.stderr


@pytest.mark.parametrize(
    ("client", "system", "path"),
    [
        ("claude-desktop", "darwin", "Library/Application Support/Claude"),
        ("claude-desktop", "win32", "AppData/Roaming/Claude"),
        ("claude-desktop", "linux", ".config/Claude"),
        ("vscode", "darwin", "Library/Application Support/Code/User"),
        ("cursor", "darwin", ".cursor"),
        ("codex", "win32", ".codex"),
    ],
)
def test_the_usual_file_of_a_client(client: str, system: str, path: str) -> None:
    file = file_of(client, Path("/home/ada"), system)
    assert file is not None
    assert file.parent == Path("/home/ada") / path


def test_the_install_links_of_the_readme_are_those_of_the_code() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    for client in ("cursor", "vscode"):
        assert f"]({install_link(client)})" in readme


def test_an_install_link_holds_what_the_client_needs() -> None:
    cursor = parse_qs(urlsplit(install_link("cursor")).query)
    entry = json.loads(base64.b64decode(cursor["config"][0]))
    assert (cursor["name"], entry["command"], entry["args"]) == (["smoc"], "uvx", ["smoc-mcp"])
    vscode = parse_qs(urlsplit(install_link("vscode")).query)
    (asked,) = json.loads(vscode["inputs"][0])
    assert asked["password"] is True
    assert json.loads(vscode["config"][0])["env"] == {"SMOC_API_KEY": f"${{input:{asked['id']}}}"}
