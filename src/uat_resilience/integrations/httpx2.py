"""httpx2: transports that guard every request of a client.

    client = httpx2.AsyncClient(transport=AsyncResilientTransport())

Each host has a breaker, slots, timeouts and retries of its own; what must not be sent twice is not. Refusals and
missed deadlines are errors of this library and of httpx2 both.

Its twin, for the other line of the library, reads the same but for the name.
"""

import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from typing import cast

from uat_resilience.ambient import Deadline, current_deadline
from uat_resilience.integrations.http.answer import Answer
from uat_resilience.integrations.http.body import aread, read
from uat_resilience.integrations.http.call import Call
from uat_resilience.integrations.http.deadlines import awithin, bounded, within
from uat_resilience.integrations.http.dialect import Dialect
from uat_resilience.integrations.http.exchange import AsyncExchange, Exchange
from uat_resilience.integrations.http.hosts import Hosts
from uat_resilience.integrations.http.kin import Kinship
from uat_resilience.integrations.http.repeating import Repeat, repeat_of
from uat_resilience.policies.policy import Policy

try:
    import httpx2
except ImportError as error:
    raise ImportError("httpx2 is not installed: pip install 'uat-resilience[httpx2]'") from error

from uat_resilience.integrations.httpcore2 import AsyncConnections, Connections
from uat_resilience.integrations.pooling import Library, Limits, translation

__all__ = ["AsyncResilientTransport", "ResilientTransport", "per_host"]


class ResilientTransport(httpx2.BaseTransport):
    """Guard every request of an `httpx2.Client`.

    The slot and the verdict of a request end with the body of its answer, not with its headers. The deadline
    around a request covers its body too, and is told to the server; so is the request that is being served here.

    Thread-safe. In sync code nothing is cut: every wait for the network is bounded by what is left of the deadline
    (with a transport of your own: by httpx2's timeouts, each of them no longer than what is left).

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

    def __init__(
        self,
        policy: Policy | Callable[[httpx2.Request], Policy] | None = None,
        *,
        inner: httpx2.BaseTransport | None = None,
        limits: httpx2.Limits | None = None,
        verify: ssl.SSLContext | str | bool = True,
    ) -> None:
        allowed = Limits.given(inner, limits, verify)
        self._inner = inner or Connections(_LIBRARY, httpx2.create_ssl_context(verify), allowed)
        self._exchange = Exchange(policy, _DIALECT, self._send)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request under its policy.

        Raises:
            CallRefusedError: It was not sent; also an `httpx2.TransportError`.
            TimedOutError: A deadline has passed; also an `httpx2.TimeoutException`.
        """
        return self._exchange.send(request)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def _send(self, call: Call[httpx2.Request]) -> httpx2.Response:
        deadline = current_deadline.get()
        request = _attempt(call, deadline)
        if deadline is not None:
            given = cast("dict[str, float | None]", request.extensions.get("timeout", {}))
            request.extensions["timeout"] = bounded(given, deadline)
        response = within(
            deadline, lambda: self._inner.handle_request(request), httpx2.TimeoutException
        )
        stream = cast("httpx2.SyncByteStream", response.stream)
        response.stream = _Body(stream, Answer(deadline), response.headers.get("content-length"))
        return response


class AsyncResilientTransport(httpx2.AsyncBaseTransport):
    """Guard every request of an `httpx2.AsyncClient`, on asyncio and trio.

    The slot and the verdict of a request end with the body of its answer, not with its headers. The deadline
    around a request covers its body too, and is told to the server; so is the request that is being served here.

    A request, and the reading of a body, is cut at its deadline. A cancelled one leaves nothing behind.

    Args and errors are those of `ResilientTransport`.
    """

    def __init__(
        self,
        policy: Policy | Callable[[httpx2.Request], Policy] | None = None,
        *,
        inner: httpx2.AsyncBaseTransport | None = None,
        limits: httpx2.Limits | None = None,
        verify: ssl.SSLContext | str | bool = True,
    ) -> None:
        allowed = Limits.given(inner, limits, verify)
        self._inner = inner or AsyncConnections(
            _LIBRARY, httpx2.create_ssl_context(verify), allowed
        )
        self._exchange = AsyncExchange(policy, _DIALECT, self._send)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request under its policy.

        Raises:
            CallRefusedError: It was not sent; also an `httpx2.TransportError`.
            TimedOutError: A deadline has passed; also an `httpx2.TimeoutException`.
        """
        return await self._exchange.send(request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def _send(self, call: Call[httpx2.Request]) -> httpx2.Response:
        deadline = current_deadline.get()
        request = _attempt(call, deadline)
        response = await awithin(deadline, lambda: self._inner.handle_async_request(request))
        stream = cast("httpx2.AsyncByteStream", response.stream)
        length = response.headers.get("content-length")
        response.stream = _AsyncBody(stream, Answer(deadline), length)
        return response


class _Body(httpx2.SyncByteStream):
    """A body, and what is held for it."""

    def __init__(self, stream: httpx2.SyncByteStream, answer: Answer, length: str | None) -> None:
        self._stream = stream
        self._length = length
        self.answer = answer

    def __iter__(self) -> Iterator[bytes]:
        late = httpx2.TimeoutException
        return read(self._stream, self.answer, _KINSHIP, late=late, length=self._length)

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            self.answer.leave()


class _AsyncBody(httpx2.AsyncByteStream):
    """A body, and what is held for it."""

    def __init__(self, stream: httpx2.AsyncByteStream, answer: Answer, length: str | None) -> None:
        self._stream = stream
        self._length = length
        self.answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aread(self._stream, self.answer, _KINSHIP, length=self._length)

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self.answer.leave()


def _repeat(request: httpx2.Request) -> Repeat:
    replayable = isinstance(request.stream, httpx2.ByteStream)
    return repeat_of(request.method, request.headers.get, replayable=replayable)


def _answer(response: httpx2.Response) -> Answer | None:
    body = response.stream
    return body.answer if isinstance(body, _Body | _AsyncBody) else None


_UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_UNWELL = (
    httpx2.TimeoutException,
    httpx2.NetworkError,
    httpx2.RemoteProtocolError,
    httpx2.ProxyError,
)
_LIBRARY = Library(
    lambda status, headers, body, extensions: httpx2.Response(
        status, headers=headers, stream=body, extensions=extensions
    ),
    errors=translation(httpx2),
    repeat=_repeat,
)
_KINSHIP = Kinship(
    refused=httpx2.TransportError,
    timed_out=httpx2.TimeoutException,
    attributes={"_request": None},
)


_DIALECT: Dialect[httpx2.Request, httpx2.Response] = Dialect(
    host=lambda request: request.url.netloc.decode("ascii"),
    repeat=_repeat,
    status=lambda response: response.status_code,
    header=lambda response, name: response.headers.get(name),
    answer=_answer,
    unwell=lambda error: isinstance(error, _UNWELL) and not isinstance(error, httpx2.PoolTimeout),
    unsent=lambda error: isinstance(error, _UNSENT),
    kinship=_KINSHIP,
)


def per_host(
    *,
    total: float = 30.0,
    each: float = 10.0,
    attempts: int = 3,
    slots: int = 100,
    hosts: int = 1000,
) -> Hosts[httpx2.Request, httpx2.Response]:
    """Return the policy of requests when none is given, with other numbers: `policy=per_host(total=5.0)`.

    See `uat_resilience.integrations.http.hosts.Hosts` for what they mean.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """
    return Hosts(_DIALECT, total=total, each=each, attempts=attempts, slots=slots, hosts=hosts)


def _attempt(call: Call[httpx2.Request], deadline: Deadline | None) -> httpx2.Request:
    """Begin an attempt; return its request, which leaves the user's as it is."""
    request = call.request
    headers = request.headers.copy()
    for name, value in call.attempt(deadline, request.headers).items():
        headers[name] = value
    return httpx2.Request(
        request.method,
        request.url,
        headers=headers,
        stream=request.stream,
        extensions=dict(request.extensions),
    )
