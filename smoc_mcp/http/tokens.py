"""Checks tokens of an OAuth 2.1 issuer: JWTs, signed with the issuer's keys.

The keys are fetched when first needed, kept for ten minutes, and fetched anew when a token names
one that is not among them (the issuer has rotated), at most every five seconds. PyJWT does the
checks; its own client of keys would hold up every other caller, and ask again at each unknown key.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smoc_mcp.errors import AccessError
from smoc_mcp.http.fresh import Fresh

if TYPE_CHECKING:
    import httpx
    import jwt

__all__ = ["SCOPE", "TokenVerifier"]

SCOPE = "contacts:read"

# Only asymmetric ones: with the others, or none, whoever knows the public key could sign.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
_METADATA = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
_DOWN = "The issuer of tokens cannot be asked for its keys now. Try again in a minute."
# What reading metadata or keys of another shape than the standards' ends in.
_ODD = (ValueError, LookupError, TypeError, AttributeError)
_FRESH_SECONDS = 600.0
_SPARE_SECONDS = 600.0
_LEAST_SECONDS = 5.0
_FETCH_SECONDS = 5.0
_LEEWAY_SECONDS = 30
_LATEST = 2**40
"""Seconds since 1970 that no token lives to see."""


class TokenVerifier:
    """Checks who a token was issued to, by whom, for whom, and until when.

    Args:
        issuer: The issuer's address; tokens must name it exactly.
        audience: This server's address; tokens must be issued for it.
    """

    def __init__(self, issuer: str, audience: str) -> None:
        self._issuer, self._audience = issuer, audience
        self._keys: Fresh[dict[str, jwt.PyJWK]] = Fresh(self._fetch, {})

    async def claims(self, token: str) -> Mapping[str, Any]:
        """Return what a token says: `sub`, who it was issued to, and whatever else.

        Raises:
            AccessError: It is not valid here (401), or lacks the scope (403).
        """
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in _ALGORITHMS:
                raise AccessError("This token is not signed as tokens must be.")
            key = await self._key(str(header.get("kid") or ""))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(_ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError:
            raise AccessError("This token has expired: get a new one.") from None
        except jwt.InvalidAudienceError:
            raise AccessError("This token was issued for another server.") from None
        except jwt.InvalidIssuerError:
            raise AccessError("This token is of another issuer.") from None
        except jwt.PyJWTError:
            raise AccessError("This token is not valid.") from None
        if not _is_plain(claims):
            raise AccessError("This token is not valid.")
        if SCOPE not in _scopes(claims):
            raise AccessError(f"This token lacks the scope {SCOPE}.", 403)
        return claims

    async def _key(self, kid: str) -> "jwt.PyJWK":
        keys = await self._keys.at_hand(_FRESH_SECONDS, _SPARE_SECONDS)
        if kid not in keys:
            keys = await self._keys.get(_LEAST_SECONDS)
        if kid in keys:
            return keys[kid]
        if self._keys.failure is not None:
            # It may be a new key: nobody can tell now.
            raise AccessError(_DOWN, 503)
        raise AccessError("This token is signed with a key that its issuer does not name.")

    async def _fetch(self) -> "dict[str, jwt.PyJWK]":
        import httpx
        import jwt

        try:
            async with httpx.AsyncClient(timeout=_FETCH_SECONDS) as http:
                answer = await http.get(await self._keys_address(http))
                answer.raise_for_status()
                keys = jwt.PyJWKSet.from_dict(answer.json()).keys
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            jwt.PyJWTError,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            RecursionError,
        ):
            raise AccessError(_DOWN, 503) from None
        return {key.key_id or "": key for key in keys}

    async def _keys_address(self, http: "httpx.AsyncClient") -> str:
        for path in _METADATA:
            answer = await http.get(self._issuer.rstrip("/") + path)
            if answer.status_code == 200:
                metadata = answer.json()
                if metadata["issuer"].rstrip("/") == self._issuer.rstrip("/"):
                    return str(metadata["jwks_uri"])
        raise ValueError("no metadata")


def _is_plain(claims: dict[str, Any]) -> bool:
    """Say whether somebody is named, and an end that is a moment: PyJWT takes other things too."""
    subject, end = claims["sub"], claims["exp"]
    named = isinstance(subject, str) and bool(subject.strip())
    return named and isinstance(end, int | float) and 0 < end < _LATEST


def _scopes(claims: dict[str, Any]) -> Sequence[str]:
    """Return the scopes, which issuers write as one text or as a list, under two names."""
    found: list[str] = []
    for name in ("scope", "scp"):
        value = claims.get(name)
        if isinstance(value, str):
            found += value.split()
        elif isinstance(value, list):
            found += map(str, value)
    return found
