"""A misbehaving server in a process of its own, seen from the outside."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from examples.demo.server import Counts

GOODBYE = 2.0
ROOT = Path(__file__).resolve().parents[2]


class Upstream:
    """The port of a running server, and its latest report about itself."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.port = port
        self.counts = Counts()
        self._process = process

    @property
    def received(self) -> int:
        """How many requests reached the server."""
        return sum(self.counts.received.values())

    def begin(self) -> None:
        """Start the first phase now."""
        if self._process.stdin:
            self._process.stdin.write(b"begin\n")

    async def listen(self) -> None:
        """Take in reports until the server ends."""
        while self._process.stdout and (line := await self._process.stdout.readline()):
            self.counts = Counts(**json.loads(line))


@contextlib.asynccontextmanager
async def running(*, seed: int, seconds: float) -> AsyncIterator[Upstream]:
    """Run a server in a child process for as long as the block lasts."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.demo.server", str(seed), str(seconds)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        # Ctrl-C in the terminal is for the parent, which then ends its children in order.
        start_new_session=True,
    )
    try:
        yield await _hello(process)
    finally:
        await _end(process)


async def _hello(process: asyncio.subprocess.Process) -> Upstream:
    line = await process.stdout.readline() if process.stdout else b""
    if not line:
        raise RuntimeError("the demo server ended before it listened; its error is above")
    return Upstream(process, json.loads(line)["port"])


async def _end(process: asyncio.subprocess.Process) -> None:
    """Close its standard input, which asks it to end; kill it if it has not after a while."""
    if process.stdin:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), GOODBYE)
    except TimeoutError:
        process.kill()
        await process.wait()
