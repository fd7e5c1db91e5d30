import gc
from collections.abc import Generator
from typing import Any

import pytest
from tests.worlds import World

from uat_resilience import (
    AdaptiveLimiter,
    Bulkhead,
    CircuitBreaker,
    CircuitOpenError,
    Fallback,
    RateLimiter,
    Retry,
    SlowRate,
    Timeout,
    captured,
)
from uat_resilience.clock import SystemClock, default_clock
from uat_resilience.switches import switches
from uat_resilience.testing import FakeClock, disabled, instant


def test_leaving_disabled_and_instant_restores_what_was_there_before() -> None:
    with disabled(), instant():
        with disabled(), instant():
            pass
        assert (switches.guarding, switches.pausing) == (False, False)

    assert (switches.guarding, switches.pausing) == (True, True)


def test_block_that_is_abandoned_takes_nothing_off_another() -> None:
    def begin() -> Generator[None]:
        with disabled(), instant(), FakeClock():
            yield

    abandoned = begin()
    next(abandoned)
    with disabled(), instant(), FakeClock() as clock:
        del abandoned  # As the garbage collector does, whenever it comes.
        gc.collect()
        within = switches.guarding, switches.pausing, default_clock.clock

    assert within == (False, False, clock)
    assert (switches.guarding, switches.pausing) == (True, True)
    assert isinstance(default_clock.clock, SystemClock)


def test_an_error_inside_disabled_restores_it_too() -> None:
    breaker = CircuitBreaker("db")
    breaker.force_open()

    with pytest.raises(ValueError, match="invalid"), disabled():
        breaker.call(int, "no number")

    with pytest.raises(CircuitOpenError):
        breaker.call(int)


def test_a_breaker_is_as_it_was_when_disabled_is_over() -> None:
    breaker = CircuitBreaker("db", clock=FakeClock())
    with pytest.raises(ValueError, match="invalid"):
        breaker.call(int, "no number")
    before = breaker.snapshot()

    with disabled(), pytest.raises(ValueError, match="invalid"):
        breaker.call(int, "no number")

    assert breaker.snapshot() == before


@pytest.mark.parametrize(
    "policy",
    [
        CircuitBreaker("db"),
        CircuitBreaker("slow", trip=SlowRate(0.5, slower_than=1.0)),
        Retry(on=ValueError),
        Retry(on=(), on_result=bool, name="by result"),
        Bulkhead(1),
        RateLimiter(1),
        AdaptiveLimiter(),
        Timeout(1.0),
        Fallback(on=ValueError, value=0),
    ],
    ids=lambda policy: policy.name,
)
def test_nothing_is_told_of_calls_while_disabled(world: World, policy: Any) -> None:
    with disabled(), captured() as events:
        world.call(policy, int)
        with pytest.raises(ValueError, match="invalid"):
            world.call(policy, lambda: int("no number"))

    assert events == []
