"""People who ask for things all the time, and what they got."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2

__all__ = ["Crowd"]


@dataclass
class Crowd:
    """Asks, at a steady rate, and counts.

    Args:
        client: Through which it asks.
        path: What it asks for.
        rate: Requests a second.
    """

    client: httpx2.AsyncClient
    path: str
    rate: float = 10.0
    answers: Counter[str] = field(default_factory=Counter[str])
    failures: list[str] = field(default_factory=list[str])
    seconds: list[float] = field(default_factory=list[float])

    async def ask(self) -> None:
        """Ask once."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            answer = await self.client.get(self.path)
        except httpx2.HTTPError as error:
            self.failures.append(f"{type(error).__name__}: {error}")
            return
        if not answer.is_success:
            self.failures.append(f"{answer.status_code}: {answer.text[:300]}")
        else:
            self.answers[answer.json()["replica"]] += 1
            self.seconds.append(clock() - began)

    @asynccontextmanager
    async def asking(self) -> AsyncGenerator[None]:
        """Ask all the time while the block lasts, and wait for the last answer at its end."""
        async with asyncio.TaskGroup() as group:
            asks = group.create_task(self._ask_on(group))
            yield
            asks.cancel()

    async def _ask_on(self, group: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in itertools.count():
            await asyncio.sleep(max(0.0, began + number / self.rate - loop.time()))
            group.create_task(self.ask())

    def told(self) -> str:
        """Say what came of it, and forget it."""
        slow = sorted(self.seconds)[int(0.99 * (len(self.seconds) - 1))] if self.seconds else 0.0
        shares = ", ".join(f"{name} {count}" for name, count in sorted(self.answers.items()))
        told = (
            f"{sum(self.answers.values())} answers ({shares}), {len(self.failures)} failures, "
            f"99 % within {1000 * slow:.0f} ms"
        )
        self.answers.clear()
        self.seconds.clear()
        return told
