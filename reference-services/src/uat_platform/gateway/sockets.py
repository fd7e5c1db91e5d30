"""One WebSocket on its way to an upstream."""

from uat_platform.gateway.upstreams.upstream import Upstream
from uat_resilience.errors import CircuitOpenError
from uat_resilience.integrations.serving.asgi_types import RawHeaders, Receive, Scope, Send
from uat_service.proxy import ProxyError, Socket, Target, UnreachableError

__all__ = ["pass_socket"]


async def pass_socket(
    upstream: Upstream,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    path: bytes | None,
    told: RawHeaders,
    without: frozenset[bytes],
) -> None:
    """Pass a WebSocket on; at another instance when one cannot be reached.

    Args:
        upstream: Where to.
        scope: The connection.
        receive: Where the client's messages come from; its wish to connect has been taken.
        send: Where messages for it go.
        path: What to ask for, or None for the path that came.
        told: Headers for the upstream.
        without: Headers of the client that do not go further.

    Raises:
        CallRefusedError: There are too many, or nobody is there who is well.
    """
    socket = Socket(scope, receive, send, connect_timeout=upstream.definition.attempt_timeout)
    tried: list[str] = []
    async with upstream.sockets.permit():
        for number in range(upstream.attempts, 0, -1):
            chosen = await upstream.choose(tried)
            if chosen is None:
                break
            instance, breaker, more = chosen
            target = Target(instance.url, path=path, headers=tuple(told), without=without)
            try:
                # Only the beginning is judged: how long a socket lasts says nothing about who holds it.
                with breaker.permit():
                    opened = await socket.open(target, announce=True)
                upstream.instances.succeeded(instance)
                if opened is not None:
                    await socket.relay(opened)
                return
            except (UnreachableError, CircuitOpenError) as error:
                upstream.instances.failed(instance, unreachable=isinstance(error, UnreachableError))
                if number == 1 or not more:
                    break
            except ProxyError:
                upstream.instances.failed(instance)
                break
            finally:
                upstream.instances.over(instance)
        await socket.refuse(502)
