"""The answer of contacts_duplicates: groups of the same person, as structure and as text."""

from collections.abc import Callable, Mapping

from smoc_mcp.directory.answers import DuplicateGroup, Duplicates
from smoc_mcp.proof.part import Part
from smoc_mcp.questions.duplicates import By, Evidence, Place, Shared
from smoc_mcp.questions.filters import EVERYBODY
from smoc_mcp.views.boundary import Boundary
from smoc_mcp.views.lists import View, Views, company_result, until_full
from smoc_mcp.views.phrases import (
    cut_short,
    everybody_of,
    first_line,
    grid,
    lines,
    looked_at,
    many,
    may_be_deleted,
    noun,
    remembered_more,
    sentences,
    total_words,
    unread,
    why_not_fresh,
)
from smoc_mcp.views.results import DuplicateGroupResult, DuplicatesResult

__all__ = ["duplicates"]

_COLUMNS = ["id", "name", "email", "phone", "company", "city", "status", "created", "last_verified"]
"""What of a contact is shown; in answers of many groups each costs."""
_FORMS_SHOWN = 3
_TIMES = {1: "once", 2: "twice"}
_SAME: Mapping[By, str] = {
    By.EMAIL: "the same address",
    By.PHONE: "the same phone number of seven digits or more",
    By.NAME: "the same first and last name with the same employer or city",
}
"""What was compared: an answer that found nothing claims nothing of anything else."""


def duplicates(
    found: Duplicates, views: Views, cursor_after: Callable[[Place], str]
) -> View[DuplicatesResult]:
    """Return the answer of contacts_duplicates."""
    groups = [_group(group, found, views) for group in found.groups]
    shown = until_full(groups)
    kept = len(shown)
    as_of = views.time(found.proof.as_of)
    more = remembered_more(found.total, found.proof, found.in_hand)
    note = _note(found, views, as_of, kept, more)
    result: DuplicatesResult = {
        "by": found.asked.by.value,
        "groups": list(shown),
        "certainty": found.proof.certainty.value,
        "total": found.total,
        "company": company_result(found.company),
        "as_of": as_of,
    }
    if found.part is not None and found.part.since is not None:
        result["proven_since"] = views.time(found.part.since)
    if found.part is not None and found.part.statuses is not None:
        result["proven_statuses"] = found.part.of_statuses
    if more:
        result["remembered"] = more
    following = ""
    if kept and (found.more or kept < len(groups)):
        result["next_cursor"] = cursor_after(found.groups[kept - 1].group.place)
        following = f"Next page: cursor={result['next_cursor']}"
    if note:
        result["note"] = note
    heading = first_line(_heading(found, kept), as_of, found.company)
    tables = [line for group in shown for line in (f"{group['evidence']}:", _table(group))]
    return View(result, lines([heading, *tables, note, following]))


def _group(found: DuplicateGroup, whole: Duplicates, views: Views) -> DuplicateGroupResult:
    rows: list[Mapping[str, object]] = [views.summary(row, whole.live) for row in found.rows]
    contacts = [{name: str(row[name]) for name in _COLUMNS if name in row} for row in rows]
    evidence = _evidence(found.evidence, views.boundary)
    every = len(found.group.ids)
    if every > len(rows):
        evidence += f" ({every:,} contacts, the newest {len(rows)} shown)"
    return {"evidence": evidence, "contacts": contacts}


def _evidence(evidence: Evidence, boundary: Boundary) -> str:
    """Return in words what shows that contacts are one person."""
    if evidence.shared is Shared.ADDRESS:
        if "email" in boundary.mask:
            # Two people can have the same masked address; that is not what is shown here.
            return f"the same address, masked as {boundary.email(evidence.value)}"
        said = f"the same address {boundary.email(evidence.value)}"
    elif evidence.shared is Shared.NUMBER:
        # How a number is written holds nothing of it, so that is said of a masked one too.
        masked = ", masked as" if "phone" in boundary.mask else ""
        said = f"the same number{masked} {boundary.phone(evidence.value)}"
    else:
        return f"the same {evidence.shared}"
    forms = sorted(evidence.forms.items(), key=lambda form: (-form[1], form[0]))
    for form, times in forms[:_FORMS_SHOWN]:
        how = "with " if form.startswith("+") else "as " if "@" in form else ""
        said += f", {_TIMES.get(times, f'{times:,} times')} {how}{boundary.text(form)}"
    left = sum(times for _, times in forms[_FORMS_SHOWN:])
    return f"{said}, and {left:,} otherwise" if left else said


def _table(group: DuplicateGroupResult) -> str:
    rows = group["contacts"]
    columns = [name for name in _COLUMNS if any(name in row for row in rows)]
    return grid(columns, ([row.get(name, "") for name in columns] for row in rows))


def _heading(found: Duplicates, kept: int) -> str:
    certainty = f"Certainty: {found.proof.certainty}."
    if not found.in_hand:
        return f"{_nobody(found)} {certainty}"
    groups = f"{kept:,} of {many(found.in_hand, 'group')} that may be one person"
    now = ""
    if found.in_hand > found.total:
        now = f"; {total_words(found.total, found.proof)} {noun(found.total, 'group')} now"
    elif not found.proof.complete:
        total = f"{total_words(found.total, found.proof)} {noun(found.total, 'group')}"
        groups = f"{kept:,} of {total} that may be one person"
    return f"{groups}, the newest first{now}. {certainty}"


def _nobody(found: Duplicates) -> str:
    """Return what was not found, and no more than was looked for."""
    same = f"two contacts have {_SAME[found.asked.by]}"
    if found.asked.one_of != EVERYBODY:
        same = f"contact of the time asked for has {_SAME[found.asked.by]} as another"
    if found.proof.complete:
        return f"No {same}."
    return f"Of those in hand no {same}, which does not prove that there are none."


def _note(found: Duplicates, views: Views, as_of: str, kept: int, more: int) -> str:
    complete = found.proof.complete
    return sentences(
        [
            why_not_fresh(found.company, as_of),
            may_be_deleted(found.proof),
            "" if complete else looked_at(found.company),
            "" if complete else _about(found.part, views),
            _of_time(found),
            f"{many(more, 'group')} more in hand may be gone, or divided otherwise."
            if more
            else "",
            "" if complete else views.gaps(found.company.gaps, "came"),
            cut_short(kept, len(found.groups), "pass next_cursor for the rest"),
            unread(found.company),
        ]
    )


def _about(part: Part | None, views: Views) -> str:
    """Return among whom no group is missing."""
    if part is None:
        return ""
    since = "" if part.since is None else views.time(part.since)
    return (
        f"No two are missing among {everybody_of(part, since)} ({part.proof.certainty}); one of "
        "them may have a twin among others."
    )


def _of_time(found: Duplicates) -> str:
    """Return what a filter of times means for a group; empty where there is none."""
    if found.asked.one_of == EVERYBODY or not found.groups:
        return ""
    return "Of each group one at least is of the time asked for; the others are of any time."
