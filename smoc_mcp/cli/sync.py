"""`sync`: fetches all windows into the store, once or again and again.

The bar of progress is four steps on one line, which needs no library.
"""

import argparse
import random
import re
import sys

import anyio

from smoc_mcp.cli.command import Command
from smoc_mcp.cli.unexpected import tell_of
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.directory.report import SyncReport
from smoc_mcp.errors import ConfigurationError, SmocError, UsageError
from smoc_mcp.logs import log_to_stderr
from smoc_mcp.opening import open_directory
from smoc_mcp.proof.history import BEGINNING
from smoc_mcp.proof.windows import ABSENT, Sort
from smoc_mcp.settings import Settings
from smoc_mcp.text.times import Moment
from smoc_mcp.views.lists import Views
from smoc_mcp.views.phrases import many

__all__ = ["SYNC"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BAR = 24
_JITTER = 0.1


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--every", metavar="TIME", help="go on until stopped, such as 15m")


def _run(options: argparse.Namespace) -> int:
    every = None if options.every is None else _parse_interval(options.every)
    settings = Settings.from_env()
    if settings.store is None:
        raise ConfigurationError(
            "SMOC_MCP_STORE is not set: name the file or database to sync into."
        )
    log_to_stderr(settings)

    async def sync() -> int:
        async with open_directory(settings) as directory:
            return await _sync(directory, every)

    return anyio.run(sync)


def _parse_interval(text: str) -> float:
    """Return the seconds that a text such as 15m, 1h or 90s means.

    It is one number and one letter, so no library reads it.

    Raises:
        UsageError: It is no such text, or less than a second.
    """
    parts = re.fullmatch(r"(\d{1,6})\s*([smhd])", text.strip().lower())
    if not parts or int(parts[1]) == 0:
        raise UsageError("--every takes a number and s, m, h or d, such as 15m.")
    return float(int(parts[1]) * _UNITS[parts[2]])


async def _sync(directory: ContactDirectory, every: float | None) -> int:
    """Fetch all windows into the store, once or until stopped; return the exit code.

    0 only if, in the last round, all four windows were fetched and stored.
    """
    while True:
        complete = False
        try:
            report = await _sync_once(directory)
            print(_told(report, Views(directory.zone)), flush=True)
        except SmocError as error:
            print(f"smoc-mcp: {error}", file=sys.stderr)
        except Exception as error:
            # One round that fails in a way that nobody foresaw must not end the rounds after it.
            if every is None or isinstance(error, BrokenPipeError):
                raise
            tell_of(error)
        else:
            complete = report.complete
            for sort, failure in report.failed.items():
                print(f"smoc-mcp: {sort}: {failure}", file=sys.stderr)
        if every is None:
            return 0 if complete else 1
        # Jitter, so that servers started together do not ask together.
        jitter = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  it is no secret
        await anyio.sleep(every * jitter)


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
    # Among contacts without any conversation there is no time that a gap could be in.
    stretches = [(g.sort, g.older, g.newer) for g in report.gaps if g.newer != ABSENT]
    gaps = [
        f"{sort} from {_time(older, views)} to {_time(newer, views)}"
        for sort, older, newer in stretches
    ]
    if gaps:
        parts.append(f"gap: {', '.join(gaps)}: run sync more often")
    elif report.complete and report.reach is not None:
        since = views.all_after(report.reach)
        parts.append(f"unbroken since {since}")
    if report.failed:
        parts.append(f"NOT complete: {', '.join(report.failed)} failed")
    return "; ".join(parts)


def _time(moment: Moment, views: Views) -> str:
    """Return a moment; absent ones, of contacts without that time, sort before all others."""
    return "the beginning" if moment <= max(ABSENT, BEGINNING) else views.time(moment)


SYNC = Command(
    "sync",
    "all windows into the store, for cron",
    "Fetches all four windows into the file of SMOC_MCP_STORE and prints what came. What\n"
    "was seen stays searchable, and as long as each run reaches back to the one before,\n"
    "nothing is missing. Exit code 0 only if all four windows were fetched and stored.",
    _run,
    _add_options,
)
