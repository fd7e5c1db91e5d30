"""The vocabulary of the property tests of the core.

Times and durations are multiples of an eighth, so that sums and differences of them are exact and a model
can be compared with a machine by `==`.
"""

from operator import or_

from hypothesis import strategies as st

from uat_resilience._core.backoff import Backoff, Constant, Exponential, Linear
from uat_resilience._core.straggling import STRAGGLING
from uat_resilience._core.trip import ConsecutiveFailures, FailureRate, SlowRate, TripRule
from uat_resilience._core.window import CountWindow, TimeWindow, Window


def eighths(least: float, most: float) -> st.SearchStrategy[float]:
    """Numbers of seconds that add up exactly."""
    return st.integers(int(least * 8), int(most * 8)).map(lambda n: n / 8)


def silences() -> st.SearchStrategy[float]:
    """Time between two events: mostly short, now and then longer than anything is remembered."""
    return eighths(0, 1) | st.integers(0, 80).map(lambda n: n / 8 if n < 80 else 1e9)


def lags() -> st.SearchStrategy[float]:
    """How late a caller comes with its reading of the clock: mostly not at all."""
    return st.sampled_from([0.0, 0.0, 0.125, STRAGGLING])


def draws() -> st.SearchStrategy[float]:
    """What a random number generator returns: from 0, and below 1."""
    return st.floats(0.0, 1.0, exclude_max=True)


def attempts() -> st.SearchStrategy[int]:
    """Attempt numbers, from the first to the millionth."""
    return st.integers(1, 20) | st.integers(1, 10**6)


def backoffs() -> st.SearchStrategy[Backoff]:
    """Every backoff, with whole numbers and fractions, and zero where it is allowed."""
    pauses = st.floats(0.0, 1e6) | st.integers(0, 10**6)
    factors = st.floats(1.0, 100.0) | st.integers(1, 100)
    return st.one_of(
        st.builds(Constant, pauses),
        st.builds(Linear, pauses, maximum=pauses),
        st.builds(Exponential, pauses, factor=factors, maximum=pauses),
    )


def windows() -> st.SearchStrategy[Window]:
    """Windows so small that a test fills them; the buckets of a time window are exact eighths."""
    return st.builds(CountWindow, st.integers(1, 8)) | time_windows()


def time_windows() -> st.SearchStrategy[TimeWindow]:
    """Windows of seconds whose buckets are exact eighths."""
    return st.builds(TimeWindow, st.sampled_from([2.0, 8.0, 16.0]), st.sampled_from([1, 2, 4, 8]))


def trip_rules() -> st.SearchStrategy[TripRule]:
    """Trip rules that trip within a few calls, alone and joined."""
    thresholds = st.sampled_from([0.25, 0.5, 1.0])
    minimums = st.integers(1, 6)
    alone = st.one_of(
        st.builds(ConsecutiveFailures, st.integers(1, 4)),
        st.builds(FailureRate, thresholds, window=windows(), minimum_calls=minimums),
        st.builds(
            SlowRate,
            thresholds,
            slower_than=eighths(1, 2),
            window=windows(),
            minimum_calls=minimums,
        ),
    )
    return alone | st.builds(or_, alone, alone)
