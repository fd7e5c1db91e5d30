from typing import Any

import anyio
import pytest

from uat_resilience import (
    BreakerState,
    BreakerStateChanged,
    Bulkhead,
    BulkheadFullError,
    CallFailed,
    CircuitBreaker,
    ConsecutiveFailures,
    Event,
    EventBus,
    SlotQueued,
)
from uat_resilience.testing import FakeClock


@pytest.mark.parametrize("listener", [3, anyio.sleep_forever], ids=["number", "coroutine function"])
def test_a_listener_is_a_plain_function(listener: Any) -> None:
    with pytest.raises(TypeError, match="listener"):
        EventBus().subscribe(listener)


def test_only_events_can_be_subscribed_to() -> None:
    kind: Any = int
    with pytest.raises(TypeError, match="types"):
        EventBus().subscribe(print, kind)


def test_a_listener_that_raises_keeps_nothing_from_the_others_nor_from_the_policy() -> None:
    def fail(event: Event) -> None:
        raise RuntimeError

    bus, clock, heard = EventBus(), FakeClock(), []
    bus.subscribe(fail)
    bus.subscribe(heard.append, BreakerStateChanged)
    breaker = CircuitBreaker(
        "db", trip=ConsecutiveFailures(1), recovery_time=1.0, clock=clock, bus=bus
    )

    with breaker.permit() as permit:
        permit.failure()
    clock.advance(1.0)
    assert breaker.call(int) == 0

    moves = [(event.old.name, event.new.name) for event in heard]
    assert moves == [("CLOSED", "OPEN"), ("OPEN", "HALF_OPEN"), ("HALF_OPEN", "CLOSED")]
    assert breaker.snapshot().probes == 0


def test_a_listener_may_call_the_policy_that_tells_it() -> None:
    bus, seen = EventBus(), []
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), bus=bus)
    bulkhead = Bulkhead(1, queue=1, max_wait=0.0, bus=bus)
    bus.subscribe(lambda _: (seen.append(breaker.snapshot().state), breaker.reset()), CallFailed)
    bus.subscribe(lambda _: seen.append(bulkhead.snapshot().waiting), SlotQueued)

    with breaker.permit() as permit:
        permit.failure()
    with bulkhead.permit(), pytest.raises(BulkheadFullError):
        bulkhead.call(int)

    assert seen == [BreakerState.OPEN, 1]
    assert breaker.state is BreakerState.CLOSED
