"""What we derive of one contact: the values that it is listed, filtered and grouped by.

Visits are taken to be sent oldest first: country, device and browser are those of the newest
visit, the UTM values those of the first. Values are as the API sent them, not yet cleaned.
"""

from dataclasses import dataclass
from typing import NamedTuple

from smoc_mcp.coverage import ABSENT, Keys, Status
from smoc_mcp.models import Contact, Person, ReadContact, Visit
from smoc_mcp.text import digits, email_key, fold, spellings
from smoc_mcp.times import as_moment

__all__ = ["Facts", "Label", "facts_of", "full_name", "keys_of", "status_of"]

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
    phone_digits: str
    search: str
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
        phone_digits=digits(contact.msisdn or ""),
        search=_search_text(contact),
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


def _search_text(contact: Contact) -> str:
    """Return the folded words by which a person would look for the contact, one text a line."""
    texts = (
        full_name(contact),
        contact.email,
        contact.company,
        contact.street,
        contact.zip,
        contact.city,
        contact.state,
        contact.msisdn,
        *(t.value for t in contact.text_fields),
        *(a.answer for a in contact.answered_survey_questions),
    )
    return "\n".join(spellings(text) for text in texts if text)
