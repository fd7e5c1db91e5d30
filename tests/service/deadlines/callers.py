"""Callers with little time: each call has a deadline of its own, and some callers leave before it."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from random import Random  # noqa: TID251 - drawn from the number of a call

__all__ = ["Callers"]

_SHORTEST, _LONGEST = 0.05, 0.3
_LEAVING = 0.1


@dataclass(slots=True)
class Callers:
    """Make calls on connections that are kept open, and take note of how they ended.

    What a call is like is drawn from its number.

    Attributes:
        port: Where to.
        statuses: How many answers there were of each.
        left: How many callers left before their answer.
        late: Seconds after its deadline, by the number of each call that ended after it.
    """

    port: int
    statuses: Counter[int] = field(default_factory=Counter)
    left: int = 0
    late: dict[int, float] = field(default_factory=dict)

    async def run(self, numbers: Iterable[int], *, at_once: int) -> None:
        """Make these calls."""
        waiting = iter(numbers)
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self._calls(waiting))

    async def _calls(self, numbers: Iterator[int]) -> None:
        connection = None
        for number in numbers:
            connection = connection or await asyncio.open_connection("127.0.0.1", self.port)
            draw = Random(-number)
            limit = draw.uniform(_SHORTEST, _LONGEST)
            patience = limit * draw.random() if draw.random() < _LEAVING else None
            if not await self._call(*connection, number, limit, patience):
                connection = None
        if connection is not None:
            connection[1].close()

    async def _call(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        number: int,
        limit: float,
        patience: float | None,
    ) -> bool:
        """Make one call; return whether the connection can be used again."""
        now = asyncio.get_running_loop().time
        until = now() + limit
        head = f"GET /calls/{number}/{until} HTTP/1.1\r\nHost: front\r\n"
        writer.write(f"{head}X-Request-Timeout-Ms: {limit * 1000:.0f}\r\n\r\n".encode())
        try:
            async with asyncio.timeout(patience):
                status, goes_on = await _answer(reader)
        except TimeoutError:
            self.left += 1
            writer.close()
            return False
        self.statuses[status] += 1
        if now() > until:
            self.late[number] = now() - until
        if not goes_on:
            writer.close()
        return goes_on


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Read an answer to its end, and return its status, and whether the connection goes on."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, rest = head.partition(b"content-length: ")
    await reader.readexactly(int(rest.split(b"\r\n")[0]))
    return int(head.split(b" ")[1]), b"\r\nconnection: close" not in head
