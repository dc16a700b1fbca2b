"""Servers as processes, and the plainest client there is: what is measured is the server."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Served", "Stdio", "memory_mb", "serving", "start"]

_VERSION = "2025-11-25"
_INITIALIZE = {
    "protocolVersion": _VERSION,
    "capabilities": {},
    "clientInfo": {"name": "benchmark", "version": "0"},
}


class Stdio:
    """A server over stdio, initialized; of this Python or of another."""

    def __init__(
        self, command: Sequence[str], env: dict[str, str], python: str = sys.executable
    ) -> None:
        self.process = subprocess.Popen(
            [python, *command],
            env={**os.environ, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._id = 0
        self.ask("initialize", _INITIALIZE)
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def ask(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of a request."""
        self._id += 1
        message = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": params or {}}
        self._send(message)
        assert self.process.stdout is not None
        while True:
            answer = json.loads(self.process.stdout.readline())
            if answer.get("id") == self._id:
                result: dict[str, Any] = answer["result"]
                return result

    def call(self, tool: str, **arguments: object) -> dict[str, Any]:
        """Return the result of a tool, which must be no error."""
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        assert not result.get("isError"), result
        return result

    def close(self) -> None:
        """End the server."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()


def start(command: Sequence[str], env: dict[str, str], python: str = sys.executable) -> float:
    """Return the seconds from the start of a server to its list of tools."""
    began = time.perf_counter()
    server = Stdio(command, env, python)
    server.ask("tools/list")
    took = time.perf_counter() - began
    server.close()
    return took


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process; 0 where /proc does not tell."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0.0
    lines = status.read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1_024 for line in lines if line.startswith("VmRSS"))


class Served(NamedTuple):
    """A server over HTTP: its address and its process."""

    url: str
    pid: int


@contextmanager
def serving(command: Sequence[str], env: dict[str, str]) -> Iterator[Served]:
    """Start a server over HTTP whose last argument is its port, and yield it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, *command, str(port)],
        env={**os.environ, **env},
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_for(port)
            yield Served(f"http://127.0.0.1:{port}/mcp", process.pid)
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"nothing answers on port {port}")
