"""Kept connections to one upstream."""

import asyncio
import ssl

from uat_resilience._core.arguments import seconds
from uat_service.addresses import http_origin
from uat_service.proxy.connection import Connection
from uat_service.proxy.errors import UnreachableError

__all__ = ["Pool"]

KEPT = 4.0
FRESH = 0.5


class Pool:
    """Keep connections to one origin, and make more when all are in use. Belongs to one event loop.

    A connection that was idle for 4 s is not used again: many servers close theirs after 5 s, and a request that
    meets that closing is lost. What must not be sent twice gets none that was idle for more than half a second.

    There is no limit to their number: a request holds one, and requests are limited before they get here.

    Args:
        origin: `http://host:port` or `https://host:port`.
        connect_timeout: Seconds to connect in, above 0.
        patience: Seconds of silence, above 0, after which an answer that is waited for counts as lost.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self, origin: str, *, connect_timeout: float = 5.0, patience: float = 60.0
    ) -> None:
        scheme, self._host, self._port, _ = http_origin("origin", origin)
        self.origin = origin
        self._tls = ssl.create_default_context() if scheme == "https" else None
        self._connect_timeout = seconds("connect_timeout", connect_timeout)
        self._patience = seconds("patience", patience)
        self._idle: list[Connection] = []  # The one that was used last is the last.
        self._sweep: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> int:
        """Connections that wait for a request."""
        return len(self._idle)

    async def acquire(self, *, fresh: bool) -> Connection:
        """Return a connection for one request.

        Args:
            fresh: The request must not be sent twice.

        Raises:
            UnreachableError: There is none to be had.
        """
        oldest = asyncio.get_running_loop().time() - (FRESH if fresh else KEPT)
        while self._idle:
            connection = self._idle[-1]
            if connection.closed:
                self._idle.pop()
            elif connection.idle_since < oldest:
                break
            else:
                return self._idle.pop()
        return await self.connect()

    async def connect(self) -> Connection:
        """Return a new connection.

        Raises:
            UnreachableError: There is none to be had.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_timeout):
                _, connection = await loop.create_connection(
                    lambda: Connection(loop, patience=self._patience),
                    self._host,
                    self._port,
                    ssl=self._tls,
                )
        except OSError as error:  # TimeoutError and what TLS refuses are such errors too
            raise UnreachableError(f"{self.origin} cannot be reached") from error
        return connection

    def release(self, connection: Connection, *, fit: bool) -> None:
        """Take a connection back.

        Args:
            connection: The connection.
            fit: Its request came to an orderly end. Otherwise it is closed.
        """
        if connection.finish(fit=fit):
            self._idle.append(connection)
            if self._sweep is None:
                self._arm()

    def close(self) -> None:
        """Close the connections that wait for a request."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for connection in self._idle:
            connection.abort()
        self._idle.clear()

    def _arm(self) -> None:
        self._sweep = asyncio.get_running_loop().call_later(KEPT, self._swept)

    def _swept(self) -> None:
        """Close what was idle for too long."""
        self._sweep = None
        oldest = asyncio.get_running_loop().time() - KEPT
        for connection in self._idle:
            if connection.idle_since < oldest:
                connection.abort()
        self._idle = [connection for connection in self._idle if not connection.closed]
        if self._idle:
            self._arm()
