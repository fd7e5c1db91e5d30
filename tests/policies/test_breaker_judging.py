from typing import Any

import pytest
from tests.policies.breakers import CLOSED, HALF_OPEN, OPEN, Dependency, fail, failing, full, opened
from tests.worlds import World

from uat_resilience import (
    Bulkhead,
    BulkheadFullError,
    CallRefusedError,
    CircuitBreaker,
    ConsecutiveFailures,
)
from uat_resilience.testing import FakeClock


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
