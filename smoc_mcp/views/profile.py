"""The answer of contacts_get: one contact with a digest of each part, or whole parts in pages."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from smoc_mcp.directory.answers import Found
from smoc_mcp.errors import InputError
from smoc_mcp.text.cleaning import clean
from smoc_mcp.text.commas import comma_list
from smoc_mcp.views.lists import View, Views
from smoc_mcp.views.parts import NONE, PARTS, PartList, PartsWriter, Value
from smoc_mcp.views.phrases import lines, quoted, sentences, why_not_fresh
from smoc_mcp.views.results import ContactResult

__all__ = ["Place", "parse_include", "profile"]

_PAGE_CHARS = 12_000
"""What the parts of one page may take."""


class Place(NamedTuple):
    """Where a page begins: in which list, and how many of its items are left.

    Counted from the end, because what is new comes in front.
    """

    list: int = 0
    left: int = -1


def parse_include(text: str) -> frozenset[str]:
    """Return the parts that a comma-separated `include` names.

    Raises:
        InputError: A name is unknown.
    """
    names = set(comma_list(text.lower()))
    if unknown := names - {*PARTS, "all"}:
        raise InputError(
            f"include does not know '{min(unknown)[:40]}': give a comma-separated choice of "
            f"{', '.join(PARTS)}, or all."
        )
    return frozenset(PARTS) if "all" in names else frozenset(names)


def profile(
    found: Found,
    include: Collection[str],
    views: Views,
    place: Place | None = None,
    cursor_at: Callable[[Place], str] = lambda _: "",
) -> View[ContactResult]:
    """Return the answer of contacts_get.

    Args:
        found: The contact.
        include: The parts that are wanted whole.
        views: How things are shown.
        place: Where the page begins; None for the first, which has the digest of the other parts.
        cursor_at: Makes the cursor of the next page.
    """
    writer = PartsWriter(views)
    parts, following = _page(writer.lists(found.contact, include), place or Place())
    contact: dict[str, Value] = writer.basics(found) if place is None else writer.identity(found)
    if place is None:
        contact |= writer.digests(found, include)
        parts = _together(writer.empty(found, include), parts)
    contact |= {part: parts[part] for part in PARTS if part in parts}
    as_of = views.time(found.company.as_of if found.live else found.row.seen_at)
    note = _note(found, as_of, views)
    result: ContactResult = {"contact": contact, "as_of": as_of}
    if following:
        result["next_cursor"] = cursor_at(following)
    if note:
        result["note"] = note
    # The name has a line of its own: in the heading it could read like more of the heading.
    heading = f"Contact {quoted(str(contact['id']))}, {contact['status']}. As of {as_of}."
    body = {name: value for name, value in contact.items() if name not in ("id", "status")}
    more = f"Next page: cursor={result['next_cursor']}" if following else ""
    return View(result, lines([heading, *_outline(body), note, more]))


def _note(found: Found, as_of: str, views: Views) -> str:
    """Return why the contact may have changed since, and what of it could not be read."""
    stale = (
        ""
        if found.live
        else "This contact is in none of the newest 500 that SMOC shows now; this is how it was "
        f"last seen, at {views.time(found.row.seen_at)}."
    )
    fields = ", ".join(sorted(map(clean, found.row.unread)))
    left_out = f"Of this contact could not be read, and is left out: {fields}." if fields else ""
    return sentences([why_not_fresh(found.company, as_of) or stale, left_out])


def _page(lists: Sequence[PartList], place: Place) -> tuple[dict[str, Value], Place | None]:
    """Return the parts of one page, and where the next one begins."""
    parts: dict[str, Value] = {}
    used = 0
    for number, (part, name, items) in enumerate(lists):
        if number < place.list or not items:
            continue
        begun = number == place.list and place.left >= 0
        start = end = max(0, len(items) - place.left) if begun else 0
        while end < len(items):
            used += len(json.dumps(items[end], ensure_ascii=False)) + 2
            # A page has one item at least, or reading on would never end.
            if used > _PAGE_CHARS and (parts or end > start):
                break
            end += 1
        shown = list(items[start:end])
        if shown and name:
            inside = parts.setdefault(part, {})
            if isinstance(inside, dict):
                inside[name] = shown
        elif shown:
            parts[part] = shown
        if end < len(items):
            return parts, Place(number, len(items) - end)
    return parts, None


def _together(empty: Mapping[str, Value], parts: Mapping[str, Value]) -> dict[str, Value]:
    """Return the parts of a page, with those that are empty and with the empty lists of others."""
    together = {**empty, **parts}
    for part, names in empty.items():
        shown = parts.get(part)
        if isinstance(names, dict) and isinstance(shown, dict):
            together[part] = {**shown, **names}
    return together


def _outline(value: Mapping[str, Value], indent: str = "") -> Iterable[str]:
    """Yield `name: value` lines; what is nested is flat on one line, or one line an entry."""
    for name, inner in value.items():
        if isinstance(inner, list) and not inner:
            yield f"{indent}{name}: {NONE}"
        elif isinstance(inner, list):
            yield f"{indent}{name}:"
            yield from (f"{indent}  {_flat(entry)}" for entry in inner)
        elif isinstance(inner, dict):
            yield f"{indent}{name}:"
            yield from _outline(inner, indent + "  ")
        else:
            yield f"{indent}{name}: {inner}"


def _flat(value: Value) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_flat(inner)}" for name, inner in value.items())
    # In quotes, so that no value reads like a further one.
    return json.dumps(value, ensure_ascii=False) if ";" in str(value) else str(value)
