"""One contact whole: a short digest of each part, or the part itself where it is asked for."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from smoc_mcp.answers import Found
from smoc_mcp.errors import InputError
from smoc_mcp.facts import full_name
from smoc_mcp.models import Contact, Person, SurveyAnswer, TextField, Visit
from smoc_mcp.phrases import failed, unread
from smoc_mcp.results import ContactResult
from smoc_mcp.text import DETAIL_CHARS, TABLE_CHARS, clean, cut
from smoc_mcp.times import as_moment
from smoc_mcp.views import MAX_CHARS, View, Views

__all__ = ["PARTS", "parse_include", "profile"]

PARTS = ("visits", "surveys", "rewards", "referrals", "texts")

_DIGEST_ITEMS = 3
_LISTS = {"visits": 1, "surveys": 1, "rewards": 3, "referrals": 2, "texts": 1}
"""How many lists each part is made of; they share what an answer may take."""
_ROOM = MAX_CHARS - 1_000
"""What the contact may take; the rest is for the heading and the notes."""

Value = str | int | list["Value"] | dict[str, "Value"]
Loose = str | bool | datetime | None


def parse_include(text: str) -> frozenset[str]:
    """Return the parts that a comma-separated `include` names.

    Raises:
        InputError: A name is unknown.
    """
    names = {name.strip().lower() for name in text.split(",")} - {""}
    if unknown := names - {*PARTS, "all"}:
        raise InputError(
            f"include does not know '{cut(min(unknown), 40)}': give a comma-separated choice of "
            f"{', '.join(PARTS)}, or all."
        )
    return frozenset(PARTS) if "all" in names else frozenset(names)


def profile(found: Found, include: Collection[str], views: Views) -> View[ContactResult]:
    """Return the answer of contacts_get."""
    writer = _Writer(views)
    contact = writer.contact(found, include)
    notes = writer.notes
    as_of = views.time(found.company.as_of if found.live else found.row.seen)
    if failure := failed(found.company, as_of):
        notes.append(failure)
    elif not found.live:
        notes.append(
            f"This contact is in none of the newest 500 that SMOC shows now; this is how it was "
            f"last seen, at {views.time(found.row.seen)}."
        )
    if unreadable := unread(found.company):
        notes.append(unreadable)
    result: ContactResult = {"contact": contact, "as_of": as_of}
    if notes:
        result["note"] = " ".join(notes)
    who = contact.get("name") or contact.get("email") or "without a name"
    heading = f"Contact {contact['id']}: {who}, {contact['status']}. As of {result['as_of']}."
    body = {k: v for k, v in contact.items() if k not in ("id", "status")}
    text = "\n".join([heading, *_outline(body), *([result["note"]] if notes else [])])
    return View(result, text)


@dataclass
class _Writer:
    views: Views
    notes: list[str] = field(default_factory=list)
    _list_chars: int = 0

    def contact(self, found: Found, include: Collection[str]) -> dict[str, Value]:
        c = found.contact
        digests: Mapping[str, Callable[[Contact], Value]] = {
            "visits": self._visits_digest,
            "surveys": self._surveys_digest,
            "rewards": self._rewards_digest,
            "referrals": self._referrals_digest,
            "texts": self._texts_digest,
        }
        wholes: Mapping[str, Callable[[Contact], Value]] = {
            "visits": self._visits,
            "surveys": self._surveys,
            "rewards": self._rewards,
            "referrals": self._referrals,
            "texts": self._texts,
        }
        fields = self._fields(
            id=c.id,
            name=full_name(c),
            email=self.views.masked("email", c.email),
            phone=self.views.masked("phone", c.msisdn),
            company=c.company,
            street=c.street,
            zip=c.zip,
            city=c.city,
            state=c.state,
            status=found.row.status.value,
            created=c.created_at,
            updated=c.updated_at,
            last_conversation=c.last_conversation_date,
            accepted_communication=c.accepted_communication,
            accepted_privacy=c.accepted_privacy,
            user_id=c.user_id,
            brand_id=c.brand_id,
        )
        if c.inviter_user is not None and (inviter := self._person(c.inviter_user)):
            fields["invited_by"] = inviter
        parts = {part: digests[part](c) for part in PARTS if part not in include}
        taken = len(json.dumps([fields, parts], ensure_ascii=False))
        self._list_chars = (_ROOM - taken) // max(1, sum(_LISTS[part] for part in include))
        parts |= {part: wholes[part](c) for part in include}
        return fields | {part: parts[part] for part in PARTS if parts[part]}

    def _visits_digest(self, c: Contact) -> Value:
        if not c.visit_list:
            return {}
        digest: dict[str, Value] = {"count": len(c.visit_list)}
        digest["first"] = self._visit_digest(c.visit_list[0])
        if len(c.visit_list) > 1:
            digest["latest"] = self._visit_digest(c.visit_list[-1])
        return digest

    def _visit_digest(self, v: Visit) -> dict[str, Value]:
        utm = (v.utm_source, v.utm_medium, v.utm_campaign)
        return self._fields(
            TABLE_CHARS,
            at=v.at,
            source=" / ".join(u or "-" for u in utm) if any(utm) else None,
            device=v.device_type,
            browser=v.browser,
            country=v.country,
            city=v.city,
        )

    def _visits(self, c: Contact) -> Value:
        return self._newest("visits", [self._visit(v) for v in c.visit_list])

    def _visit(self, v: Visit) -> dict[str, Value]:
        technical = {"ip": v.ip, "user_agent": v.user_agent} if self.views.technical else {}
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

    def _surveys_digest(self, c: Contact) -> Value:
        answers = c.answered_survey_questions
        if not answers:
            return {}
        latest = [self._answer(a, TABLE_CHARS) for a in answers[-_DIGEST_ITEMS:]]
        return {"count": len(answers), "latest": [a for a in latest if a]}

    def _surveys(self, c: Contact) -> Value:
        answers = c.answered_survey_questions
        whole = [self._answer(a) | self._fields(question_id=a.question_id) for a in answers]
        return self._newest("surveys", whole)

    def _answer(self, a: SurveyAnswer, limit: int = DETAIL_CHARS) -> dict[str, Value]:
        question = a.question or a.question_id
        return self._fields(limit, question=question, answer=a.answer, at=a.at)

    def _rewards_digest(self, c: Contact) -> Value:
        return {name: titles[:_DIGEST_ITEMS] for name, titles in self._titles(c).items()}

    def _rewards(self, c: Contact) -> Value:
        return {name: self._newest(name, titles) for name, titles in self._titles(c).items()}

    def _titles(self, c: Contact) -> dict[str, list[Value]]:
        """Return the titles of each kind, each once, with how often where it is more."""
        lists = {
            "flows": c.reward_flows,
            "promos_presented": c.promos_presented,
            "promos_redeemed": c.promos_redeemed,
        }
        counted = {
            name: Counter(self.views.value(f.title or f.id or "?") for f in flows)
            for name, flows in lists.items()
        }
        # The sign for "times" is meant, not a letter.
        return {
            name: [title if n == 1 else f"{title} (×{n})" for title, n in titles.most_common()]  # noqa: RUF001
            for name, titles in counted.items()
            if titles
        }

    def _referrals_digest(self, c: Contact) -> Value:
        campaigns = dict.fromkeys(link.campaign_name for link in c.referral_links)
        digest: dict[str, Value] = {}
        if c.users_referred:
            digest["referred"] = len(c.users_referred)
        if named := [self.views.value(name) for name in campaigns if name][:_DIGEST_ITEMS]:
            digest["campaigns"] = list(named)
        return digest

    def _referrals(self, c: Contact) -> Value:
        parts: dict[str, Value] = {}
        if c.users_referred:
            people = [self._person(p) for p in c.users_referred]
            parts["referred"] = self._newest("referred", people)
        if c.referral_links:
            links = [
                self._fields(campaign=x.campaign_name, key=x.key, url=x.url, share=x.share)
                for x in c.referral_links
            ]
            parts["links"] = self._newest("links", links)
        return parts

    def _texts_digest(self, c: Contact) -> Value:
        if not c.text_fields:
            return {}
        latest = [self._text(t, TABLE_CHARS) for t in c.text_fields[-_DIGEST_ITEMS:]]
        return {"count": len(c.text_fields), "latest": [t for t in latest if t]}

    def _texts(self, c: Contact) -> Value:
        whole = [
            self._text(t) | self._fields(flow=t.flow_name, variant=t.variant_name)
            for t in c.text_fields
        ]
        return self._newest("texts", whole)

    def _text(self, t: TextField, limit: int = DETAIL_CHARS) -> dict[str, Value]:
        return self._fields(limit, key=t.key, value=t.value)

    def _person(self, p: Person) -> dict[str, Value]:
        return self._fields(id=p.id, name=full_name(p), email=self.views.masked("email", p.email))

    def _newest(self, part: str, items: Sequence[Value]) -> Value:
        """Return as many of the last items as a part may take, and note what is left out."""
        used, first = 0, len(items)
        while first > 0:
            used += len(json.dumps(items[first - 1], ensure_ascii=False)) + 2
            if used > self._list_chars:
                break
            first -= 1
        if first:
            self.notes.append(f"Only the last {len(items) - first:,} of {len(items):,} {part}.")
        return list(items[first:])

    def _fields(self, limit: int = DETAIL_CHARS, /, **values: Loose) -> dict[str, Value]:
        """Return the values that there are, cleaned and cut."""
        shown = {name: self._shown(value, limit) for name, value in values.items()}
        return {name: value for name, value in shown.items() if value}

    def _shown(self, value: Loose, limit: int) -> str | None:
        if value is None or isinstance(value, str):
            return cut(clean(value), limit) if value else None
        if isinstance(value, bool):
            return "yes" if value else "no"
        return self.views.time(as_moment(value))


def _outline(value: Mapping[str, Value], indent: str = "") -> Iterable[str]:
    """Yield `name: value` lines; what is nested is flat on one line, or one line an entry."""
    for name, inner in value.items():
        if isinstance(inner, list):
            yield f"{indent}{name}:"
            yield from (f"{indent}  {_flat(entry)}" for entry in inner)
        elif isinstance(inner, dict):
            yield f"{indent}{name}:"
            yield from _outline(inner, indent + "  ")
        else:
            yield f"{indent}{name}: {inner}"


def _flat(value: Value) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_flat(inner)}" for name, inner in value.items())
    return str(value)
