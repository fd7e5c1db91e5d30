"""Pools of connections without a limit, where no request waits for another.

httpcore2's own pools look at all their connections and all their requests when a request begins, and again when it
ends, as somebody may be waiting for a place. Where there is no limit nobody waits: a request takes an idle
connection to its host, or makes one. That saves a fifth of the time that httpcore2 needs for a request.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from ssl import SSLContext
from typing import Any, Generic, TypeVar

import httpcore2
from anyio import CancelScope

from uat_resilience.integrations.pool.idle import Connection, Idle, Where

__all__ = ["AsyncUnlimitedPool", "UnlimitedPool"]

C = TypeVar("C", bound=Connection)
_SCHEMES = frozenset({b"http", b"https", b"ws", b"wss"})


class _Unlimited(Generic[C]):
    """The connections of a pool: busy or idle.

    Args:
        make: Makes a connection.
    """

    def __init__(self, make: Callable[[httpcore2.Origin], C]) -> None:
        self._make = make
        self._idle: Idle[C] = Idle()
        self._busy: set[C] = set()

    def _lend(self, where: Where, url: httpcore2.URL) -> C:
        """Return a connection that nobody else uses.

        Raises:
            UnsupportedProtocol: There is none to such a URL.
        """
        connection = self._idle.take(where)
        if connection is None:
            if url.scheme not in _SCHEMES:
                raise httpcore2.UnsupportedProtocol(
                    f"Request URL must begin with http:// or https://, not {url.scheme!r}"
                )
            connection = self._make(url.origin)
        self._busy.add(connection)
        return connection

    def _give_back(self, where: Where, connection: C) -> None:
        """Keep a connection that has been used, if it is good for another request."""
        self._busy.discard(connection)
        if connection.is_idle():
            self._idle.keep(where, connection)

    def _all(self) -> list[C]:
        return [*self._idle.all(), *self._busy]


class UnlimitedPool(_Unlimited[httpcore2.HTTPConnection]):
    """As many connections as are asked for, in sync code. Thread-safe.

    Args:
        ssl: How certificates are checked.
        expiry: Seconds that an idle connection is kept, or None for no limit.
        network: What opens connections.
    """

    def __init__(
        self, ssl: SSLContext, expiry: float | None, network: httpcore2.NetworkBackend
    ) -> None:
        make = partial(
            httpcore2.HTTPConnection,
            ssl_context=ssl,
            keepalive_expiry=expiry,
            network_backend=network,
        )
        super().__init__(make)

    def handle_request(self, request: httpcore2.Request) -> httpcore2.Response:
        """Send a request. Its connection is lent until the body of the answer is closed."""
        while (expired := self._idle.expired()) is not None:
            expired.close()
        url = request.url
        where = url.scheme, url.host, url.port
        connection = self._lend(where, url)
        try:
            response = connection.handle_request(request)
        except BaseException:
            self._give_back(where, connection)
            raise
        response.stream = _Body(response.stream, partial(self._give_back, where, connection))
        return response

    def close(self) -> None:
        """Close all connections, those in use too."""
        for connection in self._all():
            connection.close()


class AsyncUnlimitedPool(_Unlimited[httpcore2.AsyncHTTPConnection]):
    """As many connections as are asked for, in async code.

    Args:
        ssl: How certificates are checked.
        expiry: Seconds that an idle connection is kept, or None for no limit.
    """

    def __init__(self, ssl: SSLContext, expiry: float | None) -> None:
        make = partial(httpcore2.AsyncHTTPConnection, ssl_context=ssl, keepalive_expiry=expiry)
        super().__init__(make)

    async def handle_async_request(self, request: httpcore2.Request) -> httpcore2.Response:
        """Send a request. Its connection is lent until the body of the answer is closed."""
        while (expired := self._idle.expired()) is not None:
            await expired.aclose()
        url = request.url
        where = url.scheme, url.host, url.port
        connection = self._lend(where, url)
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            self._give_back(where, connection)
            raise
        give_back = partial(self._give_back, where, connection)
        response.stream = _AsyncBody(response.stream, connection, give_back)
        return response

    async def aclose(self) -> None:
        """Close all connections, those in use too."""
        with CancelScope(shield=True):
            for connection in self._all():
                await connection.aclose()


class _Body:
    def __init__(self, stream: Any, give_back: Callable[[], None]) -> None:  # noqa: ANN401 - httpcore2 does not say more
        self._stream = stream
        self._give_back = give_back
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._stream.close()
        finally:
            self._give_back()


class _AsyncBody:
    def __init__(
        self,
        stream: Any,  # noqa: ANN401 - httpcore2 does not say more
        connection: httpcore2.AsyncHTTPConnection,
        give_back: Callable[[], None],
    ) -> None:
        self._stream = stream
        self._connection = connection
        self._give_back = give_back
        self._closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            await self._stream.aclose()
        except BaseException:
            # It was cut before it had seen whether the connection can be used again. A scope for each request
            # would cost more than the connections that are lost by this.
            with CancelScope(shield=True):
                await self._connection.aclose()
            raise
        finally:
            self._give_back()
