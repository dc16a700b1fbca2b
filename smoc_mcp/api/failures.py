"""Makes errors of what is no usable answer: statuses, broken connections, odd bodies.

Each sentence says what happened and what to do next. What the API or a proxy wrote is never shown.
"""

import email.utils
import json
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from smoc_mcp.api.connections import ATTEMPT_SECONDS
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
    UnreadableAnswerError,
    UpstreamError,
    WrongAddressError,
    WrongShapeError,
)

if TYPE_CHECKING:
    import httpx

__all__ = [
    "cut_off",
    "foreign_encoding",
    "html",
    "not_json",
    "oversized",
    "refusal",
    "timed_out",
    "too_many",
    "translated",
    "wrong_shape",
]

_LONGEST_RETRY_AFTER = 24 * 3600
_NEW_KEY = "Generate a new one in SMOC Console under Settings → Integrations → API."
_LATER = "Nothing is lost; ask again in a minute."


@asynccontextmanager
async def translated(base_url: str) -> AsyncIterator[None]:
    """Turn every exception of httpx into one of ours."""
    import httpx

    try:
        yield
    except httpx.TimeoutException as error:
        raise timed_out(ATTEMPT_SECONDS) from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise UnreachableError(
            f"No connection to {_host(base_url)}: check the network, the proxy settings and "
            "SMOC_BASE_URL, then ask again."
        ) from error


def refusal(answer: "httpx.Response", body: bytes, base_url: str, use_key: str) -> UpstreamError:
    """Return the error for a status other than 200, by the guide's table.

    Args:
        answer: The status and headers.
        body: Looked at, and never shown.
        base_url: The API's address, for its host's name.
        use_key: What to do with a new key.
    """
    status = answer.status_code
    said = _error_text(body)
    if status in (401, 403) and body.lstrip().startswith(b"<"):
        return html()
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
        # A date that has passed is no time to wait, and a second too short to type in.
        when = f"in {math.ceil(wait)} seconds" if wait and wait > 1 else "in a minute"
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


def cut_off() -> CutOffAnswerError:
    """Return the error for a body that ended before it was whole."""
    return CutOffAnswerError(f"The SMOC API's answer broke off before it was whole. {_LATER}")


def html() -> HtmlAnswerError:
    """Return the error for a web page instead of JSON."""
    return HtmlAnswerError(
        "A web page came instead of contacts: a proxy or a sign-in portal stands between this "
        "machine and the SMOC API. Sign in there, or let the address pass, then ask again."
    )


def not_json() -> NotJsonError:
    """Return the error for a body that is no JSON."""
    return NotJsonError(
        "The SMOC API's answer is not JSON. Check that SMOC_BASE_URL is the API's address; if it "
        "is, ask again in a minute."
    )


def wrong_shape(missing: str) -> WrongShapeError:
    """Return the error for JSON that lacks something."""
    return WrongShapeError(
        f"The SMOC API's answer lacks {missing}, which its guide promises. Check that "
        "SMOC_BASE_URL is the API's address; if it is, the API has changed: update smoc-mcp."
    )


def oversized(most_bytes: int) -> OversizedAnswerError:
    """Return the error for a body of more bytes than we hold."""
    return OversizedAnswerError(
        f"The SMOC API's answer is larger than {most_bytes // 1024 // 1024} MB, which no 500 "
        "contacts are. Check that SMOC_BASE_URL is the API's address."
    )


def too_many(limit: int) -> OversizedAnswerError:
    """Return the error for more contacts than were asked for."""
    return OversizedAnswerError(
        f"The SMOC API's answer has more contacts than the {limit:,} that were asked for. Check "
        "that SMOC_BASE_URL is the API's address; if it is, the API has changed: update smoc-mcp."
    )


def foreign_encoding() -> UnreadableAnswerError:
    """Return the error for a body that is packed otherwise than we asked for."""
    return UnreadableAnswerError(
        "The SMOC API's answer is packed in a way that was not asked for (only gzip, once, was). "
        "Check SMOC_BASE_URL, and the proxies between this machine and the SMOC API."
    )


def timed_out(seconds: float) -> TimedOutError:
    """Return the error for an answer that did not come in time."""
    return TimedOutError(f"The SMOC API did not answer within {seconds:g} seconds. {_LATER}")


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
