"""What tests of HTTP share: the server as a real process, an issuer of tokens, the SDK's client."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

AUDIENCE = "https://mcp.example.com/mcp"
_STARTED = re.compile(r"(http://\S+)/mcp, with")


class Served:
    """A server that runs as a process."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.log: list[str] = []

    def read_log(self) -> None:
        """Read what it says, so that the pipe is never full."""
        assert self.process.stderr is not None
        self.log.extend(self.process.stderr)


@contextmanager
def http_server(api: str, *arguments: str, **env: str) -> Iterator[Served]:
    """Start `smoc-mcp http` on a free port, and yield it."""
    command = [sys.executable, "-m", "smoc_mcp", "http", "--port", "0", *arguments]
    environment = {"PATH": os.environ["PATH"], "SMOC_BASE_URL": api, **env}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = ""
        for line in process.stderr:
            told += line
            if found := _STARTED.search(line):
                break
        else:
            raise AssertionError(told)
        served = Served(process, found[1])
        reader = threading.Thread(target=served.read_log, daemon=True)
        reader.start()
        _wait_until_it_answers(served.url)
        try:
            yield served
        finally:
            process.terminate()
            process.wait(15)
            reader.join(5)


def _wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + 15
    with httpx2.Client() as http:
        while time.monotonic() < deadline:
            try:
                http.get(f"{url}/healthz")
            except httpx2.TransportError:
                continue
            return
    raise AssertionError("the server does not answer")


@asynccontextmanager
async def http_client(
    url: str, mode: Literal["auto", "legacy"] = "auto", **headers: str
) -> AsyncIterator[Client]:
    """Yield the SDK's client, with headers such as x_smoc_token."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        httpx2.AsyncClient(headers=named, timeout=30) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


def post(url: str, body: bytes | None = None, **headers: str) -> httpx2.Response:
    """Send one message as it is, by default a call of contacts_stats of the older protocol."""
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "contacts_stats", "arguments": {}},
    }
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    accepts = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    content = json.dumps(message).encode() if body is None else body
    with httpx2.Client(timeout=30) as http:
        return http.post(f"{url}/mcp", content=content, headers={**accepts, **named})


class Issuer:
    """An OAuth issuer: its metadata and its keys over HTTP, and tokens that it signs."""

    def __init__(self) -> None:
        self.keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.requests = 0
        self.url = ""
        self.is_down = False
        self.instead: dict[str, object] = {}
        """What is sent at a path instead of what is right."""
        self.rotate("first")

    def rotate(self, kid: str) -> None:
        """Sign with a new key from now on, the only one that is named."""
        self.kid = kid
        self.keys = {kid: ec.generate_private_key(ec.SECP256R1())}

    def token(self, **claims: Any) -> str:
        """Return a token that is good, but for the claims given; None leaves one out."""
        usual = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "somebody",
            "exp": int(time.time()) + 300,
            "scope": "openid contacts:read",
        }
        whole = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode(whole, self.keys[self.kid], "ES256", {"kid": self.kid})

    def jwks(self) -> dict[str, Any]:
        """Return the public keys."""
        algorithm = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
        return {
            "keys": [
                {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "alg": "ES256"}
                for kid, key in self.keys.items()
            ]
        }


@contextmanager
def issuer() -> Iterator[Issuer]:
    """Serve an issuer on loopback."""
    it = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            it.requests += 1
            found: dict[str, dict[str, Any]] = {
                "/.well-known/openid-configuration": {
                    "issuer": it.url,
                    "jwks_uri": f"{it.url}/jwks",
                },
                "/jwks": it.jwks(),
            }
            content = {**found, **it.instead}.get(self.path)
            status = 404 if content is None else 200
            self.send_response(503 if it.is_down else status)
            self.end_headers()
            self.wfile.write(
                content if isinstance(content, bytes) else json.dumps(content).encode()
            )

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        it.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield it
        finally:
            server.shutdown()
