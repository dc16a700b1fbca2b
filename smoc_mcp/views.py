"""From domain answers to what leaves: cleaned, masked, cut to size, as structure and as text."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast
from zoneinfo import ZoneInfo

from smoc_mcp.answers import Company, Matches, News, Page, Statistics
from smoc_mcp.coverage import ABSENT, Proof, Sort
from smoc_mcp.query import Dimension
from smoc_mcp.results import (
    ChangesResult,
    CompanyResult,
    ContactSummary,
    GroupResult,
    MatchesResult,
    PageResult,
    StatisticsResult,
)
from smoc_mcp.settings import Mask
from smoc_mcp.store import ContactRow
from smoc_mcp.text import TABLE_CHARS, clean, cut
from smoc_mcp.times import Moment, iso

__all__ = ["MAX_CHARS", "View", "Views", "unread_note"]

MAX_CHARS = 25_000
"""The most characters of an answer, in either form."""
_ROWS_CHARS = 22_500
"""What of them the rows may take; the rest is for the heading and the notes."""

R = TypeVar("R")

_COLUMNS = tuple(ContactSummary.__annotations__)
_SORT_WORDS = {
    Sort.CREATED: "newest first",
    Sort.UPDATED: "latest changed first",
    Sort.CONVERSATION: "latest conversation first",
}


@dataclass(frozen=True, slots=True)
class View(Generic[R]):
    """One answer in both forms; each says all of it."""

    result: R
    text: str


@dataclass(frozen=True, slots=True)
class Views:
    """How answers are shown.

    Attributes:
        zone: The zone of the times.
        mask: The kinds of personal data that are masked.
        technical: Whether IP addresses and user agents are shown.
    """

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    mask: frozenset[Mask] = frozenset()
    technical: bool = False

    def page(
        self, page: Page, order: Sort | None, cursor_after: Callable[[ContactRow], str]
    ) -> View[PageResult]:
        """Return the answer of contacts_list and contacts_search; no order means relevance."""
        rows, kept = self._fitting(page.rows)
        more = page.more or kept < len(page.rows)
        notes = [
            self._moved(page.moved_ahead),
            _why(page),
            _cut_note(kept, len(page.rows), "pass next_cursor for the rest"),
            unread_note(page.company),
        ]
        result: PageResult = {
            "contacts": rows,
            "certainty": page.proof.certainty.value,
            "total": page.total,
            "total_certainty": page.total_proof.certainty.value,
            "company": _company(page.company),
            "as_of": self.time(min(page.proof.as_of, page.total_proof.as_of)),
        }
        if more and kept:
            result["next_cursor"] = cursor_after(page.rows[kept - 1])
        if note := _sentences(notes):
            result["note"] = note
        how = "best match first" if order is None else _SORT_WORDS[order]
        heading = (
            f"{kept:,} of {_bound(page.total, page.total_proof)} "
            f"{_noun(page.total, 'contact')}, {how}. "
            f"Rows: {page.proof.certainty}. Total: {page.total_proof.certainty}."
        )
        following = f"Next page: cursor={result['next_cursor']}" if "next_cursor" in result else ""
        lines = [self._about(heading, result["as_of"], page.company), _table(rows), note, following]
        return View(result, _lines(lines))

    def matches(self, found: Matches, email: str) -> View[MatchesResult]:
        """Return the answer of contacts_find_by_email."""
        rows, kept = self._fitting(found.rows)
        similar = [self.summary(row) for row in found.similar]
        exact = found.proof.exact
        if exact:
            searched = f"All {_many(found.searched, 'contact')} of the company were searched."
        else:
            searched = _reach(found.company, verb="Searched")
        result: MatchesResult = {
            "matches": rows,
            "certainty": found.proof.certainty.value,
            "searched": found.searched,
            "company": _company(found.company),
            "as_of": self.time(found.proof.as_of),
        }
        if similar:
            result["similar"] = similar
        cut_note = _cut_note(kept, len(found.rows), "the rest has the same address")
        note = _sentences([searched, cut_note, unread_note(found.company)])
        result["note"] = note
        shown = cut(clean(self.masked("email", email) or ""), TABLE_CHARS)
        if rows:
            heading = f"{_many(len(found.rows), 'contact')} with {shown}."
        elif exact:
            heading = f"Nobody has {shown}."
        else:
            heading = f"Nobody with {shown} was found, which does not prove that nobody has it."
        lines = [
            self._about(
                f"{heading} Certainty: {found.proof.certainty}.", result["as_of"], found.company
            ),
            _table(rows),
            "Similar addresses:" if similar else "",
            _table(similar),
            note,
        ]
        return View(result, _lines(lines))

    def statistics(
        self, stats: Statistics, dimensions: Sequence[Dimension]
    ) -> View[StatisticsResult]:
        """Return the answer of contacts_stats."""
        names = [clean(d.name) for d in dimensions]
        grouping = stats.grouping
        shown = [] if grouping is None else [*grouping.groups, *filter(None, [grouping.other])]
        groups: list[GroupResult] = [
            {
                "key": dict(zip(names, (self.value(v) for v in g.values), strict=True)),
                "contacts": g.contacts,
                "leads": g.leads,
                "customers": g.customers,
                "share": round(g.contacts / stats.total, 4) if stats.total else 0.0,
            }
            for g in shown
        ]
        company = stats.company
        if stats.proof.exact:
            notes = [""]
        elif stats.unfiltered and grouping is None:
            notes = [_lower_total(company)]
        else:
            notes = [_reach(company)]
        if grouping is not None and grouping.several:
            notes.append(
                f"A contact counts once per value of {' and '.join(grouping.several)}, so shares "
                "can add up to more than 1."
            )
        if grouping is not None and grouping.left_out:
            together = " counted together as (other)" if grouping.other else ""
            more = _many(grouping.left_out, "more group")
            notes.append(f"{more} past the limit{together}.")
        if stats.questions:
            asked = "; ".join(f'"{self.value(q)}"' for q in stats.questions[:5])
            notes.append(f"Answers to: {asked}.")
        notes.append(unread_note(company))
        result: StatisticsResult = {
            "leads": company.leads,
            "customers": company.customers,
            "total": stats.total,
            "certainty": stats.proof.certainty.value,
            "company": _company(company),
            "as_of": self.time(stats.proof.as_of),
        }
        if grouping is not None:
            result["groups"] = groups
        if note := _sentences(notes):
            result["note"] = note
        counted = f"{_bound(stats.total, stats.proof)} {_noun(stats.total, 'contact')}"
        if stats.unfiltered:
            heading = (
                f"{_many(company.leads, 'lead')} and {_many(company.customers, 'customer')}, by "
                f"SMOC's own count; {counted} in all."
            )
        else:
            heading = f"{counted} match."
        heading = f"{heading} Certainty: {stats.proof.certainty}."
        table = _grid(
            [*names, "contacts", "leads", "customers", "share"],
            (
                [*g["key"].values(), g["contacts"], g["leads"], g["customers"], f"{g['share']:.1%}"]
                for g in groups
            ),
        )
        lines = [self._about(heading, result["as_of"], company), table, note]
        return View(result, _lines(lines))

    def changes(self, news: News, cursor: str, start: Moment) -> View[ChangesResult]:
        """Return the answer of contacts_changes."""
        changes = news.changes
        new = [self.summary(row) for row in changes.new]
        updated = [self.summary(row) for row in changes.updated]
        gap = ""
        if news.gap is not None and news.gap[0] < news.gap[1]:
            gap = (
                f"The API shows only the newest 500, so contacts that came or changed between "
                f"{self.time(news.gap[0])} and {self.time(news.gap[1])} may be missing; ask more "
                "often to see all."
            )
        elif not news.proof.exact:
            gap = "The company changed while we looked, so something may be missing; ask again."
        note = _sentences([gap, unread_note(news.company)])
        result: ChangesResult = {
            "new": new,
            "updated": updated,
            "certainty": news.proof.certainty.value,
            "cursor": cursor,
            "as_of": self.time(news.proof.as_of),
        }
        if note:
            result["note"] = note
        heading = (
            f"{len(new):,} new and {len(updated):,} changed contacts since {self.time(start)}, "
            f"oldest first. Certainty: {news.proof.certainty}."
        )
        following = (
            "More is waiting: call again with since=" if changes.more else "Next time: since="
        )
        lines = [
            self._about(heading, result["as_of"], news.company),
            "New:" if new else "",
            _table(new),
            "Changed:" if updated else "",
            _table(updated),
            note,
            following + cursor,
        ]
        return View(result, _lines(lines))

    def summary(self, row: ContactRow) -> ContactSummary:
        """Return a contact as it is listed."""
        utm = (row.utm_source, row.utm_medium, row.utm_campaign)
        values = {
            "id": row.id,
            "name": row.name,
            "email": self.masked("email", row.email),
            "phone": self.masked("phone", row.phone),
            "company": row.company,
            "city": row.city,
            "country": row.country,
            "status": row.status.value,
            "created": self._optional_time(row.created),
            "updated": self._optional_time(row.updated),
            "last_conversation": self._optional_time(row.conversation),
            "source": " / ".join(v or "-" for v in utm) if any(utm) else None,
        }
        shown = {k: cut(clean(v), TABLE_CHARS) for k, v in values.items() if v}
        return cast("ContactSummary", {k: v for k, v in shown.items() if v})

    def fitting(self, rows: Sequence[ContactRow]) -> int:
        """Return how many of the first rows fit into one answer."""
        return self._fitting(rows)[1]

    def _fitting(self, rows: Sequence[ContactRow]) -> tuple[list[ContactSummary], int]:
        shown: list[ContactSummary] = []
        used = 0
        for row in rows:
            summary = self.summary(row)
            used += len(json.dumps(summary, ensure_ascii=False)) + 2
            if used > _ROWS_CHARS:
                break
            shown.append(summary)
        return shown, len(shown)

    def value(self, value: str) -> str:
        """Return one value for a table or a list: cleaned and cut."""
        return cut(clean(value), TABLE_CHARS)

    def masked(self, kind: Mask, value: str | None) -> str | None:
        """Return a value, or what is left of it where its kind is masked."""
        if value is None or kind not in self.mask:
            return value
        if kind == "email":
            local, at, domain = value.rpartition("@")
            return f"{local[:1]}***{at}{domain}" if at else "***"
        return f"***{value[-2:]}"

    def time(self, moment: Moment) -> str:
        """Return a moment in our zone, to the second."""
        return iso(moment, self.zone)

    def _optional_time(self, moment: Moment) -> str | None:
        return None if moment == ABSENT else self.time(moment)

    def _moved(self, count: int) -> str:
        if not count:
            return ""
        return (
            f"{_many(count, 'contact')} moved in front of this list since its first page; ask without a "
            "cursor to see them."
        )

    def _about(self, heading: str, as_of: str, company: Company) -> str:
        return (
            f"{heading} As of {as_of}. Company: {_many(company.leads, 'lead')}, "
            f"{_many(company.customers, 'customer')}; {_many(company.in_hand, 'contact')} in hand."
        )


def _company(company: Company) -> CompanyResult:
    return {
        "leads": company.leads,
        "customers": company.customers,
        "in_hand": company.in_hand,
    }


def _many(count: int, noun: str) -> str:
    return f"{count:,} {_noun(count, noun)}"


def _noun(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"


def _bound(total: int, proof: Proof) -> str:
    return f"{total:,}" if proof.exact else f"at least {total:,}"


def _why(page: Page) -> str:
    """Return why rows or total are not exact, and what that means; empty where both are."""
    if page.proof.exact and page.total_proof.exact:
        return ""
    if not page.proof.exact:
        return _reach(page.company)
    return f"The rows are right. {_lower_total(page.company)}"


def _lower_total(company: Company) -> str:
    return (
        "The total is a lower bound: SMOC counts leads and customers only, so others are counted "
        f"as far as they are among the {_many(company.in_hand, 'contact')} in hand."
    )


def _reach(company: Company, verb: str = "Looked at") -> str:
    return (
        f"{verb} the {_many(company.in_hand, 'contact')} in hand; the company has "
        f"{_many(company.leads, 'lead')} and {_many(company.customers, 'customer')}, and SMOC shows "
        "only the newest 500 by each order: more may exist."
    )


def unread_note(company: Company) -> str:
    """Return the sentence about values that could not be read; empty where all could be."""
    if not company.unread:
        return ""
    parts = ", ".join(
        f"{clean(name)} of {_many(n, 'contact')}" for name, n in sorted(company.unread.items())
    )
    return f"Values that could not be read are left out: {parts}."


def _cut_note(kept: int, whole: int, then: str) -> str:
    if kept == whole:
        return ""
    return f"Only {kept:,} of {whole:,} rows fit into one answer; {then}."


def _sentences(notes: Iterable[str]) -> str:
    return " ".join(note for note in notes if note)


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(line for line in lines if line)


def _table(rows: Sequence[Mapping[str, object]]) -> str:
    """Return contacts as lines of cells between bars, without empty columns."""
    columns = [name for name in _COLUMNS if any(name in row for row in rows)]
    return _grid(columns, ([row.get(name, "") for name in columns] for row in rows))


def _grid(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [" | ".join(_cell(str(value)) for value in row) for row in rows]
    return "\n".join([" | ".join(map(_cell, columns)), *lines]) if lines else ""


def _cell(value: str) -> str:
    return value.replace("|", "\\|")
