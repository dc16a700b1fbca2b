"""How costs grow with contacts, with companies and with callers: tables, and each as a PNG.

    pip install -e '.[dev,benchmarks]'
    python -m benchmarks.growth --folder DIR [--most 1000000] [--plots benchmarks] [--only contacts]

The stores are made in a folder, one after the other: a million contacts need about 8 GB there.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

import anyio

from benchmarks.callers import Load, calling, load
from benchmarks.curves import Column, Curve, draw, table
from benchmarks.processes import memory_mb, serving
from benchmarks.stores import (
    OURS,
    build,
    cases,
    measure,
    measure_beside,
    open_duckdb,
    open_store,
)
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread

__all__: list[str] = []

P = ParamSpec("P")
T = TypeVar("T")
Point = Mapping[Column, float]

_CONTACTS = (100, 1_000, 10_000, 100_000, 1_000_000)
_COMPANIES = (1, 10, 100, 1_000)
_CALLERS = (1, 10, 50, 100, 200)
_COMPANY_SIZE = 60
_ROUNDS = 3
_KEY = "key-of-the-benchmark"
_HTTP = ["-m", "smoc_mcp", "http", "--port"]
_OPEN_HTTP = ["-m", "smoc_mcp", "http", "--allow-unauthenticated", "--port"]
_TRIVIAL = ["-m", "benchmarks.trivial"]
_ENV = {"SMOC_MCP_CACHE_SECONDS": "3600", "SMOC_MCP_CALLS_PER_MINUTE": "1000000"}
_LIST = {"limit": 20}
_TITLES = {
    "contacts": "Contacts in the store, a SQLite file",
    "companies": "Companies that one HTTP server holds",
    "callers": "Callers at once, over HTTP",
}


def contacts_point(folder: Path, size: int) -> Point:
    """Return what a store of a size costs, and what is asked of it."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        home = Path(made)
        built = alone(build, home, size)
        size_mb = (home / OURS).stat().st_size / 1e6
        asked = alone(ask_store, home, built.address)
    return {Column("build", "s"): built.seconds, Column("file", "MB"): size_mb, **asked}


def alone(run: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run something in a process of its own, whose memory nothing else has touched."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(run, *args, **kwargs).result()


def ask_store(folder: Path, address: str) -> Point:
    """Return the medians of all questions, and the memory that ours alone have taken."""
    asked = cases(address)
    with closing(open_store(folder)) as store:
        ours = {case.what: measure(case, store) for case in asked}
        point = {Column("memory", "MB"): memory_mb(os.getpid())}
        with closing(open_duckdb(folder)) as other:
            for case in asked:
                if case.beside is None:
                    point[Column(case.what, "ms")] = ours[case.what]
                else:
                    both = measure_beside(case, store, other)
                    point[Column(case.what, "ms")] = both[0]
                    point[Column(case.what, "ms", "DuckDB")] = both[1]
    return point


def companies_point(count: int) -> Point:
    """Return what a server costs that holds companies, each with a key of its own.

    Each is asked once, then all in turn. Another one goes before them, so that what a server loads
    for its first question is not counted.
    """
    keys = {f"{_KEY}-{number}": _small(number) for number in range(count + 1)}
    for company in keys.values():
        company.page("createdAt", _COMPANY_SIZE)  # made up now, not while the first call waits
    most = {"SMOC_MCP_MAX_COMPANIES": str(len(keys)), "SMOC_API_KEY": ""}
    with (
        run_in_thread(Sandbox(keys=dict(keys))) as api,
        serving(_HTTP, {**_ENV, **most, "SMOC_BASE_URL": api}) as served,
    ):
        first, warm = anyio.run(_ask_in_turn, served.url, list(keys))
        memory = memory_mb(served.pid)
    return {
        Column("memory", "MB"): memory,
        Column("first call", "ms"): statistics.median(first),
        Column("warm call", "ms"): statistics.median(warm),
    }


async def _ask_in_turn(url: str, keys: list[str]) -> tuple[list[float], list[float]]:
    """Return what the first call of each key but one takes, and what later ones take."""
    first_of_all, *others = keys
    rounds = max(2, 300 // len(others))
    async with calling(url) as caller:
        await caller.ask("contacts_list", _LIST, first_of_all)
        first = [await caller.ask("contacts_list", _LIST, key) for key in others]
        warm = [
            await caller.ask("contacts_list", _LIST, key) for _ in range(rounds) for key in others
        ]
    return first, warm


def _small(number: int) -> Company:
    name, operator = f"Company {number}", str(number + 1)
    return Company(name, seed=number, size=_COMPANY_SIZE, operator_id=operator, hostile=0)


def callers_points() -> Iterator[tuple[int, Point]]:
    """Yield what callers at once get of our server, and of the trivial one."""
    company = Company("Benchmark", seed=1, size=3_000, hostile=0)
    with run_in_thread(Sandbox(keys={_KEY: company})) as api:
        env = {**_ENV, "SMOC_API_KEY": _KEY, "SMOC_BASE_URL": api}
        with serving(_OPEN_HTTP, env) as served, serving(_TRIVIAL, {}) as other:
            for callers in _CALLERS:
                calls = max(300, 10 * callers)
                pairs = [
                    (
                        anyio.run(load, served.url, "contacts_list", _LIST, callers, calls),
                        anyio.run(load, other.url, "echo", {}, callers, calls),
                    )
                    for _ in range(_ROUNDS + 1)
                ][1:]
                yield callers, _of_loads(pairs)


def _of_loads(pairs: list[tuple[Load, Load]]) -> Point:
    point = {}
    for what, unit in (("calls_a_second", "calls/s"), ("p50", "ms"), ("p95", "ms")):
        for side, beside in enumerate(("", "trivial tool")):
            name = "calls" if unit == "calls/s" else what
            values = [getattr(pair[side], what) for pair in pairs]
            point[Column(name, unit, beside)] = statistics.median(values)
    return point


def main() -> None:
    """Measure, print the tables, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="for the stores")
    parser.add_argument("--most", type=int, default=_CONTACTS[-1], help="contacts")
    parser.add_argument("--plots", type=Path, default=Path("benchmarks"), help="for the PNGs")
    parser.add_argument("--only", choices=_TITLES, help="this curve alone")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    options.plots.mkdir(parents=True, exist_ok=True)
    sizes = [size for size in _CONTACTS if size <= options.most]
    points: dict[str, Iterable[tuple[int, Point]]] = {
        "contacts": ((size, contacts_point(options.folder, size)) for size in sizes),
        "companies": ((count, companies_point(count)) for count in _COMPANIES),
        "callers": callers_points(),
    }
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    for name in [options.only] if options.only else reversed(_TITLES):
        curve = Curve(name, _TITLES[name], name)
        for number, point in points[name]:
            curve.points[number] = point
            # Said at once: the next one may take long.
            said = ", ".join(f"{column} {value:.2f}" for column, value in point.items())
            print(f"{number:,} {name}: {said}", file=sys.stderr, flush=True)
        print(f"\n{curve.title}:\n\n{table(curve)}", flush=True)
        draw(curve, options.plots)


if __name__ == "__main__":
    main()
