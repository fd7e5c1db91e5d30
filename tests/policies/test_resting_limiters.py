"""Where a limit rests behind the real limiter, with more callers than the dependency can serve."""

from itertools import pairwise
from random import Random  # noqa: TID251 - seeded service times

import anyio
import pytest
from tests.pausing import pause

from uat_resilience import AdaptiveLimiter, Gradient2, Vegas
from uat_resilience._core.adaptive import Algorithm
from uat_resilience.testing import virtual_time

SERVICE = 0.1
CAPACITY = 40
UNTIL = 12.0


def rested(algorithm: Algorithm, spread: float) -> float:
    """Return the limit in capacities once it has settled, for calls that differ by `spread`."""
    return virtual_time.run(resting, algorithm, spread)


async def resting(algorithm: Algorithm, spread: float) -> float:
    limiter, rng = AdaptiveLimiter(algorithm, queue=2 * CAPACITY), Random(1)
    workers = anyio.Semaphore(CAPACITY)
    began = anyio.current_time()
    limits: list[tuple[float, int]] = []

    async def serve() -> None:
        async with workers:
            await pause(SERVICE * (1 + spread * (2 * rng.random() - 1)))

    async def call_on() -> None:
        while (now := anyio.current_time() - began) < UNTIL:
            limits.append((now, limiter.snapshot().limit))
            await limiter.acall(serve)

    async with anyio.create_task_group() as group:
        for _ in range(2 * CAPACITY):
            group.start_soon(call_on)
    late = [moment for moment in limits if moment[0] >= UNTIL / 2]
    held = sum(limit * (after - now) for (now, limit), (after, _) in pairwise(late))
    return held / (late[-1][0] - late[0][0]) / CAPACITY


@pytest.mark.parametrize("algorithm", [Gradient2(), Vegas()], ids=["gradient2", "vegas"])
@pytest.mark.parametrize("spread", [0.0, 0.2], ids=["alike", "unlike"])
def test_limit_rests_within_a_tenth_of_the_capacity(algorithm: Algorithm, spread: float) -> None:
    assert rested(algorithm, spread) == pytest.approx(1.0, abs=0.1)
