"""Derives of one contact the values by which it is listed, filtered and grouped.

Visits are taken to be sent oldest first: country, device and browser are those of the newest
visit, the UTM values those of the first. Values are as the API sent them, not yet cleaned.

What an answer of a survey or a text is, is said here and nowhere else: an entry that has something
to see in its answer or value (`answers_of`, `typed_of`), and what it answers (`question_of`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from smoc_mcp.api.models import Contact, Person, ReadContact, SurveyAnswer, TextField, Visit
from smoc_mcp.proof.windows import ABSENT, Keys, Status
from smoc_mcp.questions.duplicates import Traits, traits_of
from smoc_mcp.questions.fields import COUNTS, LABELS, VALUES
from smoc_mcp.questions.search import PHONE, searchable, searchable_phone
from smoc_mcp.questions.similar import mailbox
from smoc_mcp.text.cleaning import visible
from smoc_mcp.text.folding import email_key, fold
from smoc_mcp.text.times import as_moment

__all__ = [
    "UNNAMED",
    "Facts",
    "Identity",
    "Label",
    "answers_of",
    "facts_of",
    "full_name",
    "keys_of",
    "labels_of",
    "question_of",
    "status_of",
    "texts_of",
    "typed_of",
]

UNNAMED = "(unnamed)"
"""The question of an answer, or the field of a text, that has neither words nor an id."""

_STATUSES = {
    None: Status.LEAD,
    "": Status.LEAD,
    "1": Status.LEAD,
    "2": Status.CUSTOMER,
    "3": Status.LOST,
    "4": Status.CONVERTED,
}


class Label(NamedTuple):
    """One of any number of values of a kind: a flow, a promotion, a campaign, an answer.

    Attributes:
        kind: The name of one of `fields.LABELS`, or of `fields.ANSWERED`.
        value: As sent; of a survey the answer.
        question_id: Of a survey, folded; otherwise empty.
        question: Of a survey or a text what it answers, see `question_of`; otherwise empty.
    """

    kind: str
    value: str
    question_id: str = ""
    question: str = ""


class Identity(NamedTuple):
    """Who somebody is: two of one name are two.

    Attributes:
        key: What tells it apart, for comparison.
        names: What it is called by, folded, each on a line of its own between two line breaks.
    """

    key: str
    names: str


@dataclass(frozen=True, slots=True)
class Facts:
    """The derived values of one contact; None where there is none.

    Attributes:
        values: What it is filtered and grouped by, by the names of `fields.VALUES`.
        identities: Of the fields with an identity who that is.
        counts: How many it has of what `fields.COUNTS` names.
        labels: What it has any number of: `fields.LABELS`, answers of surveys, and texts.
        traits: What it is compared by with those who may be the same person.
        words: What it is searched by, by the names of `search.FIELDS`.
    """

    id: str
    keys: Keys
    name: str | None
    email: str | None
    phone: str | None
    values: Mapping[str, str | None]
    identities: Mapping[str, Identity | None]
    accepted_communication: bool | None
    counts: Mapping[str, int]
    email_key: str
    mailbox: str
    traits: Traits
    words: Mapping[str, str]
    labels: tuple[Label, ...]


def status_of(read: ReadContact) -> Status:
    """Return the status; one that could not be read is unknown, not a lead."""
    if "status" in read.unread:
        return Status.UNKNOWN
    return _STATUSES.get(read.contact.status, Status.UNKNOWN)


def keys_of(read: ReadContact) -> Keys:
    """Return what proofs need of the contact."""
    contact = read.contact
    times = (contact.created_at, contact.updated_at, contact.last_conversation_date)
    created, updated, conversation = (ABSENT if t is None else as_moment(t) for t in times)
    return Keys(created, updated, conversation, status_of(read), read.digest)


def full_name(person: Contact | Person) -> str | None:
    """Return first and last name, as far as there are any."""
    return " ".join(filter(None, (person.first_name, person.last_name))).strip() or None


def facts_of(read: ReadContact) -> Facts:
    """Return the derived values of a contact."""
    contact = read.contact
    address = email_key(contact.email or "")
    values, identities = _values_of(contact)
    name = full_name(contact)
    return Facts(
        id=contact.id,
        keys=keys_of(read),
        name=name,
        email=_unless_blank(contact.email),
        phone=_unless_blank(contact.msisdn),
        values=values,
        identities=identities,
        accepted_communication=contact.accepted_communication,
        counts={name: len(getattr(contact, path)) for name, path in COUNTS.items()}
        # Of the visits not all are read, and what was asked and not answered is no answer.
        | {
            "visits": read.visits,
            "surveys": len(answers_of(contact)),
            "texts": len(typed_of(contact)),
        },
        email_key=address,
        mailbox=mailbox(address),
        traits=traits_of(name, contact.email, contact.msisdn),
        words={
            field: searchable_phone(contact.msisdn or "")
            if field == PHONE
            else searchable(value for _, value in texts)
            for field, texts in texts_of(contact).items()
        },
        labels=labels_of(contact),
    )


def labels_of(contact: Contact) -> tuple[Label, ...]:
    """Return each value of a contact's labels once, whatever its spelling, in the order sent."""
    labels = [
        Label(name, value)
        for name, entries, attribute in _LABELS
        for entry in getattr(contact, entries)
        if (value := _unless_blank(getattr(entry, attribute)))
    ]
    labels += [
        Label("survey", a.answer or "", fold(_unless_blank(a.question_id) or ""), question_of(a))
        for a in answers_of(contact)
    ]
    labels += [Label("text", t.value or "", "", question_of(t)) for t in typed_of(contact)]
    once = {(la.kind, fold(la.value), la.question_id, fold(la.question)): la for la in labels}
    return tuple(once.values())


def answers_of(contact: Contact) -> list[SurveyAnswer]:
    """Return the entries of surveys that are answers: there is something to see in them."""
    return [a for a in contact.answered_survey_questions if _unless_blank(a.answer)]


def typed_of(contact: Contact) -> list[TextField]:
    """Return the custom fields into which something was typed that can be seen."""
    return [t for t in contact.text_fields if _unless_blank(t.value)]


def question_of(entry: SurveyAnswer | TextField) -> str:
    """Return what an entry answers, as sent: the words of a question, else its id; a field's key.

    `UNNAMED` where there is nothing to see in any of them.
    """
    if isinstance(entry, SurveyAnswer):
        return _unless_blank(entry.question) or _unless_blank(entry.question_id) or UNNAMED
    return _unless_blank(entry.key) or UNNAMED


def _unless_blank(value: str | None) -> str | None:
    """Return a value unless there is nothing in it to see."""
    if not value:
        return None
    # Of what is plain only an entity can be hidden, and before that stands nothing.
    seen = visible(value) if value.lstrip().startswith("&") else value
    return value if fold(seen) else None


def _values_of(contact: Contact) -> tuple[dict[str, str | None], dict[str, Identity | None]]:
    visits = contact.visit_list or (_NO_VISIT,)
    holders = {"": contact, "first_visit": visits[0], "newest_visit": visits[-1]}
    values: dict[str, str | None] = {}
    identities: dict[str, Identity | None] = {}
    for name, holder, attribute, told_by in _VALUES:
        value = getattr(holders[holder], attribute)
        if told_by:
            values[name] = None if value is None else _said(value)
            identities[name] = None if value is None else _identity(value, told_by)
        else:
            values[name] = _unless_blank(value)
    return values, identities


def _said(person: Person) -> str | None:
    """Return what somebody is called by: the name, otherwise the address or the id."""
    return next(filter(_unless_blank, (full_name(person), person.email, person.id)), None)


def _identity(person: Person, told_by: Sequence[str]) -> Identity | None:
    """Return who somebody is, if there is anything to tell it by."""
    told = (_KEYS[what](getattr(person, what) or "") for what in told_by)
    names = [*filter(None, (fold(full_name(person) or ""), fold(person.email or "")))]
    key = next(filter(None, (*told, *names)), None)
    return None if key is None else Identity(key, "\n".join(("", *(names or [key]), "")))


_KEYS = {"id": fold, "email": email_key}
_NO_VISIT = Visit()
# The paths of the fields, taken apart once: thousands of contacts are read at a time.
_VALUES = [
    (field.name, *path.rpartition(".")[::2], field.identity)
    for field in VALUES
    for path in field.paths
]
_LABELS = [(field.name, *path.rpartition(".")[::2]) for field in LABELS for path in field.paths]


def texts_of(contact: Contact) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Return what a person would look for the contact by: (what it is, text) of `search.FIELDS`."""
    texts: Mapping[str, Sequence[tuple[str | None, str | None]]] = {
        "name": (("name", full_name(contact)),),
        "email": (("email", contact.email),),
        "phone": (("phone", contact.msisdn),),
        "company": (("company", contact.company),),
        "place": (
            ("street", contact.street),
            ("zip", contact.zip),
            ("city", contact.city),
            ("state", contact.state),
        ),
        "texts": [(question_of(text), text.value) for text in typed_of(contact)],
        "answers": [(question_of(answer), answer.answer) for answer in answers_of(contact)],
    }
    return {
        field: [(name or field, text) for name, text in held if text]
        for field, held in texts.items()
    }
