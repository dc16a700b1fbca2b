"""Cursors: opaque texts that say where an answer ended.

They hold positions and nothing personal or secret, need no memory of ours (so they survive a
restart and work on another replica), and are refused where a character is wrong or the question is
another one.
"""

import base64
import hashlib
import json
from typing import TypeGuard

from smoc_mcp.errors import CursorError

__all__ = ["Value", "decode", "encode", "fingerprint"]

Value = int | str | list[str]

_DAMAGED = (
    "The cursor is damaged: pass it exactly as the last answer gave it, or leave it out to begin "
    "at the start."
)
_BOUND = 2**63
_HASH_BYTES = 6
_VERSION = b"cursor 1"


def fingerprint(*parts: object) -> bytes:
    """Return a few bytes that are the same for the same tool and parameters."""
    return _hash(repr(parts).encode())


def encode(question: bytes, *values: Value) -> str:
    """Return a cursor.

    Args:
        question: The fingerprint of the tool and the parameters that it belongs to.
        values: What `decode` gives back.
    """
    body = question + json.dumps(values, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_hash(body) + body).rstrip(b"=").decode()


def decode(text: str, question: bytes) -> list[Value]:
    """Return the values that a cursor holds.

    Raises:
        CursorError: It is damaged, or was made for another tool or other parameters.
    """
    body = _checked(text.strip())
    if body is None:
        raise CursorError(_DAMAGED)
    if body[:_HASH_BYTES] != question:
        raise CursorError(
            "The cursor belongs to another question: repeat the parameters of the call that gave "
            "it, or leave it out to begin at the start."
        )
    values = _values(body[_HASH_BYTES:])
    if values is None:
        raise CursorError(_DAMAGED)
    return values


def _values(content: bytes) -> list[Value] | None:
    """Return the values behind a question's fingerprint; None for what `encode` never writes.

    The checksum has no secret, so somebody may have made the cursor by hand.
    """
    try:
        values = json.loads(content, parse_float=_refused, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, list) and all(map(_is_value, values)) else None


def _refused(number: str) -> float:
    raise ValueError(number)


def _is_value(value: object) -> TypeGuard[Value]:
    if isinstance(value, int):
        # Larger ones are no position, and no number for SQLite.
        return not isinstance(value, bool) and -_BOUND <= value < _BOUND
    if isinstance(value, list):
        return all(isinstance(part, str) for part in value)
    return isinstance(value, str)


def _checked(text: str) -> bytes | None:
    """Return what a cursor holds behind its checksum; None if a character of it is wrong."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    # Some texts differ only in bits that base64 does not use: a cursor has one spelling.
    spelt = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    check, body = raw[:_HASH_BYTES], raw[_HASH_BYTES:]
    return body if spelt == text and check == _hash(body) else None


def _hash(content: bytes) -> bytes:
    # Against accidents, not against people: a cursor can only say where to go on reading.
    return hashlib.blake2b(content, digest_size=_HASH_BYTES, person=_VERSION).digest()
