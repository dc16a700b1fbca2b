"""One contact whole: a short digest of each part, or the part itself, in pages, where asked for."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from smoc_mcp.api.facts import full_name
from smoc_mcp.api.models import Contact, Flow, Person, SurveyAnswer, TextField, Visit
from smoc_mcp.directory.answers import Found
from smoc_mcp.errors import InputError
from smoc_mcp.text.commas import comma_list
from smoc_mcp.text.times import as_moment
from smoc_mcp.views.boundary import DETAIL_CHARS, TABLE_CHARS
from smoc_mcp.views.lists import View, Views
from smoc_mcp.views.phrases import failed, lines, sentences, unread, utm
from smoc_mcp.views.results import ContactResult

__all__ = ["PARTS", "Place", "parse_include", "profile"]

PARTS = ("visits", "surveys", "rewards", "referrals", "texts")

_DIGEST_ITEMS = 3
_PAGE_CHARS = 12_000
"""What the parts of one page may take."""

Value = str | int | list["Value"] | dict[str, "Value"]
Loose = str | bool | datetime | None


class Place(NamedTuple):
    """Where a page begins: in which list, and how many of its items are left.

    Counted from the end, because what is new comes in front.
    """

    list: int = 0
    left: int = -1


class _List(NamedTuple):
    """A list of a part; without a name of its own it is the part."""

    part: str
    name: str
    items: Sequence[Value]


def parse_include(text: str) -> frozenset[str]:
    """Return the parts that a comma-separated `include` names.

    Raises:
        InputError: A name is unknown.
    """
    names = set(comma_list(text.lower()))
    if unknown := names - {*PARTS, "all"}:
        raise InputError(
            f"include does not know '{min(unknown)[:40]}': give a comma-separated choice of "
            f"{', '.join(PARTS)}, or all."
        )
    return frozenset(PARTS) if "all" in names else frozenset(names)


def profile(
    found: Found,
    include: Collection[str],
    views: Views,
    place: Place | None = None,
    cursor_at: Callable[[Place], str] = lambda _: "",
) -> View[ContactResult]:
    """Return the answer of contacts_get.

    Args:
        found: The contact.
        include: The parts that are wanted whole.
        views: How things are shown.
        place: Where the page begins; None for the first, which has the digest of the other parts.
        cursor_at: Makes the cursor of the next page.
    """
    writer = _Writer(views)
    parts, following = _page(writer.lists(found.contact, include), place or Place())
    contact: dict[str, Value] = writer.basics(found) if place is None else writer.identity(found)
    if place is None:
        contact |= writer.digests(found.contact, include)
    contact |= {part: parts[part] for part in PARTS if part in parts}
    as_of = views.time(found.company.as_of if found.live else found.row.seen)
    stale = (
        f"This contact is in none of the newest 500 that SMOC shows now; this is how it was last "
        f"seen, at {views.time(found.row.seen)}."
    )
    failure = failed(found.company, as_of)
    note = sentences([failure or ("" if found.live else stale), unread(found.company)])
    result: ContactResult = {"contact": contact, "as_of": as_of}
    if following:
        result["next_cursor"] = cursor_at(following)
    if note:
        result["note"] = note
    who = contact.get("name") or contact.get("email") or "without a name"
    heading = f"Contact {contact['id']}: {who}, {contact['status']}. As of {as_of}."
    body = {name: value for name, value in contact.items() if name not in ("id", "status")}
    more = f"Next page: cursor={result['next_cursor']}" if following else ""
    return View(result, lines([heading, *_outline(body), note, more]))


def _page(lists: Sequence[_List], place: Place) -> tuple[dict[str, Value], Place | None]:
    """Return the parts of one page, and where the next one begins."""
    parts: dict[str, Value] = {}
    used = 0
    for number, (part, name, items) in enumerate(lists):
        if number < place.list or not items:
            continue
        begun = number == place.list and place.left >= 0
        start = end = max(0, len(items) - place.left) if begun else 0
        while end < len(items):
            used += len(json.dumps(items[end], ensure_ascii=False)) + 2
            # A page has one item at least, or reading on would never end.
            if used > _PAGE_CHARS and (parts or end > start):
                break
            end += 1
        shown = list(items[start:end])
        if shown and name:
            inside = parts.setdefault(part, {})
            if isinstance(inside, dict):
                inside[name] = shown
        elif shown:
            parts[part] = shown
        if end < len(items):
            return parts, Place(number, len(items) - end)
    return parts, None


@dataclass(frozen=True, slots=True)
class _Writer:
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
            accepted_communication=c.accepted_communication,
            accepted_privacy=c.accepted_privacy,
        )
        basics |= {
            name: self._other_id(value)
            for name, value in (("user_id", c.user_id), ("brand_id", c.brand_id))
            if value
        }
        if c.inviter_user is not None and (inviter := self._person(c.inviter_user)):
            basics["invited_by"] = inviter
        return basics

    def digests(self, c: Contact, include: Collection[str]) -> dict[str, Value]:
        """Return a few words on each part that is not wanted whole."""
        digests: Mapping[str, Callable[[Contact], dict[str, Value]]] = {
            "visits": self._visits_digest,
            "surveys": self._surveys_digest,
            "rewards": self._rewards_digest,
            "referrals": self._referrals_digest,
            "texts": self._texts_digest,
        }
        made = {part: digests[part](c) for part in PARTS if part not in include}
        return {part: digest for part, digest in made.items() if digest}

    def lists(self, c: Contact, include: Collection[str]) -> list[_List]:
        """Return the lists of the parts that are wanted whole; what has a time newest first."""
        return [
            it
            for it in (
                _List("visits", "", [self._visit(v) for v in reversed(c.visit_list)]),
                _List(
                    "surveys", "", [self._answer(a) for a in reversed(c.answered_survey_questions)]
                ),
                *(_List("rewards", name, titles) for name, titles in self._titles(c).items()),
                _List(
                    "referrals", "referred", [self._person(p) for p in reversed(c.users_referred)]
                ),
                _List(
                    "referrals",
                    "links",
                    [
                        self._fields(campaign=x.campaign_name, key=x.key, url=x.url, share=x.share)
                        for x in reversed(c.referral_links)
                    ],
                ),
                _List("texts", "", [self._text(t) for t in reversed(c.text_fields)]),
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
        return self._latest(
            [self._answer(a, TABLE_CHARS) for a in c.answered_survey_questions[-_DIGEST_ITEMS:]],
            len(c.answered_survey_questions),
        )

    def _answer(self, a: SurveyAnswer, limit: int = DETAIL_CHARS) -> dict[str, Value]:
        # The id is for contacts_stats group_by=survey:<id>; a digest has the question only.
        question_id = a.question_id if limit == DETAIL_CHARS else None
        return self._fields(
            limit,
            question=a.question or a.question_id,
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
        # The sign for "times" is meant, not a letter.
        return {
            name: [
                self.views.boundary.text(title) + (f" (×{n})" if n > 1 else "")  # noqa: RUF001
                for title, n in titles.items()
            ]
            for name, titles in shown.items()
        }

    def _referrals_digest(self, c: Contact) -> dict[str, Value]:
        campaigns = dict.fromkeys(link.campaign_name for link in c.referral_links)
        digest: dict[str, Value] = {}
        if c.users_referred:
            digest["referred"] = len(c.users_referred)
        if named := [self.views.boundary.text(name) for name in campaigns if name][:_DIGEST_ITEMS]:
            digest["campaigns"] = list(named)
        return digest

    def _texts_digest(self, c: Contact) -> dict[str, Value]:
        return self._latest(
            [self._text(t, TABLE_CHARS) for t in c.text_fields[-_DIGEST_ITEMS:]],
            len(c.text_fields),
        )

    def _latest(self, items: Sequence[dict[str, Value]], count: int) -> dict[str, Value]:
        """Return how many there are, and the last of them, newest first."""
        latest: list[Value] = [item for item in reversed(items) if item]
        return {"count": count, "latest": latest} if count else {}

    def _text(self, t: TextField, limit: int = DETAIL_CHARS) -> dict[str, Value]:
        flow = (t.flow_name, t.variant_name) if limit == DETAIL_CHARS else (None, None)
        return self._fields(limit, key=t.key, value=t.value, flow=flow[0], variant=flow[1])

    def _person(self, p: Person) -> dict[str, Value]:
        boundary = self.views.boundary
        shown = {
            "id": self._other_id(p.id or ""),
            **self._named(full_name(p)),
            "email": boundary.email(p.email or "", DETAIL_CHARS),
        }
        return {name: value for name, value in shown.items() if value}

    def _other_id(self, value: str) -> str:
        """Return an identifier that nobody asks with; some are addresses."""
        boundary = self.views.boundary
        return boundary.email(value) if "@" in value else boundary.id(value)

    def _named(self, name: str | None) -> dict[str, Value]:
        shown = self.views.boundary.name(name or "", DETAIL_CHARS)
        return {"name": shown} if shown else {}

    def _fields(self, limit: int = DETAIL_CHARS, /, **values: Loose) -> dict[str, Value]:
        """Return the values that there are, as they may be shown."""
        shown = {name: self._shown(value, limit) for name, value in values.items()}
        return {name: value for name, value in shown.items() if value}

    def _shown(self, value: Loose, limit: int) -> str | None:
        if value is None or isinstance(value, str):
            return self.views.boundary.text(value, limit) if value else None
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
    # In quotes, so that no value reads like a further one.
    return json.dumps(value, ensure_ascii=False) if ";" in str(value) else str(value)
