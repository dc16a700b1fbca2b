"""Reads the settings from the environment; no other module reads it.

Each field of `Settings` (and of `http.settings.HttpSettings`) names its environment variables, how
their text is read, its default, and its line of `smoc-mcp --help`. A new setting is one such field,
and a row in README.md, server.json and, where a person should be asked for it, mcpb/manifest.json.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO, get_args
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from smoc_mcp.errors import ApiKeyError, ConfigurationError
from smoc_mcp.text.commas import comma_list
from smoc_mcp.variables import (
    MustBe,
    flag,
    is_safe_address,
    number,
    one_of,
    read_settings,
    secret_text,
    setting,
    variables_of,
)

__all__ = [
    "ENVIRONMENTS",
    "LogLevel",
    "Mask",
    "Settings",
    "as_place",
    "check_key",
    "environment",
    "hand_on",
    "is_colourful",
]

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
LogFormat = Literal["text", "json"]
ToolSet = Literal["standard", "chatgpt"]
Mask = Literal["email", "phone", "name"]
"""Kinds of personal data that can be masked."""

ENVIRONMENTS = {
    "production": "https://v2.api.smoc.ai",
    "alternate": "https://v2-production.api.smoc.ai",
    "staging": "https://v2-staging.api.smoc.ai",
}
"""The base URLs of the API's guide."""

_WHERE_TO_GET_A_KEY = (
    "Generate one in SMOC Console under Settings → Integrations → API and set SMOC_API_KEY to it."
)


def environment(instead: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """Return the environment of the process, or what is given instead."""
    return os.environ if instead is None else instead


def hand_on(name: str, value: str) -> None:
    """Let the processes that this one starts find a variable in their environment."""
    os.environ[name] = value


def is_colourful(stream: TextIO) -> bool:
    """Return whether a stream is a terminal whose user has not said no to colours (NO_COLOR)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


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


def _base_url(environment: str, url: str) -> str:
    if environment and url:
        raise ConfigurationError("Set SMOC_ENVIRONMENT or SMOC_BASE_URL, not both.")
    if not url:
        if (environment or "production") not in ENVIRONMENTS:
            raise ConfigurationError(f"SMOC_ENVIRONMENT must be one of {', '.join(ENVIRONMENTS)}.")
        return ENVIRONMENTS[environment or "production"]
    if not is_safe_address(url) or re.search(r"[?#@]", url):
        raise ConfigurationError(
            "SMOC_BASE_URL must be an https:// address (http:// only on loopback) without a user, "
            f"query or fragment, such as {ENVIRONMENTS['production']}."
        )
    return url.rstrip("/")


def _timezone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        # ZoneInfo raises each of these for some wrong name (absent, absolute path, a folder).
        raise MustBe("an IANA time zone such as Europe/Oslo or UTC") from None


def _mask(text: str) -> frozenset[Mask]:
    words = set(comma_list(text.lower()))
    known = frozenset(kind for kind in get_args(Mask) if kind in words)
    if len(known) != len(words):
        raise MustBe(f"a comma-separated choice of {', '.join(get_args(Mask))}")
    return known


def as_place(text: str) -> Path | SecretStr:
    """Return the file or the database that somebody names.

    Raises:
        MustBe: It is neither.
    """
    if text.startswith(("postgresql://", "postgres://")):
        # It may hold a password.
        return SecretStr(text)
    try:
        path = Path(text).expanduser().absolute()
        if path.is_dir() or "\0" in text:
            raise MustBe("the path of a file, not of a folder")
        path.exists()
    except (OSError, RuntimeError, ValueError):
        # A name that is too long, a loop of links, or the home of somebody who does not exist.
        raise MustBe("the path of a file that this system can open") from None
    return path


def _store(text: str, file: str) -> Path | SecretStr | None:
    held = secret_text("SMOC_MCP_STORE", text, file).strip()
    try:
        return as_place(held) if held else None
    except MustBe as what:
        raise ConfigurationError(f"SMOC_MCP_STORE must be {what}.") from None


def _checked_later(*_: str) -> SecretStr:
    """Return no key: `from_env` reads it, where a command needs one."""
    return SecretStr("")


def _days(text: str) -> int:
    return int(number(1, 36_500)(text))


def _contact_url(url: str) -> str:
    if not (url.startswith("https://") and is_safe_address(url) and "{id}" in url):
        raise MustBe(
            "an https:// address with {id} in it, such as https://crm.example.com/contacts/{id}"
        )
    return url


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says. Build it with `from_env`.

    The value of `api_key` is in no repr; `base_url` has no slash at its end. Without a `store`
    contacts are kept in memory only, and without `retention_days` all are kept.
    """

    api_key: SecretStr = setting(
        _checked_later,
        SecretStr(""),
        SMOC_API_KEY="your company's key: SMOC Console → Settings → Integrations → API",
        SMOC_API_KEY_FILE="a file that holds the key instead",
    )
    base_url: str = setting(
        _base_url,
        ENVIRONMENTS["production"],
        SMOC_ENVIRONMENT="production (default), alternate or staging",
        SMOC_BASE_URL="another address of the API instead",
    )
    cache_seconds: float = setting(
        number(0, 3600),
        60.0,
        SMOC_MCP_CACHE_SECONDS="how long an answer of the API stays live (60)",
    )
    timeout_seconds: float = setting(
        number(1, 20),
        20.0,
        SMOC_MCP_TIMEOUT_SECONDS="the most that one question may take, retries included (20)",
    )
    timezone: ZoneInfo = setting(
        _timezone,
        ZoneInfo("UTC"),
        SMOC_MCP_TIMEZONE="what a bare date means, and the days of trends (UTC)",
    )
    mask: frozenset[Mask] = setting(
        _mask,
        frozenset(),
        SMOC_MCP_MASK="email,phone,name: masks these in every output",
    )
    show_technical: bool = setting(
        flag,
        False,
        SMOC_MCP_SHOW_TECHNICAL="1 shows IP addresses and user agents in details",
    )
    store: Path | SecretStr | None = setting(
        _store,
        None,
        SMOC_MCP_STORE="a file or postgresql://… that keeps contacts, for more than 500 (none)",
        SMOC_MCP_STORE_FILE="a file that holds the address of the database instead",
    )
    retention_days: int | None = setting(
        _days,
        None,
        SMOC_MCP_RETENTION_DAYS="drops contacts not seen for so many days (keeps all)",
    )
    tools: ToolSet = setting(
        one_of(ToolSet),
        "standard",
        SMOC_MCP_TOOLS="standard, or chatgpt: with search and fetch as ChatGPT wants them",
    )
    contact_url: str = setting(
        _contact_url,
        "",
        SMOC_MCP_CONTACT_URL="the address of a contact's page, with {id}, for links of ChatGPT",
    )
    log_level: LogLevel = setting(
        one_of(LogLevel),
        "WARNING",
        SMOC_MCP_LOG_LEVEL="DEBUG, INFO, WARNING (default) or ERROR, to stderr",
    )
    log_format: LogFormat = setting(
        one_of(LogFormat),
        "text",
        SMOC_MCP_LOG_FORMAT="text (default), or json: a line of JSON for each call of a tool",
    )

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
        values = environment(env)
        key = secret_text(
            "SMOC_API_KEY", values.get("SMOC_API_KEY", ""), values.get("SMOC_API_KEY_FILE", "")
        )
        looked_at = bool(key.strip()) if needs_key is None else needs_key
        api_key = check_key(key) if looked_at else SecretStr("")
        return cls(**{**read_settings(cls, values), "api_key": api_key})

    @staticmethod
    def named(env: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the variables that the environment (or `env`) sets, but the key or its file.

        Paths are absolute.
        """
        values = environment(env)
        named = {n: values[n] for n in variables_of(Settings) if values.get(n, "").strip()}
        for name in ("SMOC_API_KEY", "SMOC_API_KEY_FILE"):
            named.pop(name, None)
        if file := named.get("SMOC_MCP_STORE_FILE"):
            named["SMOC_MCP_STORE_FILE"] = str(Path(file.strip()).expanduser().absolute())
        if store := named.get("SMOC_MCP_STORE", "").strip():
            kept = as_place(store)
            named["SMOC_MCP_STORE"] = store if isinstance(kept, SecretStr) else str(kept)
        return named

    @property
    def key_hash(self) -> str:
        """A text that tells this key at this address from others, and does not give it away."""
        told = f"{self.base_url}\n{self.api_key.get_secret_value()}".encode()
        return hashlib.blake2b(told, digest_size=16, person=b"smoc-mcp key").hexdigest()
