"""Whatever happens to the calls, a limit keeps to what all the algorithms promise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uat_resilience._core.adaptive import Algorithm
from uat_resilience._core.aimd import AIMD
from uat_resilience._core.gradient import Gradient2
from uat_resilience._core.vegas import Vegas

LIMITS = {"initial": 20, "minimum": 5, "maximum": 40}
ALGORITHMS = [
    AIMD(**LIMITS),
    Vegas(**LIMITS, samples=5, probe_every=4),
    Gradient2(**LIMITS, samples=5, probe_every=4),
]

# Stretches of calls that are alike, because single ones hardly ever add up to a round.
STRETCHES = st.lists(
    st.tuples(
        st.integers(1, 60),  # calls
        st.sampled_from([0.0, 1e-9, 0.01, 0.1, 0.2, 1.0, 10.0]),  # seconds each
        st.sampled_from([0.0, 0.3, 1.0]),  # share of the limit that is used
        st.sampled_from([1, 2, 11, 1000]),  # every so many calls one is dropped
        st.sampled_from([None, (5, 40), (1, 10), (30, 60)]),  # other bounds, before they end
    ),
    max_size=30,
)


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda made: type(made).__name__)
@given(stretches=STRETCHES)
def test_limit_stays_in_its_range_and_a_drop_never_raises_it(
    algorithm: Algorithm, stretches: list[tuple[int, float, float, int, tuple[int, int] | None]]
) -> None:
    tuner = algorithm.tuner()
    now = 0.0
    low, high = 5, 40

    for calls, rtt, used, every, bounds in stretches:
        if bounds is not None:
            before, (low, high) = tuner.limit, bounds
            assert tuner.bound(low, high) == tuner.limit == min(max(before, low), high)
        for n in range(1, calls + 1):
            now += rtt / 10
            before, dropped = tuner.limit, n % every == 0
            after = tuner.record(now, rtt, max(1, int(before * used)), dropped=dropped)

            assert after == tuner.limit
            assert low <= after <= high
            assert not dropped or after <= before
