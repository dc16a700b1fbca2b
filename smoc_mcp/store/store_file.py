"""The file of a SQLite store: made for its owner alone, and never somebody else's."""

import errno
import os
import stat
from pathlib import Path

from smoc_mcp.errors import StoreError

__all__ = ["APPLICATION_ID", "prepare"]

APPLICATION_ID = 0x534D4F43
"""In the file's head: "SMOC", so that we never write into somebody else's database."""


def prepare(path: Path) -> None:
    """Make the file and its folders, readable by nobody else.

    The mode is changed of a store of ours alone, never of what somebody else's file may be.
    """
    try:
        _make_folders(path.parent)
        descriptor = _open_file(path)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise StoreError(
                    f"The store {path} is no regular file. Set SMOC_MCP_STORE to a file of its own."
                )
            if _is_ours(descriptor) and stat.S_IMODE(os.fstat(descriptor).st_mode) != 0o600:
                path.chmod(0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise StoreError(
                f"The store {path} is a link. Set SMOC_MCP_STORE to the file itself."
            ) from error
        raise StoreError(
            f"The store {path} cannot be opened ({error.strerror}). Set SMOC_MCP_STORE to a file "
            "in a folder that can be written."
        ) from error


def _make_folders(folder: Path) -> None:
    """Make the folders that are missing, each for its owner alone."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def _open_file(path: Path) -> int:
    """Return the descriptor of a file, made if missing; a link is not followed."""
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if path.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
        return os.open(path, flags)


def _is_ours(descriptor: int) -> bool:
    """Return whether a file is a store of ours: SQLite's header says which program's it is."""
    head = os.read(descriptor, 72)
    return head.startswith(b"SQLite format 3\0") and head[68:72] == APPLICATION_ID.to_bytes(4)
