"""Hangs up on clients that do not send their requests in time.

uvicorn waits as long as a connection is open, so that a few clients that send a byte a minute could
hold all of a server's connections. It has no setting for this, so its protocol for HTTP/1.1 is
subclassed here; tests/test_slow_clients.py fails where a newer uvicorn no longer calls us.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["BODY_SECONDS", "HEAD_SECONDS", "PatientProtocol"]

HEAD_SECONDS = 10.0
"""How long the head of a request may take, from its first byte or the connection's beginning."""
BODY_SECONDS = 30.0
"""How long what follows the head may take."""


class PatientProtocol(H11Protocol):
    """uvicorn's protocol, which ends a connection whose request does not come in time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  as uvicorn has it
        super().__init__(*args, **kwargs)
        self._due: asyncio.TimerHandle | None = None
        self._due_state: type[h11.IDLE] | type[h11.SEND_BODY] = h11.IDLE

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # narrower, as in uvicorn
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait(h11.IDLE, HEAD_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Wait for what is still to come of a request; stop waiting when it is whole."""
        super().data_received(data)
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            self._wait(h11.SEND_BODY, BODY_SECONDS)
        elif state is not h11.IDLE:
            self._stop()
        elif self.conn.trailing_data[0]:
            self._wait(h11.IDLE, HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop()
        super().connection_lost(exc)

    def _wait(self, state: type[h11.IDLE] | type[h11.SEND_BODY], seconds: float) -> None:
        if self._due is not None and self._due_state is state:
            return
        self._stop()
        self._due_state = state
        self._due = self.loop.call_later(seconds, self._give_up)

    def _stop(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _give_up(self) -> None:
        self._due = None
        if not self.transport.is_closing():
            self.transport.close()
