"""The client's side of a proxied request: its body goes up, and its going away is noticed."""

import asyncio
from collections.abc import Callable

from uat_resilience.integrations.serving.asgi_types import Receive
from uat_service.proxy.connection import Connection
from uat_service.proxy.errors import ProxyError

__all__ = ["Feed", "GoneError"]

_NOTICE = 0.02


class GoneError(ProxyError):
    """The client is gone: nobody waits for the answer."""


class Feed:
    """Pass the rest of a body on, then watch whether the client stays.

    Most answers are there within 20 ms. Only then is there a task that watches, because it costs as much as a
    third of a request: so it takes up to 20 ms longer until the upstream is told that the client is gone.

    Args:
        receive: Where the client's messages come from.
        connection: Where they go.
        chunked: The body is sent in chunks, because nobody knows its length yet.
        complete: The whole body has been passed on already.
        done: Is called when it has been, or None.
    """

    __slots__ = ("_chunked", "_connection", "_done", "_receive", "_task", "_timer", "complete")

    def __init__(
        self,
        receive: Receive,
        connection: Connection,
        *,
        chunked: bool,
        complete: bool,
        done: Callable[[], object] | None = None,
    ) -> None:
        self._receive = receive
        self._connection = connection
        self._chunked = chunked
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._done = done
        self.complete = complete

    def start(self) -> None:
        """Begin."""
        if self.complete:
            if self._done is not None:
                self._done()
            self._timer = asyncio.get_running_loop().call_later(_NOTICE, self._begin)
        else:
            self._begin()

    async def stop(self) -> None:
        """End, and leave no task behind."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                self._connection.fail(GoneError("the client is gone"))
                return
            if not self.complete:
                more = message.get("more_body", False)
                await self._connection.write(
                    framed(message.get("body", b""), chunked=self._chunked, more=more)
                )
                self.complete = not more
                if self.complete and self._done is not None:
                    self._done()


def framed(data: bytes, *, chunked: bool, more: bool) -> bytes:
    """Return a part of a body as it goes over the wire."""
    if not chunked:
        return data
    part = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
    return part if more else part + b"0\r\n\r\n"
