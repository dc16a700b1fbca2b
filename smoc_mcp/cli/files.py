"""Writes files that only their owner may read, as a whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

__all__ = ["replacing"]


@contextmanager
def replacing(path: Path, *, newline: str | None = None) -> Iterator[TextIO]:
    """Yield a file that takes the place of another once all is written.

    It is written beside the other under a name of its own, so that a failure leaves the old file.
    Only its owner may read it.

    Args:
        path: The file to replace, or to make.
        newline: As `open` takes it.

    Raises:
        OSError: It cannot be written; the old file is unchanged.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline=newline) as file:
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
