"""Derives of one contact the values by which it is listed, filtered and grouped.

Visits are taken to be sent oldest first: country, device and browser are those of the newest
visit, the UTM values those of the first. Values are as the API sent them, not yet cleaned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from smoc_mcp.api.models import Contact, Person, ReadContact, Visit
from smoc_mcp.proof.windows import ABSENT, Keys, Status
from smoc_mcp.questions.search import PHONE, searchable, searchable_phone
from smoc_mcp.questions.similar import mailbox
from smoc_mcp.text.folding import email_key, fold
from smoc_mcp.text.times import as_moment

__all__ = ["Facts", "Label", "facts_of", "full_name", "keys_of", "status_of", "texts_of"]

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
        kind: flow, promo, referral_campaign or survey.
        value: As sent; of a survey the answer.
        question_id: Of a survey, folded; otherwise empty.
        question: Of a survey, as sent; otherwise empty.
    """

    kind: str
    value: str
    question_id: str = ""
    question: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """The derived values of one contact; None where there is none."""

    id: str
    keys: Keys
    name: str | None
    email: str | None
    phone: str | None
    company: str | None
    city: str | None
    country: str | None
    device: str | None
    browser: str | None
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None
    inviter: str | None
    accepted_communication: bool | None
    has_visits: bool
    has_rewards: bool
    has_referrals: bool
    email_key: str
    mailbox: str
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
    first, *_, newest = (*contact.visit_list, *contact.visit_list) or (Visit(), Visit())
    inviter = contact.inviter_user
    return Facts(
        id=contact.id,
        keys=keys_of(read),
        name=full_name(contact),
        email=_unless_blank(contact.email),
        phone=_unless_blank(contact.msisdn),
        company=_unless_blank(contact.company),
        city=_unless_blank(contact.city),
        country=_unless_blank(newest.country),
        device=_unless_blank(newest.device_type),
        browser=_unless_blank(newest.browser),
        utm_source=_unless_blank(first.utm_source),
        utm_medium=_unless_blank(first.utm_medium),
        utm_campaign=_unless_blank(first.utm_campaign),
        inviter=(inviter and (full_name(inviter) or inviter.email or inviter.id)) or None,
        accepted_communication=contact.accepted_communication,
        has_visits=bool(contact.visit_list),
        has_rewards=bool(contact.reward_flows),
        has_referrals=bool(contact.users_referred),
        email_key=email_key(contact.email or ""),
        mailbox=mailbox(email_key(contact.email or "")),
        words={
            field: searchable_phone(contact.msisdn or "")
            if field == PHONE
            else searchable(value for _, value in texts)
            for field, texts in texts_of(contact).items()
        },
        labels=_labels(contact),
    )


def _unless_blank(value: str | None) -> str | None:
    """Return a value unless there is nothing in it to see."""
    return value if value and fold(value) else None


def _labels(contact: Contact) -> tuple[Label, ...]:
    """Return each value once, whatever its spelling, in the order sent."""
    flows = (*(f.title for f in contact.reward_flows), *(t.flow_name for t in contact.text_fields))
    promos = (p.title for p in (*contact.promos_presented, *contact.promos_redeemed))
    campaigns = (link.campaign_name for link in contact.referral_links)
    labels = [
        *(Label("flow", value) for value in flows if value),
        *(Label("promo", value) for value in promos if value),
        *(Label("referral_campaign", value) for value in campaigns if value),
        *(
            Label("survey", a.answer, fold(a.question_id or ""), a.question or "")
            for a in contact.answered_survey_questions
            if a.answer
        ),
    ]
    once = {(la.kind, fold(la.value), la.question_id, fold(la.question)): la for la in labels}
    return tuple(once.values())


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
        "texts": [(text.key or "text", text.value) for text in contact.text_fields],
        "answers": [
            (answer.question or answer.question_id or "survey", answer.answer)
            for answer in contact.answered_survey_questions
        ],
    }
    return {
        field: [(name or field, text) for name, text in held if text]
        for field, held in texts.items()
    }
