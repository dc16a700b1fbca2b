"""Decides who may call over HTTP, and with whose SMOC key.

Three ways, chosen once at the start: each request brings its company's own key (`OwnKey`); the key
is the server's, and callers prove themselves (`ServerKey`); or, on loopback only, everybody may
(`Anybody`). A SMOC key is never taken from Authorization, and a caller's token never passed on.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from smoc_mcp.errors import AccessError, ConfigurationError
from smoc_mcp.settings import check_key

__all__ = [
    "Access",
    "Anybody",
    "Caller",
    "OwnKey",
    "ServerKey",
    "Verifier",
    "short_hash",
]

KEY_HEADER = "x-smoc-token"
_HOW = "Send your company's SMOC API key in the header X-SMOC-Token."


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may call.

    Attributes:
        name: A short hash that tells callers apart and gives nothing away.
        key: The SMOC key to ask with.
        own_key: The key is the caller's own; whether it is right, only SMOC can tell.
    """

    name: str
    key: SecretStr
    own_key: bool = False

    @property
    def company(self) -> str:
        """A hash of the key, long enough that no two keys share one."""
        return _hash(self.key.get_secret_value(), 32)


class Verifier(Protocol):
    """Checks the tokens of an issuer."""

    async def subject(self, token: str) -> str:
        """Return who a token was issued to.

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


@dataclass(frozen=True)
class ServerKey:
    """The SMOC key is the server's; callers have a secret or a token of an issuer.

    Args:
        key: The server's SMOC key.
        secrets: The secrets that callers may have.
        verifier: Checks the tokens of the issuer, if there is one.
        metadata_url: Where clients learn of the issuer.
    """

    key: SecretStr
    secrets: tuple[SecretStr, ...] = ()
    verifier: Verifier | None = None
    metadata_url: str = ""

    async def admit(self, headers: Mapping[str, str]) -> Caller:
        """Return the caller that a secret or a token stands for."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise self._refusal("Send a bearer token in the header Authorization.", "")
        # All are compared, so that the time tells nothing of which one is nearly right.
        given = token.encode()
        known = [hmac.compare_digest(s.get_secret_value().encode(), given) for s in self.secrets]
        if any(known):
            return Caller(short_hash(token), self.key)
        if self.verifier is None:
            raise self._refusal("This bearer token is not known here.", "invalid_token")
        try:
            subject = await self.verifier.subject(token)
        except AccessError as refused:
            codes = {403: "insufficient_scope", 503: ""}
            code = codes.get(refused.status, "invalid_token")
            raise self._refusal(str(refused), code, refused.status) from None
        return Caller(short_hash(subject), self.key)

    def _refusal(self, message: str, code: str, status: int = 401) -> AccessError:
        parts = [f'error="{code}"'] if code else []
        if self.metadata_url:
            parts.append(f'resource_metadata="{self.metadata_url}"')
        return AccessError(message, status, " ".join(["Bearer", ", ".join(parts)]).strip())


@dataclass(frozen=True)
class Anybody:
    """Everybody may call, with the server's key: on loopback only, when asked for."""

    key: SecretStr

    async def admit(self, headers: Mapping[str, str]) -> Caller:
        """Return the one caller that there is."""
        del headers
        return Caller("anybody", self.key)


def short_hash(text: str) -> str:
    """Return a few characters that tell callers apart in a log and give nothing away."""
    return _hash(text, 6)


def _hash(text: str, size: int) -> str:
    return hashlib.blake2b(text.encode(), digest_size=size, person=b"smoc-mcp caller").hexdigest()
