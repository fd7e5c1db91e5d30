"""The writing half of a connection: what goes out waits while the socket is full."""

import asyncio
from typing import cast

__all__ = ["Writer"]


class Writer(asyncio.Protocol):
    """Write to a socket, no faster than it takes it. Belongs to one event loop.

    Args:
        loop: The loop it belongs to.

    Attributes:
        closed: True once nothing can be written any more.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._writable: asyncio.Future[None] | None = None
        self._written = 0.0
        self.closed = False

    async def write(self, data: bytes) -> None:
        """Send a part of the body of the request, and wait while the socket is full."""
        if self.closed:
            return
        self._written = self._loop.time()
        self._transport.write(data)
        while self._writable is not None and not self.closed:
            await asyncio.shield(self._writable)

    def abort(self) -> None:
        """Close it at once, whatever is under way. The upstream notices."""
        self.closed = True
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def pause_writing(self) -> None:
        """Let whoever writes wait."""
        if self._writable is None:
            self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let whoever writes go on."""
        if self._writable is not None:
            self._writable.set_result(None)
            self._writable = None
