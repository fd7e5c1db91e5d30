from itertools import pairwise
from math import inf, isfinite, nan

import pytest
from hypothesis import given
from tests.core.strategies import attempts, backoffs
from tests.core.wording import exactly

from uat_resilience._core.backoff import Backoff, Constant, Exponential, Linear

DAY = 86_400.0


@pytest.mark.parametrize(
    ("backoff", "pauses"),
    [
        (Constant(1.0), [1.0, 1.0, 1.0]),
        (Constant(0), [0, 0, 0]),
        (Linear(1.0), [1.0, 2.0, 3.0]),
        (Linear(2.0), [2.0, 4.0, 6.0]),
        (Linear(0.0), [0.0, 0.0, 0.0]),
        (Linear(2.0, maximum=0.123), [0.123, 0.123, 0.123]),
        (Linear(4.0, maximum=10.0), [4.0, 8.0, 10.0, 10.0]),
        (Exponential(1.0), [1.0, 2.0, 4.0]),
        (Exponential(0.0), [0.0, 0.0, 0.0]),
        (Exponential(0.5, factor=1.0), [0.5, 0.5, 0.5]),
        (Exponential(1.0, factor=3.0), [1.0, 3.0, 9.0, 27.0, 30.0]),
        (Exponential(2, factor=2, maximum=5), [2, 4, 5, 5]),
        (Exponential(), [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]),
        (
            Exponential(0.128),
            [0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384, 30.0, 30.0, 30.0],
        ),
    ],
    ids=repr,
)
def test_pauses_after_the_first_attempts(backoff: Backoff, pauses: list[float]) -> None:
    assert [backoff(attempt) for attempt in range(1, len(pauses) + 1)] == pauses


@pytest.mark.parametrize(
    "backoff",
    [Linear(10.0, maximum=1.0), Exponential(10.0, maximum=1.0), Exponential(10, maximum=1)],
)
def test_a_first_pause_above_the_maximum_is_the_maximum(backoff: Backoff) -> None:
    assert [backoff(1), backoff(2), backoff(3)] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("attempt", [100, 1000, 1024, 1025, 2049, 10**6, 10**9])
@pytest.mark.parametrize(
    ("backoff", "pause"),
    [
        (Constant(1.5), 1.5),
        (Linear(0.5), 30.0),
        (Linear(0.0), 0.0),
        (Linear(1e308, maximum=1.7e308), 1.7e308),
        (Exponential(), 30.0),
        (Exponential(1, factor=2, maximum=30), 30),
        (Exponential(1.0, factor=1.0), 1.0),
        (Exponential(0.0), 0.0),
        (Exponential(DAY, maximum=2 * DAY), 2 * DAY),
        (Exponential(1e300, factor=1e300, maximum=1.7e308), 1.7e308),
    ],
    ids=repr,
)
def test_no_attempt_number_overflows(backoff: Backoff, pause: float, attempt: int) -> None:
    assert backoff(attempt) == pause


@given(backoff=backoffs(), attempt=attempts())
def test_a_pause_is_finite_and_between_zero_and_the_longest(backoff: Backoff, attempt: int) -> None:
    pause = backoff(attempt)

    assert isfinite(pause)
    assert 0 <= pause <= backoff.longest


@given(backoff=backoffs())
def test_pauses_never_shrink_from_one_attempt_to_the_next(backoff: Backoff) -> None:
    pauses = [backoff(attempt) for attempt in range(1, 100)]

    assert all(earlier <= later for earlier, later in pairwise(pauses))


@pytest.mark.parametrize(
    ("backoff", "longest"),
    [(Constant(7.0), 7.0), (Linear(1.0, maximum=9.0), 9.0), (Exponential(maximum=8.0), 8.0)],
    ids=repr,
)
def test_the_longest_pause_is_known_beforehand(backoff: Backoff, longest: float) -> None:
    assert backoff.longest == longest


@pytest.mark.parametrize("backoff", [Linear(1.0), Exponential(1.0)])
def test_half_a_minute_is_the_maximum_nobody_has_to_ask_for(backoff: Backoff) -> None:
    assert backoff(50) == 30.0


@pytest.mark.parametrize("value", [-0.1, nan, inf, True, "1", None])
@pytest.mark.parametrize(
    ("kind", "argument"),
    [
        (Constant, "delay"),
        (Linear, "initial"),
        (Linear, "maximum"),
        (Exponential, "initial"),
        (Exponential, "maximum"),
    ],
)
def test_a_pause_that_is_no_duration_is_refused_by_name(
    kind: type[Backoff], argument: str, value: object
) -> None:
    good = {} if kind is Constant else {"initial": 1.0}
    expected = f"{argument} must be a finite number of seconds, 0 or more, not {value!r}"

    with pytest.raises((TypeError, ValueError), match=exactly(expected)):
        kind(**{**good, argument: value})


@pytest.mark.parametrize("value", [0.999, 0, -2.0, nan, inf, True, "2"])
def test_a_factor_that_shrinks_pauses_is_refused(value: object) -> None:
    expected = f"factor must be a number of at least 1, not {value!r}"

    with pytest.raises((TypeError, ValueError), match=exactly(expected)):
        Exponential(1.0, factor=value)
