"""How uvicorn reads requests for us: heads end, names keep their spelling, and nobody works for clients that left.

uvicorn.Config(app, http=AttentiveProtocol)     for a service
uvicorn.Config(app, http=FaithfulProtocol)      for a proxy, which looks after its clients itself
"""

import asyncio
from contextvars import Context

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from uat_service.proxy.spelling import Heard

__all__ = ["AttentiveProtocol", "FaithfulProtocol"]

_LARGEST_HEAD = 65_536
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class _Limited(HttpToolsProtocol):
    """uvicorn's protocol, which refuses heads that go on and on: its parser would keep all of it."""

    _open = False
    _read = 0

    def data_received(self, data: bytes) -> None:
        """Read on, and count what belongs to a head that has not ended."""
        super().data_received(data)
        if self._open and not self.transport.is_closing():
            self._read += len(data)
            if self._read > _LARGEST_HEAD:
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        """Take note that a head begins."""
        self._open, self._read = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Take note that it has ended."""
        self._open = False
        super().on_headers_complete()


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
        self._work = self.loop.create_task(cycle.run_asgi(app), context=Context())
        self._work.add_done_callback(self.tasks.discard)
        self.tasks.add(self._work)
