"""Who a request is from, for routes that ask for `caller`."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException

from uat_platform.auth.parts import Parts
from uat_platform.auth.sessions.callers import Caller
from uat_platform.auth.sessions.session import Origin
from uat_service.tokens import InvalidTokenError

__all__ = ["bearer", "caller_with", "origin", "refused"]

_SCHEME = "bearer"
_CHALLENGE = "WWW-Authenticate"


def refused(detail: str, error: str = "") -> NotAuthorizedException:
    """Return the exception for a request that does not say who it is from, or says it wrong."""
    told = f'Bearer error="{error}"' if error else "Bearer"
    return NotAuthorizedException(detail=detail, headers={_CHALLENGE: told})


def bearer(request: Request[Any, Any, Any]) -> str:
    """Return the token of a request.

    Raises:
        NotAuthorizedException: It has none.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != _SCHEME or not token.strip():
        raise refused("No authorization header")
    return token.strip()


def caller_with(*scopes: str) -> dict[str, Provide]:
    """Return the dependency `caller`: who has shown a token that is good for all of these.

    Raises:
        NotAuthorizedException: There is no valid token.
        PermissionDeniedException: It is good for less.
    """

    async def caller(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Caller:
        try:
            found = await parts.callers.of(bearer(request))
        except InvalidTokenError:
            raise refused("Invalid token", "invalid_token") from None
        for scope in scopes:
            if not found.may(scope):
                told = f'Bearer error="insufficient_scope", scope="{scope}"'
                raise PermissionDeniedException(
                    detail=f"The token is not good for `{scope}`", headers={_CHALLENGE: told}
                )
        return found

    provided: Callable[..., Awaitable[Caller]] = caller
    return {"caller": Provide(provided)}


def origin(request: Request[Any, Any, Any]) -> Origin:
    """Return where a request comes from."""
    client = request.client
    return Origin("" if client is None else client.host, request.headers.get("user-agent", ""))
