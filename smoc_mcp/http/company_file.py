"""The companies of a server of many: whose key, and which callers belong to whom.

A TOML file, which only its owner may read:

    claim = "org_id"                  # of the issuer's tokens: to which company a caller belongs

    [[company]]
    name = "Fjord Solar"              # for the log and for errors
    key_file = "/run/secrets/fjord"   # or key = "…"
    claim_values = ["org_2Fjord"]
    secrets = ["…"]                   # bearer secrets, beside or instead of a claim
    timezone = "Europe/Oslo"          # else that of the settings
    mask = ["email", "phone"]         # else that of the settings
"""

import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from smoc_mcp.errors import ConfigurationError
from smoc_mcp.settings import Mask, check_key
from smoc_mcp.variables import secret_text

__all__ = ["LEAST_SECRET", "Company", "CompanyFile", "View", "companies_of", "read_company_file"]

LEAST_SECRET = 16
"""So many characters a bearer secret has at least."""
_NAME = "SMOC_MCP_COMPANIES"

Text = Annotated[str, Field(min_length=1)]


class View(NamedTuple):
    """How a company's answers are shown, where it differs from the settings.

    Attributes:
        zone: Of its days and times.
        mask: What of personal data is masked.
    """

    zone: ZoneInfo | None = None
    mask: frozenset[Mask] | None = None


class _Entry(BaseModel):
    """A company as it is written."""

    model_config = ConfigDict(extra="forbid")

    name: Text
    key: str = ""
    key_file: str = ""
    claim_values: list[Text] = []
    secrets: list[Annotated[str, Field(min_length=LEAST_SECRET, pattern=r"^[!-~]+$")]] = []
    timezone: str | None = None
    mask: list[Mask] | None = None


class _File(BaseModel):
    """The file as it is written."""

    model_config = ConfigDict(extra="forbid")

    claim: Text | None = None
    company: Annotated[list[_Entry], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Company:
    """One company.

    Attributes:
        name: For the log and for errors.
        key: Its SMOC key.
        claim_values: Whose token's claim is one of these belongs to it.
        secrets: Who sends one of these belongs to it.
        view: How its answers are shown.
    """

    name: str
    key: SecretStr
    claim_values: frozenset[str]
    secrets: tuple[SecretStr, ...]
    view: View


@dataclass(frozen=True, slots=True)
class CompanyFile:
    """All companies.

    Attributes:
        claim: The claim of the issuer's tokens that tells them apart; empty for none.
        companies: No two have a key, a secret or a value of the claim in common.
    """

    claim: str
    companies: tuple[Company, ...]


def read_company_file(path: Path) -> CompanyFile:
    """Return what a file of companies holds.

    Raises:
        ConfigurationError: It cannot be read, others may read it, or something in it is wrong; the
            message holds no key and no secret.
    """
    try:
        text = path.read_text("utf-8")
        mode = stat.S_IMODE(path.stat().st_mode)
        written = _File.model_validate(tomllib.loads(text))
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{_NAME} cannot be read: name a TOML file.") from None
    except tomllib.TOMLDecodeError as error:
        # What it says holds a line and a column, and may hold what is there: a secret perhaps.
        where = str(error).rpartition("(")[2].rstrip(")")
        raise ConfigurationError(f"{_NAME} is no TOML ({where}).") from None
    except ValidationError as error:
        raise ConfigurationError(f"{_NAME}: {_first(error)}.") from None
    if mode & 0o077:
        raise ConfigurationError(
            f"{_NAME} holds keys, and others may read it (mode {mode:04o}): chmod 600 {path}."
        )
    companies = tuple(_company(entry) for entry in written.company)
    for what, values in (
        ("name", [c.name for c in companies]),
        ("key", [c.key.get_secret_value() for c in companies]),
        ("secret", [s.get_secret_value() for c in companies for s in c.secrets]),
        ("value of the claim", [v for c in companies for v in c.claim_values]),
    ):
        if len(values) != len(set(values)):
            raise ConfigurationError(f"{_NAME}: two companies have the same {what}.")
    if not written.claim and any(c.claim_values for c in companies):
        raise ConfigurationError(
            f"{_NAME}: claim_values are given, and no claim: name the claim of the tokens, such as "
            'claim = "org_id".'
        )
    return CompanyFile(written.claim or "", companies)


def _company(entry: _Entry) -> Company:
    try:
        held = secret_text("key", entry.key, entry.key_file)
        key = check_key(held)
        zone = None if entry.timezone is None else ZoneInfo(entry.timezone)
    except ConfigurationError as error:
        why = str(error).replace("SMOC_API_KEY", "key").replace("key_FILE", "key_file")
        raise ConfigurationError(f"{_NAME}: {entry.name}: {why}") from None
    except (ValueError, OSError, KeyError):
        raise ConfigurationError(
            f"{_NAME}: {entry.name}: timezone must be one of the IANA, such as Europe/Oslo."
        ) from None
    if not (entry.claim_values or entry.secrets):
        raise ConfigurationError(
            f"{_NAME}: {entry.name}: nobody belongs to it: give claim_values or secrets."
        )
    return Company(
        name=entry.name,
        key=key,
        claim_values=frozenset(entry.claim_values),
        secrets=tuple(map(SecretStr, entry.secrets)),
        view=View(zone, None if entry.mask is None else frozenset(entry.mask)),
    )


def _first(error: ValidationError) -> str:
    """Return the first mistake, without the value that it is in."""
    found = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = _place(found["loc"])
    return f"{where}: {found['msg']}" if where else found["msg"]


def _place(parts: Iterable[Any]) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in parts)


def companies_of(claims: Mapping[str, Any], file: CompanyFile) -> list[Company]:
    """Return the companies that a token's claim names: one value, or a list of them."""
    value = claims.get(file.claim)
    values = {str(v) for v in (value if isinstance(value, list) else [value]) if v is not None}
    return [company for company in file.companies if company.claim_values & values]
