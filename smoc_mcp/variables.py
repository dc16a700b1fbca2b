"""Declares settings: fields of a dataclass that name their variables, reader and default.

pydantic-settings would do the same, and make the start of the server a fifth slower.
"""

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import Any, TypeVar, get_args
from urllib.parse import urlsplit

from smoc_mcp.errors import ConfigurationError

__all__ = [
    "LOOPBACK",
    "MustBe",
    "check_names",
    "flag",
    "is_loopback",
    "is_safe_address",
    "number",
    "one_of",
    "read_settings",
    "secret_text",
    "setting",
    "variables_of",
]

T = TypeVar("T")

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""The names of this very machine, which nobody else can reach or listen to."""

_FLAGS = {"1": True, "true": True, "yes": True, "on": True} | dict.fromkeys(
    ("0", "false", "no", "off"), False
)


class MustBe(Exception):  # noqa: N818  read as a sentence: "<variable> must be <message>."
    """Raised by a reader of a variable's text, with what the text must be instead."""


def setting(read: Callable[..., T], default: T, **variables: str) -> T:
    """Return a field of a dataclass that `read_settings` fills from the environment.

    Args:
        read: Returns the value of a text, or raises `MustBe`. It gets the text without blanks at
            its ends, and is not asked about an empty one. Where there are several variables it gets
            the text of each as it is, and raises ConfigurationError itself.
        default: The value where the variable is not set.
        variables: The names of the variables, each with what the help says of it.
    """
    return field(default=default, metadata={"read": read, "variables": variables})


def read_settings(cls: type, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the value of each field of a class of settings, by the field's name.

    Args:
        cls: A dataclass whose fields are made by `setting`.
        values: The environment.

    Raises:
        ConfigurationError: A value is wrong; the message is one line that names the variable.
    """
    found = {}
    for each in fields(cls):
        read, (name, *more) = each.metadata["read"], each.metadata["variables"]
        text = values.get(name, "")
        if more:
            found[each.name] = read(text, *(values.get(other, "") for other in more))
        elif text.strip():
            try:
                found[each.name] = read(text.strip())
            except MustBe as what:
                raise ConfigurationError(f"{name} must be {what}.") from None
    return found


def variables_of(cls: type) -> dict[str, str]:
    """Return the environment variables of a class of settings, with what the help says of each."""
    return {name: said for f in fields(cls) for name, said in f.metadata["variables"].items()}


def check_names(values: Iterable[str], known: Collection[str]) -> None:
    """Refuse a variable of ours that does not exist: a mistyped one would do nothing, unseen.

    Args:
        values: The names of all variables that are set.
        known: The names of all that there are.

    Raises:
        ConfigurationError: One begins with SMOC_ and is none of them; it names the nearest.
    """
    for name in sorted(values):
        if name.startswith("SMOC_") and name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.6)
            instead = f"write {near[0]}, or " if near else ""
            raise ConfigurationError(
                f"{name} is no setting of smoc-mcp: {instead}leave it out. smoc-mcp --help lists "
                "all of them."
            )


def secret_text(name: str, text: str, file: str) -> str:
    """Return what a variable holds, or the file that its sister `NAME_FILE` names.

    Raises:
        ConfigurationError: Both are set, or the file holds nothing that can be read.
    """
    if not file.strip():
        return text
    if text.strip():
        raise ConfigurationError(f"Set {name} or {name}_FILE, not both.")
    try:
        held = Path(file.strip()).expanduser().read_text("utf-8").strip()
    except (OSError, ValueError, RuntimeError):
        raise ConfigurationError(
            f"{name}_FILE cannot be read: name a file that holds what {name} would."
        ) from None
    if not held:
        raise ConfigurationError(f"{name}_FILE names a file that is empty.")
    return held


def number(least: float, most: float) -> Callable[[str], float]:
    """Return a reader of numbers between two bounds."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise MustBe(f"a number from {least:g} to {most:g}")
        return value

    return read


def one_of(choices: object) -> Callable[[str], Any]:
    """Return a reader of one word of a Literal, whatever the case it is written in."""
    known: dict[str, str] = {choice.lower(): choice for choice in get_args(choices)}

    def read(text: str) -> str:
        try:
            return known[text.lower()]
        except KeyError:
            raise MustBe(f"one of {', '.join(known.values())}") from None

    return read


def flag(text: str) -> bool:
    """Read a yes or a no."""
    try:
        return _FLAGS[text.lower()]
    except KeyError:
        raise MustBe("1 or 0") from None


def is_loopback(host: str | None) -> bool:
    """Return whether a host is this very machine."""
    return host in LOOPBACK


def is_safe_address(url: str) -> bool:
    """Return whether a text is an https:// address; one on loopback may be http://."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    return bool(host and safe and re.fullmatch(r"[!-~]+", url)) and port != 0
