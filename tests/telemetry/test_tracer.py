"""A tracer hears of each attempt that a retry makes, in every spelling of a retry."""

import logging
from contextlib import suppress
from functools import partial
from typing import Any, Never

import pytest
from tests.policies.script import Script
from tests.worlds import World

from uat_resilience import Constant, EventBus, Jitter, Retry, RetryScheduled
from uat_resilience.telemetry.listeners import AttemptEnd, Tracer
from uat_resilience.testing import FakeClock

Told = list[tuple[object, ...]]


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest.fixture
def told(bus: EventBus) -> Told:
    heard: Told = []
    bus.trace(listening(heard))
    return heard


def listening(heard: Told) -> Tracer:
    def tracer(policy: str, number: int) -> AttemptEnd:
        heard.append((policy, number))
        return lambda error: heard.append((policy, number, error))

    return tracer


def retry(bus: EventBus, **settings: Any) -> Retry:
    settings = {"on": ConnectionError, "name": "fetch", **settings}
    return Retry(backoff=Constant(2.0), jitter=Jitter.NONE, bus=bus, **settings)


def test_tracer_is_around_each_attempt_and_not_around_the_pause(
    bus: EventBus, told: Told, clock: FakeClock, world: World
) -> None:
    error = ConnectionError("1")
    bus.subscribe(told.append, RetryScheduled)

    def fetch() -> str:
        told.append(("fetching",))
        return script()

    script = Script(error, "row")
    world.call(retry(bus), fetch)

    assert told == [
        ("fetch", 1),
        ("fetching",),
        ("fetch", 1, error),
        RetryScheduled("fetch", 0.0, attempt=1, delay=2.0, error=error),
        ("fetch", 2),
        ("fetching",),
        ("fetch", 2, None),
    ]


@pytest.mark.parametrize("settings", [{}, {"on_result": lambda _: False}, {"time_limit": 9.0}])
def test_first_success_is_an_attempt(
    bus: EventBus, told: Told, clock: FakeClock, world: World, settings: dict[str, Any]
) -> None:
    world.call(retry(bus, **settings), Script("row"))

    assert told == [("fetch", 1), ("fetch", 1, None)]


def test_error_that_comes_out_ends_an_attempt(
    bus: EventBus, told: Told, clock: FakeClock, world: World
) -> None:
    error = ValueError("not to be retried")

    with pytest.raises(ValueError, match="not to be retried"):
        world.call(retry(bus), Script(error))

    assert told == [("fetch", 1), ("fetch", 1, error)]


def test_interrupted_attempt_is_told_with_what_interrupted_it(
    bus: EventBus, told: Told, clock: FakeClock, world: World
) -> None:
    interruption = KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        world.call(retry(bus), Script(interruption))

    assert told == [("fetch", 1), ("fetch", 1, interruption)]


def test_result_to_be_thrown_away_ends_an_attempt_without_an_error(
    bus: EventBus, told: Told, clock: FakeClock, world: World
) -> None:
    world.call(retry(bus, on_result=lambda row: row == "busy"), Script("busy", "row"))

    assert told == [("fetch", 1), ("fetch", 1, None), ("fetch", 2), ("fetch", 2, None)]


@pytest.mark.parametrize("ended", [None, ConnectionError("last"), KeyboardInterrupt()])
def test_blocks_are_attempts(
    bus: EventBus, told: Told, clock: FakeClock, world: World, ended: BaseException | None
) -> None:
    first = ConnectionError("first")
    body = Script(first, ended)

    with suppress(ConnectionError, KeyboardInterrupt):
        world.loop(retry(bus, attempts=2), lambda _: body())

    assert told == [("fetch", 1), ("fetch", 1, first), ("fetch", 2), ("fetch", 2, ended)]


def test_block_that_says_its_result_is_told_once(
    bus: EventBus, told: Told, clock: FakeClock, world: World
) -> None:
    rows = iter(["busy", "row"])

    world.loop(
        retry(bus, on_result=lambda row: row == "busy"), lambda attempt: attempt.result(next(rows))
    )

    assert told == [("fetch", 1), ("fetch", 1, None), ("fetch", 2), ("fetch", 2, None)]


def test_tracer_that_is_taken_off_hears_nothing_more(bus: EventBus) -> None:
    heard: Told = []

    take_off = bus.trace(listening(heard))
    retry(bus).call(int)
    take_off()
    take_off()
    retry(bus).call(int)

    assert heard == [("fetch", 1), ("fetch", 1, None)]
    assert not bus.attempts_wanted


def test_tracer_put_on_twice_is_taken_off_once(bus: EventBus) -> None:
    heard: Told = []
    tracer = listening(heard)

    take_off = bus.trace(tracer)
    bus.trace(tracer)
    take_off()
    retry(bus).call(int)

    assert heard == [("fetch", 1), ("fetch", 1, None)]


def test_tracer_that_is_taken_off_in_mid_attempt_hears_of_its_end(bus: EventBus) -> None:
    heard: Told = []

    take_off = bus.trace(listening(heard))
    retry(bus).call(take_off)

    assert heard == [("fetch", 1), ("fetch", 1, None)]


def test_tracers_are_nested(bus: EventBus) -> None:
    heard: list[str] = []
    for name in ("outer", "inner"):
        bus.trace(partial(nesting, heard, name))

    retry(bus).call(int)

    assert heard == ["outer begins", "inner begins", "inner ends", "outer ends"]


@pytest.mark.parametrize("late", [False, True], ids=["at the beginning", "at the end"])
def test_tracer_that_raises_is_logged_and_the_call_unharmed(
    bus: EventBus, told: Told, caplog: pytest.LogCaptureFixture, *, late: bool
) -> None:
    def broken(*_: object) -> Never:
        raise RuntimeError("of its own")

    bus.trace((lambda *_: broken) if late else broken)
    with caplog.at_level(logging.ERROR):
        result = retry(bus).call(int)

    assert result == 0
    assert bus.listener_errors == 1
    assert told == [("fetch", 1), ("fetch", 1, None)]
    assert "an event listener raised" in caplog.text


def test_coroutine_function_is_refused_as_a_tracer(bus: EventBus) -> None:
    async def tracer(policy: str, number: int) -> None: ...

    with pytest.raises(TypeError, match="listener must be a plain function"):
        bus.trace(tracer)


def nesting(heard: list[str], name: str, *_: object) -> AttemptEnd:
    heard.append(f"{name} begins")
    return lambda _: heard.append(f"{name} ends")
