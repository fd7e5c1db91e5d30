"""Requests at a steady rate, however long the answers take: who is slow does not get fewer of them.

Each is timed from the moment it was due, so that a wait for its turn counts too.
"""

import asyncio
from dataclasses import dataclass, field
from math import inf, nan
from time import perf_counter

__all__ = ["Result", "offered"]

_PATIENCE = 10.0
_OK = 200


@dataclass(slots=True)
class Result:
    """What came of the requests.

    Attributes:
        times: Seconds of those that succeeded.
        failed: How often each other status came; 0 stands for no answer.
    """

    times: list[float] = field(default_factory=list[float])
    failed: dict[int, int] = field(default_factory=dict[int, int])

    def quantile(self, share: float) -> float:
        """Return the seconds that this share of the successes did not exceed."""
        times = sorted(self.times)
        return times[min(len(times) - 1, int(len(times) * share))] if times else nan

    def within(self, share: float) -> float:
        """Return the seconds in which this share of all requests had succeeded; infinity when fewer did."""
        place = int((len(self.times) + sum(self.failed.values())) * share)
        return sorted(self.times)[place] if place < len(self.times) else inf


async def offered(port: int, request: bytes, *, rate: float, seconds: float) -> Result:
    """Send so many requests a second, for so long."""
    result, idle = Result(), list[_Connection]()
    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - perf_counter()))
            group.create_task(_one(port, request, due, idle, result))
    for each in idle:
        each[1].close()
    return result


_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _one(
    port: int, request: bytes, due: float, idle: list[_Connection], result: Result
) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            connection = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
            status, kept = await _asked(connection, request)
    except (OSError, ValueError, asyncio.IncompleteReadError):
        status = 0
    else:
        if kept:
            idle.append(connection)
        else:
            connection[1].close()
    if status == _OK:
        result.times.append(perf_counter() - due)
    else:
        result.failed[status] = result.failed.get(status, 0) + 1


async def _asked(connection: _Connection, request: bytes) -> tuple[int, bool]:
    reader, writer = connection
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length or 0))
    return int(head.split(b" ", 2)[1]), b"connection: close" not in head and bool(length)
