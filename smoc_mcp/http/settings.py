"""The settings of the HTTP server; see `smoc_mcp.settings` for how they are declared."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from smoc_mcp.errors import ConfigurationError
from smoc_mcp.settings import environment
from smoc_mcp.text.commas import comma_list
from smoc_mcp.variables import MustBe, flag, is_safe_address, number, read_settings, setting

__all__ = ["HttpSettings"]

_LEAST_SECRET = 16


def _bearer_tokens(listed: str, file: str) -> tuple[SecretStr, ...]:
    tokens = list(comma_list(listed))
    if path := file.strip():
        try:
            lines = Path(path).expanduser().read_text("utf-8").split()
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(
                "SMOC_MCP_BEARER_TOKENS_FILE cannot be read: name a file with one secret a line."
            ) from None
        if not lines:
            raise ConfigurationError("SMOC_MCP_BEARER_TOKENS_FILE holds no secret.")
        tokens += lines
    for token in tokens:
        if len(token) < _LEAST_SECRET or not re.fullmatch(r"[!-~]+", token):
            raise ConfigurationError(
                f"SMOC_MCP_BEARER_TOKENS must be secrets of at least {_LEAST_SECRET} visible "
                "characters each, separated by commas; `openssl rand -hex 32` makes one."
            )
    return tuple(map(SecretStr, tokens))


def _address(url: str) -> str:
    if not is_safe_address(url) or "#" in url:
        raise MustBe("an https:// address")
    return url


def _file(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _header(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", text):
        raise MustBe("the name of a header, such as X-Forwarded-For")
    return text.lower()


def _calls(text: str) -> int:
    return int(number(1, 1_000_000)(text))


def _companies(text: str) -> int:
    return int(number(1, 100_000)(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """What the environment says of HTTP. Build it with `from_env`.

    There may be several `bearer_tokens`, so that one can replace another. A host may end in `:*`
    for any port.
    """

    bearer_tokens: tuple[SecretStr, ...] = setting(
        _bearer_tokens,
        (),
        SMOC_MCP_BEARER_TOKENS="secrets by which callers prove themselves, separated by commas",
        SMOC_MCP_BEARER_TOKENS_FILE="a file with one secret a line",
    )
    companies: Path | None = setting(
        _file,
        None,
        SMOC_MCP_COMPANIES="a TOML file of companies: their keys, and who belongs to which",
    )
    oauth_issuer: str | None = setting(
        _address,
        None,
        SMOC_MCP_OAUTH_ISSUER="who issues the tokens of callers",
    )
    oauth_audience: str | None = setting(
        _address,
        None,
        SMOC_MCP_OAUTH_AUDIENCE="for whom they must be issued: this server's own address",
    )
    allowed_hosts: tuple[str, ...] = setting(
        comma_list,
        (),
        SMOC_MCP_ALLOWED_HOSTS="Host headers that are answered, such as mcp.example.com",
    )
    allowed_origins: tuple[str, ...] = setting(
        comma_list,
        (),
        SMOC_MCP_ALLOWED_ORIGINS="Origin headers of browsers that are answered",
    )
    address_header: str = setting(
        _header,
        "",
        SMOC_MCP_ADDRESS_HEADER="where a proxy of yours says who calls, such as X-Forwarded-For",
    )
    log_addresses: bool = setting(
        flag,
        False,
        SMOC_MCP_LOG_ADDRESSES="1 writes the addresses of refused callers to the log",
    )
    calls_per_minute: int = setting(
        _calls,
        120,
        SMOC_MCP_CALLS_PER_MINUTE="how often one caller may ask (120)",
    )
    max_companies: int = setting(
        _companies,
        50,
        SMOC_MCP_MAX_COMPANIES="how many companies are held at once (50)",
    )

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "HttpSettings":
        """Return the settings that the environment (or `env`) holds.

        Raises:
            ConfigurationError: A value is wrong; the message is one line that names the variable.
        """
        found = cls(**read_settings(cls, environment(env)))
        if found.oauth_issuer and not found.oauth_audience:
            raise ConfigurationError(
                "SMOC_MCP_OAUTH_AUDIENCE is not set: name this server's own address, such as "
                "https://mcp.example.com/mcp, for which tokens must be issued."
            )
        return found
