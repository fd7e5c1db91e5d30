"""A server that keeps its promises: deadlines, load shedding, draining and refusals, for any ASGI application.

    app = ResilienceMiddleware(app, limiter=AdaptiveLimiter(), shutdown=shutdown)

Around the whole application, whatever framework made it: there it sees the requests that a framework refuses, and
those it has no route for, which a middleware inside of it does not.
"""

from collections.abc import Callable, Collection
from typing import Protocol

from uat_resilience._core.arguments import callback_or_none, seconds
from uat_resilience._core.priority_slots import Priority
from uat_resilience.clock import Clock
from uat_resilience.errors import TimedOutError
from uat_resilience.integrations.headers import (
    Correlation,
    Header,
    new_request_id,
    read_attempt,
    read_correlation,
    read_deadline,
)
from uat_resilience.integrations.serving.answer import Answer, Manner
from uat_resilience.integrations.serving.asgi_types import (
    App,
    Receive,
    Scope,
    Send,
    lookup,
    path_within,
)
from uat_resilience.integrations.serving.health_routes import HealthRoutes
from uat_resilience.integrations.serving.request_context import NORMAL, RequestContext
from uat_resilience.integrations.serving.resilience_report import ResilienceReport
from uat_resilience.integrations.serving.websocket import WebSocket
from uat_resilience.integrations.serving.witness import Witness
from uat_resilience.lifecycle.shutdown import GracefulShutdown
from uat_resilience.policies.deadline import deadline
from uat_resilience.policies.permit import Permit

__all__ = [
    "EXEMPT",
    "Answer",
    "HealthRoutes",
    "Limiter",
    "ResilienceMiddleware",
    "ResilienceReport",
    "Witness",
]

EXEMPT = frozenset({"/health/live", "/health/ready", "/health/startup", "/metrics", "/resilience"})
"""Paths that are served under load and while draining: whoever asks there wants to know how things stand."""

_NAME = "request"


class Limiter(Protocol):
    """Anything that lets work in or refuses it: a limiter, a load shedder, a bulkhead."""

    def permit(self) -> Permit:
        """Return a guard for one block."""
        ...


class ResilienceMiddleware:
    """Serve what can be served in time, refuse the rest at once, and say so in a way that callers understand.

    For each HTTP request, in this order:

    - Its correlation (`traceparent`, `X-Request-ID`, or a new id) is put into `current_correlation` and echoed as
      `X-Request-ID`. Everything else a call inherits is set anew, so that nothing of another request is left.
    - With `X-Retry-Attempt` its sender repeats failed calls, so each `Retry` in here calls once (`single_try`).
    - Its deadline comes from `X-Request-Timeout-Ms` or `grpc-timeout`, at most `max_timeout`. What is spent on
      arrival is answered with 504 and not served; what is not done in time is cancelled.
    - A draining `shutdown` refuses it, and otherwise waits for it; the `limiter` lets it in or not.
    - A refusal that comes out of the application is answered with 503 (429 for a rate limit) and `Retry-After`, a
      missed deadline with 504, anything else with 500 and raised again; all as problem details (RFC 9457). When
      the answer has begun already the error goes on, so that the server breaks the connection off.
    - A failed answer carries `x-should-retry: false` when a `Retry` in here has used up its tries.

    WebSockets get the correlation and are closed with 1012 by a draining `shutdown`. They last, so they have no
    deadline and take no permit. Other scopes pass unseen.

    Keeps nothing of its own. Works on asyncio and trio. Cancelled requests give back what they hold.

    Args:
        app: The application, made by any framework.
        limiter: Lets requests in: an `AdaptiveLimiter`, `LoadShedder`, `Bulkhead`, or anything with `permit()`.
            A streamed answer holds its permit until it ends. Default: none.
        max_timeout: Seconds a caller may ask for at most, above 0. As long as a person waits.
        default_timeout: Seconds for requests that do not say, above 0, or None for no limit. The default is none,
            because it would cut streams that browsers hold open.
        shutdown: Waits for the requests that run, and refuses further ones. Default: none.
        priority: Called with the scope; returns how much a request matters to the limiter. Default: all the same.
        retry_after: Seconds to ask for where a refusal does not know any, above 0.
        exempt: Paths that neither limiter nor shutdown refuse.
        witness: Sees HTTP requests begin and end. Default: none.
        clock: Time source of deadlines. Default: the replaceable system clock.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self,
        app: App,
        *,
        limiter: Limiter | None = None,
        max_timeout: float = 30.0,
        default_timeout: float | None = None,
        shutdown: GracefulShutdown | None = None,
        priority: Callable[[Scope], Priority] | None = None,
        retry_after: float = 1.0,
        exempt: Collection[str] = EXEMPT,
        witness: Witness | None = None,
        clock: Clock | None = None,
    ) -> None:
        if not callable(app):
            raise TypeError(f"app must be an ASGI application, not {app!r}")
        if limiter is not None and not callable(getattr(limiter, "permit", None)):
            raise TypeError(f"limiter must have permit(), not {limiter!r}")
        if shutdown is not None and not isinstance(shutdown, GracefulShutdown):
            raise TypeError(f"shutdown must be a GracefulShutdown, not {shutdown!r}")
        if witness is not None and not _sees(witness):
            raise TypeError(f"witness must have begun(), crashed() and ended(), not {witness!r}")
        if isinstance(exempt, str):
            raise TypeError(f"exempt must be a collection of paths, not {exempt!r}")
        self._app = app
        self._limiter = limiter
        self._max_timeout = seconds("max_timeout", max_timeout)
        self._default_timeout = (
            None if default_timeout is None else seconds("default_timeout", default_timeout)
        )
        self._shutdown = shutdown
        self._priority = callback_or_none("priority", priority)
        self._manner = Manner(shutdown, seconds("retry_after", retry_after))
        self._exempt = frozenset(exempt)
        self._witness = witness
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it."""
        kind = scope["type"]
        if kind == "http":
            await self.http(scope, receive, send)
        elif kind == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        # Somebody outside of us answers crashes when we stand inside a framework: it has put itself there.
        nested, witness = "app" in scope, self._witness
        shutdown, limiter = self._shutdown, self._limiter
        if self._exempt and path_within(scope) in self._exempt:
            shutdown = limiter = None
        header = lookup(scope)
        given = self._default_timeout if header is None else self._given(header)
        context = self._context(scope, header, shutdown)
        answer = Answer(scope, send, context, self._manner)
        began = 0.0 if witness is None else witness.begun(scope)
        try:
            with context:
                try:
                    if given is None:
                        await self._accepted(scope, receive, answer, shutdown, limiter)
                    else:
                        async with self._deadline(given):
                            await self._accepted(scope, receive, answer, shutdown, limiter)
                except Exception as error:
                    if await answer.explain(error):
                        return
                    if not nested:
                        await answer.apologise()
                    if witness is not None:
                        witness.crashed(answer, error)
                    raise
        finally:
            if witness is not None:
                witness.ended(scope, answer, began)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = self._context(scope, lookup(scope), self._shutdown)
        socket = WebSocket(scope, receive, send, request_id=context.correlation.request_id)
        with context:
            await socket.serve(self._app, self._shutdown, self._manner.retry_after)

    def _given(self, header: Header) -> float | None:
        """Return the seconds that a request has, or None for as long as it takes."""
        told = read_deadline(header)
        return self._default_timeout if told is None else min(told, self._max_timeout)

    def _context(
        self, scope: Scope, header: Header | None, shutdown: GracefulShutdown | None
    ) -> RequestContext:
        drain = None if shutdown is None else shutdown.signal
        level = NORMAL if self._priority is None else self._priority(scope)
        if header is None:
            return RequestContext(Correlation(new_request_id()), drain, None, level)
        return RequestContext(read_correlation(header), drain, read_attempt(header), level)

    def _deadline(self, given: float) -> deadline:
        if given <= 0:
            raise TimedOutError(_NAME)
        return deadline(given, clock=self._clock)

    async def _accepted(
        self,
        scope: Scope,
        receive: Receive,
        answer: Answer,
        shutdown: GracefulShutdown | None,
        limiter: Limiter | None,
    ) -> None:
        """Serve a request as work that the shutdown waits for, once the limiter lets it in."""
        # As `shutdown.track()` does it, but for the signal, which is in the context.
        if shutdown is not None:
            shutdown.enter()
        try:
            if limiter is None:
                await self._app(scope, receive, answer.send)
                return
            async with limiter.permit() as permit:
                await self._app(scope, receive, answer.send)
                if answer.status in _SAYS_NOTHING:
                    permit.abandon()
                elif answer.status is not None and answer.status >= _FAILED:
                    permit.failure()
        finally:
            if shutdown is not None:
                shutdown.leave()


_FAILED = 500
# Refusals are quick whatever the load is; taking them for work well done would raise an adaptive limit.
_SAYS_NOTHING = frozenset({429, 503})


def _sees(witness: object) -> bool:
    steps = ("begun", "crashed", "ended")
    return not isinstance(witness, type) and all(
        callable(getattr(witness, step, None)) for step in steps
    )
