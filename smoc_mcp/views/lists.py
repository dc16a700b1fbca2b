"""The answers that list contacts, as structure and as text; and how one contact is listed.

A table is lines of cells between bars, without padding: models pay for each character.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Self, TypeVar, cast
from zoneinfo import ZoneInfo

from smoc_mcp.directory.answers import Company, Matches, News, Page
from smoc_mcp.proof.windows import ABSENT, Sort
from smoc_mcp.questions.rows import Column, ContactRow, Match
from smoc_mcp.settings import Settings
from smoc_mcp.text.times import Moment, iso, whole_second_after
from smoc_mcp.views.boundary import DETAIL_CHARS, TABLE_CHARS, Boundary
from smoc_mcp.views.columns import column_names, columns_of, of_several
from smoc_mcp.views.phrases import (
    apart,
    by_word,
    cut_short,
    excerpt,
    first_line,
    gaps,
    grid,
    lines,
    looked_at,
    many,
    may_be_deleted,
    moved_ahead,
    must_be_gone,
    nobody_has,
    noun,
    remembered,
    remembered_more,
    sentences,
    suggestions,
    total_words,
    unread,
    utm,
    why_not_exact,
    why_not_fresh,
)
from smoc_mcp.views.reasons import reasons
from smoc_mcp.views.results import (
    ChangesResult,
    CompanyResult,
    ContactSummary,
    FoundContact,
    MatchesResult,
    PageResult,
)

__all__ = ["MAX_CHARS", "View", "Views", "company_result", "table", "until_full"]

MAX_CHARS = 25_000
"""The most characters of an answer, in either form."""
_ROWS_CHARS = 22_500
"""What of them the rows may take; the rest is for the heading and the notes."""

R = TypeVar("R")

_MATCH_CHARS = 60
_MATCHES_SHOWN = 5
_as_json = json.JSONEncoder(ensure_ascii=False).encode
_COLUMNS = (*ContactSummary.__annotations__, "reasons")
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
        boundary: What may leave of personal data.
    """

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    boundary: Boundary = field(default_factory=Boundary)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return how the settings want answers to be shown."""
        return cls(settings.timezone, Boundary(settings.mask, settings.show_technical))

    def page(
        self, page: Page, order: Sort | None, cursor_after: Callable[[ContactRow], str]
    ) -> View[PageResult]:
        """Return the answer of contacts_list and contacts_search; no order means relevance."""
        names = column_names(page.columns, self.boundary)
        rows = until_full([self.found(row, page, names) for row in page.rows])
        kept = len(rows)
        as_of = self.time(min(page.proof.as_of, page.total_proof.as_of))
        result: PageResult = {
            "contacts": list(rows),
            "certainty": page.proof.certainty.value,
            "total": page.total,
            "total_certainty": page.total_proof.certainty.value,
            "company": company_result(page.company),
            "as_of": as_of,
        }
        if more := remembered_more(page.total, page.total_proof, page.in_hand):
            result["remembered"] = more
        following = ""
        if kept and (page.more or kept < len(page.rows)):
            result["next_cursor"] = cursor_after(page.rows[kept - 1])
            following = f"Next page: cursor={result['next_cursor']}"
        if note := self._page_note(page, as_of, kept, names):
            result["note"] = note
        heading = first_line(_page_heading(page, order, kept), as_of, page.company)
        return View(result, lines([heading, table(rows, names.values()), note, following]))

    def _page_note(self, page: Page, as_of: str, kept: int, names: Mapping[Column, str]) -> str:
        return sentences(
            [
                why_not_fresh(page.company, as_of),
                moved_ahead(page.moved_ahead),
                why_not_exact(page),
                remembered(remembered_more(page.total, page.total_proof, page.in_hand)),
                must_be_gone(page.company),
                "" if page.total_proof.complete else self.gaps(page.company.gaps, "came"),
                by_word(page.by_word, self.boundary),
                nobody_has(page.had_by_nobody),
                suggestions(page.instead, self.boundary),
                of_several(page.questions, names, self.boundary),
                cut_short(kept, len(page.rows), "pass next_cursor for the rest"),
                unread(page.company),
            ]
        )

    def matches(self, found: Matches, email: str) -> View[MatchesResult]:
        """Return the answer of contacts_find_by_email."""
        rows, kept = self._fitting(found.rows, found.live)
        similar = [self.summary(row, found.live) for row in found.similar]
        as_of = self.time(found.proof.as_of)
        note = _matches_note(found, as_of, kept)
        result: MatchesResult = {
            "matches": rows,
            "certainty": found.proof.certainty.value,
            "searched": found.searched,
            "company": company_result(found.company),
            "as_of": as_of,
            "note": note,
        }
        if similar:
            result["similar"] = similar
        heading = _matches_heading(found, self.boundary.email(email))
        parts = [
            first_line(heading, as_of, found.company),
            table(rows),
            "Similar addresses:" if similar else "",
            table(similar),
            note,
        ]
        return View(result, lines(parts))

    def changes(self, news: News, cursor: str) -> View[ChangesResult]:
        """Return the answer of contacts_changes."""
        changes = news.changes
        new = [self.summary(row, news.live) for row in changes.new]
        updated = [self.summary(row, news.live) for row in changes.updated]
        as_of = self.time(news.proof.as_of)
        note = sentences(
            [why_not_fresh(news.company, as_of), self._what_is_missing(news), unread(news.company)]
        )
        result: ChangesResult = {
            "new": new,
            "updated": updated,
            "more": changes.more,
            "certainty": news.proof.certainty.value,
            "cursor": cursor,
            "company": company_result(news.company),
            "as_of": as_of,
        }
        if note:
            result["note"] = note
        first = "The first of the new and changed contacts" if changes.more else "All contacts"
        since = f"since {self.time(news.since)}, oldest first"
        heading = (
            f"{first} {since}: {len(new):,} new and {len(updated):,} changed. "
            f"Certainty: {news.proof.certainty}."
        )
        following = (
            "More is waiting: call again with since=" if changes.more else "Next time: since="
        )
        parts = [
            first_line(heading, as_of, news.company),
            "New:" if new else "",
            table(new),
            "Changed:" if updated else "",
            table(updated),
            note,
            following + cursor,
        ]
        return View(result, lines(parts))

    def _what_is_missing(self, news: News) -> str:
        if gaps := self.gaps(reversed(news.gaps), "came or changed"):
            return f"{gaps} SMOC shows only the newest 500: ask more often to see all."
        if not news.proof.complete and not news.company.failure:
            return "The company changed while we looked, so something may be missing; ask again."
        return ""

    def summary(
        self, row: ContactRow, live: Collection[str], limit: int = TABLE_CHARS
    ) -> ContactSummary:
        """Return a contact as it is listed, each value cut to a limit.

        One that is not live says when it was last seen.
        """
        source = utm(row.utm_source, row.utm_medium, row.utm_campaign)
        values = {
            "id": self.boundary.id(row.id),
            "name": row.name and self.boundary.name(row.name, limit),
            "email": row.email and self.boundary.email(row.email, limit),
            "phone": row.phone and self.boundary.phone(row.phone, limit),
            "company": row.company and self.boundary.text(row.company, limit),
            "city": row.city and self.boundary.text(row.city, limit),
            "country": row.country and self.boundary.text(row.country, limit),
            "status": row.status.value,
            "consent": row.consent and row.consent.value,
            "created": self._optional_time(row.created),
            "updated": self._optional_time(row.updated),
            "last_conversation": self._optional_time(row.conversation),
            "source": source and self.boundary.text(source, limit),
            "last_verified": None if row.id in live else self.time(row.seen_at),
            "matched": row.likeness or self._all_matched(row.matched),
        }
        return cast("ContactSummary", {name: value for name, value in values.items() if value})

    def found(
        self, row: ContactRow, page: Page, names: Mapping[Column, str], limit: int = TABLE_CHARS
    ) -> FoundContact:
        """Return a contact of a page as it is listed, with its further columns and its reasons.

        Args:
            row: The contact.
            page: What it is a row of.
            names: How the further columns are called.
            limit: The most characters of a value.
        """
        found = cast("FoundContact", self.summary(row, page.live, limit))
        cells = page.cells.get(row.id, {})
        if page.engaged_at is not None:
            found["reasons"] = reasons(row, cells, page.engaged_at)
        if further := columns_of(row, cells, names, self.boundary, limit):
            found["columns"] = dict(further)
        return found

    def _all_matched(self, matches: Sequence[Match]) -> str:
        """Return the fields in which a search found a contact, as many as a row has room for."""
        shown = [self._matched(match) for match in matches[:_MATCHES_SHOWN]]
        more = len(matches) - len(shown)
        return "; ".join([*shown, f"and {more:,} more"] if more else shown)

    def _matched(self, match: Match) -> str:
        """Return one of these fields; with its text, unless the row shows that anyway."""
        if match.what in _COLUMNS and match.field not in ("texts", "answers"):
            return match.what
        text = excerpt(self.boundary.text(match.text, DETAIL_CHARS), match.word, _MATCH_CHARS)
        what = self.boundary.text(match.what, _MATCH_CHARS)
        # In quotes, so that no text reads like a further field, nor a field's name like its text.
        return f"{apart(what, '; ', ': ')}: {apart(text, ';')}"

    def fitting(self, rows: Sequence[ContactRow]) -> int:
        """Return how many of the first rows fit into one answer."""
        return self._fitting(rows, ())[1]

    def _fitting(
        self, rows: Sequence[ContactRow], live: Collection[str]
    ) -> tuple[list[ContactSummary], int]:
        shown = until_full([self.summary(row, live) for row in rows])
        return list(shown), len(shown)

    def time(self, moment: Moment) -> str:
        """Return a moment in our zone, to the second."""
        return iso(moment, self.zone)

    def since(self, moment: Moment) -> str:
        """Return from when on something is known, a moment or the beginning."""
        return "the beginning" if moment <= ABSENT else self.time(moment)

    def all_after(self, moment: Moment) -> str:
        """Return since when everybody is known, where whoever is later than a moment is.

        The whole second after it: those of the moment itself need not all be known.
        """
        return self.since(moment if moment <= ABSENT else whole_second_after(moment))

    def gaps(self, stretches: Iterable[tuple[Moment, Moment]], what: str) -> str:
        """Return when contacts may have gone unseen; empty where there was no such time."""
        return gaps([(self.since(older), self.time(newer)) for older, newer in stretches], what)

    def _optional_time(self, moment: Moment) -> str | None:
        return None if moment == ABSENT else self.time(moment)


def _page_heading(page: Page, order: Sort | None, kept: int) -> str:
    """Return how many are shown of how many, in which order, and what is proven."""
    how = "best match first" if order is None else _SORT_WORDS[order]
    if page.engaged_at is not None:
        how = "most engaged first"
    total = total_words(page.total, page.total_proof)
    if page.in_hand > page.total:
        now = "" if page.company.failure else f"; {total} match now"
        heading = f"{kept:,} of {many(page.in_hand, 'contact')} in hand, {how}{now}."
    elif page.total:
        heading = f"{kept:,} of {total} {noun(page.total, 'contact')}, {how}."
    elif page.total_proof.complete:
        heading = "Nobody matches."
    else:
        heading = "Nobody was found, which does not prove that nobody matches."
    return f"{heading} Rows: {page.proof.certainty}. Total: {page.total_proof.certainty}."


def _matches_heading(found: Matches, email: str) -> str:
    """Return how many have an address, and what is proven."""
    if found.rows:
        heading = f"{many(len(found.rows), 'contact')} with {email}."
    elif found.proof.complete:
        heading = f"Nobody has {email}."
    else:
        heading = f"Nobody with {email} was found, which does not prove that nobody has it."
    return f"{heading} Certainty: {found.proof.certainty}."


def _matches_note(found: Matches, as_of: str, kept: int) -> str:
    if found.proof.complete:
        searched = f"All {many(found.searched, 'contact')} of the company were searched."
    else:
        searched = looked_at(found.company)
    return sentences(
        [
            why_not_fresh(found.company, as_of),
            searched,
            may_be_deleted(found.proof) if found.rows else "",
            cut_short(kept, len(found.rows), "the rest has the same address"),
            unread(found.company),
        ]
    )


def until_full(rows: Sequence[R]) -> Sequence[R]:
    """Return the first rows, as many as fit into an answer in either form."""
    if _size(rows) <= _ROWS_CHARS:
        return rows
    left = _ROWS_CHARS
    for kept, row in enumerate(rows):
        left -= _size(row) + 2
        if left < 0:
            return rows[:kept]
    return rows


def _size(part: object) -> int:
    """Return the characters of a part of an answer in its longer form."""
    as_json = _as_json(part)
    # In the text form a bar takes two characters, and the names of the columns none.
    return len(as_json) + as_json.count("|")


def company_result(company: Company) -> CompanyResult:
    """Return the whole that an answer is a part of."""
    return {
        "leads": company.leads,
        "customers": company.customers,
        "at_least": company.at_least,
        "in_hand": company.in_hand,
    }


def table(rows: Sequence[Mapping[str, object]], asked: Collection[str] = ()) -> str:
    """Return contacts as lines of cells between bars, without empty columns.

    Those that were asked for are there all the same: that nobody has anything in them is an answer.
    """
    columns = [name for name in _COLUMNS if any(name in row for row in rows)]

    def cells(row: Mapping[str, object]) -> Iterable[object]:
        further = row.get("columns")
        found = further if isinstance(further, Mapping) else {}
        return [*(row.get(name, "") for name in columns), *(found.get(n, "") for n in asked)]

    return grid([*columns, *asked], map(cells, rows))
