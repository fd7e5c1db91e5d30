"""An answer whose head has come, and whose body is still to be read."""

from uat_resilience.integrations.serving.asgi_types import RawHeaders
from uat_service.proxy.connection import Connection
from uat_service.proxy.feed import Feed
from uat_service.proxy.pool import Pool

__all__ = ["Arrival"]


class Arrival:
    """Hold the connection an answer comes over until it is passed on, or dropped. Either is done once.

    Args:
        connection: Where the answer comes from.
        feed: Sends the rest of the request, and watches the client.
        pool: Where the connection goes back to.
    """

    __slots__ = ("_pool", "connection", "feed")

    def __init__(self, connection: Connection, feed: Feed, pool: Pool) -> None:
        self.connection = connection
        self.feed = feed
        self._pool = pool

    @property
    def status(self) -> int:
        """Of the answer."""
        return self.connection.status

    @property
    def headers(self) -> RawHeaders:
        """Of the answer, as they came in."""
        return self.connection.headers

    async def release(self, *, whole: bool) -> None:
        """Give the connection back.

        Args:
            whole: The answer was read to its end.
        """
        await self.feed.stop()
        # An answer before the end of the request: the rest of that is not wanted, so the connection has to go.
        self._pool.release(self.connection, fit=whole and self.feed.complete)

    async def aclose(self) -> None:
        """Drop the answer: nobody will see it."""
        self.connection.taken()
        await self.release(whole=True)
