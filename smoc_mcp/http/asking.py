"""Who asks in the request that is being answered: caller, address, and the request's own name."""

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from starlette.datastructures import Headers
from starlette.types import Scope

from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.server.call_log import Asking

__all__ = [
    "REQUEST_HEADER",
    "address_of",
    "answering",
    "asking",
    "current_directory",
    "is_a_question",
    "request_name",
]

REQUEST_HEADER = "x-request-id"
_QUESTIONS = {"tools/call", "resources/read", "prompts/get", "completion/complete"}
"""The methods that cost something; what else there is says what there is, or that it lives."""
_NAME = re.compile(r"[A-Za-z0-9._:-]{1,64}")

_directory: ContextVar[ContactDirectory] = ContextVar("directory")
_caller: ContextVar[str] = ContextVar("caller", default="")
_request: ContextVar[str] = ContextVar("request", default="")


def current_directory() -> ContactDirectory:
    """Return the directory of the company whose caller's request is being answered."""
    return _directory.get()


def asking() -> Asking:
    """Return whose request is being answered."""
    directory = _directory.get(None)
    operator = "" if directory is None else directory.sync.store.operator
    return Asking(_caller.get(), operator, _request.get())


@contextmanager
def answering(caller: str, request: str, directory: ContactDirectory) -> Iterator[None]:
    """Let whatever task the SDK starts inside know for whom, and from where, it answers."""
    whose, who, which = _directory.set(directory), _caller.set(caller), _request.set(request)
    try:
        yield
    finally:
        _directory.reset(whose)
        _caller.reset(who)
        _request.reset(which)


def address_of(scope: Scope, header: str) -> str:
    """Return the address that a request comes from.

    Args:
        scope: Of the request.
        header: In which a proxy of ours says it; empty for none. Of several addresses the last is
            the one that the proxy has seen itself.
    """
    told = Headers(scope=scope).getlist(header) if header else []
    if told and (last := told[-1].rpartition(",")[2].strip()):
        return last
    client = scope.get("client")
    return str(client[0]) if client else ""


def request_name(scope: Scope) -> str:
    """Return what the caller or a proxy calls a request; a name of ours where none is good."""
    told = Headers(scope=scope).get(REQUEST_HEADER, "")
    return told if _NAME.fullmatch(told) else secrets.token_hex(8)


def is_a_question(body: bytes) -> bool:
    """Say whether a message costs more than to say what there is; what we cannot read may."""
    try:
        message = json.loads(body)
        return bool(message["method"] in _QUESTIONS)
    except (ValueError, TypeError, KeyError, RecursionError):
        return True
