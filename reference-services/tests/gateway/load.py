"""Clients that ask a gateway again and again while what is behind it comes and goes."""

import asyncio
import re
from collections.abc import Sequence
from typing import Protocol

__all__ = ["Load", "Replica", "rolled"]

CLIENTS = 16


class Replica(Protocol):
    """Something behind the gateway that can be stopped, and started again at the same place."""

    async def start(self) -> None: ...

    async def kill(self) -> None: ...


class Load:
    """Clients that ask, each over a connection that it keeps.

    Args:
        port: Of the gateway.
        path: What they ask for.
        methods: By which methods, in turns.
        between: Answers between two steps.

    Attributes:
        answered: Answers that were as they should be.
        failed: The heads of all others.
    """

    def __init__(self, port: int, path: str, *, methods: Sequence[str], between: int) -> None:
        self.port = port
        self.answered, self.failed, self.over = 0, list[bytes](), False
        self._path, self._between = path, between
        self._methods = [methods[i % len(methods)] for i in range(CLIENTS)]
        self._step = asyncio.Event()

    async def clients(self) -> None:
        """Ask until it is over."""
        async with asyncio.TaskGroup() as group:
            for method in self._methods:
                group.create_task(self._client(method))

    async def _client(self, method: str) -> None:
        request = f"{method} {self._path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while not self.over:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            if length is None or not head.startswith(b"HTTP/1.1 200"):
                self.failed.append(head)
                break
            await reader.readexactly(int(length[1]))
            self.answered += 1
            if self.answered % self._between == 0:
                self._step.set()
        writer.close()

    async def some_answers(self) -> None:
        """Wait until there are some more."""
        self._step.clear()
        await self._step.wait()


async def rolled(replicas: Sequence[Replica], load: Load) -> None:
    """Stop and start each replica while clients ask."""
    async with asyncio.TaskGroup() as group:
        group.create_task(load.clients())
        for replica in replicas:
            await load.some_answers()
            await replica.kill()
            await load.some_answers()
            await replica.start()
        await load.some_answers()
        load.over = True
