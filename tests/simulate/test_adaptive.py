"""The real limiter, in front of a dependency whose best limit is known: as many calls as there are servers."""

from itertools import pairwise
from typing import Any

import pytest

from uat_resilience import AIMD, AdaptiveLimiter, Gradient2, Vegas
from uat_resilience.simulate import (
    BrownOut,
    Dependency,
    Fixed,
    Memoryless,
    Poisson,
    Result,
    Steady,
    Workload,
    run,
)


def limit(result: Result, start: float, end: float) -> float:
    """The mean limit over some seconds, weighted by time."""
    steps = [(0.0, 20.0), *((change.at, float(change.new)) for change in result.limit_changes)]
    steps.append((end, 0.0))
    held = sum(
        value * max(0.0, min(until, end) - max(since, start))
        for (since, value), (until, _) in pairwise(steps)
    )
    return held / (end - start)


@pytest.mark.parametrize(("make", "places"), [(Gradient2, None), (Vegas, None), (AIMD, 0)])
def test_limiter_finds_the_optimum_within_a_tenth(make: Any, places: int | None) -> None:
    # More calls than 50 servers can answer: 500 a second.
    workload = Workload(arrivals=Steady(700.0), duration=20.0)
    dependency = Dependency(latency=Fixed(0.1), servers=50, queue=places)

    result = run(workload, dependency, AdaptiveLimiter(make()))

    assert limit(result, 10.0, 20.0) == pytest.approx(50, rel=0.1)
    good = [bucket.goodput for bucket in result.between(10.0, 20.0)]
    assert sum(good) / len(good) > 0.9 * 500.0


def test_limiter_follows_the_optimum_when_it_moves() -> None:
    workload = Workload(arrivals=Poisson(750.0), duration=50.0)
    dependency = Dependency(
        latency=Fixed(0.1),
        servers=50,
        troubles=(BrownOut(at=15.0, lasts=15.0, capacity=0.5),),
    )

    result = run(workload, dependency, AdaptiveLimiter())

    assert limit(result, 10.0, 15.0) == pytest.approx(50, rel=0.1)
    assert limit(result, 25.0, 30.0) == pytest.approx(25, rel=0.1)
    assert limit(result, 45.0, 50.0) == pytest.approx(50, rel=0.1)


def test_limiter_copes_with_calls_and_latencies_that_are_left_to_chance() -> None:
    workload = Workload(arrivals=Poisson(600.0), duration=30.0)
    dependency = Dependency(latency=Memoryless(0.1), servers=50)

    result = run(workload, dependency, AdaptiveLimiter(), seed=1)

    assert limit(result, 15.0, 30.0) == pytest.approx(50, rel=0.3)
    good = [bucket.goodput for bucket in result.between(15.0, 30.0)]
    assert sum(good) / len(good) > 0.93 * 500.0
