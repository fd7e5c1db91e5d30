"""One HTTP request through the proxy, streamed both ways.

begin ──▶ open ──▶ relay           the body begins, an upstream answers, the answer is passed back
           └─ failed: open again, elsewhere, if the request may be sent again and nothing was answered
"""

from uat_resilience.integrations.http.repeating import IDEMPOTENT
from uat_resilience.integrations.serving.asgi_types import RawHeaders, Receive, Scope, Send
from uat_service.proxy.arrival import Arrival
from uat_service.proxy.connection import Connection
from uat_service.proxy.errors import BrokenAnswerError, ProxyError, told
from uat_service.proxy.feed import Feed, GoneError, framed
from uat_service.proxy.headers import end_to_end
from uat_service.proxy.limit import Limit
from uat_service.proxy.outgoing import framing, request_head
from uat_service.proxy.pool import Pool
from uat_service.proxy.target import Target
from uat_service.spelling import Spelled

__all__ = ["Exchange"]

_NO_LENGTH = frozenset({b"content-length"})
_NO_CONTENT = frozenset({204, 304})
_HIGHEST = 599


class Exchange:
    """Pass one request on, and its answer back.

    `run` sends a request once. The one exception: a kept connection that the upstream has closed meanwhile, before
    a byte of an answer came, for a request that has no body and may be sent twice by what its method means.
    Whoever knows more about the request does the three steps itself.

    Args:
        scope: The request.
        receive: Where the rest of it comes from.
        send: Where the answer goes.

    Attributes:
        started: True once the answer has begun.
        replayable: True when the whole body of the request is at hand, so that it can be sent again.
    """

    __slots__ = ("_chunked", "_data", "_receive", "_scope", "_send", "replayable", "started")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self.started = False
        self.replayable = True
        self._chunked = False
        self._data = b""

    async def run(self, pool: Pool, target: Target, *, announce: bool) -> None:
        """Make the exchange.

        A client that goes ends it: the connection to the upstream is closed then, which tells it to stop.

        Raises:
            ProxyError: The answer broke off after it had begun.
        """
        try:
            await self.begin()
            await self.relay(await self.open(pool, target, announce=announce))
        except GoneError:
            return
        except ProxyError as error:
            if self.started:
                raise
            await told(error, self._send)

    async def begin(self, *, hold: int = 0) -> None:
        """Take the first part of the body, if there is any.

        Args:
            hold: Bytes of a body of known length that are waited for, so that it can be sent again.

        Raises:
            RefusedRequestError: It is not said in one way where the body ends.
            GoneError: The client is gone.
        """
        coding = framing(self._scope["headers"])
        if coding is None:
            return
        self._chunked = coding == b"chunked"
        whole = not self._chunked and int(coding) <= hold
        parts: list[bytes] = []
        while not parts or (whole and not self.replayable):
            message = await self._receive()
            if message["type"] != "http.request":
                raise GoneError("the client is gone")
            parts.append(message.get("body", b""))
            self.replayable = not message.get("more_body", False)
        self._data = framed(b"".join(parts), chunked=self._chunked, more=not self.replayable)

    async def open(
        self, pool: Pool, target: Target, *, announce: bool, within: float | None = None
    ) -> Arrival:
        """Send the request, and wait for the head of its answer.

        Args:
            pool: Connections to the upstream.
            target: What is asked for there.
            announce: Tell the upstream who the client is.
            within: Seconds, above 0, in which the answer has to begin once the whole request is sent, or None.

        Raises:
            UnreachableError: There is no connection to be had: nothing was sent.
            ProxyError: There will be no answer.
        """
        method: str = self._scope["method"]
        head = request_head(self._scope, target, announce=announce)
        repeatable = method in IDEMPOTENT and not self._data and self.replayable
        connection = await pool.acquire(fresh=method not in IDEMPOTENT)
        while True:
            try:
                return await self._sent(connection, pool, head, within)
            except BrokenAnswerError:
                if not repeatable or connection.touched or not connection.answers:
                    raise
            connection = await pool.connect()

    async def relay(self, arrival: Arrival, *, more: RawHeaders | None = None) -> None:
        """Pass the answer back, as it comes.

        Args:
            arrival: The answer.
            more: Headers that are added to it.

        Raises:
            ProxyError: It broke off.
        """
        connection, status, whole = arrival.connection, arrival.status, False
        # Servers hold an answer to its length, and these have one without a body.
        without = (
            _NO_LENGTH
            if status in _NO_CONTENT and self._scope["method"] != "HEAD"
            else frozenset[bytes]()
        )
        headers = end_to_end(arrival.headers, without=without)
        told = [*((Spelled(name), value) for name, value in headers), *(more or ())]
        try:
            self.started = True
            await self._send({"type": "http.response.start", "status": status, "headers": told})
            while not whole:
                data = await connection.take()
                whole = connection.ended
                await self._send(
                    {"type": "http.response.body", "body": data, "more_body": not whole}
                )
        except BaseException:
            await arrival.release(whole=False)
            raise
        await arrival.release(whole=True)

    async def _sent(
        self, connection: Connection, pool: Pool, head: bytes, within: float | None
    ) -> Arrival:
        limit = None if within is None else Limit(connection, within)
        feed = Feed(
            self._receive,
            connection,
            chunked=self._chunked,
            complete=self.replayable,
            done=None if limit is None else limit.begin,
        )
        arrival = Arrival(connection, feed, pool)
        try:
            connection.begin(head + self._data, method=self._scope["method"])
            feed.start()
            await connection.head()
            if connection.status > _HIGHEST:
                raise BrokenAnswerError(f"the status is {connection.status}")
        except BaseException:
            await arrival.release(whole=False)
            raise
        finally:
            if limit is not None:
                limit.end()
        return arrival
