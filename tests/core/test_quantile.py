from typing import Any

import pytest

from uat_resilience._core.quantile import Quantile, QuantileTracker


def tracker(setting: Quantile, *durations: float) -> QuantileTracker:
    live = setting.tracker()
    for duration in durations:
        live.record(duration)
    return live


@pytest.mark.parametrize(
    ("q", "answer"),
    [(0.01, 1.0), (0.07, 7.0), (0.5, 50.0), (0.95, 95.0), (0.99, 99.0), (0.991, 100.0), (1, 100.0)],
)
def test_quantile_is_the_smallest_sample_that_enough_samples_reach(q: float, answer: float) -> None:
    live = tracker(Quantile(q), *(float(n) for n in range(100, 0, -1)))

    assert live.value() == answer


def test_tiny_quantile_of_few_samples_is_the_smallest_one() -> None:
    assert tracker(Quantile(1e-12, minimum=1), 3.0, 2.0).value() == 2.0


def test_there_is_no_answer_before_the_minimum_of_samples() -> None:
    live = tracker(Quantile(0.5, minimum=20), *([1.0] * 19))
    before = live.value()

    live.record(1.0)

    assert before is None
    assert live.value() == 1.0


def test_only_the_latest_samples_count() -> None:
    live = tracker(Quantile(1.0, window=3, minimum=1), 9.0, 1.0, 2.0)
    with_oldest = live.value()

    live.record(3.0)

    assert (with_oldest, live.value(), live.samples) == (9.0, 3.0, 3)


def test_equal_samples_leave_one_at_a_time() -> None:
    live = tracker(Quantile(1.0, window=3, minimum=1), 5.0, 5.0, 1.0)

    live.record(1.0)
    after_one = live.value()
    live.record(1.0)

    assert (after_one, live.value()) == (5.0, 1.0)


@pytest.mark.parametrize(
    ("setting", "answer"),
    [
        (Quantile(0.5, minimum=1, times=3.0), 6.0),
        (Quantile(0.5, minimum=1, floor=2.5), 2.5),
        (Quantile(0.5, minimum=1, floor=1.5), 2.0),
        (Quantile(0.5, minimum=1, ceiling=1.5), 1.5),
        (Quantile(0.5, minimum=1, ceiling=2.5), 2.0),
        (Quantile(0.5, minimum=1, times=3.0, floor=1.0, ceiling=5.0), 5.0),
        (Quantile(0.5, minimum=1, times=0.5, floor=1.5, ceiling=5.0), 1.5),
        (Quantile(0.5, minimum=1, floor=3.0, ceiling=3.0), 3.0),
    ],
)
def test_answer_is_a_multiple_between_floor_and_ceiling(setting: Quantile, answer: float) -> None:
    assert tracker(setting, 2.0).value() == answer


def test_defaults_are_the_contract() -> None:
    assert Quantile(0.95) == Quantile(
        0.95, window=100, minimum=20, times=1.0, floor=0.0, ceiling=None
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"q": 0.0}, "q must be a fraction above 0 and at most 1, not 0.0"),
        ({"q": 1.1}, "q must be a fraction above 0 and at most 1, not 1.1"),
        ({"window": 0}, "window must be a whole number of at least 1, not 0"),
        ({"minimum": 0}, "minimum must be a whole number of at least 1, not 0"),
        ({"minimum": 101}, r"minimum must be at most window \(100\), not 101"),
        ({"times": 0}, "times must be a finite number above 0, not 0"),
        ({"times": float("nan")}, "times must be a finite number above 0, not nan"),
        ({"floor": -1.0}, "floor must be a finite number of seconds, 0 or more, not -1.0"),
        ({"ceiling": 0.0}, "ceiling must be a finite number of seconds above 0, not 0.0"),
        ({"floor": 2.0, "ceiling": 1.0}, r"ceiling must be at least floor \(2.0\), not 1.0"),
    ],
)
def test_bad_settings_are_refused_with_their_rule(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Quantile(**{"q": 0.5, **arguments})


@pytest.mark.parametrize("argument", ["q", "window", "minimum", "times", "floor", "ceiling"])
def test_bool_is_no_number(argument: str) -> None:
    arguments: dict[str, Any] = {"q": 0.5, argument: True}

    with pytest.raises(TypeError, match=f"{argument} must be .*, not True"):
        Quantile(**arguments)


def test_floor_and_ceiling_may_be_the_same() -> None:
    setting = Quantile(0.5, minimum=1, floor=3.0, ceiling=3.0)

    assert tracker(setting, 1.0).value() == 3.0
