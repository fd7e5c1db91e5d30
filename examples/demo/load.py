"""Callers that come at random, by seed, and do not slow down because the server does."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from examples.demo.clients import TOTAL, Client
from examples.demo.score import Outcome, Record, Score
from examples.demo.upstream import Upstream

from uat_resilience import CallRefusedError


@dataclass(slots=True)
class Side:
    """One of the two halves of the demo: a client, the server it calls, and what came of it."""

    title: str
    client: Client
    upstream: Upstream
    score: Score = field(default_factory=Score)

    async def make(self, call: int, *, run_started: float) -> None:
        """Make one call and record its end."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        self.score.in_flight += 1
        try:
            outcome = await self._outcome(call)
        finally:
            self.score.in_flight -= 1
        elapsed = loop.time() - started
        if outcome is Outcome.IN_TIME and elapsed > TOTAL:
            outcome = Outcome.LATE
        self.score.records.append(Record(started - run_started, elapsed, outcome))

    async def _outcome(self, call: int) -> Outcome:
        try:
            await self.client.fetch(call)
        except CallRefusedError:
            return Outcome.REFUSED
        except (ConnectionError, TimeoutError):
            return Outcome.FAILED
        return Outcome.IN_TIME


def arrivals(*, rate: float, seconds: float, seed: int) -> Iterator[float]:
    """Yield the times of independent calls, `rate` of them a second on average."""
    rng = random.Random(seed)
    due = rng.expovariate(rate)
    while due < seconds:
        yield due
        due += rng.expovariate(rate)


async def run(
    sides: Sequence[Side], *, rate: float, seconds: float, seed: int, started: float
) -> None:
    """Make every call on every side at the same moment, and wait for the last of them to end."""
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as calls:
        for call, due in enumerate(arrivals(rate=rate, seconds=seconds, seed=seed)):
            await asyncio.sleep(started + due - loop.time())
            for side in sides:
                calls.create_task(side.make(call, run_started=started))
