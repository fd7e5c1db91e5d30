import pytest
from tests.worlds import World

from uat_resilience import CircuitBreaker, CircuitOpenError, ConsecutiveFailures, Ramp
from uat_resilience.testing import FakeClock


def recovered(world: World, clock: FakeClock, **settings: object) -> CircuitBreaker:
    """Return a breaker that has just closed after an opening."""
    breaker = CircuitBreaker(
        "db",
        trip=ConsecutiveFailures(1),
        recovery_time=30.0,
        ramp=Ramp(100.0, start=0.1),
        **settings,
    )
    with pytest.raises(ZeroDivisionError):
        world.call(breaker, lambda: 1 // 0)
    clock.advance(30.0)
    world.call(breaker, int)
    return breaker


def admitted(world: World, breaker: CircuitBreaker, calls: int) -> int:
    passed = 0
    refused: list[CircuitOpenError] = []
    for _ in range(calls):
        try:
            world.call(breaker, int)
        except CircuitOpenError as error:
            refused.append(error)
        else:
            passed += 1
    assert all(error.retry_after for error in refused)
    return passed


def test_after_a_recovery_a_growing_share_of_calls_passes(world: World, clock: FakeClock) -> None:
    breaker = recovered(world, clock)
    assert breaker.state.name == "CLOSED"

    first = admitted(world, breaker, 200)
    clock.advance(50.0)
    halfway = admitted(world, breaker, 200)
    clock.advance(50.0)
    after = admitted(world, breaker, 200)

    assert 8 <= first <= 35
    assert 80 <= halfway <= 140
    assert after == 200


def test_a_failure_on_the_ramp_opens_again(world: World, clock: FakeClock) -> None:
    breaker = recovered(world, clock)
    clock.advance(99.0)

    for _ in range(20):
        with pytest.raises((ZeroDivisionError, CircuitOpenError)):
            world.call(breaker, lambda: 1 // 0)

    assert breaker.state.name == "OPEN"
    assert breaker.snapshot().times_opened == 1


def test_the_ramp_is_over_for_good_after_its_time(world: World, clock: FakeClock) -> None:
    breaker = recovered(world, clock)
    clock.advance(100.0)

    assert admitted(world, breaker, 100) == 100
    assert breaker.snapshot().generation == 3


@pytest.mark.parametrize("ramp", [10.0, "slow"])
def test_a_ramp_is_a_setting_of_its_own(ramp: object) -> None:
    with pytest.raises(TypeError, match="ramp"):
        CircuitBreaker("db", ramp=ramp)
