"""Whom a request comes from, where a proxy says so: uvicorn's middleware, for the requests that it is for."""

from collections.abc import Awaitable
from typing import Any, cast

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from uat_resilience.integrations.serving.asgi_types import App, Receive, Scope, Send

__all__ = ["Forwarded"]

_TOLD = frozenset({b"x-forwarded-for", b"x-forwarded-proto"})


class Forwarded:
    """Go by what proxies say of their clients, and leave uvicorn's middleware out where none says anything.

    Args:
        app: The application.
        trusted: Addresses of proxies whose word counts, as uvicorn has them.
    """

    def __init__(self, app: App, trusted: list[str] | str) -> None:
        self._app = app
        self._told = cast("App", ProxyHeadersMiddleware(cast("Any", app), trusted_hosts=trusted))

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection, as ASGI has it."""
        bare = _TOLD.isdisjoint(dict(scope.get("headers", ())))
        return (self._app if bare else self._told)(scope, receive, send)
