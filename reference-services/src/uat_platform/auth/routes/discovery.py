"""What clients look up: where this issuer has what, the keys to check tokens with, and who somebody is."""

from typing import Any

from litestar import Response, get, route
from litestar.di import NamedDependency
from litestar.enums import HttpMethod

from uat_platform.auth.keys.signing_key import ALGORITHMS
from uat_platform.auth.oauth.client_authentication import METHODS
from uat_platform.auth.oauth.clients import GRANTS
from uat_platform.auth.oauth.id_tokens import identity
from uat_platform.auth.oauth.scopes import MEANINGS
from uat_platform.auth.parts import Parts
from uat_platform.auth.routes.caching import NO_STORE
from uat_platform.auth.routes.signed_in import needs, refused
from uat_platform.auth.sessions.callers import Caller
from uat_service.problems import problem_responses

__all__ = ["routes"]

_SECONDS = 300
"""For which anybody may keep them. New keys are published for longer than that before they sign."""

_KEPT = {"Cache-Control": f"public, max-age={_SECONDS}"}


@get(
    ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"],
)
async def metadata(parts: NamedDependency[Parts]) -> Response[dict[str, Any]]:
    """Return where what is, and what is supported (OpenID Connect Discovery, RFC 8414)."""
    issuer = parts.settings.issuer_url
    told = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth2/authorize",
        "token_endpoint": f"{issuer}/oauth2/token",
        "introspection_endpoint": f"{issuer}/oauth2/introspect",
        "revocation_endpoint": f"{issuer}/oauth2/revoke",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "scopes_supported": sorted(MEANINGS),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANTS),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": list(METHODS),
        "introspection_endpoint_auth_methods_supported": [
            each for each in METHODS if each != "none"
        ],
        "revocation_endpoint_auth_methods_supported": list(METHODS),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(ALGORITHMS),
        "claims_supported": ["sub", "name", "preferred_username", "email", "email_verified"],
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
    return Response(told, headers=_KEPT)


@get("/.well-known/jwks.json")
async def jwks(parts: NamedDependency[Parts]) -> Response[dict[str, list[dict[str, Any]]]]:
    """Return the key set (RFC 7517)."""
    return Response(parts.keys.published(), headers=_KEPT)


@route(
    "/userinfo",
    http_method=[HttpMethod.GET, HttpMethod.POST],
    status_code=200,
    security=[{"bearer": []}],
    guards=[needs("openid")],
    cache_control=NO_STORE,
    responses=problem_responses(401, 403),
)
async def userinfo(caller: NamedDependency[Caller]) -> dict[str, Any]:
    """Return what the client of a token may know of its user."""
    if caller.user is None:
        raise refused("The token is of no user", "invalid_token")
    return identity(caller.user, caller.scope)


routes = [metadata, jwks, userinfo]
