from contextlib import suppress

import pytest
from tests.policies.breakers import CLOSED, HALF_OPEN, Dependency, fail, opened
from tests.worlds import World

from uat_resilience import (
    CircuitBreaker,
    CircuitOpenError,
    ConsecutiveFailures,
)
from uat_resilience.testing import FakeClock


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
