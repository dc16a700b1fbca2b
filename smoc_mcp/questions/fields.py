"""The values of a contact that it is filtered and grouped by: each is declared here, and only here.

One entry is enough for a value to be derived from what the API sends, kept in the store, indexed,
grouped by and, where it says how it matches, filtered by. Values are compared folded
(`text.folding`). A store that is already there gets a new value by one line of
`store.schema.MIGRATIONS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic.alias_generators import to_camel

__all__ = [
    "ANSWERED",
    "COUNTS",
    "FIELDS",
    "LABELS",
    "NAMED_FILTERS",
    "VALUES",
    "WIRE_FIELDS",
    "Consent",
    "Field",
    "Match",
]


class Consent(StrEnum):
    """What a contact answered when asked whether we may write to them."""

    YES = "yes"
    NO = "no"
    UNASKED = "unasked"

    @classmethod
    def of(cls, accepted: bool | None) -> "Consent":
        """Return the word for what the API says; None for nothing."""
        return cls.UNASKED if accepted is None else cls.YES if accepted else cls.NO


class Match(StrEnum):
    """How the filter of a field compares."""

    WHOLE = "whole"  # the field is one word of a list, such as a country
    PART = "part"  # people name a thing by a part of it: Equinor is Equinor ASA


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a contact, or any number of them.

    Values are the same that fold to the same, but where the value is somebody: people of one name
    are told apart by who they are.

    Attributes:
        name: Of the dimension, the filter and the column.
        paths: Where it is in a contact, by the names of `api.models`. `first_visit` and
            `newest_visit` stand for one of the visits. In a list every entry counts.
        match: How its filter compares; None for no filter.
        about: What the filter takes, for the description of the parameter.
        many: A contact can have any number of values.
        identity: The attributes of a value by which it is told apart, of the names in
            `api.facts`: the first that there is, otherwise its folded text. Its filter takes the
            identity, or what it is called by. None for a plain text.
    """

    name: str
    paths: tuple[str, ...]
    match: Match | None = None
    about: str = ""
    many: bool = False
    identity: tuple[str, ...] = ()

    @property
    def wire_fields(self) -> tuple[str, ...]:
        """The fields of a contact that the API names and this is read from."""
        roots = (path.partition(".")[0] for path in self.paths)
        return tuple(_VISITS if root.endswith("_visit") else to_camel(root) for root in roots)


_VISITS = "visitList"
_FIRST, _NEWEST = "of the first visit", "of the newest visit, such as mobile"

FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        Field("city", ("city",), Match.PART, "or a part of it"),
        Field("state", ("state",), Match.WHOLE, "region of the address"),
        Field("zip", ("zip",), Match.WHOLE, "postal code"),
        Field("country", ("newest_visit.country",), Match.WHOLE, "as in answers, such as NO"),
        Field("company", ("company",), Match.PART, "employer, or a part of the name"),
        Field("utm_source", ("first_visit.utm_source",), Match.WHOLE, _FIRST),
        Field("utm_medium", ("first_visit.utm_medium",), Match.WHOLE, _FIRST),
        Field("utm_campaign", ("first_visit.utm_campaign",), Match.WHOLE, _FIRST),
        Field("landing_page", ("first_visit.landing_page",), Match.PART, "or a part of it"),
        Field("referrer", ("first_visit.referrer",), Match.PART, "or a part of it"),
        Field("device", ("newest_visit.device_type",), Match.WHOLE, _NEWEST),
        Field("browser", ("newest_visit.browser",), Match.WHOLE, "of the newest visit"),
        Field("os", ("newest_visit.os",), Match.WHOLE, "of the newest visit"),
        Field(
            "flow",
            ("reward_flows.title", "text_fields.flow_name"),
            Match.PART,
            "or a part of its title",
            many=True,
        ),
        Field("variant", ("text_fields.variant_name",), Match.PART, "of a flow", many=True),
        Field(
            "promo_presented",
            ("promos_presented.title",),
            Match.PART,
            "or a part of its title",
            many=True,
        ),
        Field(
            "promo_redeemed",
            ("promos_redeemed.title",),
            Match.PART,
            "or a part of its title",
            many=True,
        ),
        Field(
            "referral_campaign",
            ("referral_links.campaign_name",),
            Match.PART,
            "or a part of its name",
            many=True,
        ),
        Field(
            "inviter",
            ("inviter_user",),
            Match.PART,
            "id, or a part of the address or name",
            identity=("id", "email"),
        ),
    )
}
"""Every field by name, in the order in which they are listed everywhere."""

VALUES = tuple(field for field in FIELDS.values() if not field.many)
"""The fields of which a contact has one value: each is a column of the store."""

LABELS = tuple(field for field in FIELDS.values() if field.many)
"""The fields of which a contact has any number: each is a kind of label in the store."""

COUNTS: Mapping[str, str] = {
    "visits": "visit_list",
    "rewards": "reward_flows",
    "referrals": "users_referred",
    "surveys": "answered_survey_questions",
    "texts": "text_fields",
}
"""What a contact has a number of, each a column of the store, and where, by `api.models`.

Of surveys and texts those entries are counted that `api.facts` takes for answers.
"""

ANSWERED: Mapping[str, str] = {"survey": "question", "text": "field"}
"""Labels that answer something: a survey question, or a text field that a flow asked for."""

NAMED_FILTERS: Mapping[str, Field] = {f.name: f for f in FIELDS.values() if f.match is not None}
"""The fields that can be filtered by."""

WIRE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "status": ("status",),
    "created": ("createdAt",),
    "updated": ("updatedAt",),
    "conversation": ("lastConversationDate",),
    "accepted_communication": ("acceptedCommunication",),
    "name": ("firstName", "lastName"),
    "email": ("email",),
    "phone": ("msisdn",),
    **{name: (to_camel(path),) for name, path in COUNTS.items()},
    "survey": ("answeredSurveyQuestions",),
    "text": ("textFields",),
    **{field.name: field.wire_fields for field in FIELDS.values()},
}
"""The fields of a contact, as the API names them, that each filter or dimension reads."""
