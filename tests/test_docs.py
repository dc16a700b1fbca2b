"""README, server.json and AGENTS.md say what the code does."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import jsonschema
import pytest

from smoc_mcp import settings
from smoc_mcp.cli.config import CLIENTS
from smoc_mcp.cli.main import main
from smoc_mcp.cli.parser import COMMANDS, build_parser
from smoc_mcp.http.settings import HttpSettings
from smoc_mcp.server.prompts import PROMPTS
from smoc_mcp.server.resources import COMPANY_URI, CONTACT_URI, GUIDE_URI
from smoc_mcp.variables import variables_of
from tests.serving import NAMES
from tests.test_architecture import BESIDE, ROOMS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
OF_HTTP = {*variables_of(HttpSettings)}
SETTINGS = sorted({*variables_of(settings.Settings)} | OF_HTTP)
TYPED = tuple(command.name for command in COMMANDS)


def test_the_readme_names_every_tool_setting_command_and_client() -> None:
    for name in (*NAMES, *SETTINGS):
        assert f"`{name}`" in README
    for command in TYPED:
        assert f"`smoc-mcp {command}" in README
    for client in CLIENTS:
        assert f"smoc-mcp config {client}" in README


def test_the_readme_names_every_prompt_and_resource() -> None:
    for name in (*PROMPTS, COMPANY_URI, CONTACT_URI, GUIDE_URI):
        assert f"`{name}`" in README


def test_the_readme_names_no_setting_that_does_not_exist() -> None:
    assert set(re.findall(r"SMOC_[A-Z_]+", README)) <= {*SETTINGS}


def test_help_names_every_setting_and_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    for name in (*SETTINGS, *TYPED):
        assert name in said


@pytest.mark.parametrize("command", TYPED)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out) > 150


def test_the_readmes_python_is_the_quickstart() -> None:
    block = README.split("```python\n")[1].split("```")[0]
    assert block == (ROOT / "examples" / "quickstart.py").read_text("utf-8")


PROGRAMS = sorted(p for p in (ROOT / "examples").glob("*.py") if "__main__" in p.read_text("utf-8"))


@pytest.mark.parametrize("example", PROGRAMS, ids=lambda p: p.stem)
def test_every_example_runs_and_checks_itself(example: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(example)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_changelog_has_this_version_or_unreleased() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "## [Unreleased]" in changelog or f"## [{version('smoc-mcp')}]" in changelog


def test_agents_md_names_every_room_and_is_short() -> None:
    text = (ROOT / "AGENTS.md").read_text("utf-8")
    assert len(text.splitlines()) <= 60
    for name in {*ROOMS, *BESIDE} - {"__init__", "__main__"}:
        assert f"`{name}`" in text
    for module in re.findall(r"`(\w+/\w+\.py)`", text):
        assert any((folder / module).exists() for folder in (ROOT, ROOT / "smoc_mcp")), module


def test_server_json_agrees_with_the_code() -> None:
    server = json.loads((ROOT / "server.json").read_text("utf-8"))
    (package,) = server["packages"]
    variables = {v["name"]: v for v in package["environmentVariables"]}
    assert server["version"] == package["version"] == version("smoc-mcp")
    assert package["identifier"] == "smoc-mcp"
    # Those of HTTP are not for a server over stdio.
    assert sorted(variables) == [name for name in SETTINGS if name not in OF_HTTP]
    assert [n for n, v in variables.items() if v.get("isSecret")] == ["SMOC_API_KEY"]
    assert len(server["description"]) <= 100
    assert f"mcp-name: {server['name']}" in README


def test_server_json_is_valid_where_the_schema_is_at_hand() -> None:
    schema = ROOT.parent / "shared" / "schemas" / "server.schema.2025-12-11.json"
    if not schema.exists():
        pytest.skip("the registry's schema is not part of this repository")
    jsonschema.validate(
        json.loads((ROOT / "server.json").read_text("utf-8")),
        json.loads(schema.read_text("utf-8")),
    )


def test_the_version_is_said_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == version("smoc-mcp")
    for path in (ROOT / "smoc_mcp").rglob("*.py"):
        assert project["version"] not in path.read_text("utf-8"), path


def test_the_bundles_manifest_agrees_with_the_code() -> None:
    manifest = json.loads((ROOT / "mcpb" / "manifest.json").read_text("utf-8"))
    assert manifest["version"] == version("smoc-mcp")
    assert [tool["name"] for tool in manifest["tools"]] == list(NAMES)
    assert manifest["user_config"]["api_key"]["sensitive"] is True
    env = manifest["server"]["mcp_config"]["env"]
    assert set(env) <= set(SETTINGS)
    assert set(re.findall(r"user_config\.(\w+)", json.dumps(env))) == set(manifest["user_config"])
    # What the user leaves empty must be the default of ours.
    asked = manifest["user_config"]
    filled = {name: asked[value[14:-1]].get("default", "") for name, value in env.items()}
    assert settings.Settings.from_env(filled, needs_key=False) == settings.Settings()


def test_the_bundles_manifest_is_valid_where_the_schema_is_at_hand() -> None:
    schema = ROOT.parent / "shared" / "schemas" / "mcpb-manifest-v0.4.schema.json"
    if not schema.exists():
        pytest.skip("the bundle's schema is not part of this repository")
    jsonschema.validate(
        json.loads((ROOT / "mcpb" / "manifest.json").read_text("utf-8")),
        json.loads(schema.read_text("utf-8")),
    )


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    assert set(re.findall(r"SMOC_[A-Z_]+", text)) <= {*SETTINGS}
    named = set(re.findall(r"`(?:\S+=\S+ )*smoc-mcp ([a-z]+)", text))
    assert named <= {*TYPED}
    assert set(re.findall(r"\b(contacts_[a-z_]+)", text)) <= {*NAMES}
    for link in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_every_command_of_a_page_can_be_typed(page: Path) -> None:
    for block in _SHELL.findall(page.read_text("utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            words = [word for word in shlex.split(line) if not re.match(r"[A-Z_]+=", word)]
            if words and words[0] == "smoc-mcp":
                done = build_parser().parse_args(words[1:]).run
                assert done in {command.run for command in COMMANDS}


def test_the_readme_leads_to_every_page() -> None:
    for page in PAGES[1:]:
        assert f"](docs/{page.name})" in README


def test_every_setting_but_the_key_and_those_of_http_is_handed_on_to_a_client() -> None:
    of_stdio = {*SETTINGS} - OF_HTTP - {"SMOC_API_KEY", "SMOC_API_KEY_FILE"}
    assert settings.Settings.named(dict.fromkeys(SETTINGS, "some")).keys() == of_stdio
