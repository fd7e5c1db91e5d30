"""What the applications under test do, whatever framework they are made with."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from threading import Event, Semaphore
from typing import Any

from tests.integrations.server.serving import PATIENCE

from uat_resilience import BulkheadFullError, CircuitOpenError, RateLimiter, Retry, remaining
from uat_resilience.ambient import retries_owned
from uat_resilience.integrations.headers import current_correlation

__all__ = ["Stage", "found"]

_retry = Retry(on=ConnectionError, attempts=2, backoff=lambda _: 0.0)


@dataclass
class Stage:
    """Connects a test with the handlers that run in the server's thread.

    Attributes:
        entered: Counts requests that are being held.
        cleaned: Set when a stream has cleaned up.
        cancelled: Set when a held request was cancelled.
    """

    entered: Semaphore = field(default_factory=lambda: Semaphore(0))
    cleaned: Event = field(default_factory=Event)
    cancelled: Event = field(default_factory=Event)
    _limiter: RateLimiter = field(
        default_factory=lambda: RateLimiter(10, per=60.0, burst=1, name='the "api"')
    )
    _held: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = field(default_factory=list)

    async def act(self, what: str) -> Any:
        """Do what the name says; return what is to be answered as JSON."""
        return await getattr(self, f"_{what}")()

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Stream a first chunk, and then nothing for ever."""
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            self.cleaned.set()

    async def breaking(self) -> AsyncGenerator[bytes]:
        """Stream a first chunk, and then fail."""
        yield b"first"
        raise CircuitOpenError("db")

    def wait_for(self, held: int) -> None:
        """Wait until so many requests are held."""
        for _ in range(held):
            assert self.entered.acquire(timeout=PATIENCE)

    def release(self) -> None:
        """Let the held requests go on."""
        held, self._held = self._held, []
        for loop, gate in held:
            loop.call_soon_threadsafe(gate.set)

    async def _look(self) -> dict[str, object]:
        return found()

    async def _hold(self) -> dict[str, object]:
        gate = asyncio.Event()
        self._held.append((asyncio.get_running_loop(), gate))
        self.entered.release()
        try:
            await gate.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return {"held": True}

    async def _open(self) -> None:
        raise CircuitOpenError("orders-db", retry_after=11.2)

    async def _full(self) -> None:
        raise BulkheadFullError("orders-db")

    async def _limited(self) -> None:
        self._limiter.call(int)
        self._limiter.call(int)

    async def _crash(self) -> None:
        raise ZeroDivisionError("a secret")

    async def _spent(self) -> None:
        await _retry.acall(self._unreachable)

    async def _unreachable(self) -> None:
        raise ConnectionError


def found() -> dict[str, object]:
    """Return what a handler finds around it."""
    correlation = current_correlation.get()
    return {
        "id": None if correlation is None else correlation.request_id,
        "left": remaining(),
        "owned": retries_owned.get(),
    }
