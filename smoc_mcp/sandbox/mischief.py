"""How the sandbox answers wrongly, one function for each kind of fault."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from smoc_mcp.sandbox.exchange import Answer, Exchange, encoded
from smoc_mcp.sandbox.faults import Fault
from smoc_mcp.sandbox.oddities import NOT_JSON, ODDITIES, WRONG_SHAPES
from smoc_mcp.sandbox.people import Contact

__all__ = ["BROKEN", "REPLACED", "odd_contacts", "unauthorized", "wrong_shape"]

_PORTAL = (
    "<!doctype html><html><head><title>Guest Wi-Fi</title></head><body><h1>Welcome</h1>"
    '<form action="/login">Accept the terms to continue.</form></body></html>'
)
_BAD_GATEWAY = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad "
    "Gateway</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
)
_HTML = "text/html; charset=UTF-8"
_ELSEWHERE = "https://elsewhere.example.net/login"

# Answers that are made without looking at the company.


def _rate_limited(fault: Fault) -> Answer:
    after = {} if fault.retry_after is None else {"retry_after": f"{fault.retry_after}"}
    return Answer.of_json({"error": "Too many requests"}, 429, **after)


def _not_json(fault: Fault) -> Answer:
    return Answer(200, NOT_JSON[fault.variant or "truncated"])


REPLACED: Mapping[str, Callable[[Fault], Answer]] = MappingProxyType(
    {
        "rate_limited": _rate_limited,
        "server_error": lambda _: Answer.of_error(500, "Internal Server Error"),
        "bad_gateway": lambda _: Answer(502, _BAD_GATEWAY.encode(), _HTML),
        "html": lambda _: Answer(200, _PORTAL.encode(), _HTML),
        "not_json": _not_json,
        "redirect": lambda _: Answer(302, b"", _HTML, headers=(("location", _ELSEWHERE),)),
        "unauthorized": lambda _: unauthorized(),
        "forbidden": lambda _: Answer.of_error(403, "Unauthorized"),
    }
)
"""Faults that are another answer in place of the right one."""


def unauthorized() -> Answer:
    """Return the guide's answer to a key that is unknown, revoked or of the wrong type."""
    return Answer.of_error(
        401,
        "Invalid or revoked token",
        "You can create a valid token from the Integration Dashboard.",
    )


# The right answer, sent wrongly. Each function returns whether the client stayed to the end.


async def _slow_body(exchange: Exchange, answer: Answer, fault: Fault) -> bool:
    pieces = 20
    size = len(answer.body) // pieces + 1
    await exchange.start(answer.status, answer.raw_headers())
    for start in range(0, len(answer.body), size):
        await exchange.send(answer.body[start : start + size])
        if not await exchange.pause(fault.seconds / pieces):
            return False
    await exchange.send(b"", more=False)
    return True


async def _cut_off(exchange: Exchange, answer: Answer, _: Fault) -> bool:
    await exchange.start(answer.status, answer.raw_headers())
    await exchange.send(answer.body[: len(answer.body) // 2])
    await exchange.hang_up()
    return True


async def _dropped(exchange: Exchange, _: Answer, __: Fault) -> bool:
    await exchange.hang_up()
    return True


async def _huge(exchange: Exchange, _: Answer, fault: Fault) -> bool:
    filler = b",".join([encoded({"id": "f" * 24, "firstName": "A" * 4_000})] * 16)
    await exchange.start(200, [(b"content-type", b"application/json")])
    await exchange.send(b'{"leadsCount":1,"customerCount":0,"data":[' + filler)
    for _piece in range(int(fault.megabytes * 1_000_000 / len(filler))):
        await exchange.send(b"," + filler)
        if not await exchange.pause(0):
            return False
    await exchange.send(b"]}", more=False)
    return True


BROKEN: Mapping[str, Callable[[Exchange, Answer, Fault], Awaitable[bool]]] = MappingProxyType(
    {"slow_body": _slow_body, "cut_off": _cut_off, "dropped": _dropped, "huge": _huge}
)
"""Faults in how an answer is sent."""


# The right answer, changed.


def wrong_shape(page: Mapping[str, object], variant: str | None) -> object:
    """Return a page as JSON of another shape."""
    return WRONG_SHAPES[variant or "list"](page)


def odd_contacts(contacts: list[Contact], variant: str | None) -> list[Contact]:
    """Return contacts with oddities: each in turn for every second, or one for all.

    A page of two for each oddity has them all.
    """
    if variant is not None:
        return [ODDITIES[variant](contact) for contact in contacts]
    oddities = tuple(ODDITIES.values())
    return [
        contact if place % 2 else oddities[place // 2 % len(oddities)](contact)
        for place, contact in enumerate(contacts)
    ]
