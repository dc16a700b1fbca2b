"""The structure that the design promises, held against the code."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import smoc_mcp

PACKAGE = Path(smoc_mcp.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 400

ONLY = {
    "httpx": {"client", "connections", "jwks"},
    "jwt": {"jwks"},
    "sqlite3": {"database", "store", "lookup", "records"},
    "mcp": {
        *("arguments", "definitions", "calls", "tools", "chatgpt"),
        *("resources", "prompts", "completions"),
        "server",
        *("cli", "demo", "http", "transport"),
    },
    "mcp_types": {"arguments", "definitions", "completions", "cli", "demo", "transport"},
    "opentelemetry": {"calls"},
    "rapidfuzz": {"similar"},
    "uvicorn": {"sandbox.protocol", "sandbox.server", "http", "slowness"},
    "starlette": {"transport", "http", "hosting"},
}
"""The only modules that may import each of these."""

PURE = {
    "rows",
    "history",
    "coverage",
    "query",
    "selection",
    "changes",
    "groups",
    "cursors",
    "boundary",
    "search",
    "similar",
    "text",
    "times",
}
"""Modules that neither wait, store, nor talk: they import none of these."""
IMPURE = {"anyio", "asyncio", "httpx", "sqlite3", "mcp", "os", "socket", "subprocess", "threading"}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_is_longer_than_400_lines(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_foreign_packages_are_imported_only_where_they_belong(path: Path) -> None:
    for imported in imports(path):
        allowed = ONLY.get(imported.partition(".")[0])
        assert allowed is None or name_of(path) in allowed, f"{path.name} imports {imported}"


@pytest.mark.parametrize("path", [p for p in MODULES if name_of(p) in PURE], ids=name_of)
def test_pure_modules_import_nothing_that_waits_stores_or_talks(path: Path) -> None:
    assert not IMPURE & {imported.partition(".")[0] for imported in imports(path)}


@pytest.mark.parametrize("path", [p for p in MODULES if p.parent.name == "sandbox"], ids=name_of)
def test_the_sandbox_imports_nothing_of_ours(path: Path) -> None:
    ours = {i for i in imports(path) if i.startswith("smoc_mcp")}
    assert all(imported.startswith("smoc_mcp.sandbox") for imported in ours)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_settings_reads_the_environment(path: Path) -> None:
    if name_of(path) != "settings":
        text = path.read_text("utf-8")
        assert "environ" not in text.replace("environment", "")
        assert "getenv" not in text


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.parent == PACKAGE and p.stem != "__main__"], ids=name_of
)
def test_all_names_exactly_what_a_module_offers(path: Path) -> None:
    __import__(module := f"smoc_mcp.{path.stem}" if path.stem != "__init__" else "smoc_mcp")
    offered = getattr(sys.modules[module], "__all__", [])
    assert len(set(offered)) == len(offered)
    assert all(hasattr(sys.modules[module], name) for name in offered)


def test_what_is_heavy_is_not_imported_before_the_first_question() -> None:
    code = (
        "import sys, smoc_mcp.server, smoc_mcp.client; "
        "print([m for m in ('httpx', 'rapidfuzz', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
