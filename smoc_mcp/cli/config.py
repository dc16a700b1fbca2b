"""`config`: prints or writes what an MCP client needs in its settings to start this server."""

import argparse
import base64
import json
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from smoc_mcp.cli.client_files import KEY_TO_FILL_IN, NAME, add_server
from smoc_mcp.cli.command import Command
from smoc_mcp.errors import UsageError
from smoc_mcp.settings import Settings

__all__ = ["CLIENTS", "CONFIG", "file_of", "install_link"]

_UVX = ["uvx", "smoc-mcp"]
_VSCODE_KEY = "${input:smoc-api-key}"
_VSCODE_INPUT = {
    "type": "promptString",
    "id": "smoc-api-key",
    "description": "SMOC API key (Console → Settings → Integrations → API)",
    "password": True,
}
_SUPPORT = {
    "darwin": "Library/Application Support",
    "win32": "AppData/Roaming",
}
_FILES = {
    "claude-desktop": "Claude/claude_desktop_config.json",
    "vscode": "Code/User/mcp.json",
    "cursor": ".cursor/mcp.json",
    "codex": ".codex/config.toml",
}
_PLACES = {
    "claude-desktop": "Settings → Developer → Edit Config (claude_desktop_config.json), then "
    "restart Claude Desktop:",
    "claude-code": "Run:",
    "cursor": "~/.cursor/mcp.json, or .cursor/mcp.json in a project:",
    "vscode": ".vscode/mcp.json in a workspace, or MCP: Open User Configuration; VS Code asks for "
    "the key and keeps it:",
    "codex": "~/.codex/config.toml:",
}
CLIENTS = tuple(_PLACES)
"""The clients that there is a snippet for."""


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--write", action="store_true", help="put it into the client's file")
    parser.add_argument("--file", type=Path, help="another file than the client's usual one")
    parser.add_argument("client", choices=CLIENTS, metavar="CLIENT", help=", ".join(CLIENTS))


def _run(options: argparse.Namespace) -> int:
    # A wrong setting is told now: clients hide what a server says when it starts.
    key = Settings.from_env(needs_key=None).api_key.get_secret_value()
    settings = Settings.named()
    if options.write:
        print(_write(options.client, key, settings, options.file))
        return 0
    where, what = _snippet(options.client, settings)
    # The snippet alone on stdout, so that it can be piped.
    print(where, file=sys.stderr)
    print(what)
    return 0


def _write(client: str, key: str, settings: Mapping[str, str], path: Path | None) -> str:
    """Write our entry into a client's file, or into another one; return what was done."""
    usual = file_of(client)
    if usual is None:
        raise UsageError(
            f"{client} has a command of its own for this: run what `smoc-mcp config {client}` "
            "prints."
        )
    wanted = _servers(client, key or KEY_TO_FILL_IN, settings)
    return add_server(path or usual, wanted, settings, has_key=bool(key))


def _snippet(client: str, settings: Mapping[str, str]) -> tuple[str, str]:
    """Return where a client's snippet belongs, and what to put there or to run.

    Args:
        client: One of `CLIENTS`.
        settings: What the server's environment shall be, but for the key.
    """
    command = _command()
    if client == "claude-code":
        told = [f"SMOC_API_KEY='{KEY_TO_FILL_IN}'"]
        told += [f"{name}={shlex.quote(value)}" for name, value in settings.items()]
        run = f"claude mcp add {NAME} --scope user {' '.join(f'--env {pair}' for pair in told)} -- "
        return _PLACES[client], run + shlex.join(command)
    if client == "codex":
        # TOML's basic strings and arrays are written as JSON's are.
        lines = [f"[mcp_servers.{NAME}]", f"command = {json.dumps(command[0])}"]
        if command[1:]:
            lines.append(f"args = {json.dumps(command[1:])}")
        env = {"SMOC_API_KEY": KEY_TO_FILL_IN, **settings}
        pairs = (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in env.items())
        lines.append(f"env = {{ {', '.join(pairs)} }}")
        return _PLACES[client], "\n".join(lines)
    entry = _servers(client, KEY_TO_FILL_IN, settings)
    return _PLACES[client], json.dumps(entry, indent=2, ensure_ascii=False)


def _servers(client: str, key: str, settings: Mapping[str, str]) -> dict[str, Any]:
    """Return what a client's file must hold for it to start this very installation.

    Args:
        client: One of `CLIENTS` that has a file.
        key: The company's key; VS Code asks for it instead.
        settings: What the server's environment shall be beside it.
    """
    if client == "vscode":
        key = _VSCODE_KEY
    server = _server(_command(), {"SMOC_API_KEY": key, **settings})
    match client:
        case "vscode":
            return {"inputs": [_VSCODE_INPUT], "servers": {NAME: {"type": "stdio", **server}}}
        case "codex":
            return {"mcp_servers": {NAME: server}}
        case _:
            return {"mcpServers": {NAME: server}}


def file_of(client: str, home: Path | None = None, system: str = sys.platform) -> Path | None:
    """Return the file in which a client keeps its servers; None if it has a command for that."""
    if client not in _FILES:
        return None
    home = home or Path.home()
    if client in ("claude-desktop", "vscode"):
        home = home / _SUPPORT.get(system, ".config")
    return home / _FILES[client]


def install_link(client: str) -> str:
    """Return a link that plugs the published package into Cursor or VS Code, for a badge."""
    if client == "cursor":
        env = {"SMOC_API_KEY": KEY_TO_FILL_IN}
        config = json.dumps(_server(_UVX, env), separators=(",", ":"))
        packed = base64.b64encode(config.encode()).decode()
        return "https://cursor.com/en/install-mcp?" + urlencode({"name": NAME, "config": packed})
    if client == "vscode":
        server = {**_server(_UVX, {"SMOC_API_KEY": _VSCODE_KEY}), "type": "stdio"}
        parts = {"name": NAME, "inputs": [_VSCODE_INPUT], "config": server}
        told = {n: v if isinstance(v, str) else json.dumps(v) for n, v in parts.items()}
        return "https://vscode.dev/redirect/mcp/install?" + urlencode(told, quote_via=quote)
    raise ValueError(f"{client} has no install link")


def _server(command: list[str], env: dict[str, str]) -> dict[str, Any]:
    arguments = {"args": command[1:]} if command[1:] else {}
    return {"command": command[0], **arguments, "env": env}


def _command() -> list[str]:
    """Return the command that starts this very installation.

    A desktop program's PATH is short, so the path is absolute.
    """
    for found in (Path(sys.argv[0]), Path(shutil.which("smoc-mcp") or "")):
        if found.stem == "smoc-mcp" and found.is_file():
            return [str(found.absolute())]
    return [sys.executable, "-m", "smoc_mcp"]


CONFIG = Command(
    "config",
    "the snippet for an MCP client",
    "Prints what to put into a client's settings to plug smoc-mcp in. With --write it is put\n"
    "into the client's own file: other servers stay as they are, and a copy of the old file\n"
    "is kept. The settings in your environment (SMOC_MCP_MASK and so on) become the server's;\n"
    "the key only with --write.",
    _run,
    _add_options,
)
