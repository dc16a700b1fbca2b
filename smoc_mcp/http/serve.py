"""Puts the HTTP server together from the settings: whose contacts it shows, and who may ask."""

import logging
import os
import socket

import anyio
from pydantic import SecretStr
from starlette.applications import Starlette

from smoc_mcp.api.client import SmocClient
from smoc_mcp.errors import (
    ConfigurationError,
    InvalidKeyError,
    KeyWithoutCompanyError,
    MissingTokenError,
    SmocError,
    UsageError,
)
from smoc_mcp.http.access import Access, Anybody, OwnKey, ServerKey
from smoc_mcp.http.app import build_app, run
from smoc_mcp.http.companies import Companies
from smoc_mcp.http.gate import caller_name, current_directory
from smoc_mcp.http.metadata import metadata_url
from smoc_mcp.http.settings import HttpSettings
from smoc_mcp.http.tokens import TokenVerifier
from smoc_mcp.http.transport import PATH
from smoc_mcp.opening import open_directory
from smoc_mcp.server.server import server_of
from smoc_mcp.settings import Settings
from smoc_mcp.variables import is_loopback

__all__ = ["app_of", "listen", "serve_http"]

logger = logging.getLogger(__name__)

# A key that nobody has. An API that refuses it has been reached.
_NO_KEY = SecretStr("no-key")
_MOST_OPENINGS = 200
"""So many stores are opened at once, each in a thread: more than the strangers of most servers."""


def serve_http(
    settings: Settings, http: HttpSettings, host: str, port: int, *, unauthenticated: bool
) -> None:
    """Serve until told to end.

    Raises:
        ConfigurationError: Nobody could be told apart, or nobody could be answered.
        UsageError: The port is taken, or the host is not this machine's.
    """
    access = _access(settings, http, host, unauthenticated=unauthenticated)
    listener = listen(host, port)
    port = listener.getsockname()[1]
    app = app_of(settings, http, access, port)
    whose = "the server's key" if settings.api_key.get_secret_value() else "each caller's own key"
    shown = f"[{host}]" if ":" in host else host
    logger.warning("http://%s:%d%s, with %s", shown, port, PATH, whose)
    if not is_loopback(host) and not http.allowed_hosts:
        logger.warning(
            "SMOC_MCP_ALLOWED_HOSTS is not set, so requests are answered only if they come to "
            "localhost: name the host that clients use, such as mcp.example.com"
        )
    run(app, listener)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 is a free one.

    Raises:
        UsageError: The port is taken, or the host is not this machine's.
    """
    if not 0 <= port < 65_536:
        raise UsageError(f"there is no port {port}: take one from 1 to 65535, or 0 for a free one.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's delay off (40 ms an answer) only where the protocol is said.
    listener = None
    try:
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if os.name == "posix":  # elsewhere it would take the port from another process
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        if listener is not None:
            listener.close()
        raise UsageError(f"cannot listen on {host} port {port}: {error.strerror}.") from None
    return listener


def app_of(settings: Settings, http: HttpSettings, access: Access, port: int) -> Starlette:
    """Return the ASGI app that the settings describe, to listen on a port."""
    own_key = not settings.api_key.get_secret_value()
    server = server_of(settings, current_directory, caller_name)
    openings = anyio.CapacityLimiter(min(http.max_companies, _MOST_OPENINGS))
    companies = Companies(
        lambda key: open_directory(settings, key if own_key else None, openings),
        http.max_companies,
    )

    async def is_ready() -> str:
        """Return why the API cannot be asked; empty where it can."""
        key = _NO_KEY if own_key else settings.api_key
        async with SmocClient(settings.base_url, key, settings.timeout_seconds) as client:
            try:
                await client.fetch_contacts(None, 1, seconds=5.0)
            except (InvalidKeyError, KeyWithoutCompanyError, MissingTokenError) as error:
                return "" if own_key else str(error)
            except SmocError as error:
                return str(error)
        return ""

    return build_app(server, access, companies, http, is_ready, port=port)


def _access(settings: Settings, http: HttpSettings, host: str, *, unauthenticated: bool) -> Access:
    key = settings.api_key
    proofs = bool(http.bearer_tokens or http.oauth_issuer)
    if not key.get_secret_value():
        if proofs or unauthenticated:
            raise ConfigurationError(
                "SMOC_API_KEY is not set, so each caller brings a key of its own: bearer tokens, "
                "an issuer or --allow-unauthenticated would let nobody in. Set SMOC_API_KEY, or "
                "leave them out."
            )
        return OwnKey()
    if proofs:
        return _server_key(key, http)
    if not unauthenticated:
        raise ConfigurationError(
            "SMOC_API_KEY is set, so callers need no key: set SMOC_MCP_BEARER_TOKENS (or "
            "_FILE) or SMOC_MCP_OAUTH_ISSUER, so that they must prove themselves."
        )
    if not is_loopback(host):
        raise ConfigurationError(
            "--allow-unauthenticated is for loopback only: leave --host out, or set "
            "SMOC_MCP_BEARER_TOKENS."
        )
    return Anybody(key)


def _server_key(key: SecretStr, http: HttpSettings) -> ServerKey:
    if not (http.oauth_issuer and http.oauth_audience):
        return ServerKey(key, http.bearer_tokens)
    verifier = TokenVerifier(http.oauth_issuer, http.oauth_audience)
    return ServerKey(key, http.bearer_tokens, verifier, metadata_url(http.oauth_audience))
