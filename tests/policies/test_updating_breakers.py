"""Breakers whose settings are changed while they run."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.worlds import World

from uat_resilience import (
    BreakerState,
    CircuitBreaker,
    CircuitOpenError,
    ConsecutiveFailures,
    CountWindow,
    FailureRate,
    Pipeline,
    SlowRate,
    TripRule,
)
from uat_resilience.testing import FakeClock

RATE = FailureRate(0.5, window=CountWindow(10), minimum_calls=4)
SLOW = SlowRate(0.5, slower_than=2.0, window=CountWindow(10), minimum_calls=4)


def fail() -> None:
    raise ConnectionError


def failing(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        with pytest.raises(ConnectionError):
            breaker.call(fail)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ConsecutiveFailures(9), ConsecutiveFailures(4)),
        (RATE, FailureRate(0.9, window=CountWindow(10), minimum_calls=2)),
        (ConsecutiveFailures(9) | RATE, ConsecutiveFailures(4) | RATE),
    ],
    ids=str,
)
def test_a_rule_that_counts_alike_goes_on_from_the_counts(
    before: TripRule, after: TripRule
) -> None:
    breaker = CircuitBreaker("db", trip=before)
    failing(breaker, 3)

    breaker.update(trip=after)

    counted = breaker.snapshot()
    failing(breaker, 1)
    assert (counted.failures, counted.generation) == (3, 0)
    assert breaker.state is BreakerState.OPEN


@pytest.mark.parametrize(
    "after",
    [
        ConsecutiveFailures(4),
        FailureRate(0.5, window=CountWindow(11), minimum_calls=4),
        SlowRate(0.5, slower_than=1.0, window=CountWindow(10), minimum_calls=4),
        RATE | ConsecutiveFailures(4),
    ],
    ids=str,
)
def test_another_rule_starts_to_count(after: TripRule) -> None:
    breaker = CircuitBreaker("db", trip=RATE)
    failing(breaker, 3)

    breaker.update(trip=after)

    counted = breaker.snapshot()
    assert (counted.failures, counted.calls or 0, counted.generation) == (0, 0, 0)
    failing(breaker, 3)
    assert breaker.state is BreakerState.CLOSED


def test_a_joined_rule_of_which_one_half_counts_otherwise_starts_to_count() -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(4) | RATE)
    failing(breaker, 3)

    breaker.update(trip=ConsecutiveFailures(4) | SLOW)

    assert breaker.snapshot().failures == 0


def test_what_is_slow_follows_the_new_limit(world: World, clock: FakeClock) -> None:
    breaker = CircuitBreaker("db", trip=SLOW)
    guarded = world.guard(breaker, lambda: clock.advance(1.0))
    for _ in range(4):
        guarded()

    breaker.update(trip=SlowRate(0.5, slower_than=1.0, window=CountWindow(10), minimum_calls=4))

    before = breaker.snapshot()
    for _ in range(4):
        guarded()
    assert (before.calls, before.slow) == (4, 0)
    assert breaker.state is BreakerState.OPEN


def test_a_function_wrapped_before_is_timed_once_the_rule_times_calls(
    world: World, clock: FakeClock
) -> None:
    breaker = CircuitBreaker("db")
    guarded = world.guard(breaker, lambda: clock.advance(3.0))

    breaker.update(trip=SLOW)

    for _ in range(4):
        guarded()
    with pytest.raises(CircuitOpenError):
        guarded()


def test_a_rule_of_the_users_own_starts_to_count() -> None:
    class Touchy:
        slower_than = None
        quiet, calls, failures, slow = False, None, 0, 0

        def judge(self) -> Any:
            return Touchy()

        def record(self, now: float, failed: int, elapsed: float) -> bool:
            return bool(failed)

        def forget(self, now: float) -> None:
            pass

    breaker = CircuitBreaker("db", trip=Touchy())
    breaker.call(int)

    breaker.update(trip=Touchy())

    failing(breaker, 1)
    assert breaker.state is BreakerState.OPEN


def test_an_open_breaker_keeps_its_era_its_counts_and_its_end(clock: FakeClock) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(2), recovery_time=10.0)
    failing(breaker, 2)
    before = breaker.snapshot()

    breaker.update(trip=RATE, recovery_time=3.0, probe_lease=1.0, close_after=2)

    assert breaker.snapshot() == before
    clock.advance(10.0)
    failing(breaker, 1)
    assert breaker.snapshot().retry_after == 3.0


def test_probes_that_run_keep_their_places_and_new_ones_see_the_new_number(
    clock: FakeClock,
) -> None:
    breaker = CircuitBreaker(
        "db", trip=ConsecutiveFailures(1), recovery_time=1.0, probes=2, close_after=3
    )
    failing(breaker, 1)
    clock.advance(1.0)
    with breaker.permit(), breaker.permit():
        breaker.update(probes=3, close_after=2)
        with breaker.permit() as third:
            third.abandon()
            breaker.update(probes=1)
            assert breaker.snapshot().probes == 3
            with pytest.raises(CircuitOpenError):
                breaker.call(int)

    assert breaker.state is BreakerState.CLOSED


@pytest.mark.parametrize("first", [lambda _: 5.0, 5.0], ids=["callable", "seconds"])
@pytest.mark.parametrize("second", [lambda _: 7.0, 7.0], ids=["callable", "seconds"])
def test_the_next_opening_lasts_as_the_new_recovery_time_says(
    first: Callable[[int], float] | float,
    second: Callable[[int], float] | float,
    clock: FakeClock,
) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), recovery_time=first)

    breaker.update(recovery_time=second)
    breaker.update(close_after=1)

    failing(breaker, 1)
    assert breaker.snapshot().retry_after == 7.0


def test_a_lease_of_none_is_as_long_as_the_opening_again(clock: FakeClock) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), recovery_time=5.0, probe_lease=1.0)
    failing(breaker, 1)
    clock.advance(5.0)

    breaker.update(probe_lease=None)

    with breaker.permit():
        assert breaker.snapshot().retry_after == 5.0


def test_functions_wrapped_before_see_what_counts_now(world: World) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1))
    guarded = world.guard(breaker, lambda error: fail() if error else "bad")
    states: list[BreakerState] = []

    for changes in (
        {"on": KeyError},
        {"on": ConnectionError, "ignore": ConnectionError},
        {"ignore": ()},
    ):
        breaker.update(**changes)
        with pytest.raises(ConnectionError):
            guarded(error=True)
        states.append(breaker.state)
    breaker.reset()
    breaker.update(on_result=lambda result: result == "bad")
    condemned = breaker.condemns("bad")
    guarded(error=False)

    assert states == [BreakerState.CLOSED, BreakerState.CLOSED, BreakerState.OPEN]
    assert (breaker.state, condemned) == (BreakerState.OPEN, True)
    breaker.update(on_result=None, observe=True)
    assert guarded(error=False) == "bad"
    assert not breaker.condemns("bad")
    breaker.update(observe=False)
    with pytest.raises(CircuitOpenError):
        guarded(error=False)


def test_a_pipeline_sees_the_change() -> None:
    breaker = CircuitBreaker("db")
    guarded = Pipeline(breaker)(fail)

    breaker.update(trip=ConsecutiveFailures(1))

    with pytest.raises(ConnectionError):
        guarded()
    with pytest.raises(CircuitOpenError):
        guarded()


@pytest.mark.parametrize(
    "changes",
    [
        {"trip": 5},
        {"on": KeyboardInterrupt},
        {"ignore": "all"},
        {"on_result": 1},
        {"recovery_time": 0.0},
        {"probes": 0},
        {"close_after": None},
        {"probe_lease": -1.0},
        {"observe": None},
    ],
    ids=repr,
)
def test_a_bad_value_changes_nothing(changes: dict[str, Any], clock: FakeClock) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(2), recovery_time=7.0)
    good = {"trip": ConsecutiveFailures(1), "recovery_time": 9.0, "on": KeyError, "observe": True}

    with pytest.raises((TypeError, ValueError), match=next(iter(changes))):
        breaker.update(**{**good, **changes})

    failing(breaker, 2)
    assert breaker.snapshot().retry_after == 7.0
    with pytest.raises(CircuitOpenError):
        breaker.call(int)


def test_a_rule_for_failures_does_not_go_on_from_the_counts_of_one_for_slow_calls() -> None:
    breaker = CircuitBreaker("db", trip=SLOW)
    failing(breaker, 3)

    breaker.update(trip=RATE)

    assert breaker.snapshot().failures == 0
