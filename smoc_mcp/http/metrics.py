"""Numbers for Prometheus at /metrics: calls, refusals, requests to SMOC, companies, the store.

No contact is in them. Every label is one of a few words of ours, so nobody can make the page grow.
"""

import os
from pathlib import Path
from typing import Literal

import anyio.to_thread
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from smoc_mcp.http.companies import Companies
from smoc_mcp.settings import environment

__all__ = ["SHARED_NUMBERS", "Metrics"]

SHARED_NUMBERS = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which prometheus_client keeps the numbers of several processes in one folder."""
_LARGEST = {"store_bytes", "oldest_window_seconds"}
"""Of several processes the largest counts; of all else the sum."""

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)


class Metrics:
    """What one process has counted.

    Attributes:
        registry: Of these numbers alone.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}
        self._calls = Histogram(
            "smoc_mcp_call_seconds",
            "Seconds that calls of tools took.",
            ["tool", "failed"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._refusals = Counter(
            "smoc_mcp_refusals",
            "Requests that were not let through, by HTTP status.",
            ["status"],
            registry=self.registry,
        )
        self._upstream = Histogram(
            "smoc_mcp_upstream_seconds",
            "Seconds that requests to SMOC took; outcome is ok or the failure.",
            ["outcome"],
            buckets=_SECONDS,
            registry=self.registry,
        )

    def call(self, tool: str, seconds: float, failed: bool) -> None:
        """Count a call of a tool."""
        self._calls.labels(tool, "true" if failed else "false").observe(seconds)

    def refusal(self, status: int) -> None:
        """Count a request that was not let through."""
        self._refusals.labels(str(status)).inc()

    def upstream(self, outcome: str, seconds: float) -> None:
        """Count a request to SMOC."""
        self._upstream.labels(outcome).observe(seconds)

    def route(self, companies: Companies, store: Path | None) -> Route:
        """Return the route of /metrics.

        Args:
            companies: How many are held, and what is in hand of them, is looked up when asked.
            store: The file of the store, if there is one.
        """

        async def metrics(_: Request) -> Response:
            standings = await companies.standings()
            ages = [standing.age for standing in standings if standing.age is not None]
            self._gauge("companies", "Companies held.").set(len(companies))
            self._gauge("companies_dropped", "Companies dropped for others.").set(companies.dropped)
            self._gauge("contacts_in_hand", "Contacts in hand.").set(
                sum(standing.contacts for standing in standings)
            )
            self._gauge("history_gaps", "Gaps in histories.").set(
                sum(standing.gaps for standing in standings)
            )
            self._gauge("oldest_window_seconds", "Age of the oldest live window.").set(
                max(ages, default=0.0)
            )
            if store is not None:
                size = await anyio.to_thread.run_sync(_size, store)
                self._gauge("store_bytes", "Size of the store's file.").set(size)
            return Response(generate_latest(_of_all(self.registry)), media_type=CONTENT_TYPE_LATEST)

        return Route("/metrics", metrics, methods=["GET"])

    def _gauge(self, name: str, said: str) -> Gauge:
        if name not in self._gauges:
            together: Literal["livemax", "livesum"] = "livemax" if name in _LARGEST else "livesum"
            self._gauges[name] = Gauge(
                f"smoc_mcp_{name}", said, registry=self.registry, multiprocess_mode=together
            )
        return self._gauges[name]


def _of_all(own: CollectorRegistry) -> CollectorRegistry:
    """Return what is counted by all processes of a server, where there are several."""
    folder = environment().get(SHARED_NUMBERS)
    if not folder:
        return own
    for path in Path(folder).glob("gauge_live*_*.db"):
        pid = int(path.stem.rpartition("_")[2])
        if not _is_alive(pid):
            multiprocess.mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]  # it has no types
    together = CollectorRegistry()
    multiprocess.MultiProcessCollector(together, folder)  # type: ignore[no-untyped-call]  # nor has it
    return together


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _size(path: Path) -> int:
    """Return the bytes of a SQLite file, with what is not yet written back to it."""
    parts = (path, path.with_name(f"{path.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())
