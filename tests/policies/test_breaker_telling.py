from contextlib import suppress

import pytest
from tests.policies.breakers import CLOSED, HALF_OPEN, OPEN, Dependency, fail, opened
from tests.worlds import World

from uat_resilience import (
    BreakerStateChanged,
    CallAbandoned,
    CallFailed,
    CallRefused,
    CallSucceeded,
    CircuitBreaker,
    CircuitOpenError,
    ConsecutiveFailures,
    EventBus,
    FailureRate,
    TimeWindow,
    captured,
)
from uat_resilience.testing import FakeClock, disabled


def test_a_breaker_that_observes_decides_and_tells_but_never_refuses(
    clock: FakeClock, world: World
) -> None:
    breaker, dependency = opened(observe=True, recovery_time=1.0), Dependency()

    with captured() as events:
        answers = [world.call(breaker, dependency) for _ in range(3)]
        fail(breaker)

    assert answers == ["answer"] * 3
    assert breaker.state is OPEN
    refusals = [event.error for event in events if isinstance(event, CallRefused)]
    assert len(refusals) == 4
    assert {type(error) for error in refusals} == {CircuitOpenError}


def test_a_breaker_that_observes_does_not_cap_probes(clock: FakeClock, world: World) -> None:
    breaker = opened(observe=True, recovery_time=1.0)
    clock.advance(1.0)
    breaker.permit().__enter__()

    answer = world.call(breaker, Dependency())

    assert answer == "answer"
    assert breaker.state is HALF_OPEN
    assert breaker.snapshot().probes == 1


def test_disabled_policies_neither_refuse_nor_count(clock: FakeClock, world: World) -> None:
    shut, counting = opened(), CircuitBreaker("db", trip=ConsecutiveFailures(1))

    with disabled():
        answer = world.call(shut, Dependency())
        with pytest.raises(ConnectionError):
            world.call(counting, Dependency(down=True))

    assert answer == "answer"
    assert shut.state is OPEN
    assert counting.state is CLOSED


# --- what it tells


def test_each_end_of_a_call_is_told_once(clock: FakeClock, world: World) -> None:
    breaker, error = CircuitBreaker("db", trip=ConsecutiveFailures(1), ignore=KeyError), OSError()

    def taking(seconds: float, end: BaseException | None = None) -> None:
        clock.advance(seconds)
        if end is not None:
            raise end

    with captured() as events:
        world.call(breaker, taking, 1.0)
        with suppress(KeyError):
            world.call(breaker, taking, 2.0, KeyError())
        with suppress(OSError):
            world.call(breaker, taking, 3.0, error)
        with pytest.raises(CircuitOpenError) as caught:
            world.call(breaker, taking, 4.0)

    assert events == [
        CallSucceeded("db", 1.0, 1.0),
        CallAbandoned("db", 3.0, 2.0),
        BreakerStateChanged("db", 6.0, CLOSED, OPEN),
        CallFailed("db", 6.0, 3.0, error),
        CallRefused("db", 6.0, caught.value),
    ]


def test_a_failure_by_result_is_told_without_an_error(clock: FakeClock, world: World) -> None:
    breaker = CircuitBreaker("db", on_result=lambda result: result == "bad")

    with captured() as events:
        world.call(breaker, Dependency(), "bad")
        world.call(breaker, Dependency(), "good")

    assert events == [CallFailed("db", 0.0, 0.0, None), CallSucceeded("db", 0.0, 0.0)]


def test_a_breaker_can_tell_another_bus_and_follow_another_clock(world: World) -> None:
    clock, bus = FakeClock(start=100.0), EventBus()
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), clock=clock, bus=bus)

    with captured() as elsewhere, captured(bus) as events, pytest.raises(ConnectionError):
        world.call(breaker, Dependency(down=True))

    assert elsewhere == []
    assert [(type(event), event.at) for event in events] == [
        (BreakerStateChanged, 100.0),
        (CallFailed, 100.0),
    ]


def test_a_snapshot_says_what_the_trip_rule_judges(clock: FakeClock, world: World) -> None:
    breaker = CircuitBreaker("db", trip=FailureRate(0.5, window=TimeWindow(10.0), minimum_calls=4))

    world.call(breaker, Dependency())
    fail(breaker, times=2)
    counted = breaker.snapshot()
    clock.advance(20.0)
    forgotten = breaker.snapshot()

    assert (counted.state, counted.calls, counted.failures, counted.slow) == (CLOSED, 3, 2, 0)
    assert (forgotten.calls, forgotten.failures) == (0, 0)
    assert (counted.generation, counted.probes, counted.times_opened) == (0, 0, 0)
    assert counted.retry_after is None


def test_the_counts_that_opened_it_stay_readable_while_it_is_open(clock: FakeClock) -> None:
    breaker = opened()

    now = breaker.snapshot()

    assert (now.calls, now.failures, now.times_opened, now.generation) == (None, 1, 1, 1)


def test_describe_says_when_it_opens() -> None:
    assert (
        CircuitBreaker("db").describe()
        == "refuses while open, opens on ConsecutiveFailures(count=5)"
    )


def test_a_breaker_that_follows_another_process_tells_once_that_it_is_open(
    clock: FakeClock,
) -> None:
    breaker = CircuitBreaker("db")

    with captured() as events:
        breaker._gate.follow(30.0)
        clock.advance(20.0)
        breaker._gate.follow(30.0)

    assert events == [BreakerStateChanged("db", 0.0, CLOSED, OPEN)]
    assert breaker.snapshot().retry_after == 30.0
