"""Models of what the API sends, which keep all that can be read.

The API's guide names the fields of a contact and of most nested objects; any of them may be null
or absent. What the guide does not promise must not lose a contact either: unknown fields are
ignored, a number for a string is taken, and a value that cannot be read (a bad date, an object for
a string) is left out and its field named in `ReadContact.unread`.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticSerializationError, to_json

from smoc_mcp.text.folding import email_key
from smoc_mcp.text.times import YEARS, Moment

__all__ = [
    "ApiAnswer",
    "Contact",
    "Flow",
    "Person",
    "ReadContact",
    "ReferralLink",
    "SurveyAnswer",
    "TextField",
    "Visit",
    "read_contact",
]

_USUAL_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", re.ASCII)


_MOST_ENTRIES = 100
"""Nobody answers more questions or earns more rewards; two such lists make 10,000 groups."""
_LISTS = (
    *("rewardFlows", "promosPresented", "promosRedeemed", "answeredSurveyQuestions"),
    *("referralLinks", "textFields", "usersReferred"),
)


def _as_time(value: object) -> object:
    """Refuse a text that is only digits, such as a year: read as seconds it is a time in 1970."""
    if isinstance(value, str):
        if _USUAL_TIME.fullmatch(value):
            # As JavaScript writes it, and so nearly always: read at once, for there are thousands.
            with suppress(ValueError):
                return datetime.fromisoformat(value)
        if value.strip().isdecimal():
            raise ValueError("a number is no time")
    return value


def _as_utc(value: datetime) -> datetime:
    if value.year not in YEARS:
        raise ValueError("a year that no contact has")
    if value.tzinfo is UTC:
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _as_list(value: object) -> object:
    """Take null for an empty list, and one object for a list of one."""
    if value is None:
        return ()
    return (value,) if isinstance(value, dict) else value


def _as_person(value: object) -> object:
    """Take a bare id for a person of whom only the id is known."""
    return {"id": value} if isinstance(value, str | int) else value


def _as_words(value: object) -> object:
    """Take an object or a list where words are expected: its text, or its parts joined.

    The guide says that survey answers include texts and translations, not in which shape.
    """
    if isinstance(value, dict):
        for name in ("text", "value", "label", "title"):
            if isinstance(value.get(name), str | int | float):
                return _as_words(value[name])
    if isinstance(value, list):
        parts = [_as_words(part) for part in value if part is not None]
        if all(isinstance(part, str | int | float) for part in parts):
            return ", ".join(map(str, parts))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


Timestamp = Annotated[datetime, BeforeValidator(_as_time), AfterValidator(_as_utc)]
Words = Annotated[str | None, BeforeValidator(_as_words)]


class _Wire(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=False,
        coerce_numbers_to_str=True,
    )


class Person(_Wire):
    """Somebody else: who referred this contact, or whom this contact referred."""

    id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None


class Flow(_Wire):
    """A flow where a reward was earned, or a promotion."""

    id: str | None = None
    title: str | None = None


class ReferralLink(_Wire):
    """A link by which this contact refers others."""

    key: str | None = None
    campaign_id: str | None = None
    campaign_name: str | None = None
    flow_variant_id: str | None = None
    url: str | None = None
    share: bool | None = None


class Visit(_Wire):
    """One session of the contact."""

    browser: str | None = None
    os: str | None = None
    device_type: str | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_term: str | None = None
    utm_content: str | None = None
    referrer: str | None = None
    landing_page: str | None = None
    user_agent: str | None = None
    ip: str | None = None
    # The guide names no time of a visit; these are the names under which one would come.
    at: Timestamp | None = Field(
        default=None, validation_alias=AliasChoices("createdAt", "timestamp", "date", "visitedAt")
    )


class SurveyAnswer(_Wire):
    """One answered question. The guide says what is in it, not under which names."""

    question_id: str | None = Field(default=None, validation_alias=AliasChoices("questionId", "id"))
    question: Words = Field(
        default=None, validation_alias=AliasChoices("question", "questionText", "title")
    )
    answer: Words = Field(
        default=None, validation_alias=AliasChoices("answer", "answerText", "value", "answers")
    )
    at: Timestamp | None = Field(
        default=None,
        validation_alias=AliasChoices("answeredAt", "createdAt", "timestamp", "updatedAt"),
    )


class TextField(_Wire):
    """A custom text that a flow asked for."""

    flow_id: str | None = None
    flow_name: str | None = None
    variant_id: str | None = None
    variant_name: str | None = None
    key: str | None = None
    value: Words = None


class Contact(_Wire):
    """A contact with every field that the guide names.

    `status` is as sent: "1" lead, "2" customer, "3" lost, "4" converted, null counts as lead.
    Lists that are null or absent are empty. Times are UTC.
    """

    # With NUL in it PostgreSQL could not keep it.
    id: Annotated[str, Field(min_length=1, pattern=r"^[^\x00]+$")]
    user_id: str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    msisdn: str | None = None
    company: str | None = None
    city: str | None = None
    state: str | None = None
    street: str | None = None
    zip: str | None = None
    status: str | None = None
    brand_id: str | None = None
    operator_id: str | None = None
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None
    last_conversation_date: Timestamp | None = None
    accepted_communication: bool | None = None
    accepted_privacy: bool | None = None
    inviter_user: Annotated[Person | None, BeforeValidator(_as_person)] = None
    reward_flows: Annotated[tuple[Flow, ...], BeforeValidator(_as_list)] = ()
    promos_presented: Annotated[tuple[Flow, ...], BeforeValidator(_as_list)] = ()
    promos_redeemed: Annotated[tuple[Flow, ...], BeforeValidator(_as_list)] = ()
    answered_survey_questions: Annotated[tuple[SurveyAnswer, ...], BeforeValidator(_as_list)] = ()
    users_referred: Annotated[
        tuple[Annotated[Person, BeforeValidator(_as_person)], ...], BeforeValidator(_as_list)
    ] = ()
    referral_links: Annotated[tuple[ReferralLink, ...], BeforeValidator(_as_list)] = ()
    visit_list: Annotated[tuple[Visit, ...], BeforeValidator(_as_list)] = ()
    text_fields: Annotated[tuple[TextField, ...], BeforeValidator(_as_list)] = ()


@dataclass(frozen=True, slots=True)
class ReadContact:
    """A contact as far as it could be read.

    Attributes:
        contact: The model.
        source: The JSON that the API sent for it.
        digest: Equal for two readings of the same content.
        unread: The top-level wire names of fields whose value, as far as it was read, could not be.
        visits: How many visits were sent, read or not.
    """

    contact: Contact
    source: str
    digest: bytes
    unread: frozenset[str]
    visits: int = 0


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """One answer of the endpoint.

    Attributes:
        contacts: In the order sent.
        sent: How many entries `data` had, readable or not.
        limit: What was asked for.
        leads: The API's leadsCount: all contacts with status "1" or null.
        customers: The API's customerCount: all contacts with status "2".
        answered: The API's clock when it answered (the header Date); None where it is not told.
        age: The seconds for which a cache has held the answer (the header Age); 0 for none.
    """

    contacts: tuple[ReadContact, ...]
    sent: int
    limit: int
    leads: int
    customers: int
    answered: Moment | None = None
    age: int = 0

    @property
    def lost(self) -> int:
        """How many entries were no contact at all, or had no id of their own."""
        return self.sent - sum("id" not in c.unread for c in self.contacts)


def read_contact(raw: object, *, whole: bool = True) -> ReadContact | None:
    """Return what can be read of one entry of `data`; None if it is not even an object.

    Args:
        raw: The entry.
        whole: Read all that there is. Otherwise, of more than two visits, the first and the last:
            lists and counts need no others, and most of an answer is visits. And of lists that are
            longer than a person makes them, the beginning; the rest counts as unread.
    """
    if not isinstance(raw, dict):
        return None
    encoded = _encoded(raw)
    source, digest = encoded.decode(), hashlib.blake2b(encoded, digest_size=12).digest()
    visits = _number_of_visits(raw.get("visitList"))
    cut_short: frozenset[str] = frozenset()
    if not whole:
        raw, cut_short = _shortened(raw)
    try:
        return ReadContact(Contact.model_validate(raw), source, digest, cut_short, visits)
    except ValidationError as error:
        contact, unread = _salvage(raw, error, digest)
        return ReadContact(contact, source, digest, unread | cut_short, visits)


def _number_of_visits(sent: object) -> int:
    if isinstance(sent, list):
        return sum(isinstance(visit, dict) for visit in sent)
    return int(isinstance(sent, dict))


def _shortened(raw: dict[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """Return an entry with its long lists cut, and the names of those that lost something."""
    visits = raw.get("visitList")
    if isinstance(visits, list) and len(visits) > 2:
        raw = {**raw, "visitList": [visits[0], visits[-1]]}
    long = {
        name: value[:_MOST_ENTRIES]
        for name in _LISTS
        if isinstance(value := raw.get(name), list) and len(value) > _MOST_ENTRIES
    }
    return ({**raw, **long}, frozenset(long)) if long else (raw, frozenset())


def _encoded(raw: Mapping[str, Any]) -> bytes:
    try:
        return to_json(raw, inf_nan_mode="constants")
    except PydanticSerializationError:
        # Half a surrogate pair in a name can be neither encoded nor stored but as ASCII.
        return json.dumps(raw, separators=(",", ":")).encode("ascii")


def _salvage(
    raw: Mapping[str, Any], error: ValidationError, digest: bytes
) -> tuple[Contact, frozenset[str]]:
    """Leave out what pydantic points at, until the rest is valid."""
    unread: set[str] = set()
    rest = dict(raw)
    # Each round removes at least one value, so the loop ends; nearly always after one.
    while True:
        for path in sorted((e["loc"] for e in error.errors(include_url=False)), reverse=True):
            name = str(path[0])
            unread.add(name)
            if name == "id":
                rest["id"] = f"unidentified-{_identity(raw, digest).hex()}"
            elif not _without(rest, path):
                rest[name] = None
        try:
            return Contact.model_validate(rest), frozenset(unread)
        except ValidationError as again:
            error = again


def _identity(raw: Mapping[str, Any], digest: bytes) -> bytes:
    """Return by what an entry without an id is known again, as a hash.

    It is the user's id, else the e-mail address; only where there is neither the content.
    """
    user, address = raw.get("userId"), raw.get("email")
    if isinstance(user, str | int) and not isinstance(user, bool) and str(user).strip():
        known = f"user {str(user).strip()}"
    elif isinstance(address, str) and (key := email_key(address)):
        known = f"email {key}"
    else:
        return digest
    return hashlib.blake2b(known.encode("utf-8", "replace"), digest_size=12).digest()


def _without(holder: dict[str, Any], path: tuple[int | str, ...]) -> bool:
    """Take the value at `path` out of a copy of `holder`'s branch; False if it is not there."""
    name, *inner = path
    branch = holder[str(name)]
    match inner:
        case [int(index), *fields] if isinstance(branch, list) and index < len(branch):
            entry = branch[index]
            inside = isinstance(entry, dict) and bool(fields) and fields[0] in entry
            left = {k: v for k, v in entry.items() if k != fields[0]} if inside else {}
            holder[str(name)] = [*branch[:index], left, *branch[index + 1 :]]
            return True
        # The first of these is an object where a list belongs, taken for a list of one.
        case [int(), str(key), *_] | [str(key), *_] if isinstance(branch, dict) and key in branch:
            holder[str(name)] = {k: v for k, v in branch.items() if k != key}
            return True
    return False
