import pytest
from tests.policies.breakers import CLOSED, HALF_OPEN, OPEN, Dependency, fail, failing, opened
from tests.worlds import World

from uat_resilience import (
    BreakerState,
    BreakerStateChanged,
    CircuitBreaker,
    CircuitOpenError,
    ConsecutiveFailures,
    CountWindow,
    FailureRate,
    SlowRate,
    TimeWindow,
    captured,
)
from uat_resilience.testing import FakeClock


def test_a_closed_breaker_hands_on_arguments_and_result(world: World) -> None:
    breaker = CircuitBreaker("db")

    by_hand = world.call(breaker, lambda a, *, b: (a, b), 1, b=2)
    decorated = world.guard(breaker, lambda a, *, b: (a, b))(3, b=4)

    assert by_hand == (1, 2)
    assert decorated == (3, 4)
    assert breaker.state is CLOSED


def test_the_exception_of_the_call_comes_out_itself(world: World) -> None:
    error = ConnectionError("down")

    with pytest.raises(ConnectionError) as caught:
        world.call(CircuitBreaker("db"), failing(error))

    assert caught.value is error
    assert error.__cause__ is None
    assert error.__context__ is None


def test_by_default_it_opens_at_the_fifth_failure_in_a_row(clock: FakeClock, world: World) -> None:
    breaker, dependency = CircuitBreaker("db"), Dependency(down=True)
    guarded, states = world.guard(breaker, dependency), []

    for _ in range(5):
        with pytest.raises(ConnectionError):
            guarded()
        states.append(breaker.state)

    assert states == [CLOSED] * 4 + [OPEN]
    assert dependency.calls == 5


def test_a_success_starts_the_streak_again(clock: FakeClock, world: World) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(2))

    fail(breaker)
    world.call(breaker, Dependency())
    fail(breaker)
    between = breaker.state
    fail(breaker)

    assert between is CLOSED
    assert breaker.state is OPEN


def test_an_open_breaker_refuses_without_calling(clock: FakeClock, world: World) -> None:
    breaker, dependency = opened(recovery_time=30.0), Dependency()
    clock.advance(12.5)

    with pytest.raises(CircuitOpenError) as caught:
        world.call(breaker, dependency)

    assert dependency.calls == 0
    assert caught.value.policy == "db"
    assert caught.value.state is OPEN
    assert caught.value.retry_after == 17.5
    assert str(caught.value) == "db is open; next probe in 17.5 s"


@pytest.mark.parametrize("before_the_end", [30.0, 1.0, 1e-9])
def test_a_refusal_always_says_that_there_is_something_to_wait_for(
    clock: FakeClock, world: World, before_the_end: float
) -> None:
    breaker = opened(recovery_time=30.0)
    clock.advance(30.0 - before_the_end)

    with pytest.raises(CircuitOpenError) as caught:
        world.call(breaker, Dependency())

    assert caught.value.retry_after == pytest.approx(before_the_end, abs=1e-12)
    assert caught.value.retry_after > 0


def test_after_the_recovery_time_a_good_probe_closes_it(clock: FakeClock, world: World) -> None:
    breaker, seen = opened(recovery_time=30.0), []
    clock.advance(30.0)
    before = breaker.state

    world.call(breaker, lambda: seen.append(breaker.state))

    assert (before, seen, breaker.state) == (OPEN, [HALF_OPEN], CLOSED)


def test_after_the_recovery_time_a_bad_probe_opens_it_for_the_whole_time_again(
    clock: FakeClock, world: World
) -> None:
    breaker = opened(recovery_time=30.0)
    clock.advance(30.0)

    with pytest.raises(ConnectionError):
        world.call(breaker, Dependency(down=True))

    assert breaker.state is OPEN
    assert breaker.snapshot().retry_after == 30.0
    assert breaker.snapshot().times_opened == 2


def test_a_rate_over_a_window_opens_it_and_it_recovers(clock: FakeClock, world: World) -> None:
    """Walk through the whole life of a breaker: half of ten calls in ten seconds, one second of rest."""
    breaker = CircuitBreaker(
        "db",
        trip=FailureRate(0.5, window=TimeWindow(10.0), minimum_calls=10),
        on_result=lambda result: result == -1,
        recovery_time=1.0,
    )
    guarded = world.guard(breaker, Dependency())

    def waits() -> float | None:
        with pytest.raises(CircuitOpenError) as caught:
            guarded(1)
        return caught.value.retry_after

    with captured() as events:
        results = [guarded(-1) for _ in range(10)]
        at_once = waits()
        clock.advance(0.5)
        half_way = waits()
        clock.advance(0.5)
        results.append(guarded(-1))
        again = waits()
        clock.advance(1.0)
        results.append(guarded(1))

    assert results == [-1] * 11 + [1]
    assert (at_once, half_way, again) == (1.0, 0.5, 1.0)
    assert [(e.old, e.new) for e in events if isinstance(e, BreakerStateChanged)] == [
        (CLOSED, OPEN),
        (OPEN, HALF_OPEN),
        (HALF_OPEN, OPEN),
        (OPEN, HALF_OPEN),
        (HALF_OPEN, CLOSED),
    ]


# --- what counts as a failure


def test_a_failure_that_was_slow_counts_as_slow_and_so_does_a_success(
    clock: FakeClock, world: World
) -> None:
    breaker = CircuitBreaker(
        "db", trip=SlowRate(1.0, slower_than=2.0, window=CountWindow(2), minimum_calls=2)
    )

    def slow_failure() -> None:
        clock.advance(2.0)
        raise ConnectionError

    world.call(breaker, clock.advance, 2.0)
    with pytest.raises(ConnectionError):
        world.call(breaker, slow_failure)

    assert breaker.state is OPEN
    assert breaker.snapshot().slow == 2


@pytest.mark.parametrize(("took", "state"), [(1.75, CLOSED), (2.0, OPEN)])
def test_under_a_slow_rule_a_probe_that_is_slow_has_failed(
    clock: FakeClock, world: World, took: float, state: BreakerState
) -> None:
    rule = ConsecutiveFailures(1) | SlowRate(0.5, slower_than=2.0)
    breaker = CircuitBreaker("db", trip=rule, recovery_time=1.0)
    fail(breaker)
    clock.advance(1.0)

    world.call(breaker, clock.advance, took)

    assert breaker.state is state


# --- eras, probes, leases
