"""WebSockets whose handler fails, told as requests are.

before it is accepted       problem details, with the status that a request would get: 404, 401, 503, 500
afterwards                  closed with 4000 + that status; 1013 when it may come again, 1011 after a crash

Litestar closes them all with 4500, which a server answers with an empty 403, tells the client what was raised, and
logs nothing.
"""

from collections.abc import Awaitable
from dataclasses import dataclass

import structlog
from litestar.config.app import AppConfig
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, WebSocketException
from litestar.plugins import InitPlugin
from litestar.types import Scope as LitestarScope

from uat_resilience.integrations.headers import REQUEST_ID, current_correlation
from uat_resilience.integrations.serving.asgi_types import (
    App,
    Message,
    Receive,
    Scope,
    Send,
    encoded,
)
from uat_resilience.integrations.serving.problem import CRASH, MEDIA_TYPE, problem
from uat_service.plain import as_json
from uat_service.problems import described

__all__ = ["FailedSockets", "Sockets"]

_FAILURE = "uat_service.failure"
_ANSWERED = "websocket.http.response"
_OWN_CODES = 4_000
_CRASHED, _COME_AGAIN = 1011, 1013
_LONGEST_REASON = 123  # Bytes, as RFC 6455 (5.5) has it.


class FailedSockets(InitPlugin):
    """Remember what a handler of a WebSocket raised, for `Sockets` around the application."""

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Be told of what is raised."""
        app_config.after_exception.append(_remember)  # pyright: ignore[reportUnknownMemberType]  # Litestar's type is vague
        return app_config


class Sockets:
    """Tell clients of WebSockets, and the log, what became of a handler that failed.

    Args:
        app: A Litestar application with the plugin `FailedSockets`.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection, as ASGI has it."""
        told = _Socket(scope, send).send if scope["type"] == "websocket" else send
        return self._app(scope, receive, told)


class _Socket:
    """One connection."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._accepted = False

    async def send(self, message: Message) -> None:
        """Pass a message on, or say in its place what went wrong."""
        kind = message["type"]
        self._accepted = self._accepted or kind == "websocket.accept"
        # It leads to the connection and back, so it is let go at once.
        error = self._scope.pop(_FAILURE, None) if kind == "websocket.close" else None
        if error is None or isinstance(error, WebSocketException):
            await self._send(message)
        elif self._accepted or _ANSWERED not in self._scope.get("extensions", {}):
            failure = _failure(error)
            reason = failure.reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
            await self._send({"type": "websocket.close", "code": failure.code, "reason": reason})
        else:
            await self._refuse(_failure(error))

    async def _refuse(self, failure: "_Failure") -> None:
        correlation = current_correlation.get()
        if correlation is not None:
            failure.headers[REQUEST_ID] = correlation.request_id
        headers = encoded(failure.headers.items())
        start = {"status": failure.status, "headers": headers}
        await self._send({"type": f"{_ANSWERED}.start", **start})
        await self._send({"type": f"{_ANSWERED}.body", "body": failure.body})


@dataclass(frozen=True, slots=True)
class _Failure:
    """What a handler came to: as an answer, and as the end of a connection."""

    status: int
    headers: dict[str, str]
    body: bytes
    code: int
    reason: str


async def _remember(error: Exception, scope: LitestarScope) -> None:
    if scope["type"] == ScopeType.WEBSOCKET:
        scope[_FAILURE] = error  # type: ignore[literal-required]  # a key of ours, which Litestar does not know


def _failure(error: Exception) -> _Failure:
    kind = {"Content-Type": MEDIA_TYPE}
    if isinstance(error, HTTPException):
        status = error.status_code
        headers = {**(error.headers or {}), **kind}
        return _Failure(
            status, headers, as_json(described(error)), _OWN_CODES + status, error.detail
        )
    found = problem(error)
    if found is None:
        _logger.error("websocket crashed", exc_info=error)
        found = CRASH
    correlation = current_correlation.get()
    body = found.body(None if correlation is None else correlation.request_id)
    code = _CRASHED if found is CRASH else _COME_AGAIN
    return _Failure(found.status, {**dict(found.headers), **kind}, body, code, found.title)


_logger = structlog.get_logger("uat_service")
