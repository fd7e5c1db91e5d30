"""HEAD and OPTIONS as RFC 9110 (9.3.2, 9.3.7) has them, for an application that knows neither.

Litestar answers HEAD only where a handler is for it, and OPTIONS with the methods of the handler that came first.
"""

from collections.abc import Awaitable

from uat_resilience.integrations.serving.asgi_types import App, Message, Receive, Scope, Send

__all__ = ["Methods", "with_head"]

_NOT_ALLOWED = 405
_ALLOW = b"allow"
_NONE = "-"
"""A method that no handler is for."""


def with_head(allowed: str) -> str:
    """Return the value of an `Allow` with HEAD beside GET."""
    methods = dict.fromkeys(allowed.replace(" ", "").split(","))
    if "GET" in methods:
        methods["HEAD"] = None
    return ", ".join(sorted(methods))


class Methods:
    """Answer HEAD as GET without its body, and OPTIONS with all methods of a path.

    Args:
        app: Answers 405 with `Allow` to a method that it has no handler for.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._own: dict[str | None, App] = {"HEAD": self._head, "OPTIONS": self._options}

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection, as ASGI has it."""
        answer = self._own.get(scope.get("method"), self._app)
        return answer(scope, receive, send)

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        as_get = _again(scope, "GET")
        refused = False

        async def own(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start":
                allowed = _allowed(message).split(", ")
                refused = message["status"] == _NOT_ALLOWED and "GET" in allowed
            if not refused:
                await send(message)

        await self._app(scope, receive, own)
        if not refused:
            return
        ended = False

        async def headless(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.start":
                await send(message)
            elif message["type"] == "http.response.body" and not ended:
                # Whoever streams hears from the server that there is nobody left to stream to.
                ended = True
                await send({"type": "http.response.body", "body": b""})

        try:
            await self._app(as_get, receive, headless)
        finally:
            scope["path_template"] = as_get.get("path_template")

    async def _options(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = _again(scope, _NONE)

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start" and _allowed(message):
                allowed = await self._all(refused, receive)
                kept = [(name, value) for name, value in message["headers"] if name != _ALLOW]
                message = {**message, "headers": [*kept, (_ALLOW, allowed.encode())]}
            await send(message)

        await self._app(scope, receive, complete)

    async def _all(self, scope: Scope, receive: Receive) -> str:
        """Return the methods that there are handlers for, as the refusal of a method that is none names them."""
        allowed = ""

        async def hear(message: Message) -> None:
            nonlocal allowed
            if message["type"] == "http.response.start":
                allowed = _allowed(message)

        await self._app(scope, receive, hear)
        return allowed


def _again(scope: Scope, method: str) -> Scope:
    """Return a request to ask by another method, which knows nothing of what becomes of the first one."""
    return {**scope, "method": method, "state": dict(scope.get("state", {}))}


def _allowed(start: Message) -> str:
    return next((value.decode() for name, value in start["headers"] if name == _ALLOW), "")
