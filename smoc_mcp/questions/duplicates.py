"""Which records are the same person: what counts as the same, and what shows it. Pure.

Two contacts are the same by address, by phone number, or by name with employer or city. What is
compared is derived of each contact alone (`traits_of`), so that a store can look it up.

Of fewer contacts there are never more groups than of more: so the groups of those in hand are a
lower bound of the company's. Where one of each group must be of some contacts, such as those of a
time, only the lasting ones are: a number without a country may turn out to be in another group.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple

from smoc_mcp.proof.certainty import Region
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.fields import WIRE_FIELDS
from smoc_mcp.questions.filters import EVERYBODY, ContactFilter
from smoc_mcp.questions.rows import ContactRow
from smoc_mcp.text.folding import digits, email_key, fold
from smoc_mcp.text.times import Moment

__all__ = [
    "Alike",
    "By",
    "Candidate",
    "Evidence",
    "Pairing",
    "Place",
    "Shared",
    "Traits",
    "evidence_of",
    "groups_of",
    "traits_of",
]


class By(StrEnum):
    """By what contacts are the same person."""

    EMAIL = "email"
    PHONE = "phone"
    NAME = "name"


class Shared(StrEnum):
    """What the contacts of a group have in common."""

    ADDRESS = "address"
    NUMBER = "number"
    EMPLOYER = "name and employer"
    CITY = "name and city"
    BOTH = "name, employer and city"


class Traits(NamedTuple):
    """What of a contact is compared; an empty text where there is nothing to compare.

    Attributes:
        address: The mailbox, however it is written.
        number: The phone number within its country.
        country: The country code of the phone number; empty where the number does not say it.
        name: First and last name, folded.
    """

    address: str
    number: str
    country: str
    name: str


class Candidate(NamedTuple):
    """A contact that has a trait which another has.

    Attributes:
        key: The trait.
        first: The country code, or the folded employer; empty for none.
        second: The folded city; empty for none.
        is_one: It is one of those of whom each group must have one.
    """

    id: str
    created: Moment
    key: str
    first: str = ""
    second: str = ""
    is_one: bool = True


class Place(NamedTuple):
    """Where a group stands in the order of groups: by its newest contact."""

    created: Moment
    id: str
    shared: str


class Alike(NamedTuple):
    """Contacts that may be the same person.

    Attributes:
        shared: What they have in common.
        ids: At least two, the newest first.
        created: When the newest was created.
        has_one: One of them at least is of those of whom each group must have one.
        lasting: Whoever else there is, there is a group for this one that has one of those.
        undecided: Some of them name no country, and others have the number in another country.
    """

    shared: Shared
    ids: tuple[str, ...]
    created: Moment
    has_one: bool = True
    lasting: bool = True
    undecided: bool = False

    @property
    def place(self) -> Place:
        """Where it stands: no two groups stand in one place."""
        return Place(self.created, self.ids[0], self.shared.value)


class Evidence(NamedTuple):
    """What shows that the contacts of a group are one person.

    Attributes:
        shared: What they have in common.
        value: The address or number as the plainest of them writes it; empty for a name.
        forms: How others write it (`+news`, another spelling), and how many do; of a number also
            whose country code is none that they state.
    """

    shared: Shared
    value: str = ""
    forms: Mapping[str, int] = {}


_FIRST, _SECOND = attrgetter("first"), attrgetter("second")
_READS: Mapping[By, Sequence[str]] = {
    By.EMAIL: WIRE_FIELDS["email"],
    By.PHONE: WIRE_FIELDS["phone"],
    By.NAME: ("firstName", "lastName", *WIRE_FIELDS["company"], *WIRE_FIELDS["city"]),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """A question for duplicates.

    Attributes:
        by: By what.
        wanted: Among which contacts.
        one_of: Of these each group has at least one; the others of it are of `wanted` alone.
        limit: The most groups.
        after: Where the last page ended.
    """

    by: By = By.EMAIL
    wanted: ContactFilter = EVERYBODY
    one_of: ContactFilter = EVERYBODY
    limit: int = 20
    after: Place | None = None

    @property
    def region(self) -> Region:
        """The part of the company that it can admit, and the fields that it reads.

        A twin can be anybody of `wanted`, so `one_of` makes it no smaller.
        """
        region = self.wanted.region()
        fields = region.fields | self.one_of.region().fields | frozenset(_READS[self.by])
        return replace(region, fields=fields)

    @property
    def is_trend(self) -> bool:
        """It is divided by no time."""
        return False

    @property
    def sort_of_trend(self) -> Sort:
        """Its parts are those created since a moment."""
        return Sort.CREATED


_DOTLESS = {"gmail.com", "googlemail.com"}
"""One provider under two names, which reads no dots in a local part."""
_INTERNATIONAL = re.compile(r"[^\d+]*(?:\+|00(?=[\s\d(./-]*[1-9]))")
_LEADING_ZERO = re.compile(r"[^\d+]*0")
_SHORT_CODES = {
    *("1", "7", "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45"),
    *("46", "47", "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62"),
    *("63", "64", "65", "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98"),
}
"""The country codes of one or two digits (ITU-T E.164); all others have three."""
_LEAST_DIGITS = 7
_WITHOUT_CODE = "without the country code"
_UNDECIDED = f"{_WITHOUT_CODE}, so it could also be that of another country"
_READ_CODE = "with its first digits read as the country code"
_LONGEST_NATIONAL = 9
"""A number without zero or plus that is longer holds its country code, as an MSISDN does."""


def traits_of(name: str | None, email: str | None, phone: str | None) -> Traits:
    """Return what is compared of a contact with this full name, address and phone number."""
    number, country, _ = _number(phone or "")
    words = fold(name or "")
    # Of somebody who is called just Anna there are several in every town.
    return Traits(_address(email or ""), number, country, words if " " in words else "")


def _address(email: str) -> str:
    local, at, domain = email_key(email).rpartition("@")
    local = local.partition("+")[0]
    if domain in _DOTLESS:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}" if at and local and domain else ""


class _Number(NamedTuple):
    """A phone number: within its country, the country's code, and whether a + or 00 states it."""

    national: str = ""
    country: str = ""
    stated: bool = False


def _number(phone: str) -> _Number:
    """Return a number taken apart; without a country where its code is neither stated nor read."""
    found = digits(phone)
    if len(found) < _LEAST_DIGITS:
        return _Number()
    says_code = _INTERNATIONAL.match(phone) is not None
    is_bare = not _LEADING_ZERO.match(phone) and len(found) > _LONGEST_NATIONAL
    if not says_code and not is_bare:
        return _Number(found)
    length = next((n for n in (1, 2) if found[:n] in _SHORT_CODES), 3)
    number = found[length:].lstrip("0")
    if len(number) < _LEAST_DIGITS:
        return _Number(found)
    return _Number(number, found[:length], says_code)


def groups_of(by: By, candidates: Iterable[Candidate]) -> list[Alike]:
    """Return the groups of contacts that are the same, by their newest contact.

    Also those that have none of whom each must have one: see `Alike.has_one`.

    By address and by number a contact is in one group at most; by name in one with those of its
    employer and one with those of its city, unless one of the two holds the other.
    """
    alike: defaultdict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        alike[candidate.key].append(candidate)
    found = [group for members in alike.values() for group in _GROUPS[by](members)]
    return sorted(found, key=lambda group: group.place, reverse=True)


def _of_address(members: Sequence[Candidate]) -> list[Alike]:
    return _group(Shared.ADDRESS, members)


def _of_number(members: Sequence[Candidate]) -> list[Alike]:
    """Return a group for each country; numbers that name none go with the most frequent.

    Of several as frequent with the lowest code. Whichever it is, no group is there that was not
    there before.
    """
    by_country = _divided(members, _FIRST)
    unknown = by_country.pop("", [])
    undecided = bool(unknown) and len(by_country) > 1
    likely = min(by_country, key=lambda code: (-len(by_country[code]), int(code)), default="")
    # Those of one code stay together. Who names none moves to those who become more frequent, and
    # is one group at least where there is no other of the number.
    lasting = {
        code
        for code, those in by_country.items()
        if len(those) > 1 and any(m.is_one for m in those)
    }
    if not lasting and any(m.is_one for m in unknown):
        lasting = {likely}
    by_country[likely] = [*by_country.get(likely, ()), *unknown]
    return [
        group._replace(lasting=country in lasting, undecided=undecided and country == likely)
        for country, those in by_country.items()
        for group in _group(Shared.NUMBER, those)
    ]


def _of_name(members: Sequence[Candidate]) -> list[Alike]:
    """Return a group of each employer and of each city, but for those that others hold."""
    employers, cities = _divided(members, _FIRST), _divided(members, _SECOND)
    employers.pop("", None)
    cities.pop("", None)
    found: list[Alike] = []
    for same in cities.values():
        at = {m.first for m in same}
        # Those of one employer are in the group of that.
        if len(at) > 1 or at == {""}:
            found += _group(Shared.CITY, same)
    for same in employers.values():
        places = {m.second for m in same}
        one = next(iter(places)) if len(places) == 1 else ""
        if not one or len({m.first for m in cities[one]}) == 1:
            found += _group(Shared.BOTH if one else Shared.EMPLOYER, same)
    return found


_GROUPS = {By.EMAIL: _of_address, By.PHONE: _of_number, By.NAME: _of_name}


def _divided(
    members: Iterable[Candidate], key: Callable[[Candidate], str]
) -> dict[str, list[Candidate]]:
    parts: defaultdict[str, list[Candidate]] = defaultdict(list)
    for member in members:
        parts[key(member)].append(member)
    return parts


def _group(shared: Shared, members: Sequence[Candidate]) -> list[Alike]:
    newest = sorted(((m.created, m.id) for m in members), reverse=True)
    if len(newest) < 2:
        return []
    has_one = any(m.is_one for m in members)
    return [Alike(shared, tuple(i for _, i in newest), newest[0][0], has_one, has_one)]


def evidence_of(group: Alike, rows: Sequence[ContactRow]) -> Evidence:
    """Return what shows that the contacts of a group, all of them, are one person."""
    shared = group.shared
    if shared is Shared.ADDRESS:
        written = [email_key(row.email or "") for row in rows]
        # The plainest: without a tag, and short.
        value = min(written, key=lambda a: ("+" in a.partition("@")[0], len(a), a), default="")
        others = Counter(_form(address, value) for address in written if address != value)
        return Evidence(shared, value, others)
    if shared is Shared.NUMBER:
        return _evidence_of_number(group, [row.phone or "" for row in rows])
    return Evidence(shared)


def _evidence_of_number(group: Alike, written: Sequence[str]) -> Evidence:
    """Return how the numbers of a group are written, and whose country is not stated."""
    numbers = list(map(_number, written))
    # The plainest: with a stated country code, otherwise with one that was read.
    at = max(range(len(numbers)), key=lambda i: (numbers[i].stated, numbers[i].country != ""))
    without = sum(not number.country for number in numbers)
    read = sum(bool(number.country) and not number.stated for number in numbers)
    forms = {
        _UNDECIDED if group.undecided else _WITHOUT_CODE: without if without < len(numbers) else 0,
        _READ_CODE: read,
    }
    return Evidence(group.shared, written[at], {f: times for f, times in forms.items() if times})


def _form(address: str, plain: str) -> str:
    """Return how an address is written otherwise than the plain one: its tag, or all of it."""
    local, _, domain = address.rpartition("@")
    untagged, plus, tag = local.partition("+")
    return f"+{tag}" if plus and f"{untagged}@{domain}" == plain else address
