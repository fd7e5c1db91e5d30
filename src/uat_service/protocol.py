"""How uvicorn reads requests for us: heads end, names keep their spelling, and nobody works for clients that left.

uvicorn.Config(app, http=AttentiveProtocol)     for a service
uvicorn.Config(app, http=FaithfulProtocol)      for a proxy, which looks after its clients itself
"""

import asyncio
from contextvars import Context

from httptools import HttpParserError
from uvicorn._types import ASGI3Application, HTTPScope
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from uat_resilience.integrations.serving.asgi_types import RawHeaders
from uat_resilience.integrations.serving.problem import MEDIA_TYPE, Problem
from uat_service.keep_alive import KeptAlive
from uat_service.spelling import Heard
from uat_service.whole_writes import WholeWrites

__all__ = ["AttentiveProtocol", "FaithfulProtocol"]

_LARGEST_HEAD = 65_536


def _refusal(found: Problem) -> bytes:
    """Return an answer to what is no request yet, so that no application can answer it."""
    body = found.body()
    head = (
        f"HTTP/1.1 {found.status} {found.title}\r\nContent-Type: {MEDIA_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def _size(target: bytes, headers: RawHeaders) -> int:
    """Return how many bytes of a head matter."""
    return len(target) + sum(len(name) + len(value) for name, value in headers)


_TOO_LARGE = _refusal(Problem(431, "head-too-large", "Request Header Fields Too Large"))
_NO_REQUEST = _refusal(
    Problem(400, "no-request", "Bad Request", "What was sent is no request of HTTP/1.1.")
)


class _Limited(KeptAlive):
    """uvicorn's protocol, which refuses heads that are too large: its parser would keep all of them."""

    _head: HTTPScope | None = None  # One that has not ended with the read in which it began.
    _read = 0  # Bytes that belong to it, without those of that read.
    _reading = 0  # Bytes that are read just now.
    _refusal = _NO_REQUEST

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin with a connection."""
        super().connection_made(transport)
        self._writes = WholeWrites(transport, self.loop)

    def data_received(self, data: bytes) -> None:
        """Read on, and count what belongs to a head that has not ended."""
        self._reading = len(data)
        super().data_received(data)
        head = self.scope
        # Both are None before the first head, whatever uvicorn's types say.
        if getattr(self.cycle, "scope", None) is head:
            return  # It has ended, and is a request that is served: nearly always.
        if head is not self._head:
            # Read together with what came before it, another request or a body, so how much of it is not known.
            self._head, self._read = head, 0
            return
        self._read += len(data)
        # A WebSocket has taken the connection over where it is no longer ours.
        if self._read > _LARGEST_HEAD and self.transport.get_protocol() is self:
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """Serve a request, unless its head has got too large by its end."""
        # Nearly all heads come with one read, and a small one.
        unsure = self._reading > _LARGEST_HEAD or self._head is self.scope
        if unsure and _size(self.url, self.headers) > _LARGEST_HEAD:
            self._refusal = _TOO_LARGE
            raise HttpParserError
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._writes.take(cycle)
        super()._start_asgi_task(cycle, app)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own words
        """Refuse what is no request, as everything else is refused."""
        self.transport.write(self._refusal)
        self.transport.close()


class FaithfulProtocol(_Limited):
    """The same, which remembers how the names of headers were spelled."""

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        super().on_header(name, value)
        lower, value = self.headers[-1]
        if lower != name:
            heard = Heard(lower)
            heard.spelled = name
            self.headers[-1] = heard, value


class AttentiveProtocol(_Limited):
    """The same, which ends the work on a request whose client has left before its answer.

    A deadline ends it the same way, so that whoever can be called with one can be left, too. What goes on after
    the answer, a background task of it, is left alone.
    """

    _work: asyncio.Task[None] | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel what runs for nobody."""
        super().connection_lost(exc)
        if self._work is not None and not self.cycle.response_complete:
            self._work.cancel()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Do as uvicorn does with `reset_contextvars`, and remember the task."""
        self._writes.take(cycle)
        self._work = self.loop.create_task(cycle.run_asgi(app), context=Context())
        self._work.add_done_callback(self.tasks.discard)
        self.tasks.add(self._work)
