"""A meter hears of the same ends as listeners do, without an event."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Never

import pytest
from tests.worlds import World

from uat_resilience import (
    Bulkhead,
    CallAbandoned,
    CallFailed,
    CallSucceeded,
    CircuitBreaker,
    EventBus,
    Retry,
    SlowRate,
    Timeout,
    captured,
)
from uat_resilience.testing import FakeClock

Make = Callable[[EventBus], Any]

POLICIES: list[Make] = [
    lambda bus: Bulkhead(1, name="guard", bus=bus),
    lambda bus: CircuitBreaker("guard", bus=bus),
    lambda bus: CircuitBreaker("guard", trip=SlowRate(0.5, slower_than=1.0), bus=bus),
    lambda bus: Retry(on=ConnectionError, attempts=1, name="guard", bus=bus),
    lambda bus: Timeout(5.0, thread=False, name="guard", bus=bus),
]


@pytest.fixture(params=POLICIES, ids=["bulkhead", "breaker", "slow breaker", "retry", "timeout"])
def make(request: pytest.FixtureRequest) -> Make:
    return request.param


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


def returns() -> int:
    return 1


def fails() -> Never:
    raise ConnectionError


def interrupted() -> Never:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("body", "kind"),
    [(returns, CallSucceeded), (fails, CallFailed), (interrupted, CallAbandoned)],
)
@pytest.mark.usefixtures("clock")
def test_meter_hears_how_a_call_ended(
    make: Make, bus: EventBus, world: World, body: Callable[[], object], kind: type
) -> None:
    heard: list[Any] = []
    bus.meter(lambda *told: heard.append(told))
    guarded = world.guard(make(bus), body)

    with suppress(ConnectionError, KeyboardInterrupt):
        guarded()

    assert heard == [(kind, "guard", 0.0)]


def test_meter_and_listener_hear_the_same(
    make: Make, bus: EventBus, world: World, clock: FakeClock
) -> None:
    heard: list[Any] = []
    bus.meter(lambda *told: heard.append(told))

    with captured(bus) as events:
        world.call(make(bus), lambda: clock.advance(0.25))

    ends = [event for event in events if isinstance(event, CallSucceeded)]
    assert [(type(end), end.policy, end.elapsed) for end in ends] == heard
    assert heard == [(CallSucceeded, "guard", 0.25)]


def test_meter_hears_of_a_retried_call_once_with_all_its_attempts(
    bus: EventBus, world: World, clock: FakeClock
) -> None:
    heard: list[Any] = []
    bus.meter(lambda *told: heard.append(told))
    answers = iter([ConnectionError(), None])

    def flaky() -> None:
        answer = next(answers)
        clock.advance(1.0)
        if answer is not None:
            raise answer

    world.call(Retry(on=ConnectionError, name="guard", bus=bus), flaky)

    assert [(kind, policy) for kind, policy, _ in heard] == [(CallSucceeded, "guard")]
    assert heard[0][2] >= 2.0


def test_meter_that_is_taken_off_hears_nothing_more(bus: EventBus) -> None:
    heard: list[Any] = []
    off = bus.meter(lambda *told: heard.append(told))
    bus.meter(lambda *_: None)
    guarded = Bulkhead(1, bus=bus)(returns)

    guarded()
    off()
    off()
    guarded()

    assert len(heard) == 1


def test_outcomes_are_wanted_while_a_meter_is_on(bus: EventBus) -> None:
    off = bus.meter(lambda *_: None)
    wanted = bus.outcomes_wanted

    off()

    assert wanted
    assert not bus.outcomes_wanted


def test_meter_that_raises_is_logged_and_the_call_unharmed(
    bus: EventBus, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> Never:
        raise LookupError

    bus.meter(broken)
    guarded = Bulkhead(1, bus=bus)(returns)

    with caplog.at_level(logging.ERROR, "uat_resilience"):
        assert guarded() == 1

    assert bus.listener_errors == 1
    assert "listener raised" in caplog.text


def test_coroutine_function_is_refused_as_a_meter(bus: EventBus) -> None:
    async def meter(*told: object) -> None: ...

    with pytest.raises(TypeError, match="plain function"):
        bus.meter(meter)
