"""One HTTP request through the proxy, streamed both ways."""

from uat_resilience.integrations.serving.asgi_types import Message, Receive, Scope, Send
from uat_service.proxy.connection import Connection
from uat_service.proxy.errors import BrokenAnswerError, ProxyError, told
from uat_service.proxy.feed import Feed, GoneError, framed
from uat_service.proxy.headers import end_to_end
from uat_service.proxy.outgoing import framing, request_head
from uat_service.proxy.pool import Pool
from uat_service.proxy.spelling import Spelled
from uat_service.proxy.target import Target

__all__ = ["Exchange"]

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
_NO_LENGTH = frozenset({b"content-length"})
_NO_CONTENT = frozenset({204, 304})
_HIGHEST = 599


class Exchange:
    """Pass one request on, and its answer back.

    A request is sent once. The one exception: a kept connection that the upstream has closed meanwhile, before a
    byte of an answer came, for a request that has no body and may be sent twice by what its method means.

    Args:
        scope: The request.
        receive: Where the rest of it comes from.
        send: Where the answer goes.
    """

    __slots__ = ("_receive", "_scope", "_send", "_started")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._started = False

    async def run(self, pool: Pool, target: Target, *, announce: bool) -> None:
        """Make the exchange.

        A client that goes ends it: the connection to the upstream is closed then, which tells it to stop.

        Raises:
            ProxyError: The answer broke off after it had begun.
        """
        try:
            head = request_head(self._scope, target, announce=announce)
            coding = framing(self._scope["headers"])
            first: Message = {"body": b"", "more_body": False}
            if coding is not None:
                first = await self._receive()
                if first["type"] != "http.request":
                    return
            await self._exchange(pool, head, first, chunked=coding == b"chunked")
        except GoneError:
            return
        except ProxyError as error:
            if self._started:
                raise
            await told(error, self._send)

    async def _exchange(self, pool: Pool, head: bytes, first: Message, *, chunked: bool) -> None:
        method: str = self._scope["method"]
        more: bool = first.get("more_body", False)
        data = framed(first.get("body", b""), chunked=chunked, more=more)
        repeatable = method in _IDEMPOTENT and not data and not more
        connection = await pool.acquire(fresh=method not in _IDEMPOTENT)
        while True:
            whole = False
            feed = Feed(self._receive, connection, chunked=chunked, complete=not more)
            try:
                connection.begin(head + data, method=method)
                feed.start()
                await self._relay(connection)
                # An answer before the end of the request: the rest is not wanted.
                whole = feed.complete
                return
            except BrokenAnswerError:
                if not repeatable or connection.touched or not connection.answers:
                    raise
            finally:
                await feed.stop()
                pool.release(connection, fit=whole)
            connection = await pool.connect()

    async def _relay(self, connection: Connection) -> None:
        """Pass the answer back, as it comes."""
        await connection.head()
        status = connection.status
        if status > _HIGHEST:
            raise BrokenAnswerError(f"the status is {status}")
        # Servers hold an answer to its length, and these have one without a body.
        without = (
            _NO_LENGTH
            if status in _NO_CONTENT and self._scope["method"] != "HEAD"
            else frozenset[bytes]()
        )
        headers = end_to_end(connection.headers, without=without)
        told = [(Spelled(name), value) for name, value in headers]
        self._started = True
        await self._send({"type": "http.response.start", "status": status, "headers": told})
        while True:
            data = await connection.take()
            last = connection.ended
            await self._send({"type": "http.response.body", "body": data, "more_body": not last})
            if last:
                return
