from collections.abc import Callable
from typing import Any

import pytest
from tests.worlds import World

from uat_resilience import (
    BreakerStateChanged,
    BulkheadFullError,
    CallbackFailed,
    CircuitBreaker,
    CircuitOpenError,
    ConsecutiveFailures,
    FailureRate,
    SlowRate,
    captured,
)
from uat_resilience.testing import FakeClock


def fail() -> None:
    raise ConnectionError


def tripped(world: World, breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(ConnectionError):
            world.call(breaker, fail)


def test_a_callable_says_how_long_each_opening_lasts(world: World, clock: FakeClock) -> None:
    breaker = CircuitBreaker(
        "db", trip=ConsecutiveFailures(1), recovery_time=lambda opened: 10.0 * opened
    )

    tripped(world, breaker)
    assert breaker.snapshot().retry_after == 10.0
    clock.advance(10.0)
    tripped(world, breaker)

    assert breaker.snapshot().retry_after == 20.0


@pytest.mark.parametrize(
    "nonsense",
    [lambda _: 1 / 0, lambda _: -1.0, lambda _: None],
    ids=["raises", "negative", "none"],
)
def test_a_callable_that_gives_nonsense_means_half_a_minute_and_is_told(
    clock: FakeClock, nonsense: Callable[[int], Any]
) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), recovery_time=nonsense)

    with captured() as events, pytest.raises(ConnectionError):
        breaker.call(fail)
    with pytest.raises(CircuitOpenError):
        breaker.call(int)

    assert breaker.snapshot().retry_after == 30.0
    assert [type(event) for event in events][:2] == [CallbackFailed, BreakerStateChanged]


def test_nonsense_that_nobody_listens_to_is_overruled_all_the_same(clock: FakeClock) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), recovery_time=lambda _: 0.0)

    with pytest.raises(ConnectionError):
        breaker.call(fail)

    assert breaker.snapshot().retry_after == 30.0


def test_an_operator_forces_and_resets(world: World, clock: FakeClock) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1))

    with captured() as events:
        breaker.force_open()
        breaker.force_open()
        with pytest.raises(CircuitOpenError) as refused:
            world.call(breaker, int)
        breaker.force_closed()
        tripped(world, breaker, 3)
        breaker.reset()

    assert refused.value.retry_after is None
    changes = [event for event in events if isinstance(event, BreakerStateChanged)]
    assert [change.new.name for change in changes] == ["FORCED_OPEN", "FORCED_CLOSED", "CLOSED"]


def test_an_outcome_that_finds_the_lock_held_is_not_lost(clock: FakeClock) -> None:
    breaker = CircuitBreaker("db", trip=FailureRate(1.0, minimum_calls=2), probes=1)
    gate = breaker._gate

    with gate.mailbox.lock, pytest.raises(ConnectionError):
        breaker.call(fail)
    assert len(gate.mailbox.notes) == 1
    with pytest.raises(ConnectionError):
        breaker.call(fail)

    assert breaker.state.name == "OPEN"


def test_a_note_left_by_another_is_carried_out_by_whoever_comes_next(clock: FakeClock) -> None:
    class Noted(FailureRate):
        """Its judge leaves a note while the lock is held, as a finalised coroutine would."""

        def judge(self) -> Any:
            judge = super().judge()
            record = judge.record

            class Judge(type(judge)):
                def record(self, now: float, failed: int, elapsed: float) -> bool:
                    if not gate_notes:
                        gate_notes.append((object(), 0, 0.0, now))
                        breaker._gate.mailbox.notes.append((breaker._gate.machine.era, 1, 0.0, now))
                    return record(now, failed, elapsed)

            noted = Judge.__new__(Judge)
            for slot in ("_tally", "minimum", "threshold", "window"):
                setattr(noted, slot, getattr(judge, slot))
            return noted

    gate_notes: list[Any] = []
    breaker = CircuitBreaker("db", trip=Noted(0.9, minimum_calls=10))

    breaker.call(int)

    assert breaker.snapshot().calls == 2
    assert not breaker._gate.mailbox.notes


def test_an_abandoned_probe_gives_its_place_back(world: World, clock: FakeClock) -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), recovery_time=5.0)
    tripped(world, breaker)
    clock.advance(5.0)

    def refuse() -> None:
        raise BulkheadFullError("inner")

    with pytest.raises(BulkheadFullError):
        world.call(breaker, refuse)
    world.block(breaker.permit(), lambda permit: permit.abandon())

    assert breaker.snapshot().probes == 0
    assert world.call(breaker, int) == 0
    assert breaker.state.name == "CLOSED"


def test_a_block_says_how_it_ended_and_the_first_word_counts(
    world: World, clock: FakeClock
) -> None:
    breaker = CircuitBreaker("db")

    def say(permit: Any) -> None:
        permit.failure()
        permit.success()

    world.block(breaker.permit(), say)
    with pytest.raises(ConnectionError):
        world.block(breaker.permit(), lambda _: fail())
    assert breaker.snapshot().failures == 2

    with pytest.raises(ConnectionError):
        world.block(breaker.permit(), lambda permit: permit.success() or fail())
    assert breaker.snapshot().failures == 0


def test_a_permit_is_for_one_block() -> None:
    permit = CircuitBreaker("db").permit()
    with permit:
        pass

    with pytest.raises(RuntimeError, match="permit"), permit:
        pass


def test_slow_calls_open_a_breaker_that_times_them(world: World, clock: FakeClock) -> None:
    breaker = CircuitBreaker("db", trip=SlowRate(0.5, slower_than=1.0, minimum_calls=2))

    for _ in range(2):
        world.call(breaker, clock.advance, 1.5)

    assert breaker.state.name == "OPEN"
    assert breaker.snapshot().slow == 2


def test_a_coroutine_from_a_sync_call_says_nothing(clock: FakeClock) -> None:
    async def fetch() -> None: ...

    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1))
    with pytest.raises(TypeError, match="acall"):
        breaker.call(lambda _: fetch(), 0)

    assert breaker.state.name == "CLOSED"


async def later(_: int) -> float:
    return 1.0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"name": None}, "name"),
        ({"name": "db", "trip": 5}, "trip"),
        ({"name": "db", "on": 3}, "on"),
        ({"name": "db", "ignore": BaseException}, "ignore"),
        ({"name": "db", "on_result": 3}, "on_result"),
        ({"name": "db", "recovery_time": 0}, "recovery_time"),
        ({"name": "db", "recovery_time": later}, "recovery_time must be a plain function"),
        ({"name": "db", "probes": 0}, "probes"),
        ({"name": "db", "close_after": True}, "close_after"),
        ({"name": "db", "probe_lease": -1.0}, "probe_lease"),
        ({"name": "db", "observe": 1}, "observe"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_argument_is_refused_by_name(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises((TypeError, ValueError), match=named):
        CircuitBreaker(**arguments)
