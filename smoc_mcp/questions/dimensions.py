"""How contacts are divided: the dimensions of `group_by`, and a question that counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from smoc_mcp.errors import InputError
from smoc_mcp.proof.certainty import Region
from smoc_mcp.questions.choices import entries
from smoc_mcp.questions.fields import FIELDS, Field
from smoc_mcp.questions.filters import ALIASES, EVERYBODY, ContactFilter
from smoc_mcp.text.folding import fold, quoted

__all__ = ["DIMENSIONS", "SURVEY_PREFIX", "Count", "Dimension", "Kind", "Scope", "parse_group_by"]

SURVEY_PREFIX = "survey:"
_MOST_QUESTION_WORDS = 20


class Kind(StrEnum):
    """How the values of a dimension are found."""

    VALUE = "value"  # one per contact, of a column
    TIME = "time"  # one per contact, of createdAt
    LABEL = "label"  # any number per contact


class Scope(StrEnum):
    """Of whom groups are made."""

    PROVEN = "proven"  # the part of what was asked in which nobody is missing
    IN_HAND = "in_hand"  # whoever is known, as last seen: a sample that nobody drew


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to group contacts.

    Attributes:
        name: As answers name it; of a survey as the caller wrote it.
        kind: How its values are found.
        source: The column, the unit of time, or the kind of label.
        question: Of a survey: the folded id or words of the question.
    """

    name: str
    kind: Kind
    source: str
    question: str = ""

    @property
    def field(self) -> Field | None:
        """The field that it divides by; None where it is none."""
        return FIELDS.get(self.source)

    @property
    def reads(self) -> str:
        """The name by which `ContactFilter.region` knows the fields that it reads."""
        return "created" if self.kind is Kind.TIME else self.source


DIMENSIONS: Mapping[str, Dimension] = {
    d.name: d
    for d in (
        Dimension("status", Kind.VALUE, "status"),
        Dimension("created_day", Kind.TIME, "day"),
        Dimension("created_week", Kind.TIME, "week"),
        Dimension("created_month", Kind.TIME, "month"),
        *(
            Dimension(field.name, Kind.LABEL if field.many else Kind.VALUE, field.name)
            for field in FIELDS.values()
        ),
        Dimension("accepted_communication", Kind.VALUE, "accepted_communication"),
    )
}
"""Every dimension but those of survey questions, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A question that counts contacts.

    Attributes:
        wanted: Which contacts.
        dimensions: How they are divided, by at most two; none for the counts alone.
        limit: The most groups.
        scope: Of whom the groups are made.
    """

    wanted: ContactFilter = EVERYBODY
    dimensions: tuple[Dimension, ...] = ()
    limit: int = 20
    scope: Scope = Scope.PROVEN

    @property
    def region(self) -> Region:
        """The part of the company that it can admit, and the fields that its groups read."""
        return self.wanted.region("status", *(d.reads for d in self.dimensions))

    @property
    def is_trend(self) -> bool:
        """Whether it is divided by time."""
        return any(d.kind is Kind.TIME for d in self.dimensions)

    @property
    def survey_questions(self) -> list[str]:
        """The questions that the dimensions name, as folded words or ids."""
        return [d.question for d in self.dimensions if d.question]

    @property
    def by_status_alone(self) -> bool:
        """Whether the API itself counts its large groups: those of leads and of customers."""
        return self.dimensions == (DIMENSIONS["status"],) and (
            self.wanted == EVERYBODY or self.wanted.only_counted
        )


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
        if folded.startswith(SURVEY_PREFIX) and folded != SURVEY_PREFIX:
            question = folded.removeprefix(SURVEY_PREFIX).strip()
            if len(question.split()) > _MOST_QUESTION_WORDS:
                raise InputError(
                    f"survey: takes up to {_MOST_QUESTION_WORDS} words of a question: give the "
                    "rarest of them."
                )
            dimensions.append(Dimension(name, Kind.LABEL, "survey", question))
        elif folded in DIMENSIONS:
            dimensions.append(DIMENSIONS[folded])
        else:
            raise InputError(
                f"group_by does not know {quoted(name)}: choose up to two of "
                f"{', '.join(DIMENSIONS)}, survey:<question id or words>."
            )
    if len(dimensions) > 2 or len({(d.source, d.question) for d in dimensions}) < len(dimensions):
        raise InputError("group_by takes up to two different dimensions, separated by a comma.")
    if sum(d.kind is Kind.TIME for d in dimensions) > 1:
        raise InputError("group_by takes one of created_day, created_week and created_month.")
    return tuple(dimensions)
