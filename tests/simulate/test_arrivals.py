from itertools import pairwise
from random import Random  # noqa: TID251 - seeded
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uat_resilience.simulate import Arrivals, Bursts, Poisson, Ramp, Steady

rates = st.floats(0.1, 50.0)
processes = st.one_of(
    st.builds(Steady, rates),
    st.builds(Poisson, rates),
    st.builds(Bursts, st.integers(1, 20), st.floats(0.1, 5.0)),
    st.builds(Ramp, rates, st.floats(0.0, 50.0)),
    st.builds(Ramp, st.just(0.0), rates),
)


def times(arrivals: Arrivals, duration: float, seed: int = 0) -> list[float]:
    return list(arrivals.times(duration, Random(seed).random))


@given(processes, st.floats(0.1, 20.0), st.integers(0, 9))
def test_times_are_in_order_inside_the_duration_and_the_same_for_the_same_seed(
    arrivals: Arrivals, duration: float, seed: int
) -> None:
    found = times(arrivals, duration, seed)

    assert found == sorted(found)
    assert all(0 <= at < duration for at in found)
    assert found == times(arrivals, duration, seed)


def test_steady_calls_are_evenly_spaced() -> None:
    assert times(Steady(4.0), 1.0) == [0.0, 0.25, 0.5, 0.75]


def test_poisson_calls_have_their_rate_and_memoryless_gaps() -> None:
    found = times(Poisson(100.0), 500.0)

    gaps = [later - earlier for earlier, later in pairwise(found)]

    assert len(found) == pytest.approx(50_000, rel=0.02)
    # 1/e of the gaps are longer than their mean.
    assert sum(gap > 0.01 for gap in gaps) / len(gaps) == pytest.approx(0.368, abs=0.01)


def test_bursts_come_all_at_once() -> None:
    assert times(Bursts(2, 1.5), 4.0) == [0.0, 0.0, 1.5, 1.5, 3.0, 3.0]


@pytest.mark.parametrize(
    ("first", "last"), [(0.0, 100.0), (100.0, 0.0), (20.0, 80.0), (50.0, 50.0)]
)
def test_ramp_has_the_rate_of_each_moment(first: float, last: float) -> None:
    found = times(Ramp(first, last), 1000.0)

    for quarter in range(4):
        start, end = quarter * 250.0, (quarter + 1) * 250.0
        rate = first + (last - first) * (quarter + 0.5) / 4
        assert sum(start <= at < end for at in found) / 250.0 == pytest.approx(rate, rel=0.05)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Steady(0.0), ValueError, "rate must be a finite number above 0, not 0.0"),
        (lambda: Poisson("1"), TypeError, "rate must be a finite number above 0, not '1'"),
        (lambda: Bursts(0, 1.0), ValueError, "size must be a whole number of at least 1, not 0"),
        (lambda: Bursts(1, 0.0), ValueError, "every must be a finite number of seconds above 0"),
        (lambda: Ramp(-1.0, 1.0), ValueError, "first must be a finite number, 0 or more, not -1.0"),
        (lambda: Ramp(0.0, 0.0), ValueError, "last must be above 0 when first is 0, not 0.0"),
    ],
)
def test_bad_arrivals_are_refused_with_their_rule(
    make: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make()
