"""What there is to show of one contact: its own values, and its parts as a digest or whole.

A part is one of `PARTS`: what a contact has any number of. Its digest is a few words; whole it is
one list or, as rewards and referrals, several with names. What there is none of is said to be none,
for what is left out looks like what nobody asked for; what could not be read is not. A digest has
the answers and texts that count; whole, also what was asked and not answered.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from smoc_mcp.api.facts import answers_of, full_name, question_of, typed_of
from smoc_mcp.api.models import Contact, Flow, Person, SurveyAnswer, TextField, Visit
from smoc_mcp.directory.answers import Found
from smoc_mcp.text.times import as_moment
from smoc_mcp.views.boundary import DETAIL_CHARS, TABLE_CHARS
from smoc_mcp.views.columns import UNREADABLE
from smoc_mcp.views.lists import Views
from smoc_mcp.views.phrases import quoted, utm

__all__ = ["NONE", "PARTS", "PartList", "PartsWriter", "Value"]

PARTS = ("visits", "surveys", "rewards", "referrals", "texts")

NONE = "none"
"""What is said of a part, or of a list of it, that is empty."""
_WIRE_FIELDS: Mapping[tuple[str, str], str] = {
    ("visits", ""): "visitList",
    ("surveys", ""): "answeredSurveyQuestions",
    ("rewards", "flows"): "rewardFlows",
    ("rewards", "promos_presented"): "promosPresented",
    ("rewards", "promos_redeemed"): "promosRedeemed",
    ("referrals", "referred"): "usersReferred",
    ("referrals", "links"): "referralLinks",
    ("texts", ""): "textFields",
}
"""The field of a contact, as the API names it, that each list of a part is read from."""

_DIGEST_ITEMS = 3
_TOLD_TO_BE_NONE = {
    "email": "email",
    "phone": "msisdn",
    "company": "company",
    "last_conversation": "lastConversationDate",
    "invited_by": "inviterUser",
}
"""What is said to be none, for a reader would take it for unknown; and its field in the API."""

Value = str | int | list["Value"] | dict[str, "Value"]
"""What an answer holds of a contact."""
_Sent = str | bool | datetime | None
"""What the API sends of a value."""


class PartList(NamedTuple):
    """A list of a part; without a name of its own it is the part."""

    part: str
    name: str
    items: Sequence[Value]


@dataclass(frozen=True, slots=True)
class PartsWriter:
    """Writes the values and parts of contacts as they may be shown.

    Attributes:
        views: How things are shown.
    """

    views: Views

    def identity(self, found: Found) -> dict[str, Value]:
        """Return what every page says of the contact."""
        return {
            "id": self.views.boundary.id(found.row.id),
            **self._named(full_name(found.contact)),
            "status": found.row.status.value,
        }

    def basics(self, found: Found) -> dict[str, Value]:
        """Return what there is one of."""
        c, boundary = found.contact, self.views.boundary
        basics = self.identity(found)
        if found.row.consent is not None:
            basics["consent"] = found.row.consent.value
        if c.email and (email := boundary.email(c.email, DETAIL_CHARS)):
            basics["email"] = email
        if c.msisdn and (phone := boundary.phone(c.msisdn, DETAIL_CHARS)):
            basics["phone"] = phone
        basics |= self._fields(
            company=c.company,
            street=c.street,
            zip=c.zip,
            city=c.city,
            state=c.state,
            created=c.created_at,
            updated=c.updated_at,
            last_conversation=c.last_conversation_date,
            accepted_privacy=c.accepted_privacy,
        )
        basics |= {
            name: self._other_id(value)
            for name, value in (("user_id", c.user_id), ("brand_id", c.brand_id))
            if value
        }
        if c.inviter_user is not None and (inviter := self._person(c.inviter_user)):
            basics["invited_by"] = inviter
        return basics | {
            name: NONE
            for name, field in _TOLD_TO_BE_NONE.items()
            if name not in basics and field not in found.row.unread
        }

    def digests(self, found: Found, include: Collection[str]) -> dict[str, Value]:
        """Return a few words on each part that is not wanted whole."""
        digests: Mapping[str, Callable[[Contact], dict[str, Value]]] = {
            "visits": self._visits_digest,
            "surveys": self._surveys_digest,
            "rewards": self._rewards_digest,
            "referrals": self._referrals_digest,
            "texts": self._texts_digest,
        }
        return {
            part: _with_nothing(part, digests[part](found.contact), found.row.unread)
            for part in PARTS
            if part not in include
        }

    def empty(self, found: Found, include: Collection[str]) -> dict[str, Value]:
        """Return the parts and lists that are wanted whole and hold nothing, each with why."""
        empty: dict[str, Value] = {}
        for part, name, items in self.lists(found.contact, include):
            if items:
                continue
            why: Value = UNREADABLE if _WIRE_FIELDS[part, name] in found.row.unread else []
            if not name:
                empty[part] = why
            elif isinstance(inside := empty.setdefault(part, {}), dict):
                inside[name] = why
        return empty

    def lists(self, c: Contact, include: Collection[str]) -> list[PartList]:
        """Return the lists of the parts that are wanted whole; what has a time newest first."""
        return [
            it
            for it in (
                PartList("visits", "", [self._visit(v) for v in reversed(c.visit_list)]),
                PartList(
                    "surveys", "", [self._answer(a) for a in reversed(c.answered_survey_questions)]
                ),
                *(PartList("rewards", name, titles) for name, titles in self._titles(c).items()),
                PartList(
                    "referrals", "referred", [self._person(p) for p in reversed(c.users_referred)]
                ),
                PartList(
                    "referrals",
                    "links",
                    [
                        self._fields(campaign=x.campaign_name, key=x.key, url=x.url, share=x.share)
                        for x in reversed(c.referral_links)
                    ],
                ),
                PartList("texts", "", [self._text(t) for t in reversed(c.text_fields)]),
            )
            if it.part in include
        ]

    def _visits_digest(self, c: Contact) -> dict[str, Value]:
        if not c.visit_list:
            return {}
        digest: dict[str, Value] = {"count": len(c.visit_list)}
        digest["first"] = self._visit_digest(c.visit_list[0])
        if len(c.visit_list) > 1:
            digest["latest"] = self._visit_digest(c.visit_list[-1])
        return digest

    def _visit_digest(self, v: Visit) -> dict[str, Value]:
        return self._fields(
            TABLE_CHARS,
            at=v.at,
            source=utm(v.utm_source, v.utm_medium, v.utm_campaign),
            device=v.device_type,
            browser=v.browser,
            country=v.country,
            city=v.city,
        )

    def _visit(self, v: Visit) -> dict[str, Value]:
        technical = (
            {"ip": v.ip, "user_agent": v.user_agent} if self.views.boundary.technical else {}
        )
        return self._fields(
            at=v.at,
            device=v.device_type,
            os=v.os,
            browser=v.browser,
            country=v.country,
            region=v.region,
            city=v.city,
            utm_source=v.utm_source,
            utm_medium=v.utm_medium,
            utm_campaign=v.utm_campaign,
            utm_term=v.utm_term,
            utm_content=v.utm_content,
            referrer=v.referrer,
            landing_page=v.landing_page,
            **technical,
        )

    def _surveys_digest(self, c: Contact) -> dict[str, Value]:
        answers = answers_of(c)
        latest = [self._answer(a, TABLE_CHARS) for a in answers[-_DIGEST_ITEMS:]]
        return self._latest(latest, len(answers))

    def _answer(self, a: SurveyAnswer, limit: int = DETAIL_CHARS) -> dict[str, Value]:
        # The id is for contacts_stats group_by=survey:<id>; a digest has the question only.
        question_id = a.question_id if limit == DETAIL_CHARS else None
        return self._fields(
            limit,
            question=question_of(a),
            answer=a.answer,
            at=a.at,
            question_id=question_id,
        )

    def _rewards_digest(self, c: Contact) -> dict[str, Value]:
        titles = self._titles(c)
        return {name: shown[:_DIGEST_ITEMS] for name, shown in titles.items() if shown}

    def _titles(self, c: Contact) -> dict[str, list[Value]]:
        """Return the titles of each kind, newest first, each once, with how often if it is more."""
        lists: Mapping[str, Sequence[Flow]] = {
            "flows": c.reward_flows,
            "promos_presented": c.promos_presented,
            "promos_redeemed": c.promos_redeemed,
        }
        shown = {
            name: Counter(f.title or f.id or "?" for f in reversed(flows))
            for name, flows in lists.items()
        }
        return {
            name: [self._counted(title, n) for title, n in titles.items()]
            for name, titles in shown.items()
        }

    def _counted(self, title: str, count: int) -> str:
        shown = self.views.boundary.text(title)
        # A title that ends as our count does is in quotes, so that it counts nothing.
        if shown.endswith(")") and "(×" in shown:  # noqa: RUF001  the sign is meant, no x
            shown = quoted(shown)
        return f"{shown} (×{count})" if count > 1 else shown  # noqa: RUF001  the sign is meant, no x

    def _referrals_digest(self, c: Contact) -> dict[str, Value]:
        campaigns = dict.fromkeys(link.campaign_name for link in c.referral_links)
        digest: dict[str, Value] = {}
        if c.users_referred:
            digest["referred"] = len(c.users_referred)
        if c.referral_links:
            digest["links"] = len(c.referral_links)
        if named := [self.views.boundary.text(name) for name in campaigns if name][:_DIGEST_ITEMS]:
            digest["campaigns"] = list(named)
        return digest

    def _texts_digest(self, c: Contact) -> dict[str, Value]:
        typed = typed_of(c)
        latest = [self._text(t, TABLE_CHARS) for t in typed[-_DIGEST_ITEMS:]]
        return self._latest(latest, len(typed))

    def _latest(self, items: Sequence[dict[str, Value]], count: int) -> dict[str, Value]:
        """Return how many there are, and the last of them, newest first."""
        latest: list[Value] = [item for item in reversed(items) if item]
        return {"count": count, **({"latest": latest} if latest else {})} if count else {}

    def _text(self, t: TextField, limit: int = DETAIL_CHARS) -> dict[str, Value]:
        flow = (t.flow_name, t.variant_name) if limit == DETAIL_CHARS else (None, None)
        return self._fields(limit, key=question_of(t), value=t.value, flow=flow[0], variant=flow[1])

    def _person(self, p: Person) -> dict[str, Value]:
        boundary = self.views.boundary
        shown = {
            "id": self._other_id(p.id or ""),
            **self._named(full_name(p)),
            "email": boundary.email(p.email or "", DETAIL_CHARS),
        }
        return {name: value for name, value in shown.items() if value}

    def _other_id(self, value: str) -> str:
        """Return an identifier that nobody asks with; some are addresses or phone numbers."""
        boundary = self.views.boundary
        return boundary.email(value) if "@" in value else boundary.text(value)

    def _named(self, name: str | None) -> dict[str, Value]:
        shown = self.views.boundary.name(name or "", DETAIL_CHARS)
        return {"name": shown} if shown else {}

    def _fields(self, limit: int = DETAIL_CHARS, /, **values: _Sent) -> dict[str, Value]:
        """Return the values that there are, as they may be shown."""
        shown = {name: self._shown(value, limit) for name, value in values.items()}
        return {name: value for name, value in shown.items() if value}

    def _shown(self, value: _Sent, limit: int) -> str | None:
        if value is None or isinstance(value, str):
            return self.views.boundary.text(value, limit) if value else None
        if isinstance(value, bool):
            return "yes" if value else "no"
        return self.views.time(as_moment(value))


def _with_nothing(part: str, digest: dict[str, Value], unread: Collection[str]) -> Value:
    """Return the digest of a part, with why a list of it, or all of it, is not there."""
    why = {
        name: UNREADABLE if field in unread else NONE
        for (of, name), field in _WIRE_FIELDS.items()
        if of == part and (not name or name not in digest)
    }
    if not digest:
        # Of several lists one that could not be read may have held something.
        return UNREADABLE if UNREADABLE in why.values() else NONE
    return {**digest, **{name: said for name, said in why.items() if name}}
