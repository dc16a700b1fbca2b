"""`check`: tells whether the key works and how much of the company can be seen.

The lines and bars are written out: a library for tables takes longer to import than all of this.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import anyio

from smoc_mcp.api.client import MAX_LIMIT
from smoc_mcp.cli.command import Command
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.errors import SmocError
from smoc_mcp.logs import log_to_stderr
from smoc_mcp.opening import open_directory
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import ABSENT, Sort, Window
from smoc_mcp.questions.filters import EVERYBODY
from smoc_mcp.settings import Settings, is_colourful
from smoc_mcp.store.database import name_of
from smoc_mcp.text.times import Moment
from smoc_mcp.views.lists import Views
from smoc_mcp.views.phrases import everybody_of, many

__all__ = ["CHECK"]

_VERBS = {
    "created": "created",
    "updated": "changed",
    "conversation": "talked to",
}
_BAR = 20
_GREEN, _DIM, _PLAIN = "\x1b[32m", "\x1b[2m", "\x1b[0m"


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON")


def _run(options: argparse.Namespace) -> int:
    settings = Settings.from_env()
    log_to_stderr(settings)

    async def look() -> dict[str, Any]:
        async with open_directory(settings) as directory:
            return await _findings(directory, settings)

    found = anyio.run(look)
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print(_table(found, colour=is_colourful(sys.stdout)))
    if "error" in found:
        print(f"smoc-mcp: {found['error']}", file=sys.stderr)
    return 1 if "error" in found else 0


async def _findings(directory: ContactDirectory, settings: Settings) -> dict[str, Any]:
    """Return the findings for a program, in the order of interest; nothing in them is secret.

    With a key that the API refuses, or an API that cannot be asked, there are fewer, and an
    `error`.
    """
    found: dict[str, Any] = {
        "version": version("smoc-mcp"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "mcp": version("mcp"),
        "address": settings.base_url,
        "store": None if settings.store is None else name_of(settings.store),
    }
    try:
        began = time.perf_counter()
        overview = await directory.overview()
        company, windows, took = overview.company, overview.windows, time.perf_counter() - began
        if company.failure:
            return {**found, "error": company.failure}
        began = time.perf_counter()
        company, windows = await directory.survey_windows()
        four_took = time.perf_counter() - began
        overview = await directory.overview()
        part = await directory.proven_part(EVERYBODY)
        ids = sorted(i for window in windows for i in window.rows)
        sample = await directory.get_contact(ids[0]) if ids else None
    except SmocError as error:
        return {**found, "error": str(error)}
    return {
        **found,
        "key": "accepted",
        "operator_id": _shown(sample.contact.operator_id if sample else None, settings),
        "leads": company.leads,
        "customers": company.customers,
        "at_least": company.at_least,
        "in_hand": company.in_hand,
        "whole_company": any(w.complete for w in windows),
        **_proven(part, settings),
        "windows": {
            str(sort): _window_findings(w, settings)
            for sort in Sort
            for w in windows
            if w.sort is sort
        },
        "round_trip_seconds": round(took, 3),
        "four_windows_seconds": round(four_took, 3),
        "unread": {_shown(name, settings): count for name, count in company.unread.items()},
        **(_history(overview.reach, len(overview.gaps), settings) if settings.store else {}),
    }


def _shown(value: str | None, settings: Settings) -> str | None:
    """Return what may be shown of a value that the API sent."""
    return Views.of(settings).boundary.id(value) or None if value else None


def _history(reach: Mapping[Sort, Moment], gaps: int, settings: Settings) -> dict[str, Any]:
    return {
        "nothing_missing_since": {
            str(sort): Views.of(settings).all_after(moment) for sort, moment in reach.items()
        },
        "gaps": gaps,
    }


def _proven(part: Part | None, settings: Settings) -> dict[str, Any]:
    """Return of which of the contacts in hand it is proven that none is missing."""
    if part is None:
        return {"proven": None}
    since = "" if part.since is None else _begun(part.since, settings)
    return {
        "proven": "all" if part.is_whole else f"{everybody_of(part, since)} are among them",
        **({"proven_since": since} if since else {}),
        **({"proven_statuses": part.of_statuses} if part.statuses else {}),
    }


def _begun(moment: Moment, settings: Settings) -> str:
    return Views.of(settings).since(moment)


def _window_findings(window: Window, settings: Settings) -> dict[str, Any]:
    since = window.all_since
    silent = window.sort is Sort.CONVERSATION and all(
        keys.conversation == ABSENT for keys in window.rows.values()
    )
    return {
        "contacts": len(window.rows),
        "complete": window.complete or (window.edge == ABSENT and not silent),
        **({"nobody_talked": True} if silent and window.rows else {}),
        **({} if since is None else {"all_since": Views.of(settings).time(since)}),
    }


def _table(found: Mapping[str, Any], *, colour: bool) -> str:
    """Return the findings for a person, a line each; with bars and colours for a terminal."""
    lines = {
        "version": f"{found['version']} (mcp {found['mcp']}, Python {found['python']}, "
        f"{found['system']})",
        "address": found["address"],
        "store": found["store"] or "none: contacts are kept in memory",
    }
    if "error" in found:
        return _aligned(lines)
    part = f"; {found['proven']}" if found["proven"] not in (None, "all") else ""
    whole = ", which is the whole company" if found["whole_company"] else part
    lines |= {
        "key": f"{_GREEN}accepted{_PLAIN}" if colour else "accepted",
        "company": f"operatorId {found['operator_id']}" if found["operator_id"] else "unknown",
        "counts": f"{many(found['leads'], 'lead')}, {many(found['customers'], 'customer')}, by "
        f"SMOC; at least {many(found['at_least'], 'contact')}",
        "in hand": f"{found['in_hand']:,} contacts{whole}",
    }
    for name, window in found["windows"].items():
        bar = _bar(window["contacts"]) if colour else ""
        lines[f"window {name}"] = bar + _reach(name, window)
    lines["took"] = (
        f"{found['round_trip_seconds']:.2f} s for the counts, "
        f"{found['four_windows_seconds']:.2f} s for four windows"
    )
    if found["unread"]:
        unread = ", ".join(f"{name} of {count}" for name, count in found["unread"].items())
        lines["not read"] = f"{unread}: report this"
    for name, since in found.get("nothing_missing_since", {}).items():
        lines[f"all {_VERBS[name]}"] = f"since {since}"
    if "gaps" in found:
        lines["gaps"] = str(found["gaps"])
    return _aligned(lines)


def _reach(name: str, window: Mapping[str, Any]) -> str:
    contacts = f"{window['contacts']} contacts"
    if "nobody_talked" in window:
        return f"{contacts}, nobody has talked yet"
    if window["complete"]:
        return f"{contacts}, complete"
    if "all_since" in window:
        return f"{contacts}, all {_VERBS[name]} since {window['all_since']}"
    return f"{contacts}, no proof of its own" if name == Sort.NATURAL else f"{contacts}, no order"


def _bar(contacts: int) -> str:
    filled = -(-_BAR * contacts // MAX_LIMIT)
    return f"{'█' * filled}{_DIM}{'░' * (_BAR - filled)}{_PLAIN} "


def _aligned(lines: Mapping[str, str]) -> str:
    width = max(map(len, lines))
    return "\n".join(f"{name:<{width}}  {text}" for name, text in lines.items())


CHECK = Command(
    "check",
    "is the key right, and what can be seen",
    "Asks the API with your key and prints what it shows: counts, the four windows and how\n"
    "far back each reaches. Exit code 0 if the key works, 1 if not, 2 for wrong settings.",
    _run,
    _add_options,
)
