"""Puts the HTTP server together from the settings: whose contacts it shows, and who may ask."""

import logging
import os
import signal
import socket
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
from pydantic import SecretStr
from starlette.applications import Starlette

from smoc_mcp.api.client import SmocClient
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.errors import ConfigurationError, KeyRefusedError, SmocError, UsageError
from smoc_mcp.http.access import (
    Access,
    Anybody,
    Bearers,
    Caller,
    ManyCompanies,
    OwnKey,
    Reloading,
    ServerKey,
)
from smoc_mcp.http.app import build_app, run
from smoc_mcp.http.asking import asking, current_directory
from smoc_mcp.http.companies import Companies
from smoc_mcp.http.company_file import View, read_company_file
from smoc_mcp.http.metadata import metadata_url
from smoc_mcp.http.metrics import Metrics
from smoc_mcp.http.settings import HttpSettings
from smoc_mcp.http.tokens import TokenVerifier
from smoc_mcp.http.transport import PATH
from smoc_mcp.opening import open_directory
from smoc_mcp.server.server import server_of
from smoc_mcp.settings import Settings
from smoc_mcp.variables import is_loopback

__all__ = ["Wanted", "access_of", "app_of", "listen", "serve_http"]

logger = logging.getLogger(__name__)

# A key that nobody has. An API that refuses it has been reached.
_NO_KEY = SecretStr("no-key")
_MOST_OPENINGS = 200
"""So many stores are opened at once, each in a thread: more than the strangers of most servers."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody who starts a server asks for beside the settings.

    Attributes:
        host: Where it listens.
        port: There; 0 for a free one.
        unauthenticated: Everybody may call.
        workers: How many processes serve.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    unauthenticated: bool = False
    workers: int = 1


def serve_http(wanted: Wanted) -> None:
    """Serve until told to end.

    Raises:
        ConfigurationError: Nobody could be told apart, or nobody could be answered.
        UsageError: The port is taken, the host is not this machine's, or a port cannot be shared.
    """
    if wanted.workers < 1 or (wanted.workers > 1 and os.name != "posix"):
        raise UsageError("--workers is a number from 1 on; more than 1 needs Linux or macOS.")
    access = access_of(wanted)
    listener = listen(wanted.host, wanted.port)
    wanted = replace(wanted, port=listener.getsockname()[1])
    _announce(wanted)
    if wanted.workers > 1:
        from smoc_mcp.http.workers import serve_workers

        serve_workers(wanted, listener)
        return
    reload_when_told(access)
    run(app_of(*_settings(), access, wanted.port), listener)


def access_of(wanted: Wanted) -> Reloading:
    """Return who may call, by the environment.

    Raises:
        ConfigurationError: Nobody could be told apart, or nobody could be answered.
    """

    def read() -> Access:
        settings, http = _settings()
        return _access(settings, http, wanted.host, unauthenticated=wanted.unauthenticated)

    return Reloading(read)


def _settings() -> tuple[Settings, HttpSettings]:
    return Settings.from_env(needs_key=None), HttpSettings.from_env()


def _announce(wanted: Wanted) -> None:
    settings, http = _settings()
    if http.companies:
        whose = "the keys of many companies"
    elif settings.api_key.get_secret_value():
        whose = "the server's key"
    else:
        whose = "each caller's own key"
    if wanted.workers > 1:
        whose += f", {wanted.workers} processes"
    shown = f"[{wanted.host}]" if ":" in wanted.host else wanted.host
    logger.warning("http://%s:%d%s, with %s", shown, wanted.port, PATH, whose)
    if not is_loopback(wanted.host) and not http.allowed_hosts:
        logger.warning(
            "SMOC_MCP_ALLOWED_HOSTS is not set, so requests are answered only if they come to "
            "localhost: name the host that clients use, such as mcp.example.com"
        )


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


def reload_when_told(access: Reloading) -> None:
    """Read secrets and companies again at SIGHUP, where there is such a signal."""

    def reload(*_: object) -> None:
        try:
            access.reload()
        except ConfigurationError as error:
            logger.error("SIGHUP: nothing was changed: %s", error)  # noqa: TRY400  it is a sentence
        else:
            logger.warning("SIGHUP: secrets and companies were read again")

    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, reload)


def app_of(settings: Settings, http: HttpSettings, access: Access, port: int) -> Starlette:
    """Return the ASGI app that the settings describe, to listen on a port."""
    own_key = not (settings.api_key.get_secret_value() or http.companies)
    openings = anyio.CapacityLimiter(min(http.max_companies, _MOST_OPENINGS))
    metrics = Metrics()

    def shown_as(view: View) -> Settings:
        zone = settings.timezone if view.zone is None else view.zone
        return replace(
            settings, timezone=zone, mask=settings.mask if view.mask is None else view.mask
        )

    def opened(caller: Caller) -> AbstractAsyncContextManager[ContactDirectory]:
        of_company = shown_as(caller.view)
        if caller.own_key:
            return open_directory(of_company, caller.key, openings, metrics.upstream)
        of_company = replace(of_company, api_key=caller.key)
        return open_directory(of_company, None, openings, metrics.upstream)

    companies = Companies(opened, http.max_companies)

    async def is_ready() -> str:
        """Return why nobody can be answered; empty where they can."""
        key = settings.api_key if settings.api_key.get_secret_value() else _NO_KEY
        how = settings.base_url, key, settings.timeout_seconds
        async with SmocClient(*how, logs=False) as client:
            try:
                await client.fetch_contacts(None, 1, seconds=5.0)
            except KeyRefusedError as error:
                return "" if key is _NO_KEY else str(error)
            except SmocError as error:
                return "" if not own_key and await in_hand() else str(error)
        return ""

    async def in_hand() -> bool:
        """Say whether there is something to answer from while SMOC cannot be asked."""
        if settings.api_key.get_secret_value():
            try:
                async with companies.use(Caller("readiness", settings.api_key)) as directory:
                    return (await directory.standing()).contacts > 0
            except SmocError:
                return False
        return any(standing.contacts for standing in await companies.standings())

    return build_app(
        lambda view: server_of(shown_as(view), current_directory, asking, metrics.call),
        access,
        companies,
        http,
        is_ready,
        port=port,
        metrics=metrics,
        store=settings.store if isinstance(settings.store, Path) else None,
    )


def _access(settings: Settings, http: HttpSettings, host: str, *, unauthenticated: bool) -> Access:
    key = settings.api_key
    proofs = bool(http.bearer_tokens or http.oauth_issuer)
    if http.companies:
        return _many_companies(settings, http, unauthenticated=unauthenticated)
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
    return ServerKey(key, http.bearer_tokens, _bearers(http))


def _many_companies(
    settings: Settings, http: HttpSettings, *, unauthenticated: bool
) -> ManyCompanies:
    if settings.api_key.get_secret_value() or http.bearer_tokens or unauthenticated:
        raise ConfigurationError(
            "SMOC_MCP_COMPANIES names the keys and secrets of all companies: leave SMOC_API_KEY, "
            "SMOC_MCP_BEARER_TOKENS and --allow-unauthenticated out."
        )
    file = read_company_file(http.companies or Path())
    if file.claim and not http.oauth_issuer:
        raise ConfigurationError(
            "SMOC_MCP_COMPANIES names a claim, so set SMOC_MCP_OAUTH_ISSUER: who issues the tokens."
        )
    return ManyCompanies(file, _bearers(http))


def _bearers(http: HttpSettings) -> Bearers:
    if not (http.oauth_issuer and http.oauth_audience):
        return Bearers()
    verifier = TokenVerifier(http.oauth_issuer, http.oauth_audience)
    return Bearers(verifier, http.oauth_issuer, metadata_url(http.oauth_audience))
