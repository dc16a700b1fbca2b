"""How contacts are divided: the dimensions of `group_by`, and a question that counts."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from smoc_mcp.errors import InputError
from smoc_mcp.proof.certainty import Region
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.choices import entries
from smoc_mcp.questions.fields import ANSWERED, FIELDS, Field
from smoc_mcp.questions.filters import (
    ALIASES,
    EVERYBODY,
    TIMES,
    ContactFilter,
    Question,
    Span,
    checked_question,
)
from smoc_mcp.questions.measures import MEASURES, Measure
from smoc_mcp.questions.periods import CYCLES, PERIODS
from smoc_mcp.text.folding import fold, quoted
from smoc_mcp.text.times import SECOND, Moment

__all__ = [
    "DIMENSIONS",
    "Count",
    "Dimension",
    "GroupSort",
    "Kind",
    "Scope",
    "check_count",
    "parse_group_by",
]


class Kind(StrEnum):
    """How the values of a dimension are found."""

    VALUE = "value"  # one per contact, of a column
    TIME = "time"  # one per contact: the day, week or month of a time
    CYCLE = "cycle"  # one per contact: the weekday or hour of a time
    LABEL = "label"  # any number per contact
    QUESTION = "question"  # any number per contact: what it has answered, not what it answered


class Scope(StrEnum):
    """Of whom groups are made."""

    PROVEN = "proven"  # the part of what was asked in which nobody is missing
    IN_HAND = "in_hand"  # whoever is known, as last seen: a sample that nobody drew


class GroupSort(StrEnum):
    """What groups are ordered by, the largest first."""

    AUTO = "auto"  # a trend by time, a weekday or hour by its place, others by contacts
    CONTACTS = "contacts"
    CUSTOMER_SHARE = "customer_share"
    MEASURE = "measure"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to group contacts.

    Attributes:
        name: As answers name it; of a survey or text as the caller wrote it.
        kind: How its values are found.
        source: The column, the unit of time, or the kind of label.
        question: Of a survey the folded id or words of the question, of a text those of the field.
        sort: Of a time: which.
    """

    name: str
    kind: Kind
    source: str
    question: str = ""
    sort: Sort = Sort.CREATED

    @property
    def field(self) -> Field | None:
        """The field that it divides by; None where it is none."""
        return FIELDS.get(self.source)

    @property
    def reads(self) -> str:
        """The name by which `ContactFilter.region` knows the fields that it reads."""
        return TIMES[self.sort] if self.kind in (Kind.TIME, Kind.CYCLE) else self.source


DIMENSIONS: Mapping[str, Dimension] = {
    d.name: d
    for d in (
        Dimension("status", Kind.VALUE, "status"),
        *(
            Dimension(name, Kind.CYCLE if unit in CYCLES else Kind.TIME, unit, sort=sort)
            for name, (sort, unit) in PERIODS.items()
        ),
        *(
            Dimension(field.name, Kind.LABEL if field.many else Kind.VALUE, field.name)
            for field in FIELDS.values()
        ),
        Dimension("accepted_communication", Kind.VALUE, "accepted_communication"),
        *(Dimension(kind, Kind.QUESTION, kind) for kind in ANSWERED),
    )
}
"""Every dimension but those of one survey question or text field, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A question that counts contacts.

    Attributes:
        wanted: Which contacts.
        dimensions: How they are divided, by at most two; none for the counts alone.
        limit: The most groups.
        scope: Of whom the groups are made.
        measure: What is measured of each contact; None for nothing.
        compare: Whether the period before is counted too.
        sort: What the groups are ordered by.
    """

    wanted: ContactFilter = EVERYBODY
    dimensions: tuple[Dimension, ...] = ()
    limit: int = 20
    scope: Scope = Scope.PROVEN
    measure: Measure | None = None
    compare: bool = False
    sort: GroupSort = GroupSort.AUTO

    @property
    def region(self) -> Region:
        """The part of the company that it can admit, and the fields that its groups read."""
        measured = self.measure.reads if self.measure else ()
        return self.wanted.region("status", *measured, *(d.reads for d in self.dimensions))

    def periods(self, end: Moment) -> tuple[Moment, Moment, Moment] | None:
        """Return when the period before begins, when this one does, and when this one ends.

        Both are equally long, for what is compared may differ in nothing else.

        Args:
            end: When it ends where nothing else is asked: of what came later nobody knows all.

        Returns:
            The moments; None for no comparison, or for a period that has no whole second.
        """
        span = self.wanted.spans.get(Sort.CREATED)
        if not self.compare or span is None or span.after is None:
            return None
        end = end if span.before is None else min(span.before, end)
        # Whole seconds, as people write times.
        length = (end - span.after) // SECOND * SECOND
        return (span.after - length, span.after, span.after + length) if length > 0 else None

    def created(self, after: Moment, before: Moment) -> "Count":
        """Return the same question of contacts that were created in another time."""
        spans = {**self.wanted.spans, Sort.CREATED: Span(after, before)}
        return replace(self, wanted=replace(self.wanted, spans=spans))

    @property
    def is_trend(self) -> bool:
        """Whether it is divided by time."""
        return any(d.kind is Kind.TIME for d in self.dimensions)

    @property
    def sort_of_trend(self) -> Sort:
        """Which time it is divided by, where it is; otherwise createdAt."""
        return next((d.sort for d in self.dimensions if d.kind is Kind.TIME), Sort.CREATED)

    @property
    def has_labels(self) -> bool:
        """Whether one contact may make hundreds of groups, and of two such dimensions more."""
        return any(d.kind is Kind.LABEL for d in self.dimensions)

    @property
    def divides_or_measures(self) -> bool:
        """Whether it asks for more than numbers by status."""
        return bool(self.dimensions or self.measure or self.compare)

    @property
    def questions(self) -> list[Question]:
        """Each question that it names."""
        return [
            *(Question(d.source, d.question) for d in self.dimensions if d.question),
            *self.wanted.questions,
        ]

    @property
    def by_status_alone(self) -> bool:
        """Whether the API itself counts its large groups: those of leads and of customers."""
        return self.dimensions == (DIMENSIONS["status"],) and (
            self.wanted == EVERYBODY or self.wanted.only_counted
        )


def check_count(asked: Count) -> None:
    """Check that what is asked for goes together.

    Raises:
        InputError: It does not; the message says what to write.
    """
    span = asked.wanted.spans.get(Sort.CREATED)
    if asked.compare and (span is None or span.after is None):
        raise InputError(
            "compare=previous needs created_after: it compares with the time before that, equally "
            "long."
        )
    if asked.compare and (asked.is_trend or asked.wanted.during):
        raise InputError(
            "compare=previous goes with created_after and groups that are no times: a trend by "
            "created_week or created_month compares by itself."
        )
    if asked.compare and (
        asked.wanted.quiet_since is not None or asked.wanted.spans.keys() > {Sort.CREATED}
    ):
        raise InputError(
            "compare=previous moves only createdAt back, so what is filtered by updated or "
            "conversation times would be two unlike things: leave those filters out."
        )
    if asked.sort is not GroupSort.AUTO and asked.is_trend:
        raise InputError("sort does not go with days, weeks or months: a trend reads by time.")
    if asked.sort is GroupSort.MEASURE and asked.measure is None:
        raise InputError(f"sort=measure needs measure: one of {', '.join(MEASURES)}.")
    if asked.sort is GroupSort.CHANGE and not asked.compare:
        raise InputError("sort=change needs compare=previous.")
    if asked.scope is Scope.IN_HAND and (asked.compare or asked.measure):
        raise InputError(
            "scope=in_hand counts only: an average or a change of a sample is true of nobody. "
            "Leave it out."
        )


def _divides(dimension: Dimension) -> Hashable:
    """Return what tells one division from another, however it is written."""
    return dimension.kind, dimension.source, dimension.question, dimension.sort


def parse_group_by(text: str) -> tuple[Dimension, ...]:
    """Return the dimensions of a comma-separated `group_by`; at most two, none for an empty text.

    A question of a survey that has a comma stands in quotes.

    Raises:
        InputError: A name is unknown, is given twice, or there are more than two.
    """
    dimensions: list[Dimension] = []
    for name, unwanted, _ in entries(text, "group_by"):
        folded = fold(name)
        folded = ALIASES.get(folded, folded)
        if unwanted:
            raise InputError(
                f"group_by takes no minus, as before {quoted(name)}: name what to group by."
            )
        kind, _, words = folded.partition(":")
        if kind in ANSWERED and words.strip():
            question = checked_question(kind, words.strip())
            dimensions.append(Dimension(name, Kind.LABEL, kind, question))
        elif folded in DIMENSIONS:
            dimensions.append(DIMENSIONS[folded])
        else:
            raise InputError(
                f"group_by does not know {quoted(name)}: choose up to two of "
                f"{', '.join(DIMENSIONS)}, survey:<question id or words>, text:<field>."
            )
    if len(dimensions) > 2 or len(set(map(_divides, dimensions))) < len(dimensions):
        raise InputError("group_by takes up to two different dimensions, separated by a comma.")
    if sum(d.kind is Kind.TIME for d in dimensions) > 1:
        raise InputError("group_by takes one day, week or month; beside it a weekday or hour.")
    return tuple(dimensions)
