"""Lines of requests are written together, none is lost, and none overtakes another."""

import asyncio
import os
from collections.abc import Generator
from contextlib import closing

import pytest
from anyio.lowlevel import checkpoint

from uat_service.logs import Lines


class Pipe:
    """Both ends of a pipe."""

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)

    def read(self) -> bytes:
        """Return what has been written by now."""
        try:
            return os.read(self._reading, 65_536)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        os.close(self._reading)
        os.close(self.writing)


@pytest.fixture
def pipe() -> Generator[Pipe]:
    with closing(Pipe()) as pipe:
        yield pipe


async def test_lines_wait_for_the_loop_to_come_around(pipe: Pipe) -> None:
    lines = Lines(pipe.writing)

    lines.soon(b"1")
    lines.soon(b"2")
    early = pipe.read()
    await checkpoint()

    assert early == b""
    assert pipe.read() == b"1\n2\n"


async def test_line_that_is_written_at_once_takes_the_waiting_ones_along(pipe: Pipe) -> None:
    lines = Lines(pipe.writing)

    lines.soon(b"1")
    lines.msg(b"2")
    at_once = pipe.read()
    lines.soon(b"3")
    await checkpoint()

    assert at_once == b"1\n2\n"
    assert pipe.read() == b"3\n"


def test_line_outside_of_a_loop_is_written_at_once(pipe: Pipe) -> None:
    Lines(pipe.writing).soon(b"1")

    assert pipe.read() == b"1\n"


def test_line_that_a_loop_left_is_written_by_the_next_one(pipe: Pipe) -> None:
    lines = Lines(pipe.writing)
    loop = asyncio.new_event_loop()
    loop.call_soon(loop.stop)
    loop.call_soon(lines.soon, b"1")  # What it then wants to be called is never called.
    loop.run_forever()
    loop.close()
    left = pipe.read()

    async def come() -> None:
        lines.soon(b"2")
        await checkpoint()

    asyncio.run(come())
    assert (left, pipe.read()) == (b"", b"1\n2\n")
