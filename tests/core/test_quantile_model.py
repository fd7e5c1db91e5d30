from fractions import Fraction
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from uat_resilience._core.quantile import Quantile


@given(
    durations=st.lists(st.floats(0, 100), min_size=1, max_size=60),
    percent=st.integers(1, 100),
    window=st.integers(1, 30),
)
def test_tracker_agrees_with_sorting_the_latest_samples(
    durations: list[float], percent: int, window: int
) -> None:
    live = Quantile(percent / 100, window=window, minimum=1).tracker()

    for duration in durations:
        live.record(duration)

    latest = sorted(durations[-window:])
    rank = ceil(Fraction(percent, 100) * len(latest))
    assert live.value() == latest[rank - 1]
    assert live.samples == len(latest)
