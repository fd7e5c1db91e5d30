"""Answers that are sent while they are made, and whose end is never in doubt.

    @get("/rows")
    async def rows() -> ASGIApp:
        return Streamed(read_rows(), media_type="application/x-ndjson")

Frameworks cancel a stream whose client has left, its clean-up included: a `finally` that waits for anything does
not get past that wait. Here what makes the parts is cancelled once, and then has its time to clean up.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from http import HTTPStatus

import anyio
import anyio.lowlevel

from uat_resilience._core.arguments import at_least, seconds
from uat_resilience.integrations.serving.asgi_types import Receive, Scope, Send, encoded

__all__ = ["Streamed"]


class Streamed:
    """An answer that is sent part by part: an ASGI application for one request.

    The head goes out with the first part. Until then an error is answered like any other; after that it goes on to
    the server, which breaks the connection off, so that nobody takes half an answer for a whole one.

    When the client leaves, or the request is cancelled, so is the source: once, so that its `finally` blocks may
    wait for things. They have `cleanup` seconds; after that they go on by themselves.

    Runs on asyncio. One object is for one request.

    Args:
        source: Makes the parts. It runs in a task of its own, with the context of the request.
        media_type: What the parts are.
        status: Of the answer.
        headers: Further headers.
        cleanup: Seconds that the end of the request waits for the source's clean-up, above 0.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self,
        source: AsyncIterator[bytes | str],
        *,
        media_type: str = "application/octet-stream",
        status: int = HTTPStatus.OK,
        headers: Iterable[tuple[str, str]] = (),
        cleanup: float = 5.0,
    ) -> None:
        if not isinstance(source, AsyncIterator):
            raise TypeError(f"source must be an async iterator, not {source!r}")
        self._source = source
        self._status = at_least("status", status, 200)
        self._headers = encoded([("Content-Type", media_type), *headers])
        self._cleanup = seconds("cleanup", cleanup)
        self._started = self._ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer.

        Raises:
            Exception: What the source raised.
        """
        self._send = send
        self._silent = scope["method"] == "HEAD"
        producing = asyncio.create_task(self._produce())
        watching = asyncio.create_task(_gone(receive))
        try:
            await self._accompany(producing, watching)
        finally:
            watching.cancel()
            producing.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.wait((producing, watching), timeout=self._cleanup)
        if not producing.done():
            _left.add(producing)
            producing.add_done_callback(_settled)
        elif not producing.cancelled():
            producing.result()

    async def _accompany(
        self, producing: "asyncio.Task[None]", watching: "asyncio.Task[None]"
    ) -> None:
        """Wait until all is sent, or nobody is left to send it to."""
        await asyncio.wait((producing, watching), return_when=asyncio.FIRST_COMPLETED)

    async def _produce(self) -> None:
        try:
            if not self._silent:
                async for part in self._source:
                    await self._part(part.encode() if isinstance(part, str) else part)
                    # A source that never waits, and a server that drops what goes to a client that has left,
                    # would together keep everybody else waiting, and not hear that it is over.
                    await anyio.lowlevel.checkpoint()
        finally:
            await self._close()
        await self._part(b"", more=False)

    async def _part(self, data: bytes, *, more: bool = True) -> None:
        if self._ended:
            return
        self._ended = not more
        if not self._started:
            self._started = True
            head = {"status": int(self._status), "headers": self._headers}
            await self._send({"type": "http.response.start", **head})
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def _close(self) -> None:
        close = getattr(self._source, "aclose", None)
        if close is not None:
            await close()


_left: set["asyncio.Task[None]"] = set()


def _settled(task: "asyncio.Task[None]") -> None:
    """Forget a source that was left to itself, whatever came of it."""
    _left.discard(task)
    if not task.cancelled():
        task.exception()


async def _gone(receive: Receive) -> None:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
