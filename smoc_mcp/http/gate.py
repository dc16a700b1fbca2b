"""Lets requests through to MCP, or says why not.

Its host and origin must be ours, its caller must be known and not ask too often. Then it is
answered from the directory of the caller's company.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.errors import AccessError, BusyError, SmocError
from smoc_mcp.http.access import Access, Caller
from smoc_mcp.http.body import Body
from smoc_mcp.http.companies import Companies
from smoc_mcp.http.limits import CallLimit
from smoc_mcp.http.refusals import Refusals
from smoc_mcp.http.transport import PATH

__all__ = ["Gate", "caller_name", "current_directory"]

_UNAUTHORIZED, _INVALID_REQUEST = -32001, -32600
_FOREIGN = {
    421: "This server does not answer for the host of this request. Whoever runs it names the "
    "hosts that clients use in SMOC_MCP_ALLOWED_HOSTS.",
    403: "This server does not answer pages of this origin. Whoever runs it names the origins that "
    "may ask in SMOC_MCP_ALLOWED_ORIGINS.",
}

_ONCE = ("X-SMOC-Token", "Authorization", "Origin", "Host")
"""Of two of these, one may be a proxy's and one the caller's: nobody can tell which counts."""

_directory: ContextVar[ContactDirectory] = ContextVar("directory")
_caller: ContextVar[str] = ContextVar("caller", default="stdio")


def current_directory() -> ContactDirectory:
    """Return the directory of the company whose caller's request is being answered."""
    return _directory.get()


def caller_name() -> str:
    """Return the short hash of whose request is being answered."""
    return _caller.get()


class Gate:
    """The ASGI app before the SDK's.

    Args:
        app: Answers what passes, from `current_directory`.
        access: Who may call.
        companies: Their directories.
        security: The hosts and origins that may ask.
        limit: How often.
    """

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        companies: Companies,
        security: TransportSecuritySettings,
        limit: CallLimit,
    ) -> None:
        self._app = app
        self._access = access
        self._companies = companies
        self._security = TransportSecurityMiddleware(security)
        self._limit = limit
        self._refusals = Refusals()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await Response("Not Found", 404)(scope, receive, send)
            return
        if (foreign := await self._foreign(Request(scope))) is not None:
            await foreign(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            caller = await self._admit(scope)
            # Read before anything is held for the caller: one that sends no body holds nothing.
            body = Body(receive)
            await body.read()
            async with self._companies.use(caller.company, caller.key) as directory:
                with _answering(caller, directory):
                    await self._app(scope, body.receive, answer.send)
                if caller.own_key and directory.refused:
                    self._refusals.note(caller.company, _peer(scope))
        except SmocError as error:
            # One that was dropped while it was being answered can be told nothing more.
            if not answer.has_begun:
                await _refusal(error)(scope, receive, send)

    async def _admit(self, scope: Scope) -> Caller:
        """Return who calls.

        Raises:
            AccessError: They may not.
            BusyError: They call too often.
        """
        headers = Headers(scope=scope)
        for name in _ONCE:
            if len(headers.getlist(name)) > 1:
                raise AccessError(f"The header {name} came twice: send it once.", 400)
        caller = await self._access.admit(headers)
        self._limit.count(caller.name)
        if caller.own_key:
            known = self._companies.knows(caller.company)
            self._refusals.check(caller.company, _peer(scope), known=known)
        return caller

    async def _foreign(self, request: Request) -> Response | None:
        """Return the answer to a request whose host or origin is not ours; None for one of ours."""
        refused = await self._security.validate_request(request)
        if refused is None or refused.status_code not in _FOREIGN:
            return refused
        return _error(_FOREIGN[refused.status_code], refused.status_code, _INVALID_REQUEST)


class _Answer:
    """Sends an answer, and knows whether it has begun.

    Args:
        send: Sends it.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def send(self, message: Message) -> None:
        """Send the next of its messages, as ASGI has it."""
        self.has_begun = True
        await self._send(message)


def _peer(scope: Scope) -> str:
    """Return the address that a request comes from."""
    client = scope.get("client")
    return str(client[0]) if client else ""


@contextmanager
def _answering(caller: Caller, directory: ContactDirectory) -> Iterator[None]:
    """Let whatever task the SDK starts inside know for whom, and from where, it answers."""
    company, name = _directory.set(directory), _caller.set(caller.name)
    try:
        yield
    finally:
        _directory.reset(company)
        _caller.reset(name)


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
