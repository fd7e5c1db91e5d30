"""An HTTP server that misbehaves by seed, and that overload really hurts.

It has a few workers and a queue in front of them, like most servers. A request that hangs holds its
worker, and a worker does not notice that its client has left: it finishes the work for nobody. So
clients that give up and come back at once fill the queue with work that nobody waits for, and the
server stays down after the cause has gone. That is a metastable failure; nothing here scripts it.

Run as a child process: it prints one line of JSON with its port, starts its phases at the first
line on standard input, reports its counts as JSON lines, and ends when standard input closes, so it
cannot outlive its parent.
"""

import asyncio
import contextlib
import json
import random
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field

from examples.demo.phases import Fate, Story

WORKERS = 3
QUEUE = 130
SERVICE_TIME = 0.050
REPORT_EVERY = 0.2


@dataclass(slots=True)
class Counts:
    """What the server saw. `wasted` are answers whose client had left before they were ready."""

    received: dict[str, int] = field(default_factory=dict[str, int])
    answered: int = 0
    wasted: int = 0
    turned_away: int = 0
    queued: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One request that waits for a worker, and the way back to its client."""

    call: int
    attempt: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def abandoned(self) -> bool:
        """Whether the client has closed its side."""
        return self.reader.at_eof() or self.writer.is_closing()

    def answer(self, status: str, body: str, *headers: str) -> None:
        """Send a whole answer and close the connection."""
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
        self.writer.write("\r\n".join([*head, "", body]).encode())
        self.writer.close()

    def reset(self) -> None:
        """Break the connection with a TCP reset: a lingering time of zero skips the goodbye."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Server:
    """Serve every request by one of a few workers, as well as the current phase allows."""

    def __init__(self, *, seed: int, story: Story, now: Callable[[], float]) -> None:
        self.counts = Counts()
        self._seed = seed
        self._story = story
        self._now = now
        self._queue: asyncio.Queue[Request] = asyncio.Queue(QUEUE)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Listen on a free port of the loopback interface, and yield the port."""
        listener = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=QUEUE)
        workers = [asyncio.create_task(self._work()) for _ in range(WORKERS)]
        try:
            yield listener.sockets[0].getsockname()[1]
        finally:
            listener.close()
            for worker in workers:
                worker.cancel()

    def report(self) -> str:
        """Return the counts as one line of JSON."""
        self.counts.queued = self._queue.qsize()
        return json.dumps(asdict(self.counts))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        _, call, attempt = head.split(" ", 2)[1].rsplit("/", 2)
        request = Request(int(call), int(attempt), reader, writer)
        phase = self._story.at(self._now()).phase.name
        self.counts.received[phase] = self.counts.received.get(phase, 0) + 1
        try:
            self._queue.put_nowait(request)
        except asyncio.QueueFull:
            self.counts.turned_away += 1
            request.answer("503 Service Unavailable", "queue full\n", "Retry-After: 1")

    async def _work(self) -> None:
        while True:
            request = await self._queue.get()
            with contextlib.suppress(ConnectionError):
                await self._serve(request)

    async def _serve(self, request: Request) -> None:
        now = self._now()
        span = self._story.at(now)
        # One generator per try: both sides meet the same fate, whatever else they sent before.
        rng = random.Random(f"{self._seed}/{span.phase.name}/{request.call}/{request.attempt}")
        fate = span.phase.draw(rng, into=now - span.since)
        work = span.phase.work(fate, SERVICE_TIME, rng)
        # What hangs comes loose when its cause has gone.
        await asyncio.sleep(min(work, span.until - now) if fate is Fate.HANG else work)
        if request.abandoned:
            self.counts.wasted += 1
            request.writer.close()
        elif fate is Fate.RESET:
            request.reset()
        elif fate is Fate.UNAVAILABLE:
            request.answer("503 Service Unavailable", "try later\n", "Retry-After: 1")
        else:
            self.counts.answered += 1
            request.answer("200 OK", f"order {request.call}\n")


async def serve(seed: int, seconds: float) -> None:
    """Serve until standard input closes."""
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    started = loop.time()
    server = Server(seed=seed, story=Story(seconds), now=lambda: loop.time() - started)
    async with server.listening() as port:
        print(json.dumps({"port": port}), flush=True)
        await orders.readline()
        started = loop.time()
        reporter = asyncio.create_task(_report(server))
        while await orders.readline():
            pass
        reporter.cancel()


async def _report(server: Server) -> None:
    while True:
        print(server.report(), flush=True)
        await asyncio.sleep(REPORT_EVERY)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        asyncio.run(serve(seed=int(sys.argv[1]), seconds=float(sys.argv[2])))
