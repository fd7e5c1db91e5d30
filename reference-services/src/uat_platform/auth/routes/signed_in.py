"""Who a request is from, and whether that is enough."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from uat_platform.auth.sessions.callers import Caller
from uat_platform.auth.sessions.session import Origin
from uat_service.tokens import InvalidTokenError

if TYPE_CHECKING:
    from uat_platform.auth.parts import Parts

__all__ = ["bearer", "caller_of", "needs", "origin", "refused"]

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]

_SCHEME = "bearer"
_CHALLENGE = "WWW-Authenticate"


def refused(detail: str, error: str = "") -> NotAuthorizedException:
    """Return the exception for a request that does not say who it is from, or says it wrong."""
    told = f'Bearer error="{error}"' if error else "Bearer"
    return NotAuthorizedException(detail=detail, headers={_CHALLENGE: told})


def bearer(request: Connection) -> str:
    """Return the token of a request.

    Raises:
        NotAuthorizedException: It has none.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != _SCHEME or not token.strip():
        raise refused("No authorization header")
    return token.strip()


def needs(*scopes: str) -> Guard:
    """Return the guard of a route: a valid token that is good for all of these.

    A guard runs for each request; a dependency would only for handlers that happen to ask for it.

    Raises:
        NotAuthorizedException: There is no valid token.
        PermissionDeniedException: It is good for less.
    """

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        parts: Parts = connection.app.state.parts
        try:
            caller = await parts.callers.of(bearer(connection))
        except InvalidTokenError:
            raise refused("Invalid token", "invalid_token") from None
        for scope in scopes:
            if not caller.may(scope):
                told = f'Bearer error="insufficient_scope", scope="{scope}"'
                raise PermissionDeniedException(
                    detail=f"The token is not good for `{scope}`", headers={_CHALLENGE: told}
                )
        connection.state.caller = caller

    return guard


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """Return who the guard has let in: the dependency `caller`."""
    caller: Caller = request.state.caller
    return caller


def origin(request: Request[Any, Any, Any]) -> Origin:
    """Return where a request comes from."""
    client = request.client
    return Origin("" if client is None else client.host, request.headers.get("user-agent", ""))
