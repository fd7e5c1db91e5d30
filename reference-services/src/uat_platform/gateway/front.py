"""In front of the gateway's own routes: every request that a route of the file is for goes to its upstream.

route ──▶ caller ──▶ rate of the client ──▶ identity ──▶ upstream
  │          └─ 401, 403, 503      └─ 429                    └─ 502, 503, 504
  └─ none: one of the gateway's own routes, 404 or 405
"""

from contextlib import nullcontext

from uat_platform.gateway.answers import UNKNOWN, give, insufficient, not_allowed, unauthorized
from uat_platform.gateway.callers.caller import Caller
from uat_platform.gateway.callers.callers import Callers
from uat_platform.gateway.callers.identity import Identities, claimed
from uat_platform.gateway.limits import Limits, address_of
from uat_platform.gateway.routes import Found, Missed, Route
from uat_platform.gateway.routes.definition import OWN
from uat_platform.gateway.routes.live import LiveRoutes
from uat_platform.gateway.sockets import pass_socket
from uat_platform.gateway.upstreams.passing import HELD, Passing
from uat_platform.gateway.upstreams.upstream import Upstream
from uat_platform.gateway.upstreams.upstreams import Upstreams
from uat_resilience import deadline
from uat_resilience.errors import CallRefusedError
from uat_resilience.integrations.serving.asgi_types import (
    App,
    RawHeaders,
    Receive,
    Scope,
    Send,
)
from uat_resilience.integrations.serving.problem import Problem, refusal
from uat_service.proxy import Exchange, GoneError, ProxyError, RefusedRequestError
from uat_service.proxy.errors import told
from uat_service.tokens import InvalidTokenError

__all__ = ["Front"]

_OWN = tuple(own + "/" for own in OWN)


class Front:
    """Pass requests on by the routes that hold. Belongs to one event loop.

    Args:
        app: Serves what no route is for.
        routes: The routes.
        upstreams: Where they lead.
        callers: Knows who requests are from.
        identities: Tells upstreams.
        limits: Bounds what clients ask for.
    """

    def __init__(
        self,
        app: App,
        *,
        routes: LiveRoutes,
        upstreams: Upstreams,
        callers: Callers,
        identities: Identities,
        limits: Limits,
    ) -> None:
        self._app = app
        self._routes = routes
        self._upstreams = upstreams
        self._callers = callers
        self._identities = identities
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it."""
        if scope["type"] not in {"http", "websocket"} or _own(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            found = self._routes.now.matcher.match(scope)
        except RefusedRequestError as error:
            await self._refuse(error, scope, receive, send)
            return
        if isinstance(found, Missed):
            if found.allowed:
                await give(not_allowed(found.allowed), scope, send, [])
            else:
                await self._app(scope, receive, send)
            return
        scope["path_template"] = found.route.path
        try:
            await self._routed(found, scope, receive, send)
        except CallRefusedError as error:
            if scope["type"] == "http":
                raise  # Whoever is around us answers it.
            await give(refusal(error, retry_after=1.0), scope, send, [])

    async def _routed(self, found: Found, scope: Scope, receive: Receive, send: Send) -> None:
        route = found.route
        upstream = self._upstreams[route.upstream]
        if scope["type"] == "websocket":
            await receive()  # websocket.connect
        try:
            caller, counted = await self._admitted(route, scope)
        except _RefusedError as refusal:
            await give(refusal.problem, scope, send, refusal.more)
            return
        headers = [] if caller is None else self._identities.headers(caller)
        without = claimed(scope["headers"])
        if scope["type"] == "websocket":
            await pass_socket(
                upstream, scope, receive, send, path=found.path, told=headers, without=without
            )
            return
        exchange = Exchange(scope, receive, send)
        passing = Passing(exchange, scope, path=found.path, told=headers, without=without)
        whole = nullcontext() if route.deadline is None else deadline(route.deadline)
        async with whole:
            await _passed(passing, upstream, send, counted)

    async def _admitted(self, route: Route, scope: Scope) -> tuple[Caller | None, RawHeaders]:
        """Return who a request is from, and how its client stands.

        Raises:
            _RefusedError: It has no right to be served.
            CallRefusedError: It comes too often, or its right cannot be found out.
        """
        address = address_of(scope)

        async def spend() -> RawHeaders:
            return await self._limits.spend(route.limit, address)

        if route.auth == "none":
            return None, await spend()
        try:
            caller = await self._callers.find(scope["headers"], spend)
        except InvalidTokenError:
            # Whoever guesses is counted, too.
            raise _RefusedError(unauthorized(), await spend()) from None
        if caller is None:
            counted = await spend()
            if route.auth == "required":
                raise _RefusedError(UNKNOWN, counted)
            return None, counted
        counted = await self._limits.spend(route.limit, f"caller/{caller.id}")
        if not caller.scopes.issuperset(route.scopes):
            raise _RefusedError(insufficient(route.scopes, kind=caller.kind), counted)
        return caller, counted

    async def _refuse(
        self, error: RefusedRequestError, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if scope["type"] == "http":
            await told(error, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})


async def _passed(passing: Passing, upstream: Upstream, send: Send, counted: RawHeaders) -> None:
    """Pass one request on, and its answer back."""
    exchange = passing.exchange
    try:
        await exchange.begin(hold=HELD if passing.free else 0)
        passed = await upstream.send(passing)
        await passed.relay(counted)
    except GoneError:
        return
    except ProxyError as error:
        if exchange.started:
            raise
        await told(error, send)


def _own(path: str) -> bool:
    return path in OWN or path.startswith(_OWN)


class _RefusedError(Exception):
    """The request has no right to be served."""

    def __init__(self, problem: Problem, more: RawHeaders) -> None:
        super().__init__(problem.title)
        self.problem = problem
        self.more = more
