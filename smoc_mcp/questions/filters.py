"""Which contacts a question admits: the filter, its parsing, and the region that it implies."""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from smoc_mcp.errors import InputError
from smoc_mcp.proof.certainty import Region
from smoc_mcp.proof.windows import ABSENT, COUNTED, LATE, Sort, Status
from smoc_mcp.questions.choices import WITHOUT, Choice, parse_choice, some_entries
from smoc_mcp.questions.fields import ANSWERED, COUNTS, NAMED_FILTERS, WIRE_FIELDS, Consent
from smoc_mcp.questions.periods import PERIODS, During, parse_during
from smoc_mcp.questions.rows import Column, Position
from smoc_mcp.questions.search import Term, parse_query
from smoc_mcp.text.folding import fold, quoted
from smoc_mcp.text.times import Moment, iso, parse_time

__all__ = [
    "ALIASES",
    "EVERYBODY",
    "FILTERS",
    "HAS",
    "TIMES",
    "Answered",
    "ContactFilter",
    "Listing",
    "Question",
    "Span",
    "checked_question",
    "parse_filter",
    "without_aliases",
]

TIMES = {Sort.CREATED: "created", Sort.UPDATED: "updated", Sort.CONVERSATION: "conversation"}
"""The stem of each sort order's parameters: `created_after`, `created_before`, …"""

FILTERS = (
    *("query", "status"),
    *(f"{stem}_{end}" for stem in TIMES.values() for end in ("after", "before")),
    "quiet_since",
    *PERIODS,
    *NAMED_FILTERS,
    *ANSWERED,
    *("accepted_communication", "has"),
)
"""Every parameter of `parse_filter`."""

ALIASES: Mapping[str, str] = {"promo": "promo_presented"}
"""Names that people use for a filter or dimension, and which it is."""

HAS = ("email", "phone", "name", "company", "conversation", "inviter", *COUNTS)
"""What a contact can be asked to have."""

_WORD_FIELDS = (
    *("firstName", "lastName", "email", "msisdn", "company", "city", "state", "street", "zip"),
    *("textFields", "answeredSurveyQuestions"),
)

_MOST_QUESTION_WORDS = 20
_QUESTION_IN_QUOTES = re.compile(r'\s*"([^"]*(?:""[^"]*)*)"\s*(:|\Z)')

_Word = TypeVar("_Word", bound=StrEnum)
_Given = TypeVar("_Given")


@dataclass(frozen=True, slots=True)
class Span:
    """A range of time: from `after`, inclusive, to `before`, exclusive; None for open."""

    after: Moment | None = None
    before: Moment | None = None

    def __bool__(self) -> bool:
        return self.after is not None or self.before is not None


class Question(NamedTuple):
    """A question of a survey, or a field that a flow asks for, as a caller names it.

    Attributes:
        kind: Of `fields.ANSWERED`.
        words: Its id or words of it, folded; empty for whichever.
        exact: Just what it is called, as groups show it: no id, and no part of the words.
    """

    kind: str
    words: str
    exact: bool = False


class Answered(NamedTuple):
    """What must have been answered to a question, or typed into a field.

    Attributes:
        question: Which question, or whichever.
        choice: The answers admitted.
    """

    question: Question
    choice: Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFilter:
    """Which contacts a question admits.

    Attributes:
        terms: What the contact's texts must hold, all of it.
        statuses: The statuses admitted; None for all.
        spans: The admitted times, by sort order.
        texts: Which values are admitted, by the name of the field.
        consents: The answers about communication admitted; None for all.
        has: What a contact must have (True) or lack (False).
        quiet_since: The last conversation must be before this, or never have been.
        during: Which periods its times must be in, by the name of the filter.
        answers: What it must have answered, by the kind of `fields.ANSWERED`.
        among: The only contacts admitted, by id; None for no matter.
    """

    terms: tuple[Term, ...] = ()
    statuses: frozenset[Status] | None = None
    spans: Mapping[Sort, Span] = field(default_factory=dict)
    texts: Mapping[str, Choice] = field(default_factory=dict)
    consents: frozenset[Consent] | None = None
    has: Mapping[str, bool] = field(default_factory=dict)
    quiet_since: Moment | None = None
    during: Mapping[str, During] = field(default_factory=dict)
    answers: Mapping[str, Answered] = field(default_factory=dict)
    among: frozenset[str] | None = None

    @property
    def only_status(self) -> bool:
        """Whether it filters by nothing but, at most, the status."""
        return self == ContactFilter(statuses=self.statuses)

    @property
    def only_counted(self) -> bool:
        """Whether it asks for leads, customers or both, and nothing else: the API counts those."""
        return self.only_status and self.statuses is not None and self.statuses <= COUNTED

    @property
    def questions(self) -> list[Question]:
        """Each question that it names."""
        return [a.question for a in self.answers.values() if a.question.words]

    def region(self, *also: str) -> Region:
        """Return the part of the company that it can admit.

        Args:
            also: Further parameters or dimensions that the question reads.
        """
        names = [
            *(["status"] if self.statuses is not None else []),
            *(TIMES[sort] for sort, span in self.spans.items() if span),
            *self.texts,
            *(["accepted_communication"] if self.consents is not None else []),
            *self.has,
            *(["conversation"] if self.quiet_since is not None else []),
            *(TIMES[during.sort] for during in self.during.values()),
            *self.answers,
            *also,
        ]
        fields = {wire for name in names for wire in WIRE_FIELDS[name]}
        if self.terms:
            fields.update(_WORD_FIELDS)
        return Region(
            after={
                # A span without a start still admits no contact that lacks the time; the oldest
                # key that can be is just newer than ABSENT.
                sort: span.after if span.after is not None else ABSENT + 1
                for sort, span in self.spans.items()
                if span
            },
            statuses=self.statuses,
            fields=frozenset(fields),
        )


EVERYBODY = ContactFilter()
"""The filter that admits every contact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Contacts in order, one page of them.

    Attributes:
        wanted: Which contacts.
        sort: By which time, the newest first.
        limit: The most rows.
        by_relevance: The best match first, and `sort` among equals.
        after: Where the last page ended; None for the first page.
        top: The key of the first page's first row, if this is a later page.
        engaged_at: Who was most engaged at this moment comes first, and `sort` is among equals;
            None for another order. See `questions.engagement`.
        columns: What is read of each contact besides.
    """

    wanted: ContactFilter = EVERYBODY
    sort: Sort = Sort.CREATED
    limit: int = 20
    by_relevance: bool = False
    after: Position | None = None
    top: Moment | None = None
    engaged_at: Moment | None = None
    columns: tuple[Column, ...] = ()

    @property
    def is_ranked(self) -> bool:
        """Whether the order is by more than a time: then a full page alone proves nothing."""
        return self.by_relevance or self.engaged_at is not None


def without_aliases(given: Mapping[str, _Given], known: Container[str]) -> dict[str, _Given]:
    """Return what a caller gave with each alias replaced by the name that it stands for.

    Args:
        given: By name.
        known: The names that can be taken; an alias for another stays as it is.

    Raises:
        InputError: One is given by both names.
    """
    # Clients fill what they leave out with null, or with an empty text.
    aliases = {a: n for a, n in ALIASES.items() if given.get(a) not in (None, "") and n in known}
    for alias, name in aliases.items():
        if given.get(name) not in (None, ""):
            raise InputError(f"{alias} means {name}: give one of the two.")
    return {
        **{name: value for name, value in given.items() if name not in aliases},
        **{name: given[alias] for alias, name in aliases.items()},
    }


def parse_filter(given: Mapping[str, str], *, now: Moment, zone: ZoneInfo) -> ContactFilter:
    """Return the filter that a caller's parameters mean; an empty text means not given.

    Args:
        given: Parameters of contacts_search by name.
        now: The moment from which ages count.
        zone: The zone of bare dates.

    Raises:
        InputError: A value is wrong; the message says what to write.
    """
    during = {
        name: periods
        for name in PERIODS
        if (periods := parse_during(given.get(name, ""), name, zone)) is not None
    }
    quiet = given.get("quiet_since", "").strip()
    return ContactFilter(
        terms=parse_query(given.get("query", "")),
        statuses=_parse_words("status", given.get("status", ""), Status),
        spans=_parse_spans(given, during, now=now, zone=zone),
        during=during,
        quiet_since=parse_time(quiet, name="quiet_since", now=now, zone=zone) if quiet else None,
        answers={
            kind: answered
            for kind in ANSWERED
            if (answered := _parse_answered(given.get(kind, ""), kind)) is not None
        },
        texts={
            name: choice
            for name in NAMED_FILTERS
            if (choice := parse_choice(given.get(name, ""), name)) is not None
        },
        consents=_parse_words(
            "accepted_communication", given.get("accepted_communication", ""), Consent
        ),
        has=_parse_has(given.get("has", "")),
    )


def checked_question(kind: str, words: str) -> str:
    """Return the words or id of a question or field, folded.

    Raises:
        InputError: They are too many.
    """
    folded = fold(words)
    if len(folded.split()) > _MOST_QUESTION_WORDS:
        raise InputError(
            f"{kind} takes up to {_MOST_QUESTION_WORDS} words of a {ANSWERED[kind]}: give the "
            "rarest of them."
        )
    return folded


def _parse_answered(text: str, kind: str) -> Answered | None:
    """Return what `question words: answers` asks for; without answers, any answer."""
    if not text.strip():
        return None
    if text.replace(" ", "") in (WITHOUT, f"-{WITHOUT}"):
        return Answered(Question(kind, ""), Choice(without=not text.lstrip().startswith("-")))
    question, colon, answers = text.partition(":")
    if (in_quotes := _QUESTION_IN_QUOTES.match(text)) is not None:
        # There may be colons in the question.
        question, colon = in_quotes[1].replace('""', '"'), in_quotes[2]
        answers = text[in_quotes.end() :]
    if not fold(question):
        raise InputError(
            f"{kind} has no {ANSWERED[kind]}: write its words or id, a colon and the answer, such "
            "as roof: flat."
        )
    choice = parse_choice(answers, kind) if colon else None
    named = Question(kind, checked_question(kind, question), in_quotes is not None)
    return Answered(named, choice or Choice(without=False))


def _parse_spans(
    given: Mapping[str, str], during: Mapping[str, During], *, now: Moment, zone: ZoneInfo
) -> dict[Sort, Span]:
    """Return the admitted times; no wider than the periods that are admitted."""
    spans: dict[Sort, Span] = {}
    for sort, stem in TIMES.items():
        span = _parse_span(given, stem, now=now, zone=zone)
        for periods in during.values():
            if periods.sort is sort and periods.spans and not periods.undated:
                first = min(after for after, _ in periods.spans)
                last = max(before for _, before in periods.spans)
                span = Span(
                    first if span.after is None else max(first, span.after),
                    last if span.before is None else min(last, span.before),
                )
        if span.after is not None and span.before is not None and span.after >= span.before:
            raise InputError(
                f"What is asked of {stem} leaves no time in which a contact can match: leave one "
                "of the filters out."
            )
        if span:
            spans[sort] = span
    return spans


def _parse_span(given: Mapping[str, str], stem: str, *, now: Moment, zone: ZoneInfo) -> Span:
    after, before = (
        parse_time(text, name=name, now=now, zone=zone)
        if (text := given.get(name, "").strip())
        else None
        for name in (f"{stem}_after", f"{stem}_before")
    )
    if after is not None and after > now + LATE:
        raise InputError(
            f"{stem}_after lies in the future: nobody can match. It is {iso(now, zone)} now: give "
            "a moment that has passed."
        )
    if after is not None and before is not None and after >= before:
        raise InputError(
            f"{stem}_after is not earlier than {stem}_before, so no contact can match: swap them, "
            "or leave one out."
        )
    return Span(after, before)


def _parse_has(text: str) -> Mapping[str, bool]:
    wanted: dict[str, bool] = {}
    for name, unwanted, _ in some_entries(text.lower(), "has"):
        if name not in HAS:
            raise InputError(
                f"has does not know {quoted(name)}: give a comma-separated choice of "
                f"{', '.join(HAS)}; -phone means those without."
            )
        if wanted.setdefault(name, not unwanted) is unwanted:
            raise InputError(
                f"has names {name} both ways: give it once, with or without the minus."
            )
    return wanted


def _parse_words(name: str, text: str, known: type[_Word]) -> frozenset[_Word] | None:
    """Return the words of a comma-separated choice, with a minus all but those; None for any."""
    words = [word.value for word in known]
    wanted: set[_Word] = set()
    unwanted: set[_Word] = set()
    for word, is_unwanted, _ in some_entries(text.lower(), name):
        if word == "any" and not is_unwanted:
            continue
        if word not in words:
            raise InputError(
                f"{name} does not know {quoted(word)}: give any, or a comma-separated choice of "
                f"{', '.join(words)}; -{words[1]} means all others."
            )
        (unwanted if is_unwanted else wanted).add(known(word))
    if wanted & unwanted:
        raise InputError(
            f"{name} names {min(wanted & unwanted)} both ways: give it once, with or without the "
            "minus."
        )
    if not wanted and not unwanted:
        return None
    return frozenset((wanted or set(known)) - unwanted)
