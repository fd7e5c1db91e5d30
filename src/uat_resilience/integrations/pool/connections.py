"""Connections for HTTP clients: those of httpcore2, in pools that survive cancelled calls.

httpcore 1.0.9, which httpx 0.28 stands on, loses a place in its pool for good when a call is cancelled while it
waits for a connection (encode/httpcore#1093). httpcore2 does not. On top of that:

- A request that must not be sent twice never gets a connection that was idle for longer than half a second.
  Servers close idle connections after some seconds, and a request that meets that closing fails.
- In sync code every wait for the network is cut short to what is left of the ambient deadline. The library's own
  timeouts only bound each wait, so that a server that sends a byte now and then is waited for without end.
"""

from collections.abc import AsyncIterator, Iterator
from ssl import SSLContext
from typing import Any, Generic, TypeVar

import httpcore2

from uat_resilience.integrations.http.repeating import Repeat
from uat_resilience.integrations.pool.attempt import Attempt
from uat_resilience.integrations.pool.library import ERRORS, Library, Limits
from uat_resilience.integrations.pool.network import Network
from uat_resilience.integrations.pool.request import Request, Url
from uat_resilience.integrations.pool.unlimited import AsyncUnlimitedPool, UnlimitedPool

__all__ = ["AsyncConnections", "Connections"]

R = TypeVar("R")
_FREELY = Repeat.FREELY  # Looking a member up on its class takes as long as a call.


class Connections(Generic[R]):
    """Connections for sync code. Thread-safe.

    Args:
        library: The library they work for.
        ssl: How certificates are checked.
        limits: How many connections.
    """

    def __init__(self, library: Library[Any, R], ssl: SSLContext, limits: Limits) -> None:
        self._library = library
        self._limited = limits.total is not None
        self._any, self._fresh = (
            _pool(ssl, limits, expiry, network=Network())
            for expiry in (limits.expiry, limits.fresh)
        )

    def deliver(self, attempt: Attempt[Any]) -> R:
        """Send an attempt."""
        pool = self._any if attempt.repeat is _FREELY else self._fresh
        # Only for a place in the pool is waited elsewhere than in the network, which knows the deadline itself.
        extensions = attempt.bounded() if self._limited else attempt.request.extensions
        try:
            answer: Any = pool.handle_request(_Request(attempt, extensions))
        except ERRORS as error:
            raise self._library.translated(error) from error
        body = _Body(answer.stream, self._library)
        return self._library.response(
            answer.status, headers=answer.headers, stream=body, extensions=dict(answer.extensions)
        )

    def close(self) -> None:
        """Close all connections."""
        self._any.close()
        self._fresh.close()


class AsyncConnections(Generic[R]):
    """Connections for async code, on asyncio and trio. See `Connections`."""

    def __init__(self, library: Library[Any, R], ssl: SSLContext, limits: Limits) -> None:
        self._library = library
        self._any, self._fresh = (
            _async_pool(ssl, limits, expiry) for expiry in (limits.expiry, limits.fresh)
        )

    async def deliver(self, attempt: Attempt[Any]) -> R:
        """Send an attempt."""
        pool = self._any if attempt.repeat is _FREELY else self._fresh
        try:
            answer: Any = await pool.handle_async_request(
                _Request(attempt, attempt.request.extensions)
            )
        except ERRORS as error:
            raise self._library.translated(error) from error
        body = _AsyncBody(answer.stream, self._library)
        return self._library.response(
            answer.status, headers=answer.headers, stream=body, extensions=dict(answer.extensions)
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._any.aclose()
        await self._fresh.aclose()


def _pool(
    ssl: SSLContext, limits: Limits, expiry: float | None, network: Network
) -> UnlimitedPool | httpcore2.ConnectionPool:
    if limits.unlimited:
        return UnlimitedPool(ssl, expiry, network)
    return httpcore2.ConnectionPool(
        ssl_context=ssl,
        max_connections=limits.total,
        max_keepalive_connections=limits.idle,
        keepalive_expiry=expiry,
        network_backend=network,
    )


def _async_pool(
    ssl: SSLContext, limits: Limits, expiry: float | None
) -> AsyncUnlimitedPool | httpcore2.AsyncConnectionPool:
    if limits.unlimited:
        return AsyncUnlimitedPool(ssl, expiry)
    return httpcore2.AsyncConnectionPool(
        ssl_context=ssl,
        max_connections=limits.total,
        max_keepalive_connections=limits.idle,
        keepalive_expiry=expiry,
    )


class _Url(httpcore2.URL):
    """Where a request goes. It is not looked at again, which would be a sixth of all that a guard adds."""

    def __init__(self, url: Url) -> None:
        self.scheme = url.raw_scheme
        self.host = url.raw_host
        self.port = url.port
        self.target = url.raw_path


class _Request(httpcore2.Request):
    """What is sent of an attempt, in the terms of httpcore2. Nor is this looked at again."""

    def __init__(self, attempt: Attempt[Request], extensions: dict[str, Any]) -> None:
        request = attempt.request
        self.method = request.method.encode("ascii")
        self.url = _Url(request.url)
        self.headers = attempt.headers
        self.stream = request.stream
        self.extensions = extensions


class _Body:
    """A body as it comes in, with the library's errors."""

    def __init__(self, stream: Any, library: Library[Any, Any]) -> None:  # noqa: ANN401 - httpcore2 does not say more
        self._stream = stream
        self._library = library

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except ERRORS as error:
            raise self._library.translated(error) from error

    def close(self) -> None:
        self._stream.close()


class _AsyncBody:
    """A body as it comes in, with the library's errors."""

    def __init__(self, stream: Any, library: Library[Any, Any]) -> None:  # noqa: ANN401 - httpcore2 does not say more
        self._stream = stream
        self._library = library

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._stream:
                yield part
        except ERRORS as error:
            raise self._library.translated(error) from error

    async def aclose(self) -> None:
        await self._stream.aclose()
