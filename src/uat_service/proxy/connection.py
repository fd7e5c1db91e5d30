"""One connection to an upstream: a request goes out, its answer comes in, nothing of either is kept.

    idle ── begin ──▶ waiting ── head ──▶ reading ── end ──▶ idle      (kept: another request may follow)
                         │                   │      └──────▶ closed    (not kept)
                         └───── failed ──────┴─────────────▶ closed

The parser is httptools, the same that uvicorn reads requests with. It refuses what could be read in two ways, such
as a length next to `Transfer-Encoding`. Names keep their case, bodies their bytes.

Both directions are bounded: reading stops while 64 KiB wait to be passed on, and writing waits for the socket.
"""

import asyncio
from collections import deque

import httptools

from uat_resilience.integrations.serving.asgi_types import RawHeaders  # noqa: TC001 - read by those who ask for type hints
from uat_service.proxy.errors import BrokenAnswerError, ProxyError, SilentUpstreamError
from uat_service.proxy.headers import endless
from uat_service.proxy.writer import Writer

__all__ = ["Connection"]

HIGH = 65_536
_INFORMATIONAL = 200
_SWITCHING = 101
_BODILESS = frozenset({204, 304})


class Connection(Writer):
    """A connection that carries one request at a time. Belongs to one event loop.

    Args:
        loop: The loop it belongs to.
        patience: Seconds of silence, above 0, after which an answer that is waited for counts as lost. While the
            request is still on its way it is not silent.

    Attributes:
        status: Of the answer, once its head is there.
        headers: Of the answer, as they came in.
        ended: True once the answer is complete.
        idle_since: When it was last given back, in the loop's time.
        answers: Answers that were read whole.
        touched: True once a byte of the present answer has come.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, patience: float) -> None:
        super().__init__(loop)
        self._patience = patience
        self._waiter: asyncio.Future[None] | None = None
        self._parts: deque[bytes] = deque()
        self._size = 0
        self._error: ProxyError | None = None
        self._busy = self._keep = self._paused = self._informing = False
        self.idle_since = 0.0
        self.answers = 0

    def begin(self, head: bytes, *, method: str) -> None:
        """Send the head of a request, and be ready for its answer."""
        self._parser = httptools.HttpResponseParser(self)
        self._busy = True
        self._keep = self.ended = self.touched = False
        self._head_only = method == "HEAD"
        self.status = 0
        self.headers: RawHeaders = []
        self._transport.write(head)

    async def head(self) -> None:
        """Wait for status and headers.

        Raises:
            ProxyError: They will not come.
        """
        while not self.status:
            await self._more()

    async def take(self) -> bytes:
        """Return what has come of the body, after a wait if there is nothing; empty at its end.

        Raises:
            ProxyError: The rest will not come.
        """
        while not self._parts and not self.ended:
            await self._more()
        return self.taken()

    def taken(self) -> bytes:
        """Return what has come of the body, without a wait."""
        parts = self._parts
        if not parts:
            return b""
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        self._size = 0
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        return data

    def finish(self, *, fit: bool) -> bool:
        """End the use for one request; True when the connection is fit for another one."""
        self._busy = False
        kept = fit and self.ended and self._keep and not self.closed and self._error is None
        if kept:
            self.answers += 1
            self.idle_since = self._loop.time()
        else:
            self.abort()
        return kept

    def fail(self, error: ProxyError) -> None:
        """Let whoever waits for the answer have an error."""
        if self._error is None:
            self._error = error
        self._wake()

    # --- what the parser finds

    def on_message_begin(self) -> None:
        """Take note of a second answer, which nobody asked for."""
        self._keep = False
        if self.ended:
            self._strayed()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; after the head it is one of the trailer, which ends here."""
        if not self.status:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Take the head of the answer, unless it only announces another one."""
        if self.ended:
            return
        status = self._parser.get_status_code()
        if status == _SWITCHING:
            return  # The parser stops here by itself.
        if status < _INFORMATIONAL:
            self.headers = []
            self._informing = True
            return
        self.status = status
        if self._head_only or status in _BODILESS:
            self._keep = self._parser.should_keep_alive()
            self.ended = True

    def on_body(self, data: bytes) -> None:
        """Keep a part of the body until it is taken."""
        if self.ended:
            self._strayed()
            return
        self._parts.append(data)
        self._size += len(data)
        if self._size > HIGH and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """Take note of the end."""
        if self._informing:
            self._informing = False
        elif not self.ended:
            self.ended = True
            self._keep = self._parser.should_keep_alive()

    # --- what the socket tells

    def data_received(self, data: bytes) -> None:
        """Read on. What comes without having been asked for ends the connection."""
        if not self._busy or self.ended:
            self._strayed()
            return
        self.touched = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._malformed("switches to a protocol nobody asked for")
        except httptools.HttpParserError as error:
            # Behind the end of an answer that has no body, whatever its headers say, nothing is to be read.
            if not self.ended:
                self._malformed(str(error))
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """End. An answer without a length is complete when the upstream closes in order."""
        self.closed = True
        if self._busy and not self.ended:
            if exc is None and self.status and endless(self.headers):
                self.ended = True
            elif self._error is None:
                self._error = BrokenAnswerError("the connection was lost before the end")
        self._wake()
        self.resume_writing()

    async def _more(self) -> None:
        if self._error is not None:
            raise self._error
        waiter = self._waiter = self._loop.create_future()
        self._timer = self._loop.call_later(self._patience, self._give_up)
        try:
            await waiter
        finally:
            self._timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _give_up(self) -> None:
        left = self._written + self._patience - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._give_up)
            return
        self.fail(SilentUpstreamError(f"nothing came for {self._patience:g} s"))

    def _malformed(self, why: str) -> None:
        self.fail(BrokenAnswerError(f"the answer is no HTTP: {why}"))
        self.abort()

    def _strayed(self) -> None:
        self._keep = False
        self.abort()
