"""Lets requests through to MCP, or says why not.

Its host and origin must be ours, its caller must be known and not ask too often. Then it is
answered from the directory of the caller's company.
"""

import json
import logging
import re

from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from smoc_mcp.errors import AccessError, BusyError, SmocError
from smoc_mcp.http.access import Access, Caller
from smoc_mcp.http.asking import (
    REQUEST_HEADER,
    address_of,
    answering,
    is_a_question,
    request_name,
)
from smoc_mcp.http.body import Body
from smoc_mcp.http.companies import Companies
from smoc_mcp.http.limits import CallLimit
from smoc_mcp.http.metrics import Metrics
from smoc_mcp.http.refusals import Refusals
from smoc_mcp.http.settings import HttpSettings
from smoc_mcp.http.transport import PATH, Transports
from smoc_mcp.seldom import Seldom

__all__ = ["Gate"]

logger = logging.getLogger(__name__)

_UNAUTHORIZED, _INVALID_REQUEST = -32001, -32600
_FOREIGN = {
    421: "This server does not answer for the host of this request. Whoever runs it names the "
    "hosts that clients use in SMOC_MCP_ALLOWED_HOSTS.",
    403: "This server does not answer pages of this origin. Whoever runs it names the origins that "
    "may ask in SMOC_MCP_ALLOWED_ORIGINS.",
}

_OTHERS_PER_QUESTION = 10
"""Messages that only say what there is cost little, and clients send them as they like."""
_ONCE = ("X-SMOC-Token", "Authorization", "Origin", "Host")
"""Of two of these, one may be a proxy's and one the caller's: nobody can tell which counts."""


class Gate:
    """The ASGI app before the SDK's.

    Args:
        transports: Answer, from `asking.current_directory`.
        access: Who may call.
        companies: Their directories.
        security: The hosts and origins that may ask.
        settings: How often somebody may ask, and what is logged.
        metrics: Counts who is refused.
    """

    def __init__(
        self,
        transports: Transports,
        access: Access,
        companies: Companies,
        security: TransportSecuritySettings,
        settings: HttpSettings,
        metrics: Metrics,
    ) -> None:
        self._transports = transports
        self._access = access
        self._companies = companies
        self._security = TransportSecurityMiddleware(security)
        self._questions = CallLimit(settings.calls_per_minute)
        self._others = CallLimit(_OTHERS_PER_QUESTION * settings.calls_per_minute)
        self._refusals = Refusals()
        self._settings = settings
        self._metrics = metrics
        self._log = Seldom(logger)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await Response("Not Found", 404)(scope, receive, send)
            return
        name = request_name(scope)
        answer = _Answer(send, name)
        if (foreign := await self._foreign(Request(scope))) is not None:
            self._tell(foreign.status_code, "a foreign host or origin", scope, name)
            await foreign(scope, receive, answer.send)
            return
        try:
            caller = await self._admit(scope)
            # Read before anything is held for the caller: one that sends no body holds nothing.
            body = Body(receive)
            limit = self._questions if is_a_question(await body.read()) else self._others
            limit.count(caller.name)
            async with self._companies.use(caller) as directory:
                with answering(caller.name, name, directory):
                    transport = await self._transports.of(caller.view)
                    await transport(scope, body.receive, answer.send)
                if caller.own_key and directory.refused:
                    self._refusals.note(caller.company, self._address(scope))
                    self._tell(401, "SMOC refused the key of a caller", scope, name)
        except SmocError as error:
            refusal = _refusal(error)
            self._tell(refusal.status_code, str(error), scope, name)
            # One that was dropped while it was being answered can be told nothing more.
            if not answer.has_begun:
                await refusal(scope, receive, answer.send)

    async def _admit(self, scope: Scope) -> Caller:
        """Return who calls.

        Raises:
            AccessError: They may not.
            BusyError: They call too often, or too many from there were refused.
        """
        headers = Headers(scope=scope)
        for name in _ONCE:
            if len(headers.getlist(name)) > 1:
                raise AccessError(f"The header {name} came twice: send it once.", 400)
        address = self._address(scope)
        try:
            caller = await self._access.admit(headers)
        except AccessError as refused:
            if refused.status == 401 and _brings_something(headers):
                # Whoever guesses is told to wait; without a token one is told how to send it.
                self._refusals.check_peer(address)
                self._refusals.note_peer(address)
            raise
        if caller.own_key:
            known = self._companies.knows(caller.company)
            self._refusals.check(caller.company, address, known=known)
        return caller

    def _address(self, scope: Scope) -> str:
        return address_of(scope, self._settings.address_header)

    def _tell(self, status: int, why: str, scope: Scope, name: str) -> None:
        """Count that somebody was refused, and log it, each cause once a minute."""
        self._metrics.refusal(status)
        whom = f" to {self._address(scope)}" if self._settings.log_addresses else ""
        cause = f"{status}{whom} {re.sub('[0-9]+', '', why)}"
        self._log.warning(cause, f"refused{whom}: {status} {why} [request {name}]")

    async def _foreign(self, request: Request) -> Response | None:
        """Return the answer to a request whose host or origin is not ours; None for one of ours."""
        refused = await self._security.validate_request(request)
        if refused is None or refused.status_code not in _FOREIGN:
            return refused
        return _error(_FOREIGN[refused.status_code], refused.status_code, _INVALID_REQUEST)


class _Answer:
    """Sends an answer with the name of its request, and knows whether it has begun.

    Args:
        send: Sends it.
        name: Of the request.
    """

    def __init__(self, send: Send, name: str) -> None:
        self._send = send
        self._name = name
        self.has_begun = False

    async def send(self, message: Message) -> None:
        """Send the next of its messages, as ASGI has it."""
        self.has_begun = True
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)[REQUEST_HEADER] = self._name
        await self._send(message)


def _brings_something(headers: Headers) -> bool:
    """Say whether a request brings what could be a token or a key."""
    return bool(headers.get("authorization") or headers.get("x-smoc-token"))


def _refusal(error: SmocError) -> Response:
    """Return the answer to a request that may not pass, or whose directory cannot be opened."""
    match error:
        case AccessError():
            headers = {"WWW-Authenticate": error.challenge} if error.challenge else {}
            return _error(str(error), error.status, _UNAUTHORIZED, headers)
        case BusyError():
            headers = {"Retry-After": str(error.seconds)}
            return _error(str(error), error.status, _INVALID_REQUEST, headers)
        case _:
            return _error(str(error), 503, _INVALID_REQUEST)


def _error(message: str, status: int, code: int, headers: dict[str, str] | None = None) -> Response:
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
    return Response(json.dumps(error, ensure_ascii=False), status, headers, "application/json")
