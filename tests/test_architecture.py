"""The structure that the design promises, held against the code."""

import ast
import importlib
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

import pytest

import smoc_mcp

PACKAGE = Path(smoc_mcp.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST, TOO_LONG = 400, 500

ROOMS: dict[str, str] = {
    "cli": "http server views directory store api questions proof text",
    "http": "server directory api text",
    "server": "views directory api questions proof text",
    "views": "directory api questions proof text",
    "directory": "store api questions proof text",
    "store": "api questions proof text",
    "api": "questions proof text",
    "questions": "proof text",
    "proof": "text",
    "text": "",
}
"""Each room from the top of the house down, and the rooms below that it may enter."""

BESIDE: dict[str, str] = {
    "errors": "",
    "seldom": "",
    "logs": "settings text",
    "variables": "errors",
    "settings": "errors text variables",
    "opening": "directory store api settings",
    "__init__": "",
    "__main__": "cli",
}
"""The modules beside the rooms, and what they may import."""
FOR_ALL = {"errors", "seldom", "settings", "variables"}
"""What every room may import; but `text`, of which the settings are made, the errors only."""
WHO_OPENS = {"cli", "http"}
"""The rooms that put the parts together, by `opening`, and set the log up."""

ONLY = {
    "httpx": {"api.client", "api.connections", "api.failures", "http.tokens"},
    "jwt": {"http.tokens"},
    "sqlite3": {"store.sqlite", "store.store", "store.lookup", "store.records"},
    "mcp": {"server", "http", "cli.call", "cli.demo"},
    "mcp_types": {"server", "cli.call", "cli.demo", "http.transport"},
    "opentelemetry": {"api.client", "server.call_log"},
    "prometheus_client": {"http.metrics"},
    "psycopg": {"store.postgres", "store.postgres_errors", "store.replicas"},
    "rapidfuzz": {"questions.similar"},
    "regex": {"text.cleaning", "views.masking"},
    "uvicorn": {
        *("sandbox.protocol", "sandbox.server", "http.app", "http.slow_clients"),
        "http.workers",
    },
    "starlette": {"http"},
}
"""The only rooms or modules that may import each of these."""

PURE = {"questions", "proof", "text"}
"""Rooms that neither wait, store, nor talk: they import none of these."""
IMPURE = {"anyio", "asyncio", "httpx", "sqlite3", "mcp", "os", "socket", "subprocess", "threading"}


class LongModule(UserWarning):
    """A module that wants to be split by idea; a module past TOO_LONG fails."""


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


@cache
def imported_by(path: Path) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return each import of a module: of which module, and the names that it takes of it."""
    found: list[tuple[str, frozenset[str]]] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, frozenset()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.append((node.module or "", frozenset(alias.name for alias in node.names)))
    return tuple(found)


def imports(path: Path) -> list[str]:
    return [module for module, _ in imported_by(path)]


def room_of(path: Path) -> str:
    """Return the room that a module is in, or its own name where it stands beside them."""
    return name_of(path).partition(".")[0]


def rooms_entered(path: Path) -> set[str]:
    """Return what else of ours a module imports: rooms, and modules beside them."""
    ours = (i.split(".") for i in imports(path) if i.partition(".")[0] == "smoc_mcp")
    return {parts[1] if len(parts) > 1 else "__init__" for parts in ours} - {room_of(path)}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_is_too_long_to_read(path: Path) -> None:
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= TOO_LONG, f"{lines} lines: split it by idea"
    if lines > LONGEST:
        warnings.warn(f"{name_of(path)} has {lines} lines: split it by idea", LongModule, 1)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_one_sentence_and_nothing_else_in_its_init(room: str) -> None:
    (sentence,) = ast.parse((PACKAGE / room / "__init__.py").read_text("utf-8")).body
    assert isinstance(sentence, ast.Expr)
    assert isinstance(sentence.value, ast.Constant)


def test_every_module_is_in_a_room_or_named_beside_them() -> None:
    assert {room_of(path) for path in MODULES} == {*ROOMS, *BESIDE, "sandbox"}


def test_rooms_are_listed_from_the_top_down() -> None:
    below = list(ROOMS)
    for room, entered in ROOMS.items():
        assert not set(entered.split()) - set(below[below.index(room) + 1 :]), room


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_down_only(path: Path) -> None:
    room = room_of(path)
    if room in BESIDE:
        allowed = set(BESIDE[room].split()) | {"errors"}
    elif room == "sandbox":
        allowed = set()
    else:
        allowed = set(ROOMS[room].split()) | (FOR_ALL if room != "text" else {"errors"})
        allowed |= {"logs", "opening"} if room in WHO_OPENS else set()
        # The commands start the sandbox, and the demo is of it.
        allowed |= {"sandbox"} if room == "cli" else set()
    assert not rooms_entered(path) - allowed


def test_every_arrow_of_the_table_is_one_of_the_code() -> None:
    for room, entered in ROOMS.items():
        real = set().union(*(rooms_entered(p) for p in MODULES if room_of(p) == room))
        assert set(entered.split()) <= real, f"{room} no longer enters these"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_foreign_packages_are_imported_only_where_they_belong(path: Path) -> None:
    for imported in imports(path):
        allowed = ONLY.get(imported.partition(".")[0])
        where = {name_of(path), room_of(path)}
        assert allowed is None or where & allowed, f"{path.name} imports {imported}"


@pytest.mark.parametrize("path", [p for p in MODULES if room_of(p) in PURE], ids=name_of)
def test_pure_rooms_import_nothing_that_waits_stores_or_talks(path: Path) -> None:
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
    "path", [p for p in MODULES if room_of(p) != "sandbox" and p.stem[0] != "_"], ids=name_of
)
def test_all_names_exactly_what_a_module_offers(path: Path) -> None:
    module = importlib.import_module(f"smoc_mcp.{name_of(path)}")
    offered = module.__all__
    assert len(set(offered)) == len(offered)
    taken = {
        name
        for other in MODULES
        for imported, names in imported_by(other)
        if imported == module.__name__
        for name in names
    }
    assert all(hasattr(module, name) for name in offered)
    assert taken <= set(offered), f"others import {taken - set(offered)} of {module.__name__}"


def test_what_is_heavy_is_not_imported_before_the_first_question() -> None:
    code = (
        "import sys, smoc_mcp.server.server, smoc_mcp.api.client; "
        "print([m for m in ('httpx', 'rapidfuzz', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
