"""The body of a request, read whole before anything is done for it."""

from collections import deque

import anyio
from starlette.types import Message, Receive

__all__ = ["MOST_BODY_BYTES", "Body"]

MOST_BODY_BYTES = 1_000_000


class Body:
    """The body of a request: looked at once, and then received as if it had not been.

    Args:
        receive: Receives it.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: deque[Message] = deque()
        self._whole = False

    async def read(self) -> bytes:
        """Return it; where it is more than may be sent, its beginning."""
        read = bytearray()
        while not self._whole and len(read) <= MOST_BODY_BYTES:
            message = await self._receive()
            self._messages.append(message)
            read += message.get("body", b"")
            self._whole = not message.get("more_body", False)
        return bytes(read)

    async def receive(self) -> Message:
        """Return the next of its messages, as ASGI has it."""
        if self._messages:
            return self._messages.popleft()
        return await self._receive()

    async def cancel_when_gone(self, scope: anyio.CancelScope) -> None:
        """Cancel the answer once nobody waits for it."""
        while self._whole:
            if (await self._receive())["type"] == "http.disconnect":
                scope.cancel()
                return
