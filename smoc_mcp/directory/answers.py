"""What the directory answers: contacts or counts, each with what is proven of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from smoc_mcp.api.models import Contact
from smoc_mcp.proof.certainty import Proof
from smoc_mcp.proof.history import Gap
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import Sort, Status, Window
from smoc_mcp.questions.changes import Changes, Progress
from smoc_mcp.questions.duplicates import Alike, Evidence, Pairing
from smoc_mcp.questions.groups import Group, Grouping
from smoc_mcp.questions.rows import Cell, Column, ContactRow
from smoc_mcp.text.times import Moment

__all__ = [
    "Catalogue",
    "Company",
    "DuplicateGroup",
    "Duplicates",
    "Found",
    "Groups",
    "Kind",
    "Matches",
    "News",
    "Overview",
    "Page",
    "Picture",
    "Standing",
    "Statistics",
    "Tally",
    "Values",
]


@dataclass(frozen=True, slots=True)
class Company:
    """The whole that an answer is a part of.

    Attributes:
        leads: The API's own count of leads.
        customers: The API's own count of customers.
        at_least: How many contacts it has at least, by the API's counts and live windows.
        in_hand: How many contacts are known to this process, live or remembered.
        must_be_gone: How many of the leads and customers in hand must be deleted or changed, for
            the API counts fewer.
        as_of: When we asked for the newest of what the answer rests on.
        unread: How many contacts have something that could not be read, by wire name of the field.
        failure: Why the API could not be asked; empty where it could.
        gaps: The stretches of createdAt in which contacts may have gone unseen, newest first.
    """

    leads: int
    customers: int
    at_least: int
    in_hand: int
    must_be_gone: int
    as_of: Moment
    unread: Mapping[str, int] = field(default_factory=dict)
    failure: str = ""
    gaps: Sequence[tuple[Moment, Moment]] = ()


class Values(NamedTuple):
    """Values of a filter that contacts in hand have.

    Attributes:
        near: Those like the one that was asked for, the most alike first.
        common: The most common of the others.
    """

    near: Sequence[str]
    common: Sequence[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """What is in hand, for whoever runs the server.

    Attributes:
        contacts: How many.
        gaps: How many gaps the histories have.
        age: Seconds since the oldest live window came; None where none is live.
    """

    contacts: int
    gaps: int
    age: float | None


@dataclass(frozen=True, slots=True)
class Page:
    """Contacts in order.

    Attributes:
        rows: The contacts.
        proof: That these are the rows, in this order, that the whole company would give.
        total: How many contacts match; where that is not proven, how many at least.
        total_proof: That there are no more.
        in_hand: How many in hand match, as they were last seen.
        more: Whether another page follows.
        moved_ahead: How many came in front of the first page since it was made.
        top: The key of the first page's first row; None where the order is not by time.
        instead: Where nobody matches: which values of each text filter there are in hand.
        had_by_nobody: Of several values that a text filter wants, those that nobody in hand has.
        by_word: Where nobody matches: how many in hand hold each word of several.
        whole: Nothing but, at most, a status was asked for.
        live: The ids of those rows that are in live windows; the others are remembered.
        columns: What was asked for of each row besides.
        cells: By id, what rows have in these columns and in those that points are counted of.
        questions: By column, the several questions or fields that its words name.
        engaged_at: As of a listing.
    """

    company: Company
    rows: Sequence[ContactRow]
    proof: Proof
    total: int
    total_proof: Proof
    in_hand: int
    more: bool
    moved_ahead: int
    top: Moment | None
    instead: Mapping[str, Values] = field(default_factory=dict)
    had_by_nobody: Mapping[str, Sequence[str]] = field(default_factory=dict)
    by_word: Mapping[str, int] = field(default_factory=dict)
    whole: bool = False
    live: Collection[str] = ()
    columns: Sequence[Column] = ()
    cells: Mapping[str, Mapping[Column, Sequence[Cell]]] = field(default_factory=dict)
    questions: Mapping[Column, Sequence[str]] = field(default_factory=dict)
    engaged_at: Moment | None = None


@dataclass(frozen=True, slots=True)
class Matches:
    """The contacts with one e-mail address; similar ones where there are none.

    Attributes:
        searched: Among how many contacts we looked.
        live: As of a page.
    """

    company: Company
    rows: Sequence[ContactRow]
    similar: Sequence[ContactRow]
    proof: Proof
    searched: int
    live: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """One contact, whole.

    Attributes:
        live: It is in a live window; otherwise it is remembered from `row.seen_at`.
        source: The JSON as sent.
    """

    company: Company
    row: ContactRow
    contact: Contact
    source: Mapping[str, Any]
    live: bool


class DuplicateGroup(NamedTuple):
    """Contacts that may be the same person.

    Attributes:
        rows: The newest of them.
        evidence: What shows it, of all of them.
    """

    group: Alike
    rows: Sequence[ContactRow]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Groups of contacts that are the same person, by their newest contact.

    Attributes:
        asked: What was asked for.
        proof: That these are the groups, on this page, and that there are no more.
        total: How many groups; where that is not proven, how many at least.
        in_hand: How many groups there are in hand, as they were last seen.
        more: Whether another page follows.
        part: Among whom no two are missing, where the total is not proven; None for nobody.
        live: As of a page.
    """

    company: Company
    asked: Pairing
    groups: Sequence[DuplicateGroup]
    proof: Proof
    total: int
    in_hand: int
    more: bool
    part: Part | None = None
    live: Collection[str] = ()


class Tally(NamedTuple):
    """How many contacts match.

    Attributes:
        total: How many; where that is not proven, how many at least.
        proof: That there are no more.
        statuses: How many of each status that the question admits; empty where nothing is known.
        status_proof: That there are no more of these statuses.
    """

    total: int
    proof: Proof
    statuses: Mapping[Status, int]
    status_proof: Proof


@dataclass(frozen=True, slots=True)
class Groups:
    """How contacts divide.

    Attributes:
        grouping: The groups; none where nothing divides them.
        part: The proven part that these are the groups of; None where nothing is proven of them
            together: they are of whoever is in hand, as last seen, or of what the API counts.
        together: All contacts that are grouped, as one group.
        periods: When the period before began, when that of the groups did, and when it ended; None
            for no comparison.
        by_status: What is proven of each group on its own, where they are statuses that the API
            counts, or does not count.
        question_ids: Where the groups are questions: the ids of those that are called by their
            words. Another that is called like one of these is meant only in quotes.
    """

    grouping: Grouping
    part: Part | None
    together: Group | None = None
    periods: tuple[Moment, Moment, Moment] | None = None
    by_status: Mapping[str, Proof] = field(default_factory=dict)
    question_ids: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts and groups.

    Attributes:
        tally: How many contacts match.
        in_hand: How many in hand match, as they were last seen.
        groups: How they divide; None where that was not asked for, or of no part it is proven.
        part: What is proven, where the total is not; None for nothing.
        ahead: How many of those in hand that match bear a time of the future, where it is asked
            who came since a moment, or for a trend: a createdAt, or the time of the trend.
        questions: The survey questions that the dimensions stand for.
        unfiltered: The question was about the whole company.
        instead: As of a page.
        had_by_nobody: As of a page.
    """

    company: Company
    tally: Tally
    in_hand: int
    groups: Groups | None
    part: Part | None
    questions: Sequence[str]
    unfiltered: bool
    ahead: int = 0
    instead: Mapping[str, Values] = field(default_factory=dict)
    had_by_nobody: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """Several answers about the contacts of one filter, all of one moment.

    Attributes:
        numbers: How many they are.
        unit: Of which periods the trend is, as `group_by` names them.
        trend: How many came in each.
        groups: How they divide.
        newest: Who came last.
        progress: What a caller knows who has seen this: from there on everything is news.
    """

    numbers: Statistics
    unit: str
    trend: Statistics
    groups: Statistics
    newest: Page
    progress: Progress


@dataclass(frozen=True, slots=True)
class Overview:
    """What is known of the company, and how far back.

    Attributes:
        windows: The live windows.
        reach: By order: whoever has a newer key was seen; BEGINNING for everybody.
        gaps: The stretches in which contacts may have gone unseen.
        refresh_every: How often the windows must be taken for none to be missed, in
            microseconds; None if that is unknown.
        kept: Whether contacts are kept in a file.
    """

    company: Company
    windows: Sequence[Window]
    reach: Mapping[Sort, Moment]
    gaps: Sequence[Gap]
    refresh_every: Moment | None
    kept: bool


class Kind(NamedTuple):
    """Values of one kind, in order of names.

    Attributes:
        values: The most common, each with how many contacts in hand have it.
        more: How many others there are in hand.
    """

    values: Sequence[tuple[str, int]]
    more: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What there is to filter and to group by, by kind, as far as is seen in hand."""

    company: Company
    kinds: Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class News:
    """What is new or changed.

    Attributes:
        changes: One page of it.
        since: From when.
        proof: That nothing since then is missing.
        gaps: The stretches of time in which something may be missing, as far as they are known.
        live: As of a page.
    """

    company: Company
    changes: Changes
    since: Moment
    proof: Proof
    gaps: Sequence[tuple[Moment, Moment]]
    live: Collection[str] = ()
