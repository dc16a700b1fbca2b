"""Puts our entry into the file of an MCP client, for `config --write`; all else in it stays."""

import json
import math
import shutil
from collections.abc import Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from smoc_mcp.cli.files import replacing
from smoc_mcp.errors import UsageError

__all__ = ["KEY_TO_FILL_IN", "NAME", "add_server"]

NAME = "smoc"
"""The name of our entry among a client's servers."""
KEY_TO_FILL_IN = "<your SMOC API key>"

_Tree = MutableMapping[str, Any]


def add_server(
    path: Path, wanted: Mapping[str, Any], settings: Mapping[str, str], *, has_key: bool
) -> str:
    """Write our entry into a client's file; return what was done, for a person.

    Other servers stay, the entry's own other settings too, and a copy of the old file is kept. The
    key is the one in `wanted`, or without one the entry's present one.

    Args:
        path: The file; it need not exist.
        wanted: What the file must hold of ours.
        settings: What of it are settings of ours: an address in them replaces the entry's.
        has_key: Whether `wanted` has a key, and not the place to fill it in.

    Raises:
        UsageError: The file cannot be read, understood or written; it is unchanged.
    """
    # A file that is a link, as to a folder of settings under version control, stays one.
    try:
        target = path.expanduser().resolve()
    except (OSError, RuntimeError) as error:
        raise UsageError(f"{path} cannot be read: it is a loop of links.") from error
    old = _read(target)
    tree = _parse(old, target)
    _merge(tree, wanted, target, has_key=has_key)
    if "SMOC_ENVIRONMENT" in settings or "SMOC_BASE_URL" in settings:
        _drop_other_address(tree, settings)
    new = _written(tree, target)
    if new == old:
        return f"{target} has this entry already; nothing was changed."
    kept = _replace(target, new)
    told = f"Wrote the server {NAME!r} into {target}"
    told += f"; the old file is {kept}." if kept else "."
    if "inputs" in wanted:
        return f"{told} VS Code asks for the key when it starts the server."
    if KEY_TO_FILL_IN in new:
        return f"{told} Put your key in place of {KEY_TO_FILL_IN}, then restart it."
    return f"{told} Restart it to see the tools."


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}. Nothing was changed.") from None


def _parse(text: str, path: Path) -> _Tree:
    tree: object
    if path.suffix == ".toml":
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        try:
            tree = tomlkit.parse(text)
        except TOMLKitError as error:
            raise _unusable(path, f"no valid TOML ({error})") from None
    else:
        try:
            tree = json.loads(text, **_STRICT) if text.strip() else {}
        except _TwiceError as error:
            raise _unusable(path, f"ambiguous (it has {error} twice)") from None
        except ValueError as error:
            raise _unusable(path, f"no valid JSON ({error})") from None
        except RecursionError:
            raise _unusable(path, "nested too deep to be read") from None
    if not isinstance(tree, MutableMapping):
        raise _unusable(path, "no object")
    return tree


class _TwiceError(Exception):
    """A name is in an object twice: to keep one of them would lose the other."""


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(json.dumps(n) for n in names if names.count(n) > 1))
    return tree


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number[:20]} is no number that can be kept")
    return value


_STRICT: dict[str, Any] = {
    "object_pairs_hook": _once,
    "parse_float": _finite,
    "parse_constant": _finite,
}
"""What Python's parser takes and JSON cannot hold is refused."""


def _unusable(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path} is {why}, so nothing was changed. Mend it, or put in what the command prints "
        "without --write."
    )


def _merge(tree: _Tree, wanted: Mapping[str, Any], path: Path, *, has_key: bool) -> None:
    """Put what is wanted into a tree: objects by name, lists by the id of their entries."""
    for name, value in wanted.items():
        present = tree.get(name)
        if isinstance(value, Mapping):
            if present is None:
                tree[name] = present = {}
                present = tree[name]
            if not isinstance(present, MutableMapping):
                raise _unusable(path, f"not as expected ({name} is no object)")
            _merge(present, value, path, has_key=has_key)
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            others = present if isinstance(present, list) else []
            ours = {entry["id"] for entry in value}
            tree[name] = [o for o in others if not _is_one_of(o, ours)] + value
        elif name != "SMOC_API_KEY" or has_key or present is None:
            tree[name] = value
    if "command" in wanted and "args" not in wanted:
        # What another way of starting it left behind.
        tree.pop("args", None)


def _drop_other_address(tree: _Tree, settings: Mapping[str, str]) -> None:
    """Take out of the entry's environment what says another address than the settings do."""
    for held in tree.values():
        if isinstance(held, Mapping) and isinstance(entry := held.get(NAME), Mapping):
            for name in {"SMOC_ENVIRONMENT", "SMOC_BASE_URL"} - settings.keys():
                entry.get("env", {}).pop(name, None)


def _is_one_of(entry: object, ids: set[Any]) -> bool:
    return isinstance(entry, Mapping) and entry.get("id") in ids


def _written(tree: _Tree, path: Path) -> str:
    if path.suffix == ".toml":
        import tomlkit

        return tomlkit.dumps(tree)
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"


def _replace(path: Path, text: str) -> Path | None:
    """Replace a file as a whole; return the copy of the old one, if there was one."""
    kept = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
            kept = path.with_name(f"{path.name}.{stamp}.bak")
            shutil.copyfile(path, kept)
            # Both may hold the key: nobody else may read them, even if they could before.
            kept.chmod(0o600)
        with replacing(path) as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    return kept
