"""Speed and memory beside something, in interleaved pairs; medians, as one table.

    pip install -e '.[dev,benchmarks]'
    python -m benchmarks.speed [--contacts 100000] [--bridge PYTHON]

Each row measures ours and the thing beside it in turn, so that both see the same machine.
"""

import argparse
import gc
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import anyio

from benchmarks.callers import load
from benchmarks.processes import Stdio, memory_mb, serving, start
from benchmarks.stores import store_rows
from smoc_mcp.api.answer import read_answer
from smoc_mcp.directory.windows import Arrived, Sent, window_of
from smoc_mcp.proof.windows import Sort
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.store.store import ContactStore

__all__: list[str] = []

_KEY = "key-of-the-benchmark"
_OURS, _TRIVIAL = ["-m", "smoc_mcp"], ["-m", "benchmarks.trivial"]
_BRIDGE = ["-m", "benchmarks.bridge"]
_CALLERS = 50
_CALLS = 600


class Row(NamedTuple):
    """One line of the table."""

    what: str
    ours: float
    beside: float
    unit: str
    target: str
    beside_what: str


def medians(
    ours: Callable[[], float], beside: Callable[[], float], rounds: int
) -> tuple[float, float]:
    """Return the medians of both, measured in turn; the first round of each does not count."""
    pairs = [(ours(), beside()) for _ in range(rounds + 1)][1:]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def took(run: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the milliseconds that something takes."""
    began = clock()
    run()
    return (clock() - began) * 1_000


def start_rows(env: dict[str, str], bridge: str | None) -> list[Row]:
    """Return what the first list of tools takes; beside a bridge too, given a Python for it."""
    besides = [("<= 1.0 x", "one-tool server", lambda: start(_TRIVIAL, {}))]
    if bridge is not None:
        besides.append(
            ("< 1 x", "FastMCP OpenAPI bridge", lambda: start(_BRIDGE, env, bridge)),
        )
    rows = []
    for target, beside_what, beside in besides:
        ours, theirs = medians(lambda: start(_OURS, env), beside, 9)
        rows.append(
            Row("start to tools/list", ours * 1_000, theirs * 1_000, "ms", target, beside_what)
        )
    return rows


def warm_rows(env: dict[str, str]) -> list[Row]:
    """Return what warm calls over stdio take, and the memory with four windows in hand."""
    server, trivial = Stdio(_OURS, env), Stdio(_TRIVIAL, {})
    server.call("contacts_stats", group_by="city")
    rows = []
    for what, target, call in (
        ("contacts_list, warm", "<= +2 ms", lambda: server.call("contacts_list")),
        (
            "two-way grouping, warm",
            "<= +5 ms",
            lambda: server.call("contacts_stats", group_by="city,utm_source"),
        ),
    ):
        ours, beside = medians(
            partial(took, call),
            partial(took, partial(trivial.call, "echo")),
            60,
        )
        rows.append(Row(what, ours, beside, "ms", target, "trivial tool"))
    rows.append(
        Row(
            "memory, four windows",
            memory_mb(server.process.pid),
            memory_mb(trivial.process.pid),
            "MB",
            "<= 120 MB",
            "trivial tool's server",
        )
    )
    server.close()
    trivial.close()
    return rows


def http_rows(env: dict[str, str]) -> list[Row]:
    """Return calls a second of 50 callers at once."""
    freely = {**env, "SMOC_MCP_CALLS_PER_MINUTE": "1000000"}
    command = [*_OURS, "http", "--allow-unauthenticated", "--port"]
    with serving(command, freely) as served, serving(_TRIVIAL, {}) as other:

        def calls_a_second(url: str, tool: str, **arguments: object) -> float:
            return anyio.run(load, url, tool, arguments, _CALLERS, _CALLS).calls_a_second

        ours, beside = medians(
            lambda: calls_a_second(served.url, "contacts_list", limit=20),
            lambda: calls_a_second(other.url, "echo"),
            3,
        )
    return [Row("HTTP, 50 callers", ours, beside, "calls/s", ">= 0.5 x", "trivial tool")]


def window_rows(company: Company) -> list[Row]:
    """Return the CPU time of one window of 500 contacts, decoded, validated and stored."""
    page = {
        "data": company.page("createdAt", 500),
        "leadsCount": company.leads_count,
        "customerCount": company.customer_count,
    }
    body = json.dumps(page).encode()

    def take_in() -> None:
        store = ContactStore()
        read = read_answer(body, 500)
        store.absorb(
            window_of(Sort.CREATED, read, Sent(store.tick(), 1), Arrived(2, 2)), read.contacts
        )
        store.close()

    # As a server does: what stays is not looked through for garbage again and again.
    gc.freeze()
    ours, beside = medians(
        lambda: took(take_in, time.process_time),
        lambda: took(lambda: json.loads(body), time.process_time),
        15,
    )
    return [
        Row(f"window of {len(body) / 1e6:.1f} MB", ours, beside, "ms CPU", "<= 60", "json.loads")
    ]


def table(rows: Sequence[Row]) -> str:
    """Return the table, in Markdown."""
    lines = ["| what | ours | beside | ratio | target | beside what |", "|---|---|---|---|---|---|"]
    for row in rows:
        ratio = f"{row.ours / row.beside:.2f} x" if row.beside else ""
        lines.append(
            f"| {row.what} | {row.ours:.1f} {row.unit} | {row.beside:.1f} {row.unit} | {ratio} "
            f"| {row.target} | {row.beside_what} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000, help="of the large store")
    parser.add_argument("--bridge", metavar="PYTHON", help="one that has fastmcp, to start beside")
    options = parser.parse_args()
    company = Company("Benchmark", seed=1, size=3_000, hostile=0)
    with run_in_thread(Sandbox(keys={_KEY: company})) as url:
        env = {"SMOC_API_KEY": _KEY, "SMOC_BASE_URL": url, "SMOC_MCP_CACHE_SECONDS": "3600"}
        rows = [
            *start_rows(env, options.bridge),
            *warm_rows(env),
            *http_rows(env),
            *window_rows(company),
        ]
    with tempfile.TemporaryDirectory() as folder:
        rows += [Row(*row) for row in store_rows(Path(folder), options.contacts)]
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}\n")
    print(table(rows))


if __name__ == "__main__":
    main()
