from random import Random  # noqa: TID251 - seeded
from statistics import mean, quantiles
from typing import Any

import pytest

from uat_resilience.simulate import Fixed, Latency, LogNormal, Memoryless, Uniform


def drawn(latency: Latency, times: int = 50_000) -> list[float]:
    sample = latency.sampler(Random(1))
    return [sample() for _ in range(times)]


def test_fixed_latency_is_always_the_same() -> None:
    assert drawn(Fixed(0.2), 3) == [0.2, 0.2, 0.2]


def test_memoryless_latency_has_its_mean_and_as_much_spread() -> None:
    found = drawn(Memoryless(0.2))

    assert mean(found) == pytest.approx(0.2, rel=0.02)
    assert mean(each**2 for each in found) == pytest.approx(2 * 0.2**2, rel=0.05)


def test_log_normal_latency_has_its_median_and_its_tail() -> None:
    cuts = quantiles(drawn(LogNormal(0.05, 0.5)), n=100)

    assert cuts[49] == pytest.approx(0.05, rel=0.05)
    assert cuts[98] == pytest.approx(0.5, rel=0.1)


def test_uniform_latency_stays_in_its_range() -> None:
    found = drawn(Uniform(0.1, 0.3))

    assert 0.1 <= min(found) < 0.101
    assert 0.299 < max(found) <= 0.3
    assert mean(found) == pytest.approx(0.2, rel=0.02)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Fixed(0.0), "seconds must be a finite number of seconds above 0, not 0.0"),
        (lambda: Memoryless(-1.0), "mean must be a finite number of seconds above 0, not -1.0"),
        (lambda: LogNormal(0.0, 1.0), "median must be a finite number of seconds above 0, not 0.0"),
        (lambda: LogNormal(1.0, 1.0), r"p99 must be above median \(1.0\), not 1.0"),
        (lambda: Uniform(-1.0, 1.0), "low must be a finite number of seconds, 0 or more, not -1.0"),
        (lambda: Uniform(1.0, 1.0), r"high must be above low \(1.0\), not 1.0"),
    ],
)
def test_bad_latencies_are_refused_with_their_rule(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
