"""Two ways to make the same call: as it is usually written, and through a pipeline.

Both make at most three attempts of at most a second each. They differ in what they do in between.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from uat_resilience import (
    BreakerState,
    Bulkhead,
    CircuitBreaker,
    EventBus,
    Exponential,
    FailureRate,
    Pipeline,
    Retry,
    RetryScheduled,
    TimedOutError,
    Timeout,
    TimeWindow,
)

ATTEMPTS = 3
EACH = 1.0
TOTAL = 2.5
TRANSIENT = (ConnectionError, TimedOutError)


class UnavailableError(ConnectionError):
    """The server answered 503. `retry_after` is its wish, in seconds, if it had one."""

    def __init__(self, retry_after: float | None) -> None:
        super().__init__("503 Service Unavailable")
        self.retry_after = retry_after


class Client(Protocol):
    """What the load generator needs of a client."""

    @property
    def retries(self) -> int:
        """How many extra attempts were made so far."""

    @property
    def guard(self) -> str:
        """What protects the calls at this moment, in a few words."""

    async def fetch(self, call: int) -> str:
        """Make one call, with all its attempts."""


@dataclass(slots=True)
class Http:
    """Make single HTTP/1.1 requests, one connection each, by hand: no pool, so nothing to leak."""

    port: int

    async def get(self, call: int, attempt: int) -> str:
        """Return the body of a 200 answer.

        Raises:
            UnavailableError: The answer was a 503.
            ConnectionError: The connection was refused, reset, or closed without an answer.
        """
        async with self._connection() as (reader, writer):
            path = f"/orders/{call}/{attempt}"
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            answer = (await reader.read()).decode("latin-1")
        head, _, body = answer.partition("\r\n\r\n")
        if not head:
            raise ConnectionResetError("the server closed the connection without an answer")
        if head.split(" ", 2)[1] == "200":
            return body
        wishes = (line.split(":")[1] for line in head.splitlines() if line.startswith("Retry-Aft"))
        raise UnavailableError(next(map(float, wishes), None))

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()


class NaiveClient:
    """A loop, a timeout and a short pause: how retries are mostly written."""

    guard = "none"

    def __init__(self, http: Http) -> None:
        self.retries = 0
        self._http = http

    async def fetch(self, call: int) -> str:
        """Make one call, with all its attempts."""
        for attempt in range(1, ATTEMPTS):
            try:
                async with asyncio.timeout(EACH):
                    return await self._http.get(call, attempt)
            except (ConnectionError, TimeoutError):
                self.retries += 1
                await asyncio.sleep(0.1)
        async with asyncio.timeout(EACH):
            return await self._http.get(call, ATTEMPTS)


class PipelineClient:
    """The same call through a pipeline."""

    def __init__(self, http: Http) -> None:
        self.retries = 0
        self._http = http
        bus = EventBus()
        bus.subscribe(lambda _: self._count_retry(), RetryScheduled)
        self._breaker = CircuitBreaker(
            "orders",
            trip=FailureRate(0.6, window=TimeWindow(2.0), minimum_calls=10),
            on=TRANSIENT,
            recovery_time=1.0,
            bus=bus,
        )
        self.pipeline = Pipeline(
            Timeout(TOTAL, bus=bus),
            Retry(TRANSIENT, attempts=ATTEMPTS, backoff=Exponential(0.2), bus=bus),
            self._breaker,
            Bulkhead(10, queue=5, max_wait=0.3, bus=bus),
            Timeout(EACH, bus=bus),
            name="orders",
        )

    @property
    def guard(self) -> str:
        """The state of the breaker, and when an open one will try again."""
        shown = self._breaker.snapshot()
        if shown.state is BreakerState.OPEN and shown.retry_after:
            return f"OPEN, probe in {shown.retry_after:.1f} s"
        return shown.state.name

    async def fetch(self, call: int) -> str:
        """Make one call, with all its attempts."""
        attempts = iter(range(1, ATTEMPTS + 1))

        async def get() -> str:
            return await self._http.get(call, next(attempts))

        return await self.pipeline.acall(get)

    def _count_retry(self) -> None:
        self.retries += 1
