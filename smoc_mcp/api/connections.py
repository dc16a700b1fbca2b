"""Opens connections to the API: a pool for each key, with certificates that are read once for all.

httpx is imported when the first question comes, not before: a start that waits for it would be
slower than the SDK alone.
"""

from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from smoc_mcp.errors import ConfigurationError
from smoc_mcp.variables import is_loopback

if TYPE_CHECKING:
    import ssl

    import httpx

__all__ = ["ATTEMPT_SECONDS", "MAX_CONCURRENT", "open_connections", "trusted"]

ATTEMPT_SECONDS = 12.0
MAX_CONCURRENT = 4
_CONNECT_SECONDS = 5.0


def open_connections(base_url: str, api_key: SecretStr) -> "httpx.AsyncClient":
    """Return a pool of connections that send the key, and follow no redirect with it.

    Raises:
        ConfigurationError: The environment's proxies or certificates cannot be used.
    """
    import httpx

    parts = urlsplit(base_url)
    loopback = is_loopback(parts.hostname)
    try:
        return httpx.AsyncClient(
            base_url=base_url,
            headers={
                "token": api_key.get_secret_value(),
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                # What a cache on the way once kept is no proof of what is there now.
                "Cache-Control": "no-cache",
                "Content-Type": "application/json",
                "User-Agent": f"smoc-mcp/{version('smoc-mcp')}",
            },
            timeout=httpx.Timeout(ATTEMPT_SECONDS, connect=_CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=MAX_CONCURRENT),
            follow_redirects=False,
            # A proxy of the environment cannot reach our own machine's loopback.
            trust_env=not loopback,
            verify=_nobody() if loopback and parts.scheme == "http" else trusted(),
        )
    except (ImportError, ValueError, OSError, httpx.InvalidURL) as error:
        raise ConfigurationError(
            "The environment's proxy or certificate settings cannot be used: check HTTPS_PROXY, "
            "ALL_PROXY, NO_PROXY and SSL_CERT_FILE (http:// and https:// proxies work), then "
            "restart the server."
        ) from error


@cache
def trusted() -> "ssl.SSLContext":
    """Return the certificates that the environment trusts; to read them takes a while."""
    import httpx

    return httpx.create_ssl_context()


@cache
def _nobody() -> "ssl.SSLContext":
    """Return no certificates, for connections without TLS: none has to be read."""
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
