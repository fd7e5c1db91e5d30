"""The simulator against what is known about queues, and what must hold for every simulation."""

from functools import cache
from math import factorial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uat_resilience import (
    AdaptiveLimiter,
    Bulkhead,
    CallRefusedError,
    CircuitBreaker,
    ConsecutiveFailures,
    Hedge,
    Pipeline,
    RateLimiter,
    Retry,
    RetryBudget,
    TimedOutError,
    Timeout,
)
from uat_resilience.simulate import (
    BrownOut,
    Bursts,
    Dependency,
    DependencyError,
    Endings,
    Fixed,
    Memoryless,
    Outage,
    Poisson,
    Result,
    Steady,
    Workload,
    run,
)

FAILURES = (DependencyError, TimedOutError)
WHOLE = Endings(good=0, late=0, failed=0, refused=0)

policies: st.SearchStrategy[list[Any]] = st.lists(
    st.sampled_from(
        [
            lambda: Timeout(0.5),
            lambda: Retry(FAILURES, attempts=4),
            lambda: Retry(FAILURES, budget=RetryBudget(0.1, minimum_per_second=0.5)),
            lambda: Retry((*FAILURES, CallRefusedError)),
            lambda: CircuitBreaker("x", trip=ConsecutiveFailures(2), recovery_time=1.0),
            lambda: Bulkhead(3, queue=5, max_wait=0.3),
            lambda: RateLimiter(20.0, burst=5, max_wait=0.2),
            lambda: AdaptiveLimiter(queue=5),
            lambda: Hedge(0.1),
        ]
    ),
    max_size=4,
)
troubles = st.one_of(
    st.builds(Outage, at=st.floats(0.0, 4.0), lasts=st.floats(0.1, 3.0)),
    st.builds(
        BrownOut,
        at=st.floats(0.0, 4.0),
        lasts=st.floats(0.1, 3.0),
        slower=st.floats(0.5, 10.0),
        capacity=st.floats(0.0, 2.0),
        error_rate=st.floats(0.0, 1.0),
    ),
)
dependencies = st.builds(
    Dependency,
    latency=st.builds(Memoryless, st.floats(0.01, 0.5)) | st.builds(Fixed, st.floats(0.01, 0.5)),
    servers=st.integers(1, 5),
    queue=st.none() | st.integers(0, 10),
    error_rate=st.floats(0.0, 1.0),
    troubles=st.lists(troubles, max_size=3).map(tuple),
    notices=st.booleans(),
)
workloads = st.builds(
    Workload,
    arrivals=st.builds(Poisson, st.floats(1.0, 30.0))
    | st.builds(Steady, st.floats(1.0, 30.0))
    | st.builds(Bursts, st.integers(1, 20), st.floats(0.5, 3.0)),
    duration=st.floats(0.5, 5.0),
    deadline=st.none() | st.floats(0.01, 2.0),
)


def pipeline(makers: list[Any]) -> Pipeline:
    return Pipeline(*(make() for make in makers))


@pytest.mark.filterwarnings("ignore::uat_resilience.PipelineWarning")
@settings(max_examples=50)
@given(workloads, dependencies, policies, st.integers(0, 9))
def test_every_call_that_arrives_ends_exactly_once(
    workload: Workload, dependency: Dependency, makers: list[Any], seed: int
) -> None:
    result = run(workload, dependency, pipeline(makers), seed=seed)

    assert result.endings.total == result.arrivals
    assert sum(bucket.arrivals for bucket in result.buckets) == result.arrivals
    assert sum(bucket.endings.total for bucket in result.buckets) == result.arrivals
    assert sum(bucket.calls for bucket in result.buckets) == result.calls
    assert sum(times for _, times in result.kinds) == result.endings.failed + result.endings.refused
    assert result.wasted <= result.calls
    assert all(bucket.queue >= 0 for bucket in result.buckets)
    assert dependency.queue is None or all(b.queue <= dependency.queue for b in result.buckets)


@pytest.mark.filterwarnings("ignore::uat_resilience.PipelineWarning")
@settings(max_examples=10)
@given(workloads, dependencies, policies, st.integers(0, 9))
def test_same_seed_gives_the_same_result(
    workload: Workload, dependency: Dependency, makers: list[Any], seed: int
) -> None:
    once, again = (run(workload, dependency, pipeline(makers), seed=seed) for _ in range(2))

    assert once == again


@cache
def queue(servers: int, rate: float) -> Result:
    """Each server does 100 calls a second."""
    workload = Workload(arrivals=Poisson(rate), duration=40_000 / rate)
    dependency = Dependency(latency=Memoryless(0.01), servers=servers)
    return run(workload, dependency, seed=1, bucket=0.037)


def erlang_c(servers: int, load: float) -> float:
    """The share of calls that wait in an M/M/c queue (Erlang, 1917)."""
    full = load**servers / factorial(servers) * servers / (servers - load)
    return full / (sum(load**n / factorial(n) for n in range(servers)) + full)


@pytest.mark.parametrize("rate", [60.0])
def test_mean_time_in_an_mm1_queue_is_that_of_the_theory(rate: float) -> None:
    result = queue(1, rate)

    assert result.latencies.mean == pytest.approx(1.0 / (100.0 - rate), rel=0.05)


@pytest.mark.parametrize("rate", [60.0])
def test_time_in_an_mm1_queue_is_exponential(rate: float) -> None:
    latencies = queue(1, rate).latencies

    assert latencies.p50 == pytest.approx(0.693 / (100.0 - rate), rel=0.05)
    assert latencies.p99 == pytest.approx(4.605 / (100.0 - rate), rel=0.07)


@pytest.mark.parametrize(("servers", "rate"), [(2, 140.0), (5, 400.0)])
def test_mean_time_in_a_queue_with_several_servers_is_that_of_the_theory(
    servers: int, rate: float
) -> None:
    result = queue(servers, rate)

    waiting = erlang_c(servers, rate / 100.0) / (servers * 100.0 - rate)
    assert result.latencies.mean == pytest.approx(0.01 + waiting, rel=0.05)


@pytest.mark.parametrize(("servers", "rate"), [(1, 60.0), (5, 400.0)])
def test_calls_inside_are_rate_times_time_as_little_says(servers: int, rate: float) -> None:
    result = queue(servers, rate)

    inside = [bucket.queue + bucket.busy for bucket in result.buckets]
    mean = sum(inside) / len(inside)

    throughput = result.endings.good / result.ended
    assert result.latencies.mean is not None
    assert mean == pytest.approx(throughput * result.latencies.mean, rel=0.05)
