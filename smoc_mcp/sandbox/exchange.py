"""One HTTP request and the way back to its sender, over bare ASGI."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

__all__ = ["HANG_UP", "Answer", "Exchange", "Receive", "Scope", "Send", "encoded"]

# ASGI leaves the values of these open.
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HANG_UP = "smoc.sandbox.hang_up"
"""The ASGI extension by which our server lets an application close its connection.

ASGI itself has no way to leave a request unanswered: a server makes a 500 of it.
"""


def encoded(value: object) -> bytes:
    """Return `value` as compact JSON in UTF-8."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text.encode()
    except UnicodeEncodeError:
        # Half of an emoji has no UTF-8; JSON writes it as an escape.
        return json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_json(cls, value: object, status: int = 200, **headers: str) -> "Answer":
        """Return `value` as a JSON answer; a header's name is written with underscores."""
        named = tuple((name.replace("_", "-"), text) for name, text in headers.items())
        return cls(status, encoded(value), headers=named)

    @classmethod
    def of_error(cls, status: int, error: str, hint: str | None = None) -> "Answer":
        """Return an error in the form of the guide's table."""
        return cls.of_json(
            {"error": error} if hint is None else {"error": error, "hint": hint}, status
        )

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers in ASGI's form, with the body's length."""
        named = (
            ("content-type", self.content_type),
            ("content-length", str(len(self.body))),
            *self.headers,
        )
        return [(name.encode(), text.encode()) for name, text in named]


class Exchange:
    """A request that waits for its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._gone: asyncio.Future[None] | None = None
        self.method: str = scope["method"]
        self.path: str = scope["path"]

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The headers by their names in lower case."""
        return {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in self._scope["headers"]
        }

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The query parameters; of one given twice, the first."""
        pairs = parse_qsl(self._scope["query_string"].decode("latin-1"), keep_blank_values=True)
        return dict(reversed(pairs))

    @property
    def path_parts(self) -> list[str]:
        """The decoded parts of the path, without the first slash."""
        raw = self._scope.get("raw_path") or self.path.encode()
        return [unquote(part) for part in raw.decode("latin-1").strip("/").split("/")]

    @property
    def takes_gzip(self) -> bool:
        """Whether the sender takes a gzip body."""
        for part in self.headers.get("accept-encoding", "").lower().split(","):
            coding, _, weight = part.partition(";")
            if coding.strip() in ("gzip", "*"):
                return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
        return False

    async def body(self) -> bytes:
        """Return the whole body of the request."""
        pieces: list[bytes] = []
        more = True
        while more:
            message = await self._receive()
            pieces.append(message.get("body", b""))
            more = message.get("more_body", False)
        return b"".join(pieces)

    async def answer(self, answer: Answer) -> None:
        """Send a whole answer."""
        await self.start(answer.status, answer.raw_headers())
        await self.send(answer.body, more=False)

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Send status and headers."""
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def send(self, body: bytes, *, more: bool = True) -> None:
        """Send a piece of the body; with `more=False`, the last one."""
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def pause(self, seconds: float) -> bool:
        """Wait; return False at once when the client goes away meanwhile."""
        gone = self._watch()
        await asyncio.wait([gone], timeout=seconds)
        return not gone.done()

    async def hang_up(self) -> None:
        """Close the connection, after what was sent so far.

        Raises:
            ConnectionAbortedError: the server has no way to; it will close it for this.
        """
        close = self._scope.get("extensions", {}).get(HANG_UP)
        if close is None:
            raise ConnectionAbortedError("the sandbox hangs up")
        close()
        # Returning before the server has noticed would be taken for a forgotten answer.
        await self._watch()

    def close(self) -> None:
        """Stop watching for the client."""
        if self._gone is not None:
            self._gone.cancel()

    def _watch(self) -> "asyncio.Future[None]":
        if self._gone is None:
            self._gone = asyncio.ensure_future(self._until_gone())
        return self._gone

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
