"""The SMOC API in a box: an ASGI application that answers as the guide says, or fails as told.

The one endpoint is `GET /api/company/mongocontact`. Beside it, under `/sandbox/`, are controls
that the real API does not have; `controls` lists them.
"""

import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import formatdate
from time import time

from smoc_mcp.sandbox.company import Company
from smoc_mcp.sandbox.controls import control
from smoc_mcp.sandbox.exchange import Answer, Exchange, Receive, Scope, Send, encoded
from smoc_mcp.sandbox.faults import Fault
from smoc_mcp.sandbox.hostile import Hostility
from smoc_mcp.sandbox.journal import RequestRecord
from smoc_mcp.sandbox.mischief import BROKEN, REPLACED, odd_contacts, unauthorized, wrong_shape
from smoc_mcp.sandbox.moments import SORT_FIELDS
from smoc_mcp.sandbox.state import State

__all__ = ["ENDPOINT", "FJELL_KEY", "NORDLYS_KEY", "UNBOUND_KEY", "Sandbox"]

ENDPOINT = "/api/company/mongocontact"

NORDLYS_KEY = "demo-key-nordlys"
FJELL_KEY = "demo-key-fjell"
UNBOUND_KEY = "demo-key-unbound"
"""A key without a company: the API answers 403."""

_ALIASES = {
    **{field: field for field in SORT_FIELDS},
    "companyUsers.lastConversationDate": "lastConversationDate",
}
_DEFAULT_LIMIT = 100
_MAX_LIMIT = 500
_DAY = 24 * 3600
# Shorter answers do not become smaller.
_GZIP_FROM = 256
# Four windows of two companies, packed and not.
_KEPT_BODIES = 16
_NOT_FOUND = Answer(404, b"Not Found", "text/plain;charset=UTF-8")


@dataclass(frozen=True, slots=True)
class _Question:
    """What a valid request asks for."""

    company: Company
    sort: str | None
    limit: int


class Sandbox(State):
    """An ASGI application that holds companies by their keys; its attributes are `State`'s.

    Args:
        keys: each key's company; None for a key that is bound to none. The demo's by default.
    """

    def __init__(self, keys: Mapping[str, Company | None] | None = None) -> None:
        super().__init__(_demo_keys() if keys is None else keys)
        self._bodies: dict[tuple[str, str | None, int, bool], tuple[int, Company, bytes]] = {}

    @classmethod
    def demo(
        cls,
        size: int = 3_000,
        other_size: int = 400,
        seed: int = 1,
        now: datetime | float | None = None,
        *,
        clock: Callable[[], float] | None = None,
        hostile: Hostility = 0.01,
    ) -> "Sandbox":
        """Return a sandbox with the companies Nordlys and Fjell, and a key without a company.

        Args:
            size: how many contacts Nordlys has; its operatorId is "10".
            other_size: how many Fjell has; its operatorId is "20".
            seed: decides who they are.
            now: the companies' time to begin with; the wall clock's by default.
            clock: seconds since 1970, instead of the wall clock.
            hostile: the share of contacts with hostile text, or "everywhere".
        """
        return cls(_demo_keys(size, other_size, seed, now, clock, hostile))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            RuntimeError: it is not HTTP; the sandbox has neither lifespan nor WebSockets.
        """
        if scope["type"] != "http":
            raise RuntimeError("the sandbox speaks HTTP only")
        exchange = Exchange(scope, receive, send)
        try:
            if exchange.path == ENDPOINT and exchange.method == "GET":
                await self._contacts(exchange)
            else:
                await exchange.answer(await control(self, exchange) or _NOT_FOUND)
        finally:
            exchange.close()

    async def _contacts(self, exchange: Exchange) -> None:
        question = self._understood(exchange)
        if isinstance(question, Answer):
            record = self._recorded(exchange, None)
            if await self._waited(exchange, record, self.latency):
                record.status = question.status
                await exchange.answer(question)
            return
        record = self._recorded(exchange, question)
        fault = self.faults.draw(question.company.name, question.sort)
        record.fault = fault.kind if fault else None
        delay = fault.seconds if fault and fault.kind == "slow" else 0.0
        if not await self._waited(exchange, record, self.latency + delay):
            return
        answer = self._answer(exchange, question, fault)
        if fault and fault.kind in BROKEN:
            record.status = None if fault.kind == "dropped" else answer.status
            record.abandoned = not await BROKEN[fault.kind](exchange, answer, fault)
        else:
            record.status = answer.status
            await exchange.answer(answer)

    def _understood(self, exchange: Exchange) -> _Question | Answer:
        """Return what is asked for, or the guide's error."""
        key = exchange.headers.get("token", "").strip()
        if not key:
            return Answer.of_error(401, "Missing token header")
        if key not in self.keys:
            return unauthorized()
        company = self.keys[key]
        if company is None:
            return Answer.of_error(403, "Unauthorized")
        limit = exchange.query.get("limit", str(_DEFAULT_LIMIT))
        if not re.fullmatch(r"-?[0-9]{1,18}", limit):
            return Answer.of_error(422, "limit must be an integer")
        number = int(limit)
        if number > _MAX_LIMIT:
            return Answer.of_error(422, f"limit must not exceed {_MAX_LIMIT}")
        if number < 1:
            return Answer.of_error(422, "limit must be at least 1")
        sort = exchange.query.get("sortByField")
        if sort is not None and sort not in _ALIASES:
            return Answer.of_error(422, "Invalid sortByField value")
        return _Question(company, None if sort is None else _ALIASES[sort], number)

    def _recorded(self, exchange: Exchange, question: _Question | None) -> RequestRecord:
        held = self.keys.get(exchange.headers.get("token", "").strip())
        record = RequestRecord.now(
            None if held is None else held.name,
            question.sort if question else exchange.query.get("sortByField"),
            question.limit if question else None,
        )
        self.requests.append(record)
        return record

    async def _waited(self, exchange: Exchange, record: RequestRecord, seconds: float) -> bool:
        if seconds > 0 and not await exchange.pause(seconds):
            record.abandoned = True
            return False
        return True

    def _answer(self, exchange: Exchange, question: _Question, fault: Fault | None) -> Answer:
        if fault and fault.kind in REPLACED:
            return REPLACED[fault.kind](fault)
        if self.before_answer is not None:
            self.before_answer(question.company, question.sort, question.limit)
        if fault and fault.kind == "wrong_shape":
            return Answer.of_json(wrong_shape(_page(question), fault.variant))
        if fault and fault.kind == "odd_contacts":
            page = _page(question)
            contacts = question.company.page(question.sort, question.limit)
            return Answer.of_json({**page, "data": odd_contacts(contacts, fault.variant)})
        return self._right_answer(question, zipped=exchange.takes_gzip)

    def _right_answer(self, question: _Question, *, zipped: bool) -> Answer:
        body = self._body(question, zipped=zipped)
        headers: tuple[tuple[str, str], ...] = (
            ("vary", "accept-encoding"),
            ("date", formatdate(_shown(question.company.now()), usegmt=True)),
        )
        if zipped and body[:2] == b"\x1f\x8b":
            headers += (("content-encoding", "gzip"),)
        return Answer(200, body, headers=headers)

    def _body(self, question: _Question, *, zipped: bool) -> bytes:
        """Return a page's body, the last one if the company has not changed since."""
        company = question.company
        asked = (company.name, question.sort, question.limit, zipped)
        revision, held, body = self._bodies.get(asked, (-1, None, b""))
        if held is company and revision == company.revision:
            return body
        revision = company.revision
        if zipped:
            plain = self._body(question, zipped=False)
            # Always the same bytes: no time of packing in them.
            body = gzip.compress(plain, 1, mtime=0) if len(plain) >= _GZIP_FROM else plain
        else:
            body = encoded(_page(question))
        if len(self._bodies) >= _KEPT_BODIES:
            self._bodies.pop(next(iter(self._bodies)))
        self._bodies[asked] = (revision, company, body)
        return body


def _page(question: _Question) -> dict[str, object]:
    company = question.company
    with company.lock:
        return {
            "data": company.page(question.sort, question.limit),
            "leadsCount": company.leads_count,
            "customerCount": company.customer_count,
        }


def _shown(now: float) -> float:
    """Return the time that an answer bears: the company's, or ours where it is of another day.

    The API's clock is the one that its contacts' times are of. A company that is made to be of
    another year, so that it is the same every day, would look like an answer of a cache.
    """
    return now if abs(now - time()) < _DAY / 2 else time()


def _demo_keys(
    size: int = 3_000,
    other_size: int = 400,
    seed: int = 1,
    now: datetime | float | None = None,
    clock: Callable[[], float] | None = None,
    hostile: Hostility = 0.01,
) -> dict[str, Company | None]:
    nordlys = Company("Nordlys", seed, size, now, operator_id="10", clock=clock, hostile=hostile)
    fjell = Company(
        "Fjell", seed + 1, other_size, now, operator_id="20", clock=clock, hostile=hostile
    )
    return {NORDLYS_KEY: nordlys, FJELL_KEY: fjell, UNBOUND_KEY: None}
