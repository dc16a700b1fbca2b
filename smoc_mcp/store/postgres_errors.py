"""Errors of PostgreSQL as ours: what happened, and what to do next, without a password."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl

import psycopg

from smoc_mcp.errors import StoreConflictError, StoreError, TooMuchError

__all__ = ["translated"]

_SIGNS = re.compile(r"[:@/?#\[\]%&]")


@contextmanager
def translated(name: str, address: str) -> Iterator[None]:
    """Raise our errors for those of PostgreSQL inside.

    Args:
        name: The database as it may be shown.
        address: As libpq takes it, with a password perhaps, which no error shows.

    Raises:
        TooMuchError: The question takes too long.
        StoreConflictError: Another writer stood in the way.
        StoreError: The database cannot be used.
    """
    try:
        yield
    except psycopg.errors.QueryCanceled as error:
        raise TooMuchError(
            "This question takes too long over the contacts in hand: ask with a filter, or "
            "group by one dimension instead of two."
        ) from error
    except psycopg.errors.IntegrityError as error:
        raise StoreError(
            f"The store ({name}) was erased or moved by another process meanwhile. "
            "Nothing was written: ask again."
        ) from error
    except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected) as error:
        raise StoreConflictError(
            f"The store ({name}) is written to by several at once. Nothing is lost; ask again."
        ) from error
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise StoreError(
            f"The store ({name}) can only be read, as a standby can: let SMOC_MCP_STORE "
            "name the primary. What is in hand can still be asked about."
        ) from error
    except psycopg.errors.DiskFull as error:
        raise StoreError(
            f"The store ({name}) is on a disk that is full: give the database server "
            "room. Nothing is lost; what is in hand can still be asked about."
        ) from error
    except psycopg.Error as error:
        why = _without_password(address, (str(error).splitlines() or [type(error).__name__])[0])
        raise StoreError(
            f"The store ({name}) cannot be used now ({why}): check that PostgreSQL runs, "
            "lets this user in, and has room. Nothing is lost; ask again."
        ) from error


def _without_password(address: str, text: str) -> str:
    """Return what libpq says without anything of the password: it repeats what it misreads."""
    main, _, query = address.partition("?")
    password = main.partition("://")[2].rpartition("@")[0].partition(":")[2]
    password = password or dict(parse_qsl(query)).get("password", "")
    for piece in filter(None, (password, *_SIGNS.split(password))):
        text = text.replace(piece, "…")
    return text
