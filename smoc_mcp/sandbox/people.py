"""Made-up contacts, complete as the API sends them, each from its company's seed and its number."""

from random import Random
from typing import TypeAlias

from smoc_mcp.sandbox import catalog
from smoc_mcp.sandbox.chance import Weighted, choose
from smoc_mcp.sandbox.hostile import Hostility, spoil
from smoc_mcp.sandbox.moments import DAY, STATUSES, Origin, to_wire
from smoc_mcp.sandbox.places import PLACES, City, Place

__all__ = ["Contact", "contact"]

Contact: TypeAlias = dict[str, object]
"""A contact by the names on the wire, of JSON values only."""

_DOMAINS = ("example.com", "example.org", "example.net")
_VISITS = Weighted(
    (0, 0.05), (1, 0.13), (2, 0.14), (3, 0.16), (4, 0.17), (6, 0.16), (9, 0.11), (16, 0.06),
    (35, 0.014), (60, 0.006),
)  # fmt: skip
_FEW = Weighted((0, 0.3), (1, 0.33), (2, 0.22), (3, 0.1), (5, 0.05))
_FEWER = Weighted((0, 0.66), (1, 0.21), (2, 0.1), (3, 0.03))
_ANSWER: Weighted[bool | None] = Weighted((True, 0.62), (False, 0.26), (None, 0.12))
_BRANDS: Weighted[str | None] = Weighted(("1", 0.7), ("2", 0.2), (None, 0.1))

# Fields that are often not collected, and how often; a third of these are absent, the others null.
_GAPS = (
    ("email", 0.05),
    ("firstName", 0.04),
    ("lastName", 0.09),
    ("msisdn", 0.3),
    ("company", 0.55),
    ("city", 0.25),
    ("state", 0.5),
    ("street", 0.6),
    ("zip", 0.45),
    ("inviterUser", 0.9),
    ("acceptedPrivacy", 0.05),
    ("rewardFlows", 0.1),
    ("promosPresented", 0.08),
    ("promosRedeemed", 0.1),
    ("answeredSurveyQuestions", 0.06),
    ("usersReferred", 0.15),
    ("referralLinks", 0.15),
    ("visitList", 0.03),
    ("textFields", 0.12),
)

_CONVERTED = frozenset({STATUSES.index("2"), STATUSES.index("4")})


def contact(
    seed: int,
    index: int,
    origin: Origin,
    operator_id: str = "10",
    hostile: Hostility = 0.01,
) -> Contact:
    """Return the contact of that number, about 4 kB as JSON, without its id.

    Args:
        seed: the company's; the same seed, number and origin give the same contact.
        index: its number in its company, from 0.
        origin: its times and status.
        operator_id: its company's id.
        hostile: how likely some of its fields hold hostile text, or "everywhere".
    """
    rng = _rng(seed, index)
    place, first, last, email = _person(rng, index)
    city = choose(rng, place.cities)
    if index and rng.random() < 0.01:
        email = _doubled(seed, rng, index)
    found: Contact = {
        "id": "",
        "userId": str(100_000 + index),
        "email": email,
        "firstName": first,
        "lastName": last,
        "msisdn": _phone(rng, place),
        "company": choose(rng, place.companies),
        "city": city.name,
        "state": city.state,
        "street": f"{choose(rng, place.streets)} {1 + int(rng.random() * 140)}",
        "zip": _digits(rng, place.zip_pattern),
        "status": STATUSES[origin.status],
        "brandId": _BRANDS.pick(rng),
        "operatorId": operator_id,
        "createdAt": _wire_or_none(origin.created),
        "updatedAt": _wire_or_none(origin.updated),
        "lastConversationDate": _wire_or_none(origin.conversation),
        "acceptedCommunication": _ANSWER.pick(rng),
        "acceptedPrivacy": rng.random() < 0.93,
        "inviterUser": _other(seed, rng, index),
        "rewardFlows": [dict(catalog.FLOWS.pick(rng)) for _ in range(_FEWER.pick(rng))],
        "promosPresented": _promos(rng, _FEW.pick(rng)),
        "promosRedeemed": _promos(rng, _FEWER.pick(rng)),
        "answeredSurveyQuestions": _survey(rng, origin),
        "usersReferred": [_other(seed, rng, index) for _ in range(_FEWER.pick(rng))],
        "referralLinks": [_referral(rng) for _ in range(_FEWER.pick(rng))],
        "visitList": _visits(rng, origin, place, city),
        "textFields": [_text_field(rng) for _ in range(_FEW.pick(rng))],
    }
    _leave_gaps(found, rng)
    if hostile == "everywhere":
        spoil(found, rng, everywhere=True)
    elif rng.random() < hostile:
        spoil(found, rng)
    return found


def _rng(seed: int, index: int) -> Random:
    return Random(seed << 32 | index)


def _wire_or_none(ms: int) -> str | None:
    return to_wire(ms) if ms else None


def _person(rng: Random, index: int) -> tuple[Place, str, str, str]:
    """Return country, first name, last name and e-mail: always the first draws of a contact."""
    place = PLACES.pick(rng)
    first = choose(rng, place.first_names)
    last = choose(rng, place.last_names)
    local = (
        f"{first.latin}.{last.latin}{index}"
        if rng.random() < 0.8
        else f"{first.latin[0]}_{last.latin}+{index}"
    )
    return place, first.written, last.written, f"{local}@{choose(rng, _DOMAINS)}"


def _doubled(seed: int, rng: Random, index: int) -> str:
    """Return the e-mail of an earlier contact, in its or in another writing."""
    other = int(rng.random() * index)
    email = _person(_rng(seed, other), other)[3]
    return choose(rng, (email, email, email.upper(), email.title()))


def _other(seed: int, rng: Random, index: int) -> Contact:
    """Return somebody else of the company, as inviters and referred users are sent."""
    other = int(rng.random() * (index + 50))
    _, first, last, email = _person(_rng(seed, other), other)
    return {"id": 100_000 + other, "firstName": first, "lastName": last, "email": email}


def _digits(rng: Random, pattern: str) -> str:
    """Return `pattern` with a digit for each `#`."""
    return "".join(str(int(rng.random() * 10)) if sign == "#" else sign for sign in pattern)


def _phone(rng: Random, place: Place) -> str:
    number = place.prefix + _digits(rng, "#" * place.digits)
    spaced = " ".join(number[start : start + 3] for start in range(0, len(number), 3))
    return choose(
        rng,
        (
            f"+{place.dial}{number}",
            f"+{place.dial}{number}",
            f"+{place.dial} {spaced}",
            f"00{place.dial} {number}",
            f"(+{place.dial}) {spaced.replace(' ', '-')}",
            number,
        ),
    )


def _promos(rng: Random, count: int) -> list[Contact]:
    return [dict(catalog.PROMOS.pick(rng)) for _ in range(count)]


def _survey(rng: Random, origin: Origin) -> list[Contact]:
    answers: list[Contact] = []
    for question_id, question in catalog.SURVEY:
        if rng.random() >= question.share:
            continue
        answer, english = question.answers.pick(rng)
        reward = dict(catalog.PROMOS.pick(rng)) if rng.random() < 0.2 else None
        answers.append(
            {
                "questionId": question_id,
                "question": question.text,
                "answer": answer,
                "translations": {"en": {"question": question.english, "answer": english}},
                "reward": reward,
                "answeredAt": to_wire(_between(rng, origin)),
            }
        )
    return answers


def _referral(rng: Random) -> Contact:
    key = f"{rng.getrandbits(48):012x}"
    return {
        "key": key,
        **catalog.REFERRALS.pick(rng),
        "url": f"{catalog.SITE}/r/{key}",
        "share": rng.random() < 0.6,
    }


def _text_field(rng: Random) -> Contact:
    where, values = catalog.TEXT_FIELDS.pick(rng)
    return {**where, "value": values.pick(rng)}


def _between(rng: Random, origin: Origin) -> int:
    return origin.created + int((origin.updated - origin.created) * rng.random())


def _visits(rng: Random, origin: Origin, place: Place, city: City) -> list[Contact]:
    """Return visits, oldest first: the first brought the contact, from then on they came back."""
    count = _VISITS.pick(rng)
    if count == 0:
        return []
    first = origin.created - int(rng.random() * DAY / 96)
    times = sorted((first, *(_between(rng, origin) for _ in range(count - 1))))
    usual = catalog.DEVICES.pick(rng)
    campaigns = catalog.CAMPAIGNS_OF_CUSTOMERS if origin.status in _CONVERTED else catalog.CAMPAIGNS
    return [
        {
            **(usual if rng.random() < 0.8 else catalog.DEVICES.pick(rng)),
            "country": place.country,
            "region": city.state,
            "city": city.name,
            **(campaigns.pick(rng) if number == 0 or rng.random() < 0.6 else catalog.DIRECT),
            "ip": _ip(rng),
            "createdAt": to_wire(at),
        }
        for number, at in enumerate(times)
    ]


def _ip(rng: Random) -> str:
    """Return an address that documentation may use and nobody has."""
    number = int(rng.random() * 65_536)
    if number & 3 == 0:
        return f"2001:db8:{number:x}::{number >> 8:x}"
    return f"{choose(rng, ('192.0.2', '198.51.100', '203.0.113'))}.{number >> 8}"


def _leave_gaps(found: Contact, rng: Random) -> None:
    for name, share in _GAPS:
        draw = rng.random()
        if draw < share / 3:
            del found[name]
        elif draw < share:
            found[name] = None
    for name in ("status", "lastConversationDate", "brandId"):
        if found[name] is None and rng.random() < 0.3:
            del found[name]
