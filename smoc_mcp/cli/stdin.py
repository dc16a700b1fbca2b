"""Reads what a client sends on stdin, with what the SDK would drop unanswered put right."""

import io
import re
from typing import BinaryIO, TextIO

__all__ = ["mended_stdin", "with_whole_pairs"]

# Whatever else a backslash escapes is matched too, so that `\\ud83d`, which is text, stays.
_ESCAPES = re.compile(
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\.",
    re.DOTALL,
)


def with_whole_pairs(line: bytes) -> bytes:
    r"""Return a line of JSON in which half a surrogate pair, such as `\ud83d`, is U+FFFD.

    Clients that cut a text in the middle of an emoji send such, and the SDK takes the line for no
    JSON: its caller would wait for ever.
    """
    if b"\\ud" not in line and b"\\uD" not in line:
        return line
    return _ESCAPES.sub(lambda found: rb"\ufffd" if found[2] else found[0], line)


def mended_stdin(stdin: TextIO) -> TextIO:
    """Return a stdin that reads what comes on another, line by line, with whole pairs."""
    return io.TextIOWrapper(io.BufferedReader(_Lines(stdin.buffer)), encoding="utf-8")


class _Lines(io.RawIOBase):
    """The bytes of another stream, each line of them put right.

    Args:
        lines: The other.
    """

    def __init__(self, lines: BinaryIO) -> None:
        super().__init__()
        self._lines = lines
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what io gives it
        """Read what is left of the present line, or of the next; return how many bytes."""
        if not self._rest:
            self._rest = memoryview(with_whole_pairs(self._lines.readline()))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
