"""Snippets that plug smoc-mcp into an MCP client."""

import json
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = ["CLIENTS", "snippet", "where"]

_KEY = "<your SMOC API key>"


def snippet(client: str) -> str:
    """Return what to put into a client's settings, or the command to run, for one of CLIENTS."""
    return _SNIPPETS[client](_command())


def where(client: str) -> str:
    """Return where a client's snippet belongs, as one line for a person."""
    return _PLACES[client]


def _command() -> list[str]:
    """Return the command that starts this very installation.

    A desktop program's PATH is short, so the path is absolute.
    """
    for found in (Path(sys.argv[0]), Path(shutil.which("smoc-mcp") or "")):
        if found.stem == "smoc-mcp" and found.is_file():
            return [str(found.absolute())]
    return [sys.executable, "-m", "smoc_mcp"]


def _server(command: list[str], **more: object) -> dict[str, object]:
    arguments = {"args": command[1:]} if command[1:] else {}
    return {**more, "command": command[0], **arguments, "env": {"SMOC_API_KEY": _KEY}}


def _under(name: str, **more: object) -> Callable[[list[str]], str]:
    def write(command: list[str]) -> str:
        return json.dumps({name: {"smoc": _server(command, **more)}}, indent=2)

    return write


def _claude_code(command: list[str]) -> str:
    return f"claude mcp add smoc --env SMOC_API_KEY='{_KEY}' -- {shlex.join(command)}"


def _codex(command: list[str]) -> str:
    # TOML's basic strings and arrays are written as JSON's are.
    lines = ["[mcp_servers.smoc]", f"command = {json.dumps(command[0])}"]
    if command[1:]:
        lines.append(f"args = {json.dumps(command[1:])}")
    return "\n".join([*lines, f"env = {{ SMOC_API_KEY = {json.dumps(_KEY)} }}"])


def _vscode(command: list[str]) -> str:
    prompt = {
        "type": "promptString",
        "id": "smoc-api-key",
        "description": "SMOC API key (Console → Settings → Integrations → API)",
        "password": True,
    }
    server = _server(command, type="stdio") | {"env": {"SMOC_API_KEY": "${input:smoc-api-key}"}}
    return json.dumps(
        {"inputs": [prompt], "servers": {"smoc": server}}, indent=2, ensure_ascii=False
    )


_SNIPPETS: Mapping[str, Callable[[list[str]], str]] = {
    "claude-desktop": _under("mcpServers"),
    "claude-code": _claude_code,
    "cursor": _under("mcpServers"),
    "vscode": _vscode,
    "codex": _codex,
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
CLIENTS = tuple(_SNIPPETS)
"""The clients that there is a snippet for."""
