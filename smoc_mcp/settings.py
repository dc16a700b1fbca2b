"""The settings, read from the environment once; no other module reads it."""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TextIO, TypeVar, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from smoc_mcp.errors import ApiKeyError, ConfigurationError

__all__ = [
    "ENVIRONMENTS",
    "HttpSettings",
    "LogLevel",
    "Mask",
    "Settings",
    "check_key",
    "is_colourful",
]

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
LogFormat = Literal["text", "json"]
ToolSet = Literal["standard", "chatgpt"]
Mask = Literal["email", "phone", "name"]
"""Kinds of personal data that can be masked."""
C = TypeVar("C", bound=str)

ENVIRONMENTS = {
    "production": "https://v2.api.smoc.ai",
    "alternate": "https://v2-production.api.smoc.ai",
    "staging": "https://v2-staging.api.smoc.ai",
}
"""The base URLs of the API's guide."""

_WHERE_TO_GET_A_KEY = (
    "Generate one in SMOC Console under Settings → Integrations → API and set SMOC_API_KEY to it."
)
_LEAST_SECRET = 16
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_FLAGS = {"1": True, "true": True, "yes": True, "on": True} | dict.fromkeys(
    ("", "0", "false", "no", "off"), False
)


_NAMES = (
    *("SMOC_ENVIRONMENT", "SMOC_BASE_URL", "SMOC_MCP_CACHE_SECONDS", "SMOC_MCP_TIMEOUT_SECONDS"),
    *("SMOC_MCP_TIMEZONE", "SMOC_MCP_SHOW_TECHNICAL", "SMOC_MCP_MASK", "SMOC_MCP_LOG_LEVEL"),
    *("SMOC_MCP_LOG_FORMAT", "SMOC_MCP_STORE", "SMOC_MCP_RETENTION_DAYS", "SMOC_MCP_TOOLS"),
    "SMOC_MCP_CONTACT_URL",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says. Build it with `from_env`.

    Attributes:
        api_key: The SMOC API key; its value is in no repr.
        base_url: The API's address, without a trailing slash.
        cache_seconds: How long a window stays live.
        timeout_seconds: The most that one question may take, all retries included.
        timezone: What a bare date means, and the days that contacts are grouped by.
        show_technical: Whether details show IP addresses and user agents.
        mask: The kinds of personal data that are masked in every output.
        log_level: How much goes to stderr.
        log_format: With json, each call of a tool is one line of JSON on stderr.
        store: The file in which contacts are kept; None keeps them in memory only.
        retention_days: Contacts not seen for so many days are dropped; None keeps all.
    """

    api_key: SecretStr = field(default=SecretStr(""))
    base_url: str = ENVIRONMENTS["production"]
    cache_seconds: float = 60.0
    timeout_seconds: float = 20.0
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    show_technical: bool = False
    mask: frozenset[Mask] = frozenset()
    log_level: LogLevel = "WARNING"
    log_format: LogFormat = "text"
    store: Path | None = None
    retention_days: int | None = None
    tools: ToolSet = "standard"
    contact_url: str = ""

    @property
    def key_hash(self) -> str:
        """A text that tells this key at this address from others, and does not give it away."""
        told = f"{self.base_url}\n{self.api_key.get_secret_value()}".encode()
        return hashlib.blake2b(told, digest_size=16, person=b"smoc-mcp key").hexdigest()

    @staticmethod
    def named(env: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the variables that the environment (or `env`) sets, but the key.

        Paths are absolute.
        """
        values = os.environ if env is None else env
        named = {name: values[name] for name in _NAMES if values.get(name, "").strip()}
        if store := _store(values):
            named["SMOC_MCP_STORE"] = str(store)
        return named

    @classmethod
    def from_env(
        cls, env: Mapping[str, str] | None = None, *, needs_key: bool | None = True
    ) -> "Settings":
        """Return the settings that the environment (or `env`) holds.

        Args:
            env: Instead of the environment.
            needs_key: Whether a missing key is an error. If not, the key is not looked at; with
                None it is, where there is one.

        Raises:
            ConfigurationError: A value is wrong, or the key is missing; the message is one line
                that names the variable.
        """
        values = os.environ if env is None else env
        return cls(
            api_key=_key(values, needs_key),
            base_url=_base_url(values),
            cache_seconds=_number(values, "SMOC_MCP_CACHE_SECONDS", 60.0, 0, 3600),
            timeout_seconds=_number(values, "SMOC_MCP_TIMEOUT_SECONDS", 20.0, 1, 20),
            timezone=_timezone(values),
            show_technical=_flag(values, "SMOC_MCP_SHOW_TECHNICAL"),
            mask=_mask(values),
            log_level=_choice(values, "SMOC_MCP_LOG_LEVEL", get_args(LogLevel), "WARNING"),
            log_format=_choice(values, "SMOC_MCP_LOG_FORMAT", get_args(LogFormat), "text"),
            store=_store(values),
            retention_days=_retention(values),
            tools=_choice(values, "SMOC_MCP_TOOLS", get_args(ToolSet), "standard"),
            contact_url=_contact_url(values),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """What the environment says of HTTP. Build it with `from_env`.

    Attributes:
        bearer_tokens: Secrets by which callers prove themselves; several, so that one can replace
            another.
        oauth_issuer: Who issues the JWTs of callers; None for nobody.
        oauth_audience: For whom they must be issued: this server's own address.
        allowed_hosts: Host headers that are answered, such as `mcp.example.com`; with `:*` for any
            port.
        allowed_origins: Origin headers of browsers that are answered.
        calls_per_minute: What one caller may ask.
        max_companies: How many companies are held at once.
    """

    bearer_tokens: tuple[SecretStr, ...] = ()
    oauth_issuer: str | None = None
    oauth_audience: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    calls_per_minute: int = 120
    max_companies: int = 100

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "HttpSettings":
        """Return the settings that the environment (or `env`) holds.

        Raises:
            ConfigurationError: A value is wrong; the message is one line that names the variable.
        """
        values = os.environ if env is None else env
        issuer, audience = (
            _https(values, name) for name in ("SMOC_MCP_OAUTH_ISSUER", "SMOC_MCP_OAUTH_AUDIENCE")
        )
        if issuer and not audience:
            raise ConfigurationError(
                "SMOC_MCP_OAUTH_AUDIENCE is not set: name this server's own address, such as "
                "https://mcp.example.com/mcp, for which tokens must be issued."
            )
        return cls(
            bearer_tokens=_bearer_tokens(values),
            oauth_issuer=issuer,
            oauth_audience=audience,
            allowed_hosts=_words(values, "SMOC_MCP_ALLOWED_HOSTS"),
            allowed_origins=_words(values, "SMOC_MCP_ALLOWED_ORIGINS"),
            calls_per_minute=int(_number(values, "SMOC_MCP_CALLS_PER_MINUTE", 120, 1, 1_000_000)),
            max_companies=int(_number(values, "SMOC_MCP_MAX_COMPANIES", 100, 1, 100_000)),
        )


def is_colourful(stream: TextIO) -> bool:
    """Return whether a stream is a terminal whose user has not said no to colours (NO_COLOR)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _key(values: Mapping[str, str], needs_key: bool | None) -> SecretStr:
    value = values.get("SMOC_API_KEY", "")
    looked_at = bool(value.strip()) if needs_key is None else needs_key
    return check_key(value) if looked_at else SecretStr("")


def check_key(value: str) -> SecretStr:
    """Return the key as a secret, if it can be one.

    Raises:
        ApiKeyError: It is missing, is a `sk_`/`pk_` key or a `Bearer` token (the guide: the
            API rejects both), or cannot be sent in a header. The message never holds the key.
    """
    if not value.strip():
        raise ApiKeyError(f"SMOC_API_KEY is not set. {_WHERE_TO_GET_A_KEY}")
    if value.lower().startswith("bearer"):
        raise ApiKeyError(
            "SMOC_API_KEY begins with 'Bearer': set it to the key alone, as the SMOC Console "
            "showed it (Settings → Integrations → API)."
        )
    if value.startswith(("sk_", "pk_")):
        raise ApiKeyError(
            f"SMOC_API_KEY holds a Clerk key ({value[:3]}…), which the SMOC API rejects. "
            f"{_WHERE_TO_GET_A_KEY}"
        )
    if not re.fullmatch(r"[!-~]+", value):
        raise ApiKeyError(
            "SMOC_API_KEY holds blanks or characters that no key has: copy it again from the SMOC "
            "Console, without quotes or line breaks, or generate a new one there "
            "(Settings → Integrations → API)."
        )
    return SecretStr(value)


def _base_url(values: Mapping[str, str]) -> str:
    environment = values.get("SMOC_ENVIRONMENT", "")
    url = values.get("SMOC_BASE_URL", "")
    if environment and url:
        raise ConfigurationError("Set SMOC_ENVIRONMENT or SMOC_BASE_URL, not both.")
    if not url:
        if (environment or "production") not in ENVIRONMENTS:
            raise ConfigurationError(f"SMOC_ENVIRONMENT must be one of {', '.join(ENVIRONMENTS)}.")
        return ENVIRONMENTS[environment or "production"]
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    plain = re.fullmatch(r"[!-~]+", url) and not re.search(r"[?#@]", url)
    if not (host and safe and plain) or port == 0:
        raise ConfigurationError(
            "SMOC_BASE_URL must be an https:// address (http:// only on loopback) without a user, "
            f"query or fragment, such as {ENVIRONMENTS['production']}."
        )
    return url.rstrip("/")


def _bearer_tokens(values: Mapping[str, str]) -> tuple[SecretStr, ...]:
    tokens = list(_words(values, "SMOC_MCP_BEARER_TOKENS"))
    if path := values.get("SMOC_MCP_BEARER_TOKENS_FILE", "").strip():
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


def _https(values: Mapping[str, str], name: str) -> str | None:
    """Return an address; one on loopback may be http."""
    url = values.get(name, "").strip()
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not (safe and parts.hostname and re.fullmatch(r"[!-~]+", url)) or "#" in url:
        raise ConfigurationError(f"{name} must be an https:// address.")
    return url


def _words(values: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(word for part in values.get(name, "").split(",") if (word := part.strip()))


def _store(values: Mapping[str, str]) -> Path | None:
    text = values.get("SMOC_MCP_STORE", "").strip()
    if not text:
        return None
    path = Path(text).expanduser().absolute()
    if path.is_dir() or "\0" in text:
        raise ConfigurationError("SMOC_MCP_STORE must be the path of a file, not of a folder.")
    return path


def _retention(values: Mapping[str, str]) -> int | None:
    if not values.get("SMOC_MCP_RETENTION_DAYS", "").strip():
        return None
    return int(_number(values, "SMOC_MCP_RETENTION_DAYS", 0, 1, 36_500))


def _number(
    values: Mapping[str, str], name: str, default: float, least: float, most: float
) -> float:
    text = values.get(name, "").strip()
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        raise ConfigurationError(f"{name} must be a number from {least:g} to {most:g}.")
    return number


def _flag(values: Mapping[str, str], name: str) -> bool:
    try:
        return _FLAGS[values.get(name, "").strip().lower()]
    except KeyError:
        raise ConfigurationError(f"{name} must be 1 or 0.") from None


def _timezone(values: Mapping[str, str]) -> ZoneInfo:
    name = values.get("SMOC_MCP_TIMEZONE", "").strip() or "UTC"
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        # ZoneInfo raises each of these for some wrong name (absent, absolute path, a folder).
        raise ConfigurationError(
            "SMOC_MCP_TIMEZONE must be an IANA time zone such as Europe/Oslo or UTC."
        ) from None


def _mask(values: Mapping[str, str]) -> frozenset[Mask]:
    words = {w.strip().lower() for w in values.get("SMOC_MCP_MASK", "").split(",")} - {""}
    known = frozenset(m for m in get_args(Mask) if m in words)
    if len(known) != len(words):
        raise ConfigurationError(
            f"SMOC_MCP_MASK must be a comma-separated choice of {', '.join(get_args(Mask))}."
        )
    return known


def _contact_url(values: Mapping[str, str]) -> str:
    url = values.get("SMOC_MCP_CONTACT_URL", "").strip()
    if url and not (re.fullmatch(r"https://[!-~]+", url) and "{id}" in url):
        raise ConfigurationError(
            "SMOC_MCP_CONTACT_URL must be an https:// address with {id} in it, such as "
            "https://crm.example.com/contacts/{id}."
        )
    return url


def _choice(values: Mapping[str, str], name: str, choices: Sequence[C], default: C) -> C:
    """Return one of some words, whatever the case it is written in."""
    text = values.get(name, "").strip().lower() or default.lower()
    for choice in choices:
        if text == choice.lower():
            return choice
    raise ConfigurationError(f"{name} must be one of {', '.join(choices)}.")
