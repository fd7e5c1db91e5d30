"""A tracer hears of each attempt that a retry makes, in every spelling of a retry."""

import logging
from contextlib import suppress
from typing import Any, Never

import pytest
from tests.policies.script import Script
from tests.worlds import World

from uat_resilience import Constant, EventBus, Jitter, Retry
from uat_resilience.testing import FakeClock

Told = list[tuple[str, int, float, BaseException | None]]


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest.fixture
def told(bus: EventBus) -> Told:
    heard: Told = []
    bus.trace(lambda *attempt: heard.append(attempt))
    return heard


def retry(bus: EventBus, **settings: Any) -> Retry:
    settings = {"on": ConnectionError, "name": "fetch", **settings}
    return Retry(backoff=Constant(2.0), jitter=Jitter.NONE, bus=bus, **settings)


def taking(clock: FakeClock, *outcomes: Any) -> Script:
    class Slow(Script):
        def __call__(self, *args: object, **kwargs: object) -> Any:
            clock.advance(1.0 + self.calls)
            return super().__call__(*args, **kwargs)

    return Slow(*outcomes)


def test_each_attempt_is_told_with_its_own_time(
    bus: EventBus, told: Told, clock: FakeClock, world: World
) -> None:
    first, second = ConnectionError("1"), ConnectionError("2")

    world.call(retry(bus), taking(clock, first, second, "row"))

    assert told == [
        ("fetch", 1, 1.0, first),
        ("fetch", 2, 2.0, second),
        ("fetch", 3, 3.0, None),
    ]


@pytest.mark.parametrize("settings", [{}, {"on_result": lambda _: False}, {"time_limit": 9.0}])
def test_first_success_is_an_attempt(
    bus: EventBus, told: Told, clock: FakeClock, world: World, settings: dict[str, Any]
) -> None:
    world.call(retry(bus, **settings), taking(clock, "row"))

    assert told == [("fetch", 1, 1.0, None)]


def test_error_that_comes_out_ends_an_attempt(
    bus: EventBus, told: Told, clock: FakeClock, world: World
) -> None:
    error = ValueError("not to be retried")

    with pytest.raises(ValueError, match="not to be retried"):
        world.call(retry(bus), taking(clock, error))

    assert told == [("fetch", 1, 1.0, error)]


def test_interrupted_attempt_is_told_with_what_interrupted_it(
    bus: EventBus, told: Told, clock: FakeClock, world: World
) -> None:
    with pytest.raises(KeyboardInterrupt):
        world.call(retry(bus), taking(clock, KeyboardInterrupt))

    assert [(number, elapsed, type(error)) for _, number, elapsed, error in told] == [
        (1, 1.0, KeyboardInterrupt)
    ]


def test_result_to_be_thrown_away_ends_an_attempt_without_an_error(
    bus: EventBus, told: Told, clock: FakeClock, world: World
) -> None:
    world.call(retry(bus, on_result=lambda row: row == "busy"), taking(clock, "busy", "row"))

    assert told == [("fetch", 1, 1.0, None), ("fetch", 2, 2.0, None)]


@pytest.mark.parametrize("ended", [None, ConnectionError("last"), KeyboardInterrupt()])
def test_blocks_are_attempts(
    bus: EventBus, told: Told, clock: FakeClock, world: World, ended: BaseException | None
) -> None:
    first = ConnectionError("first")
    body = taking(clock, first, ended)

    with suppress(ConnectionError, KeyboardInterrupt):
        world.loop(retry(bus, attempts=2), lambda _: body())

    assert told == [("fetch", 1, 1.0, first), ("fetch", 2, 2.0, ended)]


def test_block_that_says_its_result_is_told_once(
    bus: EventBus, told: Told, clock: FakeClock, world: World
) -> None:
    rows = iter(["busy", "row"])

    world.loop(
        retry(bus, on_result=lambda row: row == "busy"), lambda attempt: attempt.result(next(rows))
    )

    assert told == [("fetch", 1, 0.0, None), ("fetch", 2, 0.0, None)]


def test_tracer_that_is_taken_off_hears_nothing_more(bus: EventBus, clock: FakeClock) -> None:
    heard: list[object] = []

    take_off, take_the_other_off = (bus.trace(lambda *attempt: heard.append(attempt)),) * 2
    retry(bus).call(int)
    take_off()
    take_the_other_off()
    retry(bus).call(int)

    assert len(heard) == 1
    assert not bus.attempts_wanted


def test_tracer_put_on_twice_is_taken_off_once_each(bus: EventBus, clock: FakeClock) -> None:
    heard: list[int] = []

    def tracer(_policy: str, number: int, *_: object) -> None:
        heard.append(number)

    take_off = bus.trace(tracer)
    bus.trace(tracer)
    take_off()
    retry(bus).call(int)

    assert heard == [1]


def test_tracer_that_raises_is_logged_and_the_call_unharmed(
    bus: EventBus, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> Never:
        raise RuntimeError("of its own")

    bus.trace(broken)
    with caplog.at_level(logging.ERROR):
        result = retry(bus).call(int)

    assert result == 0
    assert bus.listener_errors == 1
    assert len(told) == 1
    assert "an event listener raised" in caplog.text


def test_coroutine_function_is_refused_as_a_tracer(bus: EventBus) -> None:
    async def tracer(*told: object) -> None: ...

    with pytest.raises(TypeError, match="listener must be a plain function"):
        bus.trace(tracer)
