"""What the page about the retry storm says, from another seed than its own."""

from dataclasses import replace
from functools import cache

import pytest

from uat_resilience.simulate import Result, load

SEEDS = (2,)
STORM = load("retry-storm")
ENDS = STORM.troubled[0][1]  # When the cause has gone.

each_seed = pytest.mark.parametrize("seed", SEEDS)


@cache
def ran(name: str, seed: int) -> Result:
    chosen = tuple(variant for variant in STORM.variants if variant.name == name)
    return replace(STORM, variants=chosen).run(seed=seed)[0]


def calls_for_each(result: Result, start: float, end: float) -> float:
    between = result.between(start, end)
    return sum(b.calls for b in between) / sum(b.arrivals for b in between)


@each_seed
def test_all_is_well_before(seed: int) -> None:
    for name in ("naive retries", "our defaults"):
        assert ran(name, seed).success(0.0, 30.0) > 0.99


@each_seed
def test_naive_retries_keep_the_dependency_down_when_the_cause_has_gone(seed: int) -> None:
    result = ran("naive retries", seed)

    assert result.success(ENDS, STORM.workload.duration) == 0.0
    assert calls_for_each(result, ENDS + 20.0, STORM.workload.duration) > 9.0
    assert all(bucket.queue > 400 for bucket in result.between(ENDS, STORM.workload.duration))


@each_seed
def test_same_load_is_no_trouble_without_retries(seed: int) -> None:
    result = ran("no retries", seed)

    assert result.success(ENDS + 20.0, STORM.workload.duration) > 0.99


@each_seed
def test_our_defaults_recover_and_stay_well(seed: int) -> None:
    result = ran("our defaults", seed)

    assert result.success(ENDS + 30.0, STORM.workload.duration) > 0.99
    assert calls_for_each(result, ENDS + 30.0, STORM.workload.duration) < 1.01
    assert max(bucket.queue for bucket in result.buckets) < 200


@each_seed
def test_one_budget_ends_the_storm_without_a_breaker(seed: int) -> None:
    result = ran("one budget", seed)

    assert result.success(ENDS + 40.0, STORM.workload.duration) > 0.99
    assert result.amplification < 1.15
