"""A reverse proxy as an ASGI application: HTTP and WebSockets, streamed both ways.

    app = ReverseProxy("http://127.0.0.1:9000")

    async def choose(scope):                                  # or one that decides for each request
        return Target("http://127.0.0.1:9000", path=...)
    app = ReverseProxy(choose)

What comes out of it is what went in: paths and queries byte for byte, headers with their duplicates, their order
and (in answers) their case, bodies as they were compressed. Only headers of a single hop end here.
"""

from uat_resilience._core.arguments import flag
from uat_resilience.integrations.serving.asgi_types import Receive, Scope, Send
from uat_service.proxy.errors import NowhereError, told
from uat_service.proxy.http import Exchange
from uat_service.proxy.pools import Pools
from uat_service.proxy.target import Choose, Target
from uat_service.proxy.websocket import Socket

__all__ = ["ReverseProxy"]


class ReverseProxy:
    """Pass requests on to other servers.

    An answer that has begun is never begun anew: when the upstream breaks off, so does the answer.
    A client that goes lets the upstream know within 100 ms. Memory does not depend on how long a body is.

    One object belongs to one event loop. Cancelling a request closes its connection to the upstream.

    Args:
        target: Where requests go: an origin such as `http://127.0.0.1:9000`, or a function that says it for each.
        announce: Tell the upstream who the client is (`X-Forwarded-For`, `-Proto`, `-Host`).
        connect_timeout: Seconds to connect in, above 0.
        patience: Seconds of silence of an upstream, above 0. A minute, because streams rest for long; a deadline
            around the request cuts it anyway.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self,
        target: str | Choose,
        *,
        announce: bool = True,
        connect_timeout: float = 5.0,
        patience: float = 60.0,
    ) -> None:
        self._announce = flag("announce", announce)
        self._pools = Pools(connect_timeout=connect_timeout, patience=patience)
        if isinstance(target, str):
            self._pools[target]
            self._choose = _always(Target(target))
        elif callable(target):
            self._choose = target
        else:
            raise TypeError(f"target must be an origin or a function of the scope, not {target!r}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it.

        Raises:
            ProxyError: The answer broke off after it had begun.
        """
        kind = scope["type"]
        if kind == "lifespan":
            await self._live(receive, send)
            return
        target = await self._choose(scope)
        if kind == "http":
            if target is None:
                await told(NowhereError("nobody is there for it"), send)
                return
            exchange = Exchange(scope, receive, send)
            await exchange.run(self._pools[target.origin], target, announce=self._announce)
            return
        socket = Socket(scope, receive, send, connect_timeout=self._pools.connect_timeout)
        if target is None:
            await receive()
            await socket.refuse(404)
        else:
            await socket.run(target, announce=self._announce)

    def close(self) -> None:
        """Close the connections that wait for a request."""
        self._pools.close()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.close()
        await send({"type": "lifespan.shutdown.complete"})


def _always(target: Target) -> Choose:
    async def choose(_: Scope) -> Target:
        return target

    return choose
