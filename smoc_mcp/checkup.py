"""What a support person would ask first: does the key work, and how far can we see."""

import time
from importlib.metadata import version

from smoc_mcp.coverage import ABSENT, Sort, Window
from smoc_mcp.directory import ContactDirectory
from smoc_mcp.history import BEGINNING
from smoc_mcp.settings import Settings
from smoc_mcp.times import Moment, iso

__all__ = ["checkup"]

_VERBS = {
    Sort.CREATED: "created",
    Sort.UPDATED: "changed",
    Sort.CONVERSATION: "talked to",
}


async def checkup(directory: ContactDirectory, settings: Settings) -> dict[str, object]:
    """Return the findings by name, in the order of interest; nothing in them is secret.

    Raises:
        UpstreamError: The API gave no usable answer, as with a wrong key.
    """
    began = time.perf_counter()
    company, windows = await directory.survey_windows()
    took = time.perf_counter() - began
    overview = await directory.overview()
    unbroken = {
        f"all {_VERBS[sort]} since": _reach(reach, settings)
        for sort, reach in overview.reach.items()
        if settings.store is not None
    }
    whole = next((w for w in windows if w.complete), None)
    seen: dict[str, object] = {f"window {w.sort}": _described(w, settings) for w in windows}
    return {
        "version": version("smoc-mcp"),
        "address": settings.base_url,
        "key": "accepted",
        "leads": company.leads,
        "customers": company.customers,
        "in hand": f"{company.in_hand} contacts"
        + (", which is the whole company" if whole else " (lost and converted ones included)"),
        **seen,
        "four windows took": f"{took:.2f} seconds",
        "store": str(settings.store) if settings.store else "none: contacts are kept in memory",
        **unbroken,
        **({"gaps": len(overview.gaps)} if settings.store else {}),
    }


def _reach(reach: Moment, settings: Settings) -> str:
    return "the beginning" if reach == BEGINNING else iso(reach, settings.timezone)


def _described(window: Window, settings: Settings) -> str:
    if window.complete:
        return f"{len(window.rows)} contacts, complete"
    if window.edge is None:
        back = "no proof of its own" if window.sort is Sort.NATURAL else "not in the promised order"
    elif window.edge == ABSENT:
        back = "all that have this date"
    else:
        back = f"all since {iso(window.edge, settings.timezone)}"
    return f"{len(window.rows)} contacts, {back}"
