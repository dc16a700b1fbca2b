"""What a question asks: the filter, its parsing, and the region of the data that it implies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo

from smoc_mcp.errors import InputError
from smoc_mcp.proof.certainty import Region
from smoc_mcp.proof.windows import ABSENT, Sort, Status
from smoc_mcp.questions.search import Term, parse_query
from smoc_mcp.text.folding import fold
from smoc_mcp.text.times import Moment, parse_time

__all__ = [
    "CONTAINS",
    "DIMENSIONS",
    "EQUALS",
    "EVERYBODY",
    "FILTERS",
    "HAS",
    "SURVEY_PREFIX",
    "TIMES",
    "ContactFilter",
    "Dimension",
    "Kind",
    "Span",
    "parse_filter",
    "parse_group_by",
]

TIMES = {Sort.CREATED: "created", Sort.UPDATED: "updated", Sort.CONVERSATION: "conversation"}
"""The stem of each sort order's parameters: `created_after`, `created_before`, …"""

EQUALS = ("country", "utm_source", "utm_medium", "utm_campaign", "device")
"""Parameters that name one value: they match it whole. Case and accents do not matter."""

CONTAINS = ("city", "company", "flow", "promo")
"""Parameters that name a thing as people do: a part of it matches, so Equinor finds Equinor ASA."""

FILTERS = (
    *("query", "status"),
    *(f"{stem}_{end}" for stem in TIMES.values() for end in ("after", "before")),
    *("city", "country", "company", "utm_source", "utm_medium", "utm_campaign", "device"),
    *("flow", "promo", "accepted_communication", "has"),
)
"""Every parameter of `parse_filter`."""

HAS = ("email", "phone", "conversation", "visits", "rewards", "referrals")
SURVEY_PREFIX = "survey:"
_MOST_QUESTION_WORDS = 20

_WIRE_FIELDS = {
    "status": ("status",),
    "created": ("createdAt",),
    "updated": ("updatedAt",),
    "conversation": ("lastConversationDate",),
    "city": ("city",),
    "company": ("company",),
    "accepted_communication": ("acceptedCommunication",),
    "flow": ("rewardFlows", "textFields"),
    "promo": ("promosPresented", "promosRedeemed"),
    "referral_campaign": ("referralLinks",),
    "inviter": ("inviterUser",),
    "email": ("email",),
    "phone": ("msisdn",),
    "visits": ("visitList",),
    "rewards": ("rewardFlows",),
    "referrals": ("usersReferred",),
    "survey": ("answeredSurveyQuestions",),
    **dict.fromkeys(
        ("country", "utm_source", "utm_medium", "utm_campaign", "device", "browser"),
        ("visitList",),
    ),
}
_WORD_FIELDS = (
    *("firstName", "lastName", "email", "msisdn", "company", "city", "state", "street", "zip"),
    *("textFields", "answeredSurveyQuestions"),
)
_ACCEPTED = {"any": None, "yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Span:
    """A range of time: from `after`, inclusive, to `before`, exclusive; None for open."""

    after: Moment | None = None
    before: Moment | None = None

    def __bool__(self) -> bool:
        return self.after is not None or self.before is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFilter:
    """Which contacts a question admits. All texts are folded.

    Attributes:
        terms: What the contact's texts must hold, all of it.
        status: The one status admitted; None for all.
        spans: The admitted times, by sort order.
        texts: Values by parameter name, of EQUALS and CONTAINS.
        accepted: What the contact answered about communication; None for no matter.
        has: What a contact must have (True) or lack (False).
        among: The only contacts admitted, by id; None for no matter.
    """

    terms: tuple[Term, ...] = ()
    status: Status | None = None
    spans: Mapping[Sort, Span] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    accepted: bool | None = None
    has: Mapping[str, bool] = field(default_factory=dict)
    among: frozenset[str] | None = None

    @property
    def only_status(self) -> bool:
        """Whether it filters by nothing but, at most, the status."""
        return self == ContactFilter(status=self.status)

    def region(self, *also: str) -> Region:
        """Return the part of the company that it can admit.

        Args:
            also: Further parameters or dimensions that the question reads.
        """
        names = [
            *(["status"] if self.status else []),
            *(TIMES[sort] for sort, span in self.spans.items() if span),
            *self.texts,
            *(["accepted_communication"] if self.accepted is not None else []),
            *self.has,
            *also,
        ]
        fields = {wire for name in names for wire in _WIRE_FIELDS[name]}
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
            statuses=frozenset({self.status}) if self.status else None,
            fields=frozenset(fields),
        )


EVERYBODY = ContactFilter()


class Kind(StrEnum):
    """How the values of a dimension are found."""

    VALUE = "value"  # one per contact, of a column
    TIME = "time"  # one per contact, of createdAt
    LABEL = "label"  # any number per contact


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to group contacts.

    Attributes:
        name: As the caller wrote it.
        kind: How its values are found.
        source: The column, the unit of time, or the kind of label.
        question: Of a survey: the folded id or words of the question.
    """

    name: str
    kind: Kind
    source: str
    question: str = ""

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
        Dimension("city", Kind.VALUE, "city"),
        Dimension("country", Kind.VALUE, "country"),
        Dimension("company", Kind.VALUE, "company"),
        Dimension("utm_source", Kind.VALUE, "utm_source"),
        Dimension("utm_medium", Kind.VALUE, "utm_medium"),
        Dimension("utm_campaign", Kind.VALUE, "utm_campaign"),
        Dimension("device", Kind.VALUE, "device"),
        Dimension("browser", Kind.VALUE, "browser"),
        Dimension("flow", Kind.LABEL, "flow"),
        Dimension("promo", Kind.LABEL, "promo"),
        Dimension("referral_campaign", Kind.LABEL, "referral_campaign"),
        Dimension("inviter", Kind.VALUE, "inviter"),
        Dimension("accepted_communication", Kind.VALUE, "accepted_communication"),
    )
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
    status = given.get("status") or "any"
    accepted = given.get("accepted_communication") or "any"
    if accepted not in _ACCEPTED:
        raise InputError(f"accepted_communication must be one of {', '.join(_ACCEPTED)}.")
    return ContactFilter(
        terms=parse_query(given.get("query", "")),
        status=None if status == "any" else _choice(Status, status),
        spans={
            sort: span
            for sort, stem in TIMES.items()
            if (span := _parse_span(given, stem, now=now, zone=zone))
        },
        texts={
            name: folded for name in (*EQUALS, *CONTAINS) if (folded := fold(given.get(name, "")))
        },
        accepted=_ACCEPTED[accepted],
        has=_parse_has(given.get("has", "")),
    )


def parse_group_by(text: str) -> tuple[Dimension, ...]:
    """Return the dimensions of a comma-separated `group_by`; at most two, none for an empty text.

    Raises:
        InputError: A name is unknown, is given twice, or there are more than two.
    """
    dimensions: list[Dimension] = []
    for name in filter(None, (part.strip() for part in text.split(","))):
        folded = fold(name)
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
                f"group_by does not know {_quoted(name)}: choose up to two of "
                f"{', '.join(DIMENSIONS)}, survey:<question id or words>."
            )
    if len(dimensions) > 2 or len({(d.source, d.question) for d in dimensions}) < len(dimensions):
        raise InputError("group_by takes up to two different dimensions, separated by a comma.")
    if sum(d.kind is Kind.TIME for d in dimensions) > 1:
        raise InputError("group_by takes one of created_day, created_week and created_month.")
    return tuple(dimensions)


def _parse_span(given: Mapping[str, str], stem: str, *, now: Moment, zone: ZoneInfo) -> Span:
    after, before = (
        parse_time(text, name=name, now=now, zone=zone)
        if (text := given.get(name, "").strip())
        else None
        for name in (f"{stem}_after", f"{stem}_before")
    )
    if after is not None and before is not None and after >= before:
        raise InputError(
            f"{stem}_after is not earlier than {stem}_before, so no contact can match: swap them, "
            "or leave one out."
        )
    return Span(after, before)


def _parse_has(text: str) -> Mapping[str, bool]:
    wanted: dict[str, bool] = {}
    for part in filter(None, (p.strip().lower() for p in text.split(","))):
        name = part.lstrip("-").strip()
        if name not in HAS:
            raise InputError(
                f"has does not know {_quoted(name)}: give a comma-separated choice of "
                f"{', '.join(HAS)}; -phone means those without."
            )
        if wanted.setdefault(name, not part.startswith("-")) is part.startswith("-"):
            raise InputError(
                f"has names {name} both ways: give it once, with or without the minus."
            )
    return wanted


def _choice(kind: type[Status], text: str) -> Status:
    try:
        return kind(text)
    except ValueError:
        raise InputError(f"status must be one of any, {', '.join(kind)}.") from None


def _quoted(text: str) -> str:
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"
