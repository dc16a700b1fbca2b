"""Snippets that plug smoc-mcp into an MCP client, the files they belong into, install links."""

import base64
import json
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

__all__ = ["CLIENTS", "KEY_TO_FILL_IN", "NAME", "file_of", "install_link", "servers_of", "snippet"]

NAME = "smoc"
KEY_TO_FILL_IN = "<your SMOC API key>"

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


def snippet(client: str, settings: Mapping[str, str]) -> tuple[str, str]:
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
    entry = servers_of(client, KEY_TO_FILL_IN, settings)
    return _PLACES[client], json.dumps(entry, indent=2, ensure_ascii=False)


def servers_of(client: str, key: str, settings: Mapping[str, str]) -> dict[str, Any]:
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
