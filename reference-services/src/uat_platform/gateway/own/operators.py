"""Who may see and change how the gateway works: whoever knows `ADMIN_TOKEN`."""

from collections.abc import Callable
from hmac import compare_digest
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler

__all__ = ["operators_only"]

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]


def operators_only(token: str) -> Guard:
    """Return a guard that lets in whoever shows this token, and nobody when it is empty."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if not token:
            raise PermissionDeniedException(detail="There is no ADMIN_TOKEN, so nobody may.")
        scheme, __, shown = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not compare_digest(
            shown.strip().encode("utf-8", "surrogateescape"), token.encode()
        ):
            raise NotAuthorizedException(
                detail="The admin token is needed.", headers={"WWW-Authenticate": "Bearer"}
            )

    return guard
