"""Clients with as little of their own as Python allows: in a closed loop, or at a fixed rate."""

import asyncio
from collections import deque
from time import perf_counter
from typing import cast

__all__ = ["Load", "Pace", "drained"]


class _Client(asyncio.Protocol):
    """Sends a request, waits for the end of its answer, sends the next."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._seen += data
        if self._seen.endswith(self._load.mark):
            self._seen = b""
            self._load.times.append(perf_counter() - self._began)
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.lost(exc)

    def _send(self) -> None:
        if self._load.left <= 0:
            self._transport.close()
            return
        self._load.left -= 1
        self._began = perf_counter()
        self._transport.write(self._load.request)


class Load:
    """One burst.

    Args:
        port: Where to.
        requests: How many in all.
        clients: How many at once.
        path: What is asked for.
        mark: What the answer ends with.
    """

    def __init__(
        self, port: int, *, requests: int, clients: int, path: str = "/", mark: bytes = b"ok"
    ) -> None:
        self.request = _request(path)
        self.times: list[float] = []
        self.left = self._requests = requests
        self.mark = mark
        self._port = port
        self._clients = clients

    async def run(self) -> float:
        """Run it and return requests per second."""
        self._open = self._clients
        self._over = asyncio.get_running_loop().create_future()
        began = perf_counter()
        for _ in range(self._clients):
            await asyncio.get_running_loop().create_connection(
                lambda: _Client(self), "127.0.0.1", self._port
            )
        await self._over
        assert len(self.times) == self._requests, "answers were lost"
        return self._requests / (perf_counter() - began)

    def lost(self, error: Exception | None) -> None:
        """Take note that a client is through."""
        self._open -= 1
        if error is not None and not self._over.done():
            self._over.set_exception(error)
        elif self._open == 0 and not self._over.done():
            self._over.set_result(None)


class _Paced(asyncio.Protocol):
    """A connection of those that send at a fixed rate."""

    def __init__(self, pace: "Pace") -> None:
        self._pace = pace
        self._seen = b""
        self.due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._pace.free(self)

    def send(self, due: float) -> None:
        """Send the request that was due at that time."""
        self.due = due
        self._transport.write(_request("/"))

    def data_received(self, data: bytes) -> None:
        self._seen += data
        if self._seen.endswith(b"ok"):
            self._seen = b""
            self._pace.answered(perf_counter() - self.due)
            self._pace.free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pace.lost(exc)

    def close(self) -> None:
        """End it."""
        self._transport.close()


class Pace:
    """Requests at a fixed rate, whether or not those before have been answered.

    A time is counted from the moment when a request was due: one that had to wait for a connection has waited.

    Args:
        port: Where to.
        rate: Requests per second.
        seconds: How long.
        connections: How many there are.
    """

    def __init__(self, port: int, *, rate: float, seconds: float, connections: int = 64) -> None:
        self.times: list[float] = []
        self._port = port
        self._rate = rate
        self._requests = int(rate * seconds)
        self._connections = connections
        self._free: deque[_Paced] = deque()
        self._due: deque[float] = deque()

    async def run(self) -> list[float]:
        """Run it and return the times, sorted."""
        loop = asyncio.get_running_loop()
        self._over = loop.create_future()
        made = [
            await loop.create_connection(lambda: _Paced(self), "127.0.0.1", self._port)
            for _ in range(self._connections)
        ]
        began = perf_counter()
        for number in range(self._requests):
            due = began + number / self._rate
            if (left := due - perf_counter()) > 0:
                await asyncio.sleep(left)
            self._due.append(due)
            self._go_on()
        await self._over
        for _, connection in made:
            connection.close()
        return sorted(self.times)

    def answered(self, seconds: float) -> None:
        """Take note of an answer."""
        self.times.append(seconds)
        if len(self.times) == self._requests and not self._over.done():
            self._over.set_result(None)

    def lost(self, error: Exception | None) -> None:
        """Take note that a connection has ended, which none may before the last answer."""
        if not self._over.done():
            self._over.set_exception(error or ConnectionError("the server closed a connection"))

    def free(self, connection: _Paced) -> None:
        """Let a connection take the next request."""
        self._free.append(connection)
        self._go_on()

    def _go_on(self) -> None:
        while self._due and self._free:
            # Each in its turn: servers close a connection that has had so many requests.
            self._free.popleft().send(self._due.popleft())


def _request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: */*\r\n\r\n".encode()


async def drained(port: int, path: str) -> int:
    """Read one long answer and return its bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
    got = 0
    while data := await reader.read(1 << 20):
        got += len(data)
    writer.close()
    return got
