"""Tells clients who issues tokens for this server (RFC 9728)."""

from mcp.server.auth.handlers.metadata import ProtectedResourceMetadataHandler
from mcp.server.auth.routes import build_resource_metadata_url, cors_middleware
from mcp.shared.auth import ProtectedResourceMetadata
from pydantic import AnyHttpUrl
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from smoc_mcp.http.access import Access
from smoc_mcp.http.tokens import SCOPE
from smoc_mcp.http.transport import PATH

__all__ = ["metadata_routes", "metadata_url", "no_registration"]

_WELL_KNOWN = "/.well-known/oauth-protected-resource"


def metadata_url(resource: str) -> str:
    """Return the address of the metadata of a server at an address."""
    return str(build_resource_metadata_url(AnyHttpUrl(resource)))


def metadata_routes(resource: str, issuer: str) -> list[Route]:
    """Return the routes of the metadata.

    The SDK's own `create_protected_resource_routes` has one route, that of the resource's address;
    behind a proxy, and for clients that look at the host only, there are these two.
    """
    # From texts, so that an address without a path gets no slash: tokens name it as it is.
    metadata = ProtectedResourceMetadata.model_validate(
        {"resource": resource, "authorization_servers": [issuer], "scopes_supported": [SCOPE]}
    )
    methods = ["GET", "OPTIONS"]
    endpoint = cors_middleware(ProtectedResourceMetadataHandler(metadata).handle, methods)
    return [Route(f"{_WELL_KNOWN}{path}", endpoint, methods=methods) for path in ("", PATH)]


def no_registration(access: Access) -> Route:
    """Return the route of /register, where clients ask to be registered that were refused.

    They show the description of an OAuth error to the person; so it says what to send instead.
    """

    async def register(_: Request) -> Response:
        error = {"error": "invalid_client_metadata", "error_description": access.how()}
        return JSONResponse(error, 400)

    return Route(
        "/register", cors_middleware(register, ["POST", "OPTIONS"]), methods=["POST", "OPTIONS"]
    )
