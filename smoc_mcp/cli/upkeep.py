"""Commands that look after the store: sync, export, forget."""

import os
import random
import re
import sys
from pathlib import Path

import anyio

from smoc_mcp.cli.export import Format, export
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.directory.report import SyncReport
from smoc_mcp.errors import InputError, SmocError, UsageError
from smoc_mcp.proof.history import BEGINNING
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.filters import FILTERS, parse_filter
from smoc_mcp.store.store import ContactStore
from smoc_mcp.views.lists import Views
from smoc_mcp.views.phrases import many

__all__ = ["parse_interval", "run_export", "run_forget", "run_sync"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BAR = 24
_JITTER = 0.1


def parse_interval(text: str) -> float:
    """Return the seconds that a text such as 15m, 1h or 90s means.

    Raises:
        UsageError: It is no such text, or less than a second.
    """
    parts = re.fullmatch(r"(\d{1,6})\s*([smhd])", text.strip().lower())
    if not parts or int(parts[1]) == 0:
        raise UsageError("--every takes a number and s, m, h or d, such as 15m.")
    return float(int(parts[1]) * _UNITS[parts[2]])


async def run_sync(directory: ContactDirectory, every: float | None) -> int:
    """Fetch all windows into the store, once or until stopped; return the exit code.

    0 only if, in the last round, all four windows were fetched and stored.
    """
    while True:
        complete = False
        try:
            report = await _sync_once(directory)
        except SmocError as error:
            print(f"smoc-mcp: {error}", file=sys.stderr)
        else:
            complete = report.complete
            print(_told(report, Views(directory.zone)), flush=True)
            for sort, failure in report.failed.items():
                print(f"smoc-mcp: {sort}: {failure}", file=sys.stderr)
        if every is None:
            return 0 if complete else 1
        # Jitter, so that servers started together do not ask together; it is no secret.
        await anyio.sleep(every * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311


async def _sync_once(directory: ContactDirectory) -> SyncReport:
    stored: list[Sort] = []

    def done(sort: Sort) -> None:
        stored.append(sort)
        if sys.stderr.isatty():
            filled = _BAR * len(stored) // len(Sort)
            bar = "#" * filled + "." * (_BAR - filled)
            print(f"\r[{bar}] {len(stored)} of {len(Sort)} windows", end="", file=sys.stderr)

    report = await directory.refresh(done)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return report


def _told(report: SyncReport, views: Views) -> str:
    parts = [
        f"seen {report.seen:,}, added {report.added:,}, changed {report.changed:,}, "
        f"removed {report.removed:,}; {many(report.in_hand, 'contact')} in hand"
    ]
    if report.counts is not None:
        leads, customers = report.counts
        parts.append(f"SMOC counts {many(leads, 'lead')} and {many(customers, 'customer')}")
    gaps = [f"{g.sort} from {views.time(g.older)} to {views.time(g.newer)}" for g in report.gaps]
    if gaps:
        parts.append(f"gap: {', '.join(gaps)}: run sync more often")
    elif report.complete and report.reach is not None:
        since = "the beginning" if report.reach == BEGINNING else views.time(report.reach)
        parts.append(f"unbroken since {since}")
    if report.failed:
        parts.append(f"NOT complete: {', '.join(report.failed)} failed")
    return "; ".join(parts)


async def run_export(
    directory: ContactDirectory, views: Views, form: Format, out: str, given: dict[str, str]
) -> int:
    """Write contacts to a file or, for -, to stdout; return the exit code.

    Raises:
        InputError: A filter is unknown or wrong, or the file cannot be written.
    """
    if unknown := sorted(set(given) - set(FILTERS)):
        raise InputError(f"export has no filter '{unknown[0]}'. It takes {', '.join(FILTERS)}.")
    wanted = parse_filter(given, now=directory.clock(), zone=directory.zone)
    if out == "-":
        told = await export(directory, wanted, views, form, sys.stdout)
    else:
        # Written beside and moved, so that a failure leaves the old file; readable by nobody else.
        beside = Path(f"{out}.part")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                told = await export(directory, wanted, views, form, file)
            beside.replace(out)  # noqa: ASYNC240  nothing else runs in this process
        except OSError as error:
            raise InputError(f"{out} cannot be written: {error.strerror}.") from error
        finally:
            beside.unlink(missing_ok=True)  # noqa: ASYNC240  as above
    written, certainty, failure = told
    print(f"{many(written, 'contact')} written, {certainty}.", file=sys.stderr)
    if failure:
        print(f"smoc-mcp: from what was in hand, since: {failure}", file=sys.stderr)
    return 1 if failure else 0


def run_forget(path: Path | None, *, sure: bool) -> int:
    """Erase the store, after a yes; return the exit code."""
    if path is None:
        print("smoc-mcp: no store to forget: SMOC_MCP_STORE is not set.", file=sys.stderr)
        return 2
    if not path.exists():
        print(f"{path} does not exist; nothing to forget.")
        return 0
    if not sure:
        if not sys.stdin.isatty():
            print("smoc-mcp: forget asks before it erases; add --yes.", file=sys.stderr)
            return 2
        if input(f"Erase every contact in {path}? Type yes: ").strip().lower() != "yes":
            print("Nothing was erased.")
            return 1
    store = ContactStore(str(path))
    try:
        print(f"Erased {many(store.forget(), 'contact')} from {path}.")
    finally:
        store.close()
    return 0
