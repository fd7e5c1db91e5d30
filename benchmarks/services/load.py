"""A closed loop of clients, with as little of its own as Python allows."""

import asyncio
from time import perf_counter

__all__ = ["Load", "drained"]


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
        self.request = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: */*\r\n\r\n".encode()
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


async def drained(port: int, path: str) -> int:
    """Read one long answer and return its bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
    got = 0
    while data := await reader.read(1 << 20):
        got += len(data)
    writer.close()
    return got
