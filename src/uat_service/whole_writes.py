"""The head of an answer and what comes with it, in one write.

uvicorn writes the head and then the body, and the loop sends each at once: two calls of the system for an answer,
and a client that wakes up twice. A server may keep the head until the body begins (ASGI has it so), but not for
long: a stream that has nothing to say yet has begun for its client once the head is there.
"""

import asyncio
from contextvars import Context
from typing import cast

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

__all__ = ["WholeWrites"]

_SHORT = 16_384  # Bytes: up to here uvloop is quicker with one part than with two; to copy more gains nothing.
_INTERIM = b"HTTP/1.1 1"
_EMPTY = Context()


class WholeWrites:
    """The end of a connection that its answers are written to, one after the other.

    Args:
        transport: The connection.
        loop: It belongs to.
    """

    __slots__ = ("_awaited", "_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._awaited = False
        self._head: bytes | None = None

    def take(self, cycle: RequestResponseCycle) -> None:
        """Let an answer be written here; those before it have been."""
        cycle.transport = cast("asyncio.Transport", self)  # All of one that it asks for.
        # Nothing follows the head in an answer to HEAD.
        self._awaited = cycle.scope["method"] != "HEAD"

    def write(self, data: bytes) -> None:
        """Keep the head of an answer; send anything else, with the head before it."""
        head = self._head
        if head is not None:
            self._head = None
            if len(data) <= _SHORT:
                self._transport.write(head + data)
            else:
                self._transport.writelines((head, data))
        elif self._awaited and not data.startswith(_INTERIM):
            self._awaited, self._head = False, data
            # By then the body has begun, or its sender waits for something.
            self._loop.call_soon(self._send_head, context=_EMPTY)
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Close the connection once all has been sent."""
        self._send_head()
        self._transport.close()

    def is_closing(self) -> bool:
        """Return whether the connection is closed, or about to be."""
        return self._transport.is_closing()

    def _send_head(self) -> None:
        head = self._head
        if head is None:
            return
        self._head = None
        if not self._transport.is_closing():
            self._transport.write(head)
