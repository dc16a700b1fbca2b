"""Decides who may call over HTTP, and with whose SMOC key.

Four ways, chosen once at the start. Each request brings its company's own key (`OwnKey`); the key
is the server's, and callers prove themselves (`ServerKey`); a server of many companies has the key
of each, and a caller's proof leads to one (`ManyCompanies`); or, on loopback only, everybody may
call (`Anybody`). A SMOC key is never taken from Authorization, and a caller's token is never passed
on.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import SecretStr

from smoc_mcp.errors import AccessError, ConfigurationError
from smoc_mcp.http.company_file import CompanyFile, View, companies_of
from smoc_mcp.settings import check_key

__all__ = [
    "Access",
    "Anybody",
    "Bearers",
    "Caller",
    "ManyCompanies",
    "OwnKey",
    "Reloading",
    "ServerKey",
    "Verifier",
    "short_hash",
]

KEY_HEADER = "x-smoc-token"
_HOW = "Send your company's SMOC API key in the header X-SMOC-Token."


_AS_THE_SETTINGS = View()


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may call.

    Attributes:
        name: A short hash that tells callers apart and gives nothing away.
        key: The SMOC key to ask with.
        own_key: The key is the caller's own; whether it is right, only SMOC can tell.
        view: How the company's answers are shown, where it has said so.
    """

    name: str
    key: SecretStr
    own_key: bool = False
    view: View = _AS_THE_SETTINGS

    @property
    def company(self) -> str:
        """A hash of the key, long enough that no two keys share one."""
        return _hash(self.key.get_secret_value(), 32)


class Verifier(Protocol):
    """Checks the tokens of an issuer."""

    async def claims(self, token: str) -> Mapping[str, Any]:
        """Return what a token says; `iss` and `sub` are in it.

        Raises:
            AccessError: It is not valid here.
        """


class Access(Protocol):
    """Decides who may call."""

    async def admit(self, headers: Mapping[str, str]) -> Caller:
        """Return who calls, by the request's headers.

        Raises:
            AccessError: They may not.
        """

    def how(self) -> str:
        """Return how somebody becomes one who may."""


class OwnKey:
    """Each request brings its company's own SMOC key; whether it is right, the API says."""

    async def admit(self, headers: Mapping[str, str]) -> Caller:
        """Return the caller that a key stands for."""
        value = headers.get(KEY_HEADER, "")
        if not value.strip():
            raise AccessError(f"No SMOC key came with this request. {_HOW}")
        try:
            key = check_key(value)
        except ConfigurationError as error:
            message = str(error).replace("SMOC_API_KEY", "X-SMOC-Token")
            raise AccessError(message) from None
        return Caller(short_hash(value), key, own_key=True)

    def how(self) -> str:
        """Return what a request must bring."""
        return f"This server needs no sign-in. {_HOW}"


@dataclass(frozen=True)
class Bearers:
    """Who has a secret, or a token of an issuer.

    Args:
        verifier: Checks the tokens of the issuer, if there is one.
        issuer: Its address.
        metadata_url: Where clients learn of the issuer.
    """

    verifier: Verifier | None = None
    issuer: str = ""
    metadata_url: str = ""

    def token(self, headers: Mapping[str, str]) -> str:
        """Return the token that a request brings.

        Raises:
            AccessError: It brings none.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise self.refusal("Send a bearer token in the header Authorization.", "")
        return token.strip()

    async def claims(self, token: str) -> Mapping[str, Any]:
        """Return what a token of the issuer says.

        Raises:
            AccessError: It is not valid here.
        """
        if self.verifier is None:
            raise self.refusal("This bearer token is not known here.", "invalid_token")
        try:
            return await self.verifier.claims(token)
        except AccessError as refused:
            codes = {403: "insufficient_scope", 503: ""}
            code = codes.get(refused.status, "invalid_token")
            raise self.refusal(str(refused), code, refused.status) from None

    def refusal(self, message: str, code: str, status: int = 401) -> AccessError:
        """Return the error for who may not call, with what their client needs to know."""
        parts = [f'error="{code}"'] if code else []
        if self.metadata_url:
            parts.append(f'resource_metadata="{self.metadata_url}"')
        return AccessError(message, status, " ".join(["Bearer", ", ".join(parts)]).strip())

    def how(self) -> str:
        """Return what a request must bring."""
        instead = "send a secret of this server as Authorization: Bearer; whoever runs it has one"
        if self.issuer:
            return (
                f"This server registers nobody: sign in with {self.issuer}, with a client that is "
                f"registered there, or {instead}."
            )
        return f"This server needs no sign-in: {instead}."


@dataclass(frozen=True)
class ServerKey:
    """The SMOC key is the server's; callers have a secret or a token of an issuer.

    Args:
        key: The server's SMOC key.
        secrets: The secrets that callers may have.
        bearers: Whose tokens are good.
    """

    key: SecretStr
    secrets: tuple[SecretStr, ...] = ()
    bearers: Bearers = Bearers()

    async def admit(self, headers: Mapping[str, str]) -> Caller:
        """Return the caller that a secret or a token stands for."""
        token = self.bearers.token(headers)
        if is_one_of(token, self.secrets):
            return Caller(short_hash(token), self.key)
        return Caller(_named(await self.bearers.claims(token)), self.key)

    def how(self) -> str:
        """Return what a request must bring."""
        return self.bearers.how()


@dataclass(frozen=True)
class ManyCompanies:
    """A secret, or a claim of an issuer's token, leads to the company's key.

    Args:
        file: The companies.
        bearers: Whose tokens are good.
    """

    file: CompanyFile
    bearers: Bearers = Bearers()

    async def admit(self, headers: Mapping[str, str]) -> Caller:
        """Return the caller that a secret or a token stands for, of their company."""
        token = self.bearers.token(headers)
        found = [c for c in self.file.companies if is_one_of(token, c.secrets)]
        if found:
            return Caller(short_hash(token), found[0].key, view=found[0].view)
        claims = await self.bearers.claims(token)
        found = companies_of(claims, self.file)
        if len(found) != 1:
            named = (
                f"The claim {self.file.claim} of this token" if self.file.claim else "This token"
            )
            what = "names several companies" if found else "names no company"
            raise self.bearers.refusal(
                f"{named} {what} of this server, and it answers for one. Whoever runs it says in "
                "SMOC_MCP_COMPANIES who belongs to which.",
                "insufficient_scope",
                403,
            )
        return Caller(_named(claims), found[0].key, view=found[0].view)

    def how(self) -> str:
        """Return what a request must bring."""
        return self.bearers.how()


@dataclass(frozen=True)
class Anybody:
    """Everybody may call, with the server's key: on loopback only, when asked for."""

    key: SecretStr

    async def admit(self, headers: Mapping[str, str]) -> Caller:
        """Return the one caller that there is."""
        del headers
        return Caller("anybody", self.key)

    def how(self) -> str:
        """Return what a request must bring."""
        return "This server needs no sign-in, and no token: leave both out."


class Reloading:
    """Who may call, as it was read last.

    Args:
        read: Reads it.

    Raises:
        ConfigurationError: It cannot be read.
    """

    def __init__(self, read: Callable[[], Access]) -> None:
        self._read = read
        self._present = read()

    def reload(self) -> None:
        """Read it again; whoever is being answered is answered to the end.

        Raises:
            ConfigurationError: It cannot be read; what was read before stays.
        """
        self._present = self._read()

    async def admit(self, headers: Mapping[str, str]) -> Caller:
        """Return who calls, by what was read last."""
        return await self._present.admit(headers)

    def how(self) -> str:
        """Return what a request must bring."""
        return self._present.how()


def is_one_of(token: str, secrets: Iterable[SecretStr]) -> bool:
    """Say whether a token is one of some secrets.

    All are compared, so that the time tells nothing of which one is nearly right.
    """
    given = token.encode()
    return any(
        [  # noqa: C419  all of them
            hmac.compare_digest(s.get_secret_value().encode(), given) for s in secrets
        ]
    )


def _named(claims: Mapping[str, Any]) -> str:
    return short_hash(f"{claims['iss']} {claims['sub']}")


def short_hash(text: str) -> str:
    """Return a few characters that tell callers apart in a log and give nothing away."""
    return _hash(text, 6)


def _hash(text: str, size: int) -> str:
    return hashlib.blake2b(text.encode(), digest_size=size, person=b"smoc-mcp caller").hexdigest()
