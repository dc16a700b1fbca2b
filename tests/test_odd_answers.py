"""Answers that the guide does not promise: no contact is lost, and no proof rests on a guess."""

import gzip
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
import respx
from pydantic import SecretStr

from smoc_mcp import errors
from smoc_mcp.api.client import PATH, SmocClient
from smoc_mcp.api.models import ApiAnswer
from smoc_mcp.directory.answers import Page
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.proof.windows import ABSENT, Sort, Status
from smoc_mcp.questions.changes import Progress
from smoc_mcp.questions.dimensions import Count, parse_group_by
from smoc_mcp.questions.filters import EVERYBODY, ContactFilter, Listing, Span
from smoc_mcp.sandbox import VARIANTS, Company, Fault, Sandbox, run_in_thread
from tests.serving import KEY
from tests.test_client import HOST, failure, hasty

pytestmark = pytest.mark.anyio

SIZE = 72
"""Two contacts for each oddity, twice over; all of them fit into one window."""

UNREAD = {
    "status_object": {"status"},
    "bad_dates": {"createdAt", "updatedAt", "lastConversationDate"},
    "far_dates": {"lastConversationDate"},
    "lists_of_junk": {"visitList", "textFields", "referralLinks"},
    "nested_junk": {"inviterUser", "promosPresented"},
    "texts_objects": {"email", "city", "company"},
}
"""What cannot be read in the contacts of a variant; of the others, all can."""


class Served:
    """A company on a socket, whose contacts are odd as a test says."""

    def __init__(self, sandbox: Sandbox, url: str) -> None:
        self.sandbox = sandbox
        self.company = sandbox.companies[0]
        self.url = url
        self._pages: dict[str, Page] = {}

    @asynccontextmanager
    async def odd(self, variant: str | None) -> AsyncIterator[ContactDirectory]:
        """Open a directory for which each contact has this oddity; None for all in turn."""
        self.sandbox.recover()
        self.sandbox.fail(Fault("odd_contacts", times=None, variant=variant))
        async with self.right() as directory:
            yield directory

    @asynccontextmanager
    async def right(self) -> AsyncIterator[ContactDirectory]:
        """Open a directory."""
        async with (
            SmocClient(self.url, SecretStr(KEY)) as api,
            ContactDirectory(api) as directory,
        ):
            yield directory

    async def page(self, variant: str) -> Page:
        """Return everybody, as read where each has this oddity; asked for once."""
        if variant not in self._pages:
            async with self.odd(variant) as directory:
                self._pages[variant] = await everybody(directory)
        return self._pages[variant]

    def ids(self) -> set[str]:
        return {str(contact["id"]) for contact in self.company.contacts()}


@pytest.fixture(scope="module")
def small() -> Iterator[Served]:
    sandbox = Sandbox({KEY: Company("Small", seed=8, size=SIZE, hostile=0)})
    with run_in_thread(sandbox) as url:
        yield Served(sandbox, url)


async def everybody(directory: ContactDirectory) -> Page:
    page = await directory.search_contacts(
        Listing(wanted=EVERYBODY, sort=Sort.CREATED, limit=SIZE * 2)
    )
    assert not page.more
    return page


# No contact is lost.


@pytest.mark.parametrize("variant", [v for v in VARIANTS["odd_contacts"] if v != "id_number"])
async def test_no_odd_contact_is_lost(small: Served, variant: str) -> None:
    rows = (await small.page(variant)).rows
    assert len(rows) == SIZE
    assert {row.id for row in rows} == small.ids()


async def test_no_contact_among_odd_ones_is_lost(small: Served) -> None:
    async with small.odd(None) as directory:
        rows = (await everybody(directory)).rows
    shown = {row.id for row in rows}
    assert [i for i in small.ids() if not shown & {i, str(int(i[-8:], 16))}] == []


async def test_an_id_that_is_a_number_is_an_id(small: Served) -> None:
    async with small.odd("id_number") as directory:
        rows = (await everybody(directory)).rows
        assert {row.id for row in rows} == {str(int(i[-8:], 16)) for i in small.ids()}
        found = await directory.get_contact(rows[0].id)
    assert found.row == rows[0]


async def test_no_contact_is_lost_for_hostile_text() -> None:
    hostile = Company("Hostile", seed=2, size=120, hostile="everywhere")
    sandbox = Sandbox({KEY: hostile})
    with run_in_thread(sandbox) as url:
        served = Served(sandbox, url)
        async with served.right() as directory:
            rows = (await everybody(directory)).rows
            for row in rows:
                assert (await directory.get_contact(row.id)).live
    assert [row.id for row in rows] == [c["id"] for c in hostile.page("createdAt", 500)]


async def test_no_contact_is_lost_for_half_an_emoji() -> None:
    company = Company("Halves", seed=3, size=20, hostile=0)
    (whole, *_) = halved = [str(c["id"]) for c in company.contacts()]
    for contact in halved[1:]:
        company.update(contact, firstName="cut \ud83d", textFields=[{"key": "\udc00", "value": 1}])
    sandbox = Sandbox({KEY: company})
    with run_in_thread(sandbox) as url:
        async with Served(sandbox, url).right() as directory:
            rows = {row.id: row for row in (await everybody(directory)).rows}
    assert rows.keys() == set(halved)
    assert rows[whole].name
    assert str(rows[halved[1]].name).startswith("cut ")


# What can be read is kept, and what cannot is counted.


@pytest.mark.parametrize("variant", VARIANTS["odd_contacts"])
async def test_what_cannot_be_read_is_counted_by_field(small: Served, variant: str) -> None:
    page = await small.page(variant)
    assert dict(page.company.unread) == dict.fromkeys(UNREAD.get(variant, set()), SIZE)


@pytest.mark.parametrize("variant", sorted(set(UNREAD) - {"texts_objects"}))
async def test_what_can_be_read_is_kept(small: Served, variant: str) -> None:
    rows = {row.id: row for row in (await small.page(variant)).rows}
    for contact in small.company.contacts():
        row = rows[str(contact["id"])]
        assert row.email == contact.get("email")
        assert row.city == contact.get("city")


async def test_numbers_for_texts_are_taken(small: Served) -> None:
    async with small.odd("numbers") as directory:
        rows = (await everybody(directory)).rows
        found = await directory.get_contact(rows[0].id)
    assert {str(row.name).split()[0] for row in rows} == {"42"}
    assert {row.phone for row in rows} == {"4712345678"}
    assert (found.contact.zip, found.contact.brand_id) == ("150", "3.5")


@pytest.mark.parametrize(
    ("variant", "status"),
    [
        ("status_number", Status.CUSTOMER),
        ("status_7", Status.UNKNOWN),
        ("status_object", Status.UNKNOWN),
        ("all_null", Status.LEAD),
        ("id_only", Status.LEAD),
    ],
)
async def test_an_odd_status_is_read_or_unknown_and_absence_is_a_lead(
    small: Served, variant: str, status: Status
) -> None:
    assert {row.status for row in (await small.page(variant)).rows} == {status}


async def test_times_since_1970_are_times(small: Served) -> None:
    rows = (await small.page("epoch_dates")).rows
    assert {row.updated for row in rows} == {1_750_000_000_000_000}
    assert {row.conversation for row in rows} == {1_750_000_000_000_000}


async def test_a_time_that_no_contact_has_is_none(small: Served) -> None:
    assert {row.conversation for row in (await small.page("far_dates")).rows} == {ABSENT}


async def test_one_visit_without_its_list_is_a_visit(small: Served) -> None:
    assert {row.country for row in (await small.page("visits_object")).rows} == {"NO"}


async def test_entries_that_are_no_contacts_are_counted_and_prove_nothing(small: Served) -> None:
    small.sandbox.recover()
    small.sandbox.fail(Fault("wrong_shape", times=None, variant="odd_entries"))
    async with small.right() as directory:
        page = await directory.list_contacts(Listing(wanted=EVERYBODY, sort=Sort.CREATED, limit=5))
    assert page.company.unread["entry"] == 4
    assert not page.proof.exact
    assert not page.total_proof.exact


# No proof rests on a value that could not be read.


@pytest.mark.parametrize("variant", VARIANTS["odd_contacts"])
async def test_a_total_is_never_more_than_there_are_nor_less_than_is_in_hand(
    small: Served, variant: str
) -> None:
    page = await small.page(variant)
    assert page.total == page.company.in_hand == SIZE


@pytest.mark.parametrize("sort", [Sort.CREATED, Sort.UPDATED, Sort.CONVERSATION])
async def test_a_filter_on_a_time_that_was_not_read_is_not_exact(small: Served, sort: Sort) -> None:
    wanted = ContactFilter(spans={sort: Span(after=0)})
    async with small.odd("bad_dates") as directory:
        page = await directory.search_contacts(
            Listing(wanted=wanted, sort=Sort.CREATED, limit=SIZE)
        )
    assert not page.proof.exact
    assert not page.total_proof.exact


@pytest.mark.parametrize("sort", [Sort.CREATED, Sort.UPDATED, Sort.CONVERSATION])
async def test_an_order_by_a_time_that_was_not_read_is_not_exact(small: Served, sort: Sort) -> None:
    async with small.odd("bad_dates") as directory:
        page = await directory.list_contacts(Listing(wanted=EVERYBODY, sort=sort, limit=5))
    assert not page.proof.exact


async def test_news_by_times_that_were_not_read_are_not_exact(small: Served) -> None:
    async with small.odd("bad_dates") as directory:
        news = await directory.list_changes(Progress(0), 50)
    assert not news.proof.exact


@pytest.mark.parametrize(
    ("variant", "dimension"),
    [
        ("status_object", "status"),
        ("bad_dates", "created_month"),
        ("texts_objects", "city"),
        ("texts_objects", "company"),
        ("lists_of_junk", "utm_source"),
        ("lists_of_junk", "flow"),
        ("lists_of_junk", "referral_campaign"),
        ("nested_junk", "promo"),
        ("nested_junk", "inviter"),
    ],
)
async def test_groups_by_a_value_that_was_not_read_are_not_exact(
    small: Served, variant: str, dimension: str
) -> None:
    async with small.odd(variant) as directory:
        stats = await directory.count_contacts(
            Count(wanted=EVERYBODY, dimensions=parse_group_by(dimension), limit=20)
        )
    assert stats.groups is None or stats.groups.part is None


async def test_that_nobody_has_an_address_is_not_exact_where_one_was_not_read(
    small: Served,
) -> None:
    async with small.odd("texts_objects") as directory:
        assert not (await directory.find_by_email("nobody@example.com")).proof.exact


async def test_an_unread_value_that_a_question_does_not_read_costs_no_proof(small: Served) -> None:
    async with small.odd("texts_objects") as directory:
        stats = await directory.count_contacts(
            Count(wanted=EVERYBODY, dimensions=parse_group_by("created_month"), limit=20)
        )
    assert stats.tally.proof.exact
    assert stats.groups is not None
    assert stats.groups.part is not None
    assert stats.groups.part.is_whole


# Single answers that the sandbox cannot make, and httpx's own exceptions.


def page_of(*contacts: bytes, leads: bytes = b"2") -> bytes:
    return b'{"data":[%s],"leadsCount":%s,"customerCount":0}' % (b",".join(contacts), leads)


async def fetch(answer: httpx.Response) -> ApiAnswer:
    with respx.mock(base_url=f"https://{HOST}") as api:
        api.get(PATH).mock(side_effect=[answer])
        async with hasty(f"https://{HOST}") as client:
            return await client.fetch_contacts(None)


async def failure_of(answer: httpx.Response | Exception, seconds: float = 0.1) -> errors.SmocError:
    with respx.mock(base_url=f"https://{HOST}") as api:
        api.get(PATH).mock(side_effect=[answer])
        async with hasty(f"https://{HOST}", seconds) as client:
            return await failure(client)


HTML = b"\n<html>SECRET</html>"
DEEP = b"[" * 200_000


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (418, b"SECRET", errors.RequestRefusedError),
        (407, HTML, errors.RequestRefusedError),
        (401, HTML, errors.HtmlAnswerError),
        (403, HTML, errors.HtmlAnswerError),
        (401, b'{"error":["SECRET"]}', errors.InvalidKeyError),
        (404, HTML, errors.WrongAddressError),
        (308, b"", errors.WrongAddressError),
        (503, b"\xff", errors.ServerFailureError),
        (500, DEEP, errors.ServerFailureError),
        (204, b"", errors.UnreadableAnswerError),
        (200, b"", errors.CutOffAnswerError),
        (200, HTML, errors.HtmlAnswerError),
        (200, DEEP, errors.UnreadableAnswerError),
        (200, page_of(leads=b"-1"), errors.WrongShapeError),
        (200, page_of(leads=b"true"), errors.WrongShapeError),
        (200, page_of(leads=b"1.5"), errors.WrongShapeError),
        (200, page_of(leads=b"NaN"), errors.WrongShapeError),
        (200, page_of(leads=b'"%s"' % (b"9" * 5_000)), errors.WrongShapeError),
        (200, page_of(leads=b"%d" % 2**63), errors.WrongShapeError),
        (200, page_of(leads=b"1e300"), errors.WrongShapeError),
        (200, page_of(leads=b"1e999"), errors.WrongShapeError),
        (200, page_of(*[b"{}"] * 501), errors.OversizedAnswerError),
    ],
    ids=lambda v: v[:32].decode("latin-1") if isinstance(v, bytes) else None,
)
async def test_an_odd_answer_is_an_error_of_ours(
    status: int, body: bytes, kind: type[errors.SmocError]
) -> None:
    assert isinstance(await failure_of(httpx.Response(status, content=body)), kind)


async def test_a_count_in_quotes_is_a_count() -> None:
    assert (await fetch(httpx.Response(200, content=page_of(leads=b'"12"')))).leads == 12


@pytest.mark.parametrize(
    "odd",
    [b'"firstName":"A\xffB"', b'"firstName":"A\\ud83dB"', b'"userId":%s' % (b"9" * 5_000)],
    ids=["wrong UTF-8", "half an emoji", "a number of 5,000 digits"],
)
async def test_one_odd_value_does_not_hide_the_other_contacts(odd: bytes) -> None:
    body = page_of(b'{"id":"a",%s}' % odd, '{"id":"b","firstName":"Åse"}'.encode())
    first, second = (await fetch(httpx.Response(200, content=body))).contacts
    assert first.contact.id == "a"
    assert second.contact.first_name == "Åse"


@pytest.mark.parametrize("name", ["city", "textFields", "visitList", "status"])
async def test_a_value_that_is_nested_too_deep_costs_its_contact_that_value_alone(
    name: str,
) -> None:
    deep = b"[" * 300 + b"]" * 300
    body = page_of(
        b'{"id":"a","firstName":"A \\" ]]}","%s":%s,"zip":"0150"}' % (name.encode(), deep),
        b'{"id":"b","firstName":"B"}',
    )
    first, second = (await fetch(httpx.Response(200, content=body))).contacts
    assert (first.contact.id, first.contact.zip, first.unread) == ("a", "0150", frozenset({name}))
    assert (second.contact.first_name, second.unread) == ("B", frozenset())
    assert first.contact.first_name == 'A " ]]}'


async def test_a_small_body_that_unpacks_to_much_is_refused() -> None:
    bomb = gzip.compress(bytes(70 * 1024 * 1024), 1)
    packed = httpx.Response(200, headers={"content-encoding": "gzip"}, content=bomb)
    assert type(await failure_of(packed, seconds=5)) is errors.OversizedAnswerError


@pytest.mark.parametrize(
    "rubbish", ["", "soon", "nan", "inf", "1e999", "9" * 300, "Wed, 99 Foo 2015", "\xb2"]
)
async def test_a_rubbish_retry_after_makes_no_rubbish_sentence(rubbish: str) -> None:
    limited = httpx.Response(429, headers=[(b"retry-after", rubbish.encode("latin-1"))])
    error = await failure_of(limited)
    assert type(error) is errors.RateLimitedError
    assert not re.search(r"\d{10}", str(error))


def concrete(kind: type[Exception]) -> Iterator[type[Exception]]:
    below = kind.__subclasses__()
    yield from [kind] if not below else (leaf for sub in below for leaf in concrete(sub))


def made(kind: type[Exception]) -> Exception:
    request = httpx.Request("GET", f"https://{HOST}")
    if issubclass(kind, httpx.HTTPStatusError):
        return kind("SECRET", request=request, response=httpx.Response(500, request=request))
    if issubclass(kind, httpx.RequestError):
        return kind("SECRET", request=request)
    return kind("SECRET") if kind in (httpx.InvalidURL, httpx.StreamError) else kind()


@pytest.mark.parametrize(
    "kind",
    [
        *concrete(httpx.HTTPError),
        *concrete(httpx.StreamError),
        httpx.StreamError,
        httpx.InvalidURL,
    ],
)
async def test_no_exception_of_httpx_slips_through(kind: type[Exception]) -> None:
    assert isinstance(await failure_of(made(kind)), errors.UpstreamError)
