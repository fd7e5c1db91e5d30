from contextlib import suppress
from typing import Any

import pytest
from tests.worlds import World

from uat_resilience import (
    BreakerState,
    BreakerStateChanged,
    Bulkhead,
    BulkheadFullError,
    CallAbandoned,
    CallFailed,
    CallRefused,
    CallRefusedError,
    CallSucceeded,
    CircuitBreaker,
    CircuitOpenError,
    ConsecutiveFailures,
    CountWindow,
    EventBus,
    FailureRate,
    SlowRate,
    TimeWindow,
    captured,
)
from uat_resilience.testing import FakeClock, disabled

CLOSED, HALF_OPEN, OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN


class Dependency:
    """Answers, or fails as long as it is down; counts its calls."""

    def __init__(self, *, down: bool = False) -> None:
        self.down = down
        self.calls = 0

    def __call__(self, answer: Any = "answer") -> Any:
        self.calls += 1
        if self.down:
            raise ConnectionError("down")
        return answer


def failing(error: BaseException) -> Any:
    def fail() -> None:
        raise error

    return fail


def fail(policy: Any, times: int = 1) -> None:
    for _ in range(times):
        with suppress(ConnectionError):
            policy.call(Dependency(down=True))


def opened(**settings: Any) -> CircuitBreaker:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), **settings)
    fail(breaker)
    assert breaker.state is OPEN
    return breaker


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


def test_an_exception_that_is_not_named_means_that_the_dependency_answered(
    clock: FakeClock, world: World
) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(2), on=ConnectionError)

    fail(breaker)
    with pytest.raises(LookupError):
        world.call(breaker, failing(LookupError()))
    fail(breaker)

    assert breaker.state is CLOSED


def test_an_ignored_exception_is_neither_a_failure_nor_a_success(
    clock: FakeClock, world: World
) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(2), ignore=LookupError)

    fail(breaker)
    with pytest.raises(KeyError):
        world.call(breaker, failing(KeyError()))
    after_ignored = breaker.snapshot().failures
    fail(breaker)

    assert after_ignored == 1
    assert breaker.state is OPEN


@pytest.mark.parametrize("ignore", [ConnectionError, (ValueError, ConnectionError), lambda _: True])
def test_ignore_wins_over_on(clock: FakeClock, world: World, ignore: Any) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), on=ConnectionError, ignore=ignore)

    with pytest.raises(ConnectionError):
        world.call(breaker, Dependency(down=True))

    assert breaker.state is CLOSED


def test_a_predicate_may_say_what_a_failure_is(clock: FakeClock, world: World) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), on=lambda e: "down" in str(e))

    with pytest.raises(ConnectionError):
        world.call(breaker, failing(ConnectionError("busy")))
    after_busy = breaker.state
    with pytest.raises(ConnectionError):
        world.call(breaker, failing(ConnectionError("down")))

    assert after_busy is CLOSED
    assert breaker.state is OPEN


def test_a_result_may_be_a_failure(clock: FakeClock, world: World) -> None:
    breaker = CircuitBreaker(
        "db", trip=ConsecutiveFailures(2), on_result=lambda status: status >= 500
    )

    statuses = [world.call(breaker, Dependency(), status) for status in (503, 200, 503, 502)]

    assert statuses == [503, 200, 503, 502]
    assert breaker.state is OPEN


@pytest.mark.parametrize("argument", ["on", "ignore", "on_result"])
def test_a_callback_that_raises_is_seen_by_the_caller_and_keeps_no_place(
    clock: FakeClock, world: World, argument: str
) -> None:
    def confused(_: object) -> bool:
        raise RuntimeError("confused")

    settings: dict[str, Any] = {argument: confused}
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), **settings)

    with pytest.raises(RuntimeError, match=r"^confused$"):
        world.call(breaker, Dependency(down=argument != "on_result"))

    assert breaker.state is CLOSED
    assert breaker.snapshot().failures == 0


@pytest.mark.parametrize("argument", ["on", "ignore", "on_result"])
def test_a_callback_that_raises_gives_the_place_of_a_probe_back(
    clock: FakeClock, world: World, argument: str
) -> None:
    awake: list[bool] = []

    def confused(_: object) -> bool:
        if awake:
            raise RuntimeError("confused")
        return argument == "on"

    settings: dict[str, Any] = {argument: confused}
    breaker = opened(recovery_time=1.0, **settings)
    clock.advance(1.0)
    awake.append(True)

    with pytest.raises(RuntimeError, match=r"^confused$"):
        world.call(breaker, Dependency(down=argument != "on_result"))

    assert breaker.state is HALF_OPEN
    assert breaker.snapshot().probes == 0
    awake.clear()
    world.call(breaker, Dependency())
    assert breaker.state is CLOSED


def test_a_full_bulkhead_further_in_never_opens_it(clock: FakeClock, world: World) -> None:
    breaker, full = CircuitBreaker("db", trip=ConsecutiveFailures(1)), BulkheadFullError("pool")

    for _ in range(10):
        with pytest.raises(BulkheadFullError):
            world.call(breaker, failing(full))

    assert breaker.state is CLOSED


def test_a_refused_probe_gives_its_place_back(clock: FakeClock, world: World) -> None:
    breaker, bulkhead = opened(recovery_time=1.0), Bulkhead(1)
    clock.advance(1.0)

    with bulkhead.permit(), pytest.raises(BulkheadFullError):
        world.call(breaker, bulkhead(Dependency()))

    assert breaker.state is HALF_OPEN
    assert breaker.snapshot().probes == 0


def full() -> BulkheadFullError:
    return BulkheadFullError("pool")


@pytest.mark.parametrize("on", [CallRefusedError, BulkheadFullError, (OSError, BulkheadFullError)])
def test_a_refusal_counts_when_its_type_is_named(clock: FakeClock, world: World, on: Any) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), on=on)

    with pytest.raises(BulkheadFullError):
        world.call(breaker, failing(full()))

    assert breaker.state is OPEN


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_a_program_is_no_failure_and_comes_out_unchanged(
    clock: FakeClock, world: World, kind: type[BaseException]
) -> None:
    breaker, end = CircuitBreaker("db", trip=ConsecutiveFailures(1), recovery_time=1.0), kind()

    with pytest.raises(kind) as caught:
        world.call(breaker, failing(end))
    when_closed = breaker.state
    fail(breaker)
    clock.advance(1.0)
    with pytest.raises(kind):
        world.call(breaker, failing(end))

    assert caught.value is end
    assert when_closed is CLOSED
    assert breaker.state is HALF_OPEN
    assert breaker.snapshot().probes == 0


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


@pytest.mark.parametrize("ending", ["succeeded", "failed", "cancelled"])
def test_a_late_result_never_changes_a_newer_era(
    clock: FakeClock, world: World, ending: str
) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), recovery_time=1.0)
    ends: dict[str, BaseException | None] = {
        "succeeded": None,
        "failed": ConnectionError(),
        "cancelled": KeyboardInterrupt(),
    }
    end = ends[ending]

    def outlives_its_era() -> None:
        fail(breaker)
        clock.advance(1.0)
        breaker.permit().__enter__()
        if end is not None:
            raise end

    with suppress(ConnectionError, KeyboardInterrupt):
        world.call(breaker, outlives_its_era)

    now = breaker.snapshot()
    assert (now.state, now.generation, now.probes) == (HALF_OPEN, 2, 1)


def test_a_late_failure_does_not_open_a_breaker_that_was_reset(
    clock: FakeClock, world: World
) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1))

    def reset_then_fail() -> None:
        breaker.reset()
        raise ConnectionError

    with pytest.raises(ConnectionError):
        world.call(breaker, reset_then_fail)

    assert breaker.state is CLOSED
    assert breaker.snapshot().failures == 0


def test_a_probe_that_hangs_blocks_the_next_one_no_longer_than_its_lease(
    clock: FakeClock, world: World
) -> None:
    breaker = opened(recovery_time=30.0, probe_lease=5.0)
    clock.advance(30.0)
    breaker.permit().__enter__()

    clock.advance(4.0)
    with pytest.raises(CircuitOpenError) as caught:
        world.call(breaker, Dependency())
    clock.advance(1.0)
    answer = world.call(breaker, Dependency())

    assert caught.value.state is HALF_OPEN
    assert caught.value.retry_after == 1.0
    assert answer == "answer"
    assert breaker.state is CLOSED


def test_a_lease_is_as_long_as_the_recovery_time_unless_told(clock: FakeClock) -> None:
    breaker = opened(recovery_time=30.0)
    clock.advance(30.0)
    breaker.permit().__enter__()

    waits = breaker.snapshot().retry_after
    clock.advance(30.0)

    assert waits == 30.0
    assert breaker.snapshot().retry_after is None
    breaker.call(Dependency())


def test_the_place_of_a_probe_is_free_when_it_has_ended(clock: FakeClock, world: World) -> None:
    breaker = opened(recovery_time=1.0, close_after=3)
    clock.advance(1.0)
    states = []

    for _ in range(3):
        world.call(breaker, Dependency())
        states.append(breaker.state)

    assert states == [HALF_OPEN, HALF_OPEN, CLOSED]


def test_with_probes_3_three_calls_run_at_once_and_the_fourth_is_refused(
    clock: FakeClock, world: World
) -> None:
    breaker = opened(recovery_time=1.0, probes=3)
    clock.advance(1.0)
    breaker.permit().__enter__()
    breaker.permit().__enter__()

    def at_the_cap() -> None:
        with pytest.raises(CircuitOpenError) as caught:
            breaker.call(Dependency())
        assert caught.value.retry_after == 1.0
        assert breaker.snapshot().probes == 3

    world.call(breaker, at_the_cap)

    assert breaker.state is CLOSED


# --- watching, and being switched off


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
