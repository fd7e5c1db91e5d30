"""The outermost layer of a service: it sees every request, also those that no framework has a route for.

correlation, deadline, draining, load shedding      from `uat_resilience.integrations.asgi`
metrics, one line in the log, requests in flight     here, once for each request, however it ends
"""

from collections.abc import Awaitable
from contextvars import copy_context

import structlog

from uat_resilience.clock import Clock, default_clock
from uat_resilience.integrations.asgi import (
    EXEMPT,
    Answer,
    Limiter,
    ResilienceMiddleware,
)
from uat_resilience.integrations.headers import Correlation, current_correlation
from uat_resilience.integrations.serving.asgi_types import (
    App,
    Message,
    Receive,
    Scope,
    Send,
    path_within,
)
from uat_resilience.lifecycle import GracefulShutdown
from uat_service.logs import tell_request
from uat_service.metrics import UNMATCHED, Metrics

__all__ = ["OPERATIONS", "Outer"]

OPERATIONS = EXEMPT | {"/health", "/livez", "/readyz", "/startupz"}
"""Paths for operators: never refused, and not in the log."""

_KEY = "uat_service.exchange"
_LONGEST_PATH = 1_024
_FAILED = 500


class Outer:
    """Serve an application under the rules of the library, and give an account of each request.

    A request is counted and logged when it is over, whatever became of it: answered, not found, refused, crashed,
    left by its client. Its route is the template that the router found (`scope["path_template"]`), so that there
    are as many series as routes. The query is not logged: people put tokens into it.

    Args:
        app: The application.
        metrics: Where requests are counted.
        shutdown: Waits for the requests that run, and refuses further ones.
        max_timeout: Seconds a caller may ask for at most.
        limiter: Lets requests in, or None for all.
        operations: Answers on the paths of `OPERATIONS`. Default: the application.
        clock: Time source. Default: the replaceable system clock.
    """

    def __init__(
        self,
        app: App,
        *,
        metrics: Metrics,
        shutdown: GracefulShutdown,
        max_timeout: float,
        limiter: Limiter | None,
        operations: App | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._app = app
        self._clock = clock
        self._requests = ResilienceMiddleware(
            app,
            limiter=limiter,
            max_timeout=max_timeout,
            shutdown=shutdown,
            exempt=(),
            witness=_Accounts(metrics, clock),
            clock=clock,
        )
        self._operators = ResilienceMiddleware(
            app if operations is None else operations,
            max_timeout=max_timeout,
            witness=_Counts(metrics, clock),
            clock=clock,
        )
        self._sockets = ResilienceMiddleware(self._named, shutdown=shutdown)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection, as ASGI has it."""
        if scope["type"] == "http":
            asked = self._operators if path_within(scope) in OPERATIONS else self._requests
            return asked.http(scope, receive, send)
        if scope["type"] == "websocket":
            return self._websocket(scope, receive, send)
        return self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        now = (self._clock or default_clock.clock).now
        structlog.contextvars.clear_contextvars()
        exchange = scope[_KEY] = _Exchange(send)
        began = now()
        try:
            await self._sockets(scope, receive, exchange.send)
        except Exception as error:
            _logger.exception(
                "websocket crashed", exc_info=error, **_identity(exchange.correlation)
            )
            raise
        finally:
            # It leads to the connection and back: what goes round is not freed until the garbage is collected.
            del scope[_KEY]
            _logger.info(
                "websocket",
                path=scope["path"][:_LONGEST_PATH],
                route=scope.get("path_template") or UNMATCHED,
                **exchange.end(),
                duration_ms=round((now() - began) * 1000, 3),
                **_identity(exchange.correlation),
            )

    def _named(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        exchange: _Exchange = scope[_KEY]
        exchange.correlation = current_correlation.get()
        return self._app(scope, receive, send)


class _Counts:
    """Counts each request."""

    def __init__(self, metrics: Metrics, clock: Clock | None) -> None:
        self._metrics = metrics
        self._clock = clock

    def begun(self, scope: Scope) -> float:  # noqa: ARG002 - as a witness has it
        """Forget what was bound for another request, whose context this one may have got."""
        if copy_context():  # Not with servers that begin each request in an empty context.
            structlog.contextvars.clear_contextvars()
        self._metrics.active += 1
        return (self._clock or default_clock.clock).now()

    def crashed(self, answer: Answer, error: Exception) -> None:
        """Say what has gone wrong."""
        _logger.error("request crashed", exc_info=error, **_identity(answer.correlation))

    def ended(self, scope: Scope, answer: Answer, began: float) -> None:
        """Count the request."""
        elapsed = (self._clock or default_clock.clock).now() - began
        route: str = scope.get("path_template") or UNMATCHED
        self._metrics.active -= 1
        self._metrics.observe(scope["method"], route, answer.status or 0, elapsed)


class _Accounts(_Counts):
    """Counts each request, and writes one line about it."""

    def ended(self, scope: Scope, answer: Answer, began: float) -> None:
        """Count the request, and tell of it."""
        elapsed = (self._clock or default_clock.clock).now() - began
        method, status = scope["method"], answer.status or 0
        route: str = scope.get("path_template") or UNMATCHED
        self._metrics.active -= 1
        self._metrics.observe(method, route, status, elapsed)
        fields: dict[str, object] = {
            "method": method[:_LONGEST_PATH],
            "path": scope["path"][:_LONGEST_PATH],
            "route": route,
            "status": answer.status,
            "duration_ms": int(elapsed * 1e6)
            / 1e3,  # To the microsecond; `round` takes three times as long.
            "request_id": answer.correlation.request_id,
        }
        if answer.correlation.trace_parent is not None:
            fields |= _identity(answer.correlation)
        if not answer.complete:
            fields["complete"] = False  # The client has left, or the answer broke off.
        tell_request("warning" if status >= _FAILED else "info", fields)


class _Exchange:
    """What is known of one WebSocket at its end."""

    __slots__ = ("_code", "_send", "_status", "correlation")

    def __init__(self, send: Send) -> None:
        self._code: int | None = None
        self._status: int | None = None
        self.correlation: Correlation | None = None
        self._send = send

    async def send(self, message: Message) -> None:
        """Pass a message on, and take note of it."""
        kind = message["type"]
        if kind == "websocket.http.response.start":
            # A connection that is refused gets no further than this.
            self.correlation = current_correlation.get()
            self._status = message["status"]
        elif kind == "websocket.close":
            self._code = message.get("code", 1000)
        await self._send(message)

    def end(self) -> dict[str, int | None]:
        """Return how it was closed by us, or refused."""
        return {"code": self._code} if self._status is None else {"status": self._status}


def _identity(correlation: Correlation | None) -> dict[str, str]:
    """Return the ids of a request, as they are called in logs."""
    if correlation is None:
        return {}
    told = {"request_id": correlation.request_id}
    if correlation.trace_parent is not None:
        told["trace_id"] = correlation.trace_parent.split("-")[1]
    return told


_logger = structlog.get_logger("uat_service")
