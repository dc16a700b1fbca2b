"""Remembers who was refused lately, so that guessing is slow and costs SMOC nothing.

Whoever brings made-up keys costs us no request for one that was refused lately, and soon none for
any key from the same address; whoever brings made-up tokens is told to wait instead of why.
"""

import time
from collections import OrderedDict, deque

from smoc_mcp.errors import AccessError, BusyError

__all__ = ["Refusals"]

_SECONDS = 60.0
_MOST_OF_PEER = 20
"""Behind a proxy all callers are one peer, so a few wrong keys must not keep others out."""
_MOST_KEPT = 10_000


class Refusals:
    """The keys and the addresses of the last minute's refusals."""

    def __init__(self) -> None:
        self._keys: OrderedDict[str, float] = OrderedDict()
        self._peers: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, key: str, peer: str, *, known: bool) -> None:
        """Let a request pass unless it can only be refused.

        Args:
            key: A hash of its SMOC key.
            peer: Where it comes from.
            known: SMOC has accepted the key before.

        Raises:
            AccessError: SMOC has refused this very key within a minute.
            BusyError: SMOC has refused too many keys of this peer, and this key is new.
        """
        now = time.monotonic()
        if self._keys.get(key, float("-inf")) > now - _SECONDS:
            raise AccessError(
                "SMOC refused this key less than a minute ago: it is wrong or was revoked. Send "
                "another in X-SMOC-Token, or come back in a minute."
            )
        if not known:
            self.check_peer(peer)

    def check_peer(self, peer: str) -> None:
        """Let a request of somebody unknown pass, unless too many from there were refused.

        Raises:
            BusyError: They were; it says when to come back.
        """
        now = time.monotonic()
        times = self._peers.get(peer, deque())
        while times and times[0] <= now - _SECONDS:
            times.popleft()
        if len(times) >= _MOST_OF_PEER:
            seconds = int(times[0] + _SECONDS - now) + 1
            raise BusyError(
                "Too many keys or tokens that came from this address were refused. Come back in "
                f"{seconds} seconds.",
                429,
                seconds,
            )

    def note(self, key: str, peer: str) -> None:
        """Remember that SMOC has refused a key."""
        self._keys[key] = time.monotonic()
        self._keys.move_to_end(key)
        self.note_peer(peer)

    def note_peer(self, peer: str) -> None:
        """Remember that somebody from there was refused."""
        now = time.monotonic()
        self._peers.setdefault(peer, deque(maxlen=_MOST_OF_PEER)).append(now)
        self._peers.move_to_end(peer)
        for kept in (self._keys, self._peers):
            while len(kept) > _MOST_KEPT:
                kept.popitem(last=False)
