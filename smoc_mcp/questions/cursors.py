"""Cursors: opaque texts that say where an answer ended.

They hold positions and nothing personal or secret, need no memory of ours (so they survive a
restart and work on another replica), and are refused where a character is wrong or the question is
another one.
"""

import base64
import hashlib
import json

from smoc_mcp.errors import CursorError

__all__ = ["Value", "decode", "encode", "fingerprint"]

Value = int | str | list[str]

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
        raise CursorError(
            "The cursor is damaged: pass it exactly as the last answer gave it, or leave it out to "
            "begin at the start."
        )
    if body[:_HASH_BYTES] != question:
        raise CursorError(
            "The cursor belongs to another question: repeat the parameters of the call that gave "
            "it, or leave it out to begin at the start."
        )
    values: list[Value] = json.loads(body[_HASH_BYTES:])
    return values


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
