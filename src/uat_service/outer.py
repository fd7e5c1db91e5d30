"""The outermost layer of a service: it sees every request, also those that no framework has a route for.

correlation, deadline, draining, load shedding      from `uat_resilience.integrations.asgi`
metrics, one line in the log, requests in flight     here, once for each request, however it ends
"""

from collections.abc import Awaitable

import structlog

from uat_resilience.clock import Clock, default_clock
from uat_resilience.integrations.asgi import EXEMPT, Limiter, ResilienceMiddleware
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
        clock: Clock | None = None,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._clock = clock
        self._guarded = ResilienceMiddleware(
            self._inner,
            limiter=limiter,
            max_timeout=max_timeout,
            shutdown=shutdown,
            exempt=OPERATIONS,
            clock=clock,
        )

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection, as ASGI has it."""
        if scope["type"] == "http":
            return self._http(scope, receive, send)
        if scope["type"] == "websocket":
            return self._websocket(scope, receive, send)
        return self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        now = (self._clock or default_clock.clock).now
        structlog.contextvars.clear_contextvars()
        exchange = scope[_KEY] = _Exchange(send)
        self._metrics.active += 1
        began = now()
        try:
            await self._guarded(scope, receive, exchange.send)
        except Exception as error:
            _logger.exception("request crashed", exc_info=error, **exchange.identity())
            raise
        finally:
            self._metrics.active -= 1
            elapsed = now() - began
            route: str = scope.get("path_template") or UNMATCHED
            self._metrics.observe(scope["method"], route, exchange.status, elapsed)
            if path_within(scope) not in OPERATIONS:
                exchange.tell(scope, route, elapsed)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        now = (self._clock or default_clock.clock).now
        structlog.contextvars.clear_contextvars()
        exchange = scope[_KEY] = _Exchange(send)
        began = now()
        try:
            await self._guarded(scope, receive, exchange.send)
        except Exception as error:
            _logger.exception("websocket crashed", exc_info=error, **exchange.identity())
            raise
        finally:
            _logger.info(
                "websocket",
                path=scope["path"][:_LONGEST_PATH],
                route=scope.get("path_template") or UNMATCHED,
                code=exchange.code,
                duration_ms=round((now() - began) * 1000, 3),
                **exchange.identity(),
            )

    def _inner(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        exchange: _Exchange = scope[_KEY]
        exchange.correlation = current_correlation.get()
        return self._app(scope, receive, send)


class _Exchange:
    """What is known of one request at its end."""

    __slots__ = ("_send", "code", "complete", "correlation", "status")

    def __init__(self, send: Send) -> None:
        self.status = 0
        self.code: int | None = None
        self.complete = False
        self.correlation: Correlation | None = None
        self._send = send

    async def send(self, message: Message) -> None:
        """Pass a message on, and take note of it."""
        kind = message["type"]
        if kind == "http.response.start":
            self.status = message["status"]
            # A request that is refused gets no further than this.
            self.correlation = current_correlation.get()
        elif kind == "websocket.close":
            self.code = message.get("code", 1000)
        await self._send(message)
        if kind == "http.response.body" and not message.get("more_body", False):
            self.complete = True

    def identity(self) -> dict[str, str]:
        """Return the ids of the request, as they are called in logs."""
        if self.correlation is None:
            return {}
        told = {"request_id": self.correlation.request_id}
        if self.correlation.trace_parent is not None:
            told["trace_id"] = self.correlation.trace_parent.split("-")[1]
        return told

    def tell(self, scope: Scope, route: str, elapsed: float) -> None:
        """Write the one line about this request."""
        fields: dict[str, object] = {
            "method": scope["method"][:_LONGEST_PATH],
            "path": scope["path"][:_LONGEST_PATH],
            "route": route,
            "status": self.status or None,
            "duration_ms": round(elapsed * 1000, 3),
            **self.identity(),
        }
        if not self.complete:
            fields["complete"] = False  # The client has left, or the answer broke off.
        tell_request("warning" if self.status >= _FAILED else "info", fields)


_logger = structlog.get_logger("uat_service")
