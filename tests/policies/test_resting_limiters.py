"""Where the default algorithm rests behind the real limiter, with more callers than the dependency can serve."""

from itertools import pairwise
from random import Random  # noqa: TID251 - seeded service times

import anyio
import pytest
from tests.pausing import pause

from uat_resilience import AdaptiveLimiter
from uat_resilience.testing import virtual_time

SERVICE = 0.1
UNTIL = 60.0


def rested(capacity: int, spread: float) -> float:
    """Return the limit in capacities over the last half of a minute of calls that differ by `spread`."""
    return virtual_time.run(resting, capacity, spread)


async def resting(capacity: int, spread: float) -> float:
    limiter, rng = AdaptiveLimiter(queue=200), Random(1)
    workers = anyio.Semaphore(capacity)
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
        for _ in range(2 * capacity):
            group.start_soon(call_on)
    late = [moment for moment in limits if moment[0] >= UNTIL / 2]
    held = sum(limit * (after - now) for (now, limit), (after, _) in pairwise(late))
    return held / (late[-1][0] - late[0][0]) / capacity


@pytest.mark.parametrize("capacity", [20, 30])
def test_limit_rests_within_a_tenth_of_the_capacity_when_calls_differ_by_a_fifth(
    capacity: int,
) -> None:
    assert rested(capacity, spread=0.2) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("capacity", [20, 30])
def test_limit_rests_at_most_two_fifths_above_the_capacity_when_all_calls_are_alike(
    capacity: int,
) -> None:
    assert 1.0 <= rested(capacity, spread=0.0) <= 1.4
