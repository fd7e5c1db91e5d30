"""httpx: transports that guard every request of a client.

    client = httpx.AsyncClient(transport=AsyncResilientTransport())

Each host has a breaker, slots, timeouts and retries of its own; what must not be sent twice is not. Refusals and
missed deadlines are errors of this library and of httpx both.

Its twin, for the other line of the library, reads the same but for the name.
"""

import ssl
from collections.abc import Awaitable, Callable
from typing import cast

from uat_resilience.ambient import current_deadline
from uat_resilience.integrations.attempt import Attempt
from uat_resilience.integrations.http.answer import Answer
from uat_resilience.integrations.http.call import Call
from uat_resilience.integrations.http.deadlines import awithin, bounded, within
from uat_resilience.integrations.http.exchange import AsyncExchange, Exchange
from uat_resilience.integrations.http.hosts import Hosts
from uat_resilience.policies.policy import Policy

try:
    import httpx
except ImportError as error:
    raise ImportError("httpx is not installed: pip install 'uat-resilience[httpx]'") from error

from uat_resilience.integrations.httpcore2 import AsyncConnections, Connections
from uat_resilience.integrations.httpx_dialect import DIALECT, AsyncBody, Body, repeat
from uat_resilience.integrations.pooling import Library, Limits, translation

__all__ = ["AsyncResilientTransport", "ResilientTransport", "per_host"]


class ResilientTransport(httpx.BaseTransport):
    """Guard every request of an `httpx.Client`.

    The slot and the verdict of a request end with the body of its answer, not with its headers. The deadline
    around a request covers its body too, and is told to the server; so is the request that is being served here.

    Thread-safe. In sync code nothing is cut: every wait for the network is bounded by what is left of the deadline
    (with a transport of your own: by httpx's timeouts, each of them no longer than what is left).

    Args:
        policy: One policy for all requests, or a function that picks one for each. Default: `per_host()`. Retries
            and hedges are left out, or narrowed, for requests that must not be sent twice.
        inner: What sends the requests. Default: a pool of httpcore2, which survives cancelled calls.
        limits: Connections of that pool. Default: as many as are asked for, as slots are counted for each host;
            idle ones are kept for 4 s, which is less than the 5 s after which many servers close them.
        verify: How that pool checks certificates: True for the usual authorities, or an `ssl.SSLContext`.

    Raises:
        TypeError: `policy` is none of these.
        ValueError: `limits` or `verify` are given beside `inner`, which has its own.
    """

    _deliver: Callable[[Attempt[httpx.Request]], httpx.Response]

    def __init__(
        self,
        policy: Policy | Callable[[httpx.Request], Policy] | None = None,
        *,
        inner: httpx.BaseTransport | None = None,
        limits: httpx.Limits | None = None,
        verify: ssl.SSLContext | str | bool = True,
    ) -> None:
        allowed = Limits.given(inner, limits, verify)
        if inner is None:
            pool = Connections(_LIBRARY, httpx.create_ssl_context(verify), allowed)
            self._deliver, self._close = pool.deliver, pool.close
        else:

            def given(attempt: Attempt[httpx.Request]) -> httpx.Response:
                return inner.handle_request(_made(attempt))

            self._deliver = given
            self._close = inner.close
        self._exchange = Exchange(policy, DIALECT, self._send)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request under its policy.

        Raises:
            CallRefusedError: It was not sent; also an `httpx.TransportError`.
            TimedOutError: A deadline has passed; also an `httpx.TimeoutException`.
        """
        return self._exchange.send(request)

    def close(self) -> None:
        """Close the connections."""
        self._close()

    def _send(self, call: Call[httpx.Request]) -> httpx.Response:
        deadline = current_deadline.get()
        attempt = Attempt(call, deadline)
        if deadline is not None:
            given = cast("dict[str, float | None]", attempt.extensions.get("timeout", {}))
            attempt.extensions["timeout"] = bounded(given, deadline)
        response = within(deadline, lambda: self._deliver(attempt), httpx.TimeoutException)
        stream = cast("httpx.SyncByteStream", response.stream)
        response.stream = Body(stream, Answer(deadline), response.headers.get("content-length"))
        return response


class AsyncResilientTransport(httpx.AsyncBaseTransport):
    """Guard every request of an `httpx.AsyncClient`, on asyncio and trio.

    The slot and the verdict of a request end with the body of its answer, not with its headers. The deadline
    around a request covers its body too, and is told to the server; so is the request that is being served here.

    A request, and the reading of a body, is cut at its deadline. A cancelled one leaves nothing behind.

    Args and errors are those of `ResilientTransport`.
    """

    _deliver: Callable[[Attempt[httpx.Request]], Awaitable[httpx.Response]]

    def __init__(
        self,
        policy: Policy | Callable[[httpx.Request], Policy] | None = None,
        *,
        inner: httpx.AsyncBaseTransport | None = None,
        limits: httpx.Limits | None = None,
        verify: ssl.SSLContext | str | bool = True,
    ) -> None:
        allowed = Limits.given(inner, limits, verify)
        if inner is None:
            pool = AsyncConnections(_LIBRARY, httpx.create_ssl_context(verify), allowed)
            self._deliver, self._close = pool.deliver, pool.aclose
        else:

            async def given(attempt: Attempt[httpx.Request]) -> httpx.Response:
                return await inner.handle_async_request(_made(attempt))

            self._deliver = given
            self._close = inner.aclose
        self._exchange = AsyncExchange(policy, DIALECT, self._send)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request under its policy.

        Raises:
            CallRefusedError: It was not sent; also an `httpx.TransportError`.
            TimedOutError: A deadline has passed; also an `httpx.TimeoutException`.
        """
        return await self._exchange.send(request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._close()

    async def _send(self, call: Call[httpx.Request]) -> httpx.Response:
        deadline = current_deadline.get()
        attempt = Attempt(call, deadline)
        response = await awithin(deadline, lambda: self._deliver(attempt))
        stream = cast("httpx.AsyncByteStream", response.stream)
        length = response.headers.get("content-length")
        response.stream = AsyncBody(stream, Answer(deadline), length)
        return response


_LIBRARY = Library(
    lambda status, headers, body, extensions: httpx.Response(
        status, headers=headers, stream=body, extensions=extensions
    ),
    errors=translation(httpx),
    repeat=repeat,
)


def per_host(
    *,
    total: float = 30.0,
    each: float = 10.0,
    attempts: int = 3,
    slots: int = 100,
    hosts: int = 1000,
) -> Hosts[httpx.Request, httpx.Response]:
    """Return the policy of requests when none is given, with other numbers: `policy=per_host(total=5.0)`.

    See `uat_resilience.integrations.http.hosts.Hosts` for what they mean.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """
    return Hosts(DIALECT, total=total, each=each, attempts=attempts, slots=slots, hosts=hosts)


def _made(attempt: Attempt[httpx.Request]) -> httpx.Request:
    """Make a request of an attempt, for a transport of the user's."""
    request = attempt.request
    return httpx.Request(
        request.method,
        request.url,
        headers=attempt.headers,
        stream=request.stream,
        extensions=attempt.extensions,
    )
