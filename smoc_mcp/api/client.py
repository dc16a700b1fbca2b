"""The HTTP client: one GET, retried where that can help, foreign errors translated once."""

import email.utils
import json
import math
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlsplit

import anyio
from pydantic import SecretStr
from pydantic_core import from_json

from smoc_mcp.api.connections import ATTEMPT_SECONDS, MAX_CONCURRENT, open_connections
from smoc_mcp.api.models import ContactsPage, ReadContact, read_contact
from smoc_mcp.errors import (
    CutOffAnswerError,
    HtmlAnswerError,
    InvalidKeyError,
    KeyWithoutCompanyError,
    MissingTokenError,
    NotJsonError,
    OversizedAnswerError,
    RateLimitedError,
    RequestRefusedError,
    ServerFailureError,
    TimedOutError,
    UnreachableError,
    UpstreamError,
    WrongAddressError,
    WrongShapeError,
)

if TYPE_CHECKING:
    import httpx

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_LIMIT",
    "REQUESTS",
    "Requests",
    "SmocClient",
    "SortField",
    "parse_page",
]

SortField = Literal["createdAt", "updatedAt", "lastConversationDate"]
"""The sort fields of the API; its alias companyUsers.lastConversationDate adds nothing."""

PATH = "/api/company/mongocontact"
MAX_LIMIT = 500
MAX_BODY_BYTES = 64 * 1024 * 1024
LONGEST_WAIT = 10.0
"""Seconds of Retry-After that we wait ourselves; past them the error says how long."""

_LONGEST_NUMBER = 400
_LONGEST_RETRY_AFTER = 24 * 3600
_ATTEMPTS = 4
_FIRST_BACKOFF = 0.25
_NEW_KEY = "Generate a new one in SMOC Console under Settings → Integrations → API."
_LATER = "Nothing is lost; ask again in a minute."


@dataclass
class Requests:
    """How many requests one question has sent."""

    sent: int = 0


REQUESTS: ContextVar[Requests | None] = ContextVar("requests", default=None)
"""Those of the question that is being answered; a request that several wait for is the first's."""


class SmocClient:
    """Asks the SMOC API for contacts over one long-lived connection pool.

    Use it as an async context manager, or close it with `aclose`.

    Args:
        base_url: The API's address, such as https://v2.api.smoc.ai.
        api_key: The company's key; it goes into the `token` header and nowhere else.
        timeout_seconds: The most that one call may take, waiting and retries included.
        use_key: What to do with a new key, for the error that the API refuses this one.
    """

    def __init__(
        self,
        base_url: str,
        api_key: SecretStr,
        timeout_seconds: float = 20.0,
        *,
        use_key: str = "set SMOC_API_KEY to it and restart the server",
    ) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._timeout = timeout_seconds
        self._use_key = use_key
        self._slots = anyio.Semaphore(MAX_CONCURRENT)
        # One answer at a time: as Python reads them, each takes ten times its size.
        self._readers = anyio.CapacityLimiter(1)
        self._http: httpx.AsyncClient | None = None
        self.requests_sent = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()

    async def fetch_contacts(
        self, sort: SortField | None, limit: int = MAX_LIMIT, *, seconds: float | None = None
    ) -> ContactsPage:
        """Return the newest contacts by a field, or the first in natural order for None.

        Args:
            sort: The field; the API sorts descending.
            limit: 1 to 500.
            seconds: The most it may take, where that is less than `timeout_seconds`.

        Raises:
            UpstreamError: The API gave no usable answer; its subclasses say why.
        """
        params: dict[str, str | int] = {"limit": limit}
        if sort is not None:
            params["sortByField"] = sort
        budget = min(self._timeout, seconds or self._timeout)
        deadline = anyio.current_time() + budget
        failure: UpstreamError = _timed_out(budget)
        with anyio.move_on_at(deadline):
            async with self._slots:
                for attempt in range(_ATTEMPTS):
                    try:
                        return await self._attempt(params, limit)
                    except (
                        CutOffAnswerError,
                        RateLimitedError,
                        ServerFailureError,
                        TimedOutError,
                        UnreachableError,
                    ) as error:
                        failure = error
                    pause = _pause(failure, attempt)
                    if pause is None or anyio.current_time() + pause >= deadline:
                        break
                    await anyio.sleep(pause)
        raise failure

    async def _attempt(self, params: dict[str, str | int], limit: int) -> ContactsPage:
        if self._http is None:
            self._http = open_connections(self._base_url, self._api_key)
        self.requests_sent += 1
        if (of_call := REQUESTS.get()) is not None:
            of_call.sent += 1
        async with (
            _translated(self._base_url),
            self._http.stream("GET", PATH, params=params) as answer,
        ):
            body = await _read(answer)
            if not answer.is_success:
                raise _refusal(answer, body, self._base_url, self._use_key)
        # Half a second of parsing would hold up every other caller.
        return await anyio.to_thread.run_sync(parse_page, body, limit, limiter=self._readers)


@asynccontextmanager
async def _translated(base_url: str) -> AsyncIterator[None]:
    """Turn every exception of httpx into one of ours."""
    import httpx

    try:
        yield
    except httpx.TimeoutException as error:
        raise _timed_out(ATTEMPT_SECONDS) from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise UnreachableError(
            f"No connection to {_host(base_url)}: check the network, the proxy settings and "
            "SMOC_BASE_URL, then ask again."
        ) from error


async def _read(answer: "httpx.Response") -> bytes:
    """Return the body, decompressed; a connection that breaks here cuts off an answer."""
    import httpx

    body = bytearray()
    try:
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise OversizedAnswerError(
                    f"The SMOC API's answer is larger than {MAX_BODY_BYTES // 1024 // 1024} MB, "
                    "which no 500 contacts are. Check that SMOC_BASE_URL is the API's address."
                )
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.DecodingError) as error:
        raise _cut_off() from error
    return bytes(body)


def _refusal(answer: "httpx.Response", body: bytes, base_url: str, use_key: str) -> UpstreamError:
    """Return the error for a status other than 200, by the guide's table."""
    status = answer.status_code
    said = _error_text(body)
    if status in (401, 403) and body.lstrip().startswith(b"<"):
        return _html()
    if status == 401 and "missing" in said:
        return MissingTokenError(
            "The SMOC API did not see our `token` header (HTTP 401): a proxy on the way removes "
            "it. Ask whoever runs the network to let it pass."
        )
    if status == 401:
        return InvalidKeyError(
            f"The SMOC API refused the key (HTTP 401): it is wrong or was revoked. {_NEW_KEY} Then "
            f"{use_key}."
        )
    if status == 403:
        return KeyWithoutCompanyError(
            f"The SMOC key is bound to no company (HTTP 403). {_NEW_KEY} Make it while signed in "
            "to the company."
        )
    if status == 404 or 300 <= status < 400:
        what = "sent us to another address" if status != 404 else "has no contacts endpoint"
        return WrongAddressError(
            f"{_host(base_url)} {what} (HTTP {status}), so it is not the SMOC API. Check "
            "SMOC_ENVIRONMENT and SMOC_BASE_URL."
        )
    if status == 429:
        wait = _retry_after(answer.headers.get("retry-after"))
        when = f"in {math.ceil(wait)} seconds" if wait is not None else "in a minute"
        return RateLimitedError(
            f"The SMOC API is answering too many requests (HTTP 429). Ask again {when}.", wait
        )
    if status >= 500:
        return ServerFailureError(f"The SMOC API failed (HTTP {status}). {_LATER}")
    return RequestRefusedError(
        f"The SMOC API refused the request (HTTP {status}), which its guide does not foresee for "
        "what we ask. Update smoc-mcp, or report this with the version that `smoc-mcp --version` "
        "prints."
    )


def parse_page(body: bytes, limit: int) -> ContactsPage:
    """Return what the body of an answer to a request for `limit` contacts holds.

    Raises:
        UnreadableAnswerError: It is not what the guide promises.
    """
    answer = _decode(body)
    if not isinstance(answer, dict):
        raise _wrong_shape("an object")
    data = answer.get("data")
    if not isinstance(data, list):
        raise _wrong_shape("the list `data`")
    leads, customers = _count(answer, "leadsCount"), _count(answer, "customerCount")
    sent = len(data)
    data.reverse()
    contacts: list[ReadContact] = []
    while data:
        # Each goes as soon as it is read: all of them take ten times the body.
        if (contact := read_contact(data.pop(), whole=False)) is not None:
            contacts.append(contact)
    return ContactsPage(
        contacts=tuple(contacts),
        sent=sent,
        limit=limit,
        leads=leads,
        customers=customers,
    )


def _decode(body: bytes) -> object:
    try:
        return from_json(body)
    except ValueError as error:
        broke_off = "EOF while parsing" in str(error)
    if body.lstrip().startswith(b"<"):
        raise _html()
    if broke_off:
        raise _cut_off()
    try:
        # The fast parser refuses half surrogate pairs and wrong UTF-8. One odd name must not hide
        # 499 contacts, so the lenient parser goes first, and what is half becomes a question mark.
        text = body.decode("utf-8-sig", errors="replace")
        lenient = json.loads(text, parse_int=_parse_int)
        return from_json(json.dumps(lenient, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        raise _not_json() from None


def _parse_int(number: str) -> int | str:
    # Python refuses to read a number of thousands of digits; as a text it harms nobody.
    return int(number) if len(number) < _LONGEST_NUMBER else number


def _cut_off() -> CutOffAnswerError:
    return CutOffAnswerError(f"The SMOC API's answer broke off before it was whole. {_LATER}")


def _html() -> HtmlAnswerError:
    return HtmlAnswerError(
        "A web page came instead of contacts: a proxy or a sign-in portal stands between this "
        "machine and the SMOC API. Sign in there, or let the address pass, then ask again."
    )


def _not_json() -> NotJsonError:
    return NotJsonError(
        "The SMOC API's answer is not JSON. Check that SMOC_BASE_URL is the API's address; if it "
        "is, ask again in a minute."
    )


def _wrong_shape(missing: str) -> WrongShapeError:
    return WrongShapeError(
        f"The SMOC API's answer lacks {missing}, which its guide promises. Check that "
        "SMOC_BASE_URL is the API's address; if it is, the API has changed: update smoc-mcp."
    )


def _count(answer: dict[str, Any], name: str) -> int:
    value = answer.get(name)
    if isinstance(value, str) and value.isdecimal() and len(value) < 16:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value % 1:
        raise _wrong_shape(f"the number `{name}`")
    return int(value)


def _pause(failure: UpstreamError, attempt: int) -> float | None:
    """Return the seconds to wait before the next attempt; None if we should not try again."""
    if attempt == _ATTEMPTS - 1:
        return None
    if isinstance(failure, RateLimitedError) and failure.retry_after is not None:
        return failure.retry_after if failure.retry_after <= LONGEST_WAIT else None
    # Jitter spreads the retries of many servers; it needs no cryptographic randomness.
    return _FIRST_BACKOFF * (1 << attempt) * random.uniform(0.5, 1.5)  # noqa: S311


def _retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or an HTTP date.

    None where it makes no sense, as with more than a day.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            when = email.utils.parsedate_to_datetime(value)
            seconds = max(0.0, when.timestamp() - time.time())
        except (ValueError, TypeError, OverflowError):
            return None
    return seconds if 0 <= seconds <= _LONGEST_RETRY_AFTER else None


def _error_text(body: bytes) -> str:
    """Return the `error` text of an answer, for our own decisions only, never to be shown."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(answer.get("error", "")).lower() if isinstance(answer, dict) else ""


def _host(base_url: str) -> str:
    return urlsplit(base_url).netloc


def _timed_out(seconds: float) -> TimedOutError:
    return TimedOutError(f"The SMOC API did not answer within {seconds:g} seconds. {_LATER}")
