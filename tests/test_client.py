"""The client against the sandbox over real HTTP: each failure is an error of ours, said plainly."""

import re
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

from smoc_mcp import errors
from smoc_mcp.api import connections
from smoc_mcp.api.client import PATH, SmocClient
from smoc_mcp.sandbox import FAULT_KINDS, UNBOUND_KEY, VARIANTS, Company, Fault, Sandbox
from smoc_mcp.sandbox import run_in_thread as served
from smoc_mcp.sandbox.exchange import Answer, Exchange, Receive, Scope, Send
from tests.serving import KEY, until

pytestmark = pytest.mark.anyio

HOST = "api.example.net"
NEXT_STEP = re.compile(r"\b([Aa]sk again|[Cc]heck|Generate|Ask whoever|Sign in|Update)\b")
UPSTREAM = re.compile(
    r"[<>{}]|https?:|Too many|Internal|Unauthorized|revoked token|Not Found|must not|cloudflare|"
    r"Guest|elsewhere|SECRET"
)


class Watched(Sandbox):
    """A sandbox that notes the headers it gets, and how many requests are in it at once."""

    def __init__(self) -> None:
        super().__init__({KEY: Company("Small", seed=8, size=40), UNBOUND_KEY: None})
        self.reset()

    def reset(self) -> None:
        self.recover()
        self.forget_requests()
        self.latency = 0.0
        self.headers: list[dict[str, str]] = []
        self.moved: Answer | None = None
        self.within = self.peak = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send)
        self.headers.append(dict(exchange.headers))
        self.within += 1
        self.peak = max(self.peak, self.within)
        try:
            if self.moved is not None:
                await exchange.answer(self.moved)
            else:
                await super().__call__(scope, receive, send)
        finally:
            self.within -= 1


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[Watched, str]]:
    sandbox = Watched()
    with served(sandbox) as address:
        yield sandbox, address


@pytest.fixture
async def sandbox(started: tuple[Watched, str]) -> Watched:
    sandbox = started[0]
    await until(lambda: sandbox.within == 0)
    sandbox.reset()
    return sandbox


@pytest.fixture
def url(started: tuple[Watched, str]) -> str:
    return started[1]


@pytest.fixture
async def client(url: str) -> AsyncIterator[SmocClient]:
    async with SmocClient(url, SecretStr(KEY)) as opened:
        yield opened


def hasty(url: str, seconds: float = 0.1, key: str = KEY) -> SmocClient:
    """Return a client that has no time for a second attempt, unless it is given more."""
    return SmocClient(url, SecretStr(key), seconds)


def lasting(kind: str) -> Fault:
    return Fault.from_json({"kind": kind, "times": None, "seconds": 30})


async def failure(client: SmocClient, **asked: Any) -> errors.SmocError:
    """Return the error of one call, which says what to do next and nothing that is not ours."""
    with anyio.fail_after(10), pytest.raises(errors.UpstreamError) as raised:
        await client.fetch_contacts(**{"sort": None, **asked})
    said = str(raised.value)
    assert NEXT_STEP.search(said), said
    assert not UPSTREAM.search(said), said
    assert KEY not in said
    assert len(said) < 300
    return raised.value


# The guide's error table.


@pytest.mark.parametrize(
    ("key", "path", "asked", "kind"),
    [
        ("", "", {}, errors.MissingTokenError),
        ("unknown", "", {}, errors.InvalidKeyError),
        ("sk_live_0", "", {}, errors.InvalidKeyError),
        (UNBOUND_KEY, "", {}, errors.KeyWithoutCompanyError),
        (KEY, "", {"limit": 501}, errors.RequestRefusedError),
        (KEY, "", {"limit": 0}, errors.RequestRefusedError),
        (KEY, "", {"sort": "email"}, errors.RequestRefusedError),
        (KEY, "/v1", {}, errors.WrongAddressError),
    ],
)
async def test_each_row_of_the_guides_error_table_is_an_error_of_its_own_and_asked_once(
    sandbox: Watched, url: str, key: str, path: str, asked: dict[str, Any], kind: type
) -> None:
    async with hasty(url + path, 5, key) as client:
        assert type(await failure(client, **asked)) is kind
    assert len(sandbox.headers) == 1


@pytest.mark.usefixtures("sandbox")
async def test_an_error_names_the_host_and_no_more_of_the_address(url: str) -> None:
    async with hasty(f"{url}/path-of-ours") as client:
        said = str(await failure(client))
    assert url.removeprefix("http://") in said
    assert "path-of-ours" not in said


# The sandbox's faults.

FAILURES: dict[str, type[errors.SmocError]] = {
    "rate_limited": errors.RateLimitedError,
    "server_error": errors.ServerFailureError,
    "bad_gateway": errors.ServerFailureError,
    "html": errors.HtmlAnswerError,
    "slow": errors.TimedOutError,
    "slow_body": errors.TimedOutError,
    "cut_off": errors.CutOffAnswerError,
    "dropped": errors.UnreachableError,
    "redirect": errors.WrongAddressError,
    "unauthorized": errors.InvalidKeyError,
    "forbidden": errors.KeyWithoutCompanyError,
}
NOT_JSON: dict[str, type[errors.SmocError]] = {
    "truncated": errors.CutOffAnswerError,
    "text": errors.NotJsonError,
    "empty": errors.CutOffAnswerError,
}
MISSHAPEN = [v for v in VARIANTS["wrong_shape"] if v != "odd_entries"]
FAULTS: list[tuple[Fault, type[errors.SmocError]]] = [
    *((lasting(kind), error) for kind, error in FAILURES.items()),
    *((Fault("not_json", times=None, variant=v), error) for v, error in NOT_JSON.items()),
    *((Fault("wrong_shape", times=None, variant=v), errors.WrongShapeError) for v in MISSHAPEN),
]


def test_every_kind_of_fault_is_looked_at() -> None:
    on_their_own = {"huge", "odd_contacts"}
    assert {fault.kind for fault, _ in FAULTS} | on_their_own == set(FAULT_KINDS)


@pytest.mark.parametrize(
    ("fault", "kind"), FAULTS, ids=[f"{fault.kind} {fault.variant or ''}" for fault, _ in FAULTS]
)
async def test_each_fault_is_an_error_of_its_own_and_the_next_call_works(
    sandbox: Watched, url: str, fault: Fault, kind: type
) -> None:
    async with hasty(url, 0.15) as client:
        sandbox.fail(fault)
        assert type(await failure(client)) is kind
        sandbox.recover()
        assert len((await client.fetch_contacts(None, seconds=5)).contacts) == 40


@pytest.mark.parametrize("kind", ["unauthorized", "forbidden", "redirect", "html", "wrong_shape"])
async def test_what_a_retry_cannot_mend_is_asked_once(
    sandbox: Watched, client: SmocClient, kind: str
) -> None:
    sandbox.fail(lasting(kind))
    await failure(client)
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize(
    "kind", ["rate_limited", "server_error", "bad_gateway", "cut_off", "dropped", "not_json"]
)
async def test_what_may_pass_is_asked_again_and_succeeds(
    sandbox: Watched, client: SmocClient, kind: str
) -> None:
    sandbox.fail(Fault.from_json({"kind": kind}))
    assert len((await client.fetch_contacts("createdAt")).contacts) == 40
    assert [r.fault for r in sandbox.requests] == [kind, None]


async def test_a_failure_that_lasts_is_asked_four_times(
    sandbox: Watched, client: SmocClient
) -> None:
    sandbox.fail(lasting("server_error"))
    assert "HTTP 500" in str(await failure(client))
    assert len(sandbox.requests) == 4


async def test_a_body_over_64_mb_is_refused_before_it_is_whole(
    sandbox: Watched, client: SmocClient
) -> None:
    sandbox.fail(Fault("huge", megabytes=1_000))
    assert type(await failure(client)) is errors.OversizedAnswerError
    await until(lambda: sandbox.requests[0].abandoned)
    assert len((await client.fetch_contacts(None)).contacts) == 40


async def test_entries_that_are_no_contacts_are_counted_as_lost(
    sandbox: Watched, client: SmocClient
) -> None:
    sandbox.fail(Fault("wrong_shape", variant="odd_entries"))
    page = await client.fetch_contacts(None)
    assert (page.sent, page.lost) == (5, 5)


# Retry-After.


async def test_a_short_retry_after_is_waited_for(sandbox: Watched, client: SmocClient) -> None:
    sandbox.fail(Fault("rate_limited", retry_after=1))
    await client.fetch_contacts(None)
    first, second = sandbox.requests
    assert second.time - first.time >= 0.99


@pytest.mark.parametrize(("wait", "ours"), [(11, 20.0), (3600, 20.0), (5, 1.5)])
async def test_a_long_retry_after_is_said_and_not_waited_for(
    sandbox: Watched, url: str, wait: int, ours: float
) -> None:
    sandbox.fail(Fault("rate_limited", retry_after=wait))
    async with hasty(url, ours) as client:
        with anyio.fail_after(1):
            assert f"in {wait} seconds" in str(await failure(client))
    assert len(sandbox.requests) == 1


async def test_a_retry_after_may_be_an_http_date(sandbox: Watched, client: SmocClient) -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    sandbox.fail(Fault("rate_limited", retry_after=when))
    error = await failure(client)
    assert isinstance(error, errors.RateLimitedError)
    assert 80 < (error.retry_after or 0) <= 90


async def test_an_http_date_that_has_passed_means_at_once(sandbox: Watched, url: str) -> None:
    sandbox.fail(Fault("rate_limited", retry_after="Wed, 21 Oct 2015 07:28:00 GMT"))
    async with hasty(url, 5) as client:
        await client.fetch_contacts(None)
    first, second = sandbox.requests
    assert second.time - first.time < 1


# Time, and how many at once.


@pytest.mark.parametrize("kind", ["slow", "slow_body"])
async def test_a_call_takes_no_longer_than_its_time(sandbox: Watched, url: str, kind: str) -> None:
    sandbox.fail(lasting(kind))
    async with hasty(url, 0.8) as client:
        with anyio.fail_after(1.5):
            assert "within 0.8 seconds" in str(await failure(client))


async def test_one_call_may_be_given_less_time(sandbox: Watched, client: SmocClient) -> None:
    sandbox.fail(lasting("slow"))
    with anyio.fail_after(1):
        assert type(await failure(client, seconds=0.3)) is errors.TimedOutError


async def test_waiting_for_a_free_connection_counts_as_time(
    sandbox: Watched, client: SmocClient
) -> None:
    sandbox.fail(lasting("slow"))
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(client.fetch_contacts, None)
        await until(lambda: sandbox.within == 4)
        with anyio.fail_after(2):
            assert type(await failure(client, seconds=0.3)) is errors.TimedOutError
        tasks.cancel_scope.cancel()
    assert len(sandbox.headers) == 4


async def test_at_most_four_requests_are_under_way_at_once(
    sandbox: Watched, client: SmocClient
) -> None:
    sandbox.latency = 0.1
    async with anyio.create_task_group() as tasks:
        for _ in range(12):
            tasks.start_soon(client.fetch_contacts, None)
    assert (len(sandbox.requests), sandbox.peak) == (12, 4)


# What is sent, and to whom.


async def test_the_key_goes_into_the_token_header_alone(
    sandbox: Watched, client: SmocClient
) -> None:
    await client.fetch_contacts("updatedAt", 7)
    (sent,) = sandbox.headers
    assert [name for name, value in sent.items() if KEY in value] == ["token"]
    assert "authorization" not in sent


async def test_gzip_is_asked_for(sandbox: Watched, client: SmocClient) -> None:
    await client.fetch_contacts(None)
    assert sandbox.headers[0]["accept-encoding"] == "gzip"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_so_that_nobody_else_gets_the_key(
    sandbox: Watched, client: SmocClient, status: int
) -> None:
    thief = Watched()
    with served(thief) as elsewhere:
        sandbox.moved = Answer(status, b"", headers=(("location", f"{elsewhere}{PATH}"),))
        assert type(await failure(client)) is errors.WrongAddressError
    assert (len(sandbox.headers), thief.headers) == (1, [])


async def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{closed.getsockname()[1]}"
    async with hasty(f"http://{host}") as client:
        error = await failure(client)
    assert type(error) is errors.UnreachableError
    assert host in str(error)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9"),
        ("HTTPS_PROXY", "ftp://127.0.0.1:9"),
        ("HTTPS_PROXY", "http://127.0.0.1:port"),
        ("SSL_CERT_FILE", "missing.pem"),
    ],
)
async def test_an_environment_that_httpx_cannot_take_is_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    connections.trusted.cache_clear()
    async with hasty(f"https://{HOST}") as client:
        with pytest.raises(errors.ConfigurationError, match="HTTPS_PROXY, ALL_PROXY, NO_PROXY"):
            await client.fetch_contacts(None)
