"""Server-sent events that stay open while nothing happens, and say so when they end.

    @get("/news")
    async def news() -> ASGIApp:
        return EventStream(follow_news())

`text/event-stream`, as the HTML standard has it. Proxies close connections on which nothing comes, so there is a
comment every fifteen seconds. When the service drains there is a last event, and clients come back by themselves.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from uat_resilience._core.arguments import seconds, text, wait_or_none
from uat_resilience.ambient import current_drain
from uat_service.streaming import Streamed

__all__ = ["Event", "EventStream"]

_COMMENT = b":\n\n"


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        data: What it says, on any number of lines.
        event: Its kind, or None for `message`.
        id: What a client that comes back says in `Last-Event-ID`, or None.
        retry: Seconds after which a client that was cut off comes back, or None for what it thinks best.

    Raises:
        TypeError, ValueError: Something is of the wrong type, or a kind or id has a line break, which would begin
            another field.
    """

    data: str = ""
    event: str | None = None
    id: str | None = None
    retry: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("event", self.event), ("id", self.id)):
            if value is not None and any(letter in text(name, value) for letter in "\r\n\0"):
                raise ValueError(f"{name} must have no line break, not {value!r}")
        if not isinstance(self.data, str):
            raise TypeError(f"data must be a string, not {self.data!r}")
        wait_or_none("retry", self.retry)

    def encoded(self) -> bytes:
        """Return it as it goes over the wire."""
        lines = [
            *([] if self.event is None else [f"event: {self.event}"]),
            *([] if self.id is None else [f"id: {self.id}"]),
            *([] if self.retry is None else [f"retry: {round(self.retry * 1000)}"]),
            *(
                f"data: {line}"
                for line in self.data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            ),
            "",
            "",
        ]
        return "\n".join(lines).encode()


BYE = Event("the service is shutting down", event="shutdown", retry=1.0)
BROKEN = Event("something went wrong in the service", event="error")


class EventStream(Streamed):
    """An answer of server-sent events: an ASGI application for one request.

    The head goes out with the first event, or after `opening` seconds without one. An error before that is
    answered like any other. One after that is told as an event `error`, and then the connection is broken off.

    When the service drains (`current_drain`) the source is cancelled, `last` is sent and the answer ends in order.

    Runs on asyncio. One object is for one request.

    Args:
        source: Makes the events; strings are the data of one. It runs in a task of its own.
        keep_alive: Seconds of silence, above 0, after which a comment is sent. Most proxies wait for a minute.
        opening: Seconds to wait for the first event before the head goes out, above 0.
        last: What is sent when the service drains.
        headers: Further headers.
        cleanup: As for `Streamed`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self,
        source: AsyncIterator[Event | str],
        *,
        keep_alive: float = 15.0,
        opening: float = 1.0,
        last: Event = BYE,
        headers: Iterable[tuple[str, str]] = (),
        cleanup: float = 5.0,
    ) -> None:
        if not isinstance(source, AsyncIterator):
            raise TypeError(f"source must be an async iterator, not {source!r}")
        if not isinstance(last, Event):
            raise TypeError(f"last must be an Event, not {last!r}")
        # A proxy that collects an answer before it passes it on would hold events back.
        told = [("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"), *headers]
        super().__init__(
            _written(source), media_type="text/event-stream", headers=told, cleanup=cleanup
        )
        self._keep_alive = seconds("keep_alive", keep_alive)
        self._opening = seconds("opening", opening)
        self._last = last
        self._events = source
        self._lock = asyncio.Lock()
        self._said = 0

    async def _accompany(
        self, producing: "asyncio.Task[None]", watching: "asyncio.Task[None]"
    ) -> None:
        draining = asyncio.get_running_loop().create_future()
        leave = _subscribed(draining)
        try:
            while True:
                said = self._said
                silence = self._keep_alive if self._started else self._opening
                done, _ = await asyncio.wait(
                    (producing, watching, draining),
                    timeout=silence,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if draining in done and not producing.done() and not watching.done():
                    producing.cancel()
                    await asyncio.wait((producing,), timeout=self._cleanup)
                    await self._part(self._last.encoded())
                    await self._part(b"", more=False)
                if done:
                    return
                if said == self._said and not self._lock.locked():
                    await self._part(_COMMENT)
        finally:
            leave()

    async def _produce(self) -> None:
        try:
            await super()._produce()
        except Exception:
            if self._started:
                await self._part(BROKEN.encoded())
            raise

    async def _part(self, data: bytes, *, more: bool = True) -> None:
        # Comments come from another task than events, and neither may come inside of the other.
        async with self._lock:
            self._said += 1
            await super()._part(data, more=more)

    async def _close(self) -> None:
        await super()._close()
        close = getattr(self._events, "aclose", None)
        if close is not None:
            await close()


async def _written(source: AsyncIterator[Event | str]) -> AsyncIterator[bytes]:
    async for event in source:
        yield (Event(event) if isinstance(event, str) else event).encoded()


def _subscribed(draining: "asyncio.Future[None]") -> Callable[[], object]:
    """Let a future be done when the service drains; return what ends that."""
    signal = current_drain.get()
    if signal is None:
        return lambda: None
    loop = asyncio.get_running_loop()

    def settle() -> None:
        if not draining.done():
            draining.set_result(None)

    return signal.subscribe(lambda: loop.call_soon_threadsafe(settle))
