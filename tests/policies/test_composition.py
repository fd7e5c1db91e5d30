"""Policies around each other: how many calls are made, and who counts what."""

import anyio
import pytest
from tests.pausing import pause

from uat_resilience import (
    Bulkhead,
    BulkheadFullError,
    CircuitBreaker,
    CircuitOpenError,
    ConsecutiveFailures,
    Fallback,
    Hedge,
    Pipeline,
    RateLimitedError,
    RateLimiter,
    Retry,
    TimedOutError,
    Timeout,
)
from uat_resilience.testing import FakeClock

DOUBTFUL = pytest.mark.filterwarnings("ignore::uat_resilience.PipelineWarning")
"""For orders that a pipeline advises against, and builds all the same."""


class Dependency:
    """Fails as often as told, then answers."""

    def __init__(self, *, failures: int = 1_000) -> None:
        self.calls = 0
        self._failures = failures

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self._failures:
            raise ConnectionError
        return "row"


def breaker_of(failures: int) -> CircuitBreaker:
    return CircuitBreaker("db", trip=ConsecutiveFailures(failures))


def test_a_breaker_inside_a_retry_counts_every_attempt(clock: FakeClock) -> None:
    breaker, dependency = breaker_of(4), Dependency()

    with pytest.raises(ConnectionError):
        Pipeline(Retry(ConnectionError, attempts=3), breaker).call(dependency)

    assert (dependency.calls, breaker.snapshot().failures) == (3, 3)


@DOUBTFUL
def test_a_breaker_around_a_retry_counts_the_run_as_one_call(clock: FakeClock) -> None:
    breaker, dependency = breaker_of(4), Dependency()

    with pytest.raises(ConnectionError):
        Pipeline(breaker, Retry(ConnectionError, attempts=3)).call(dependency)

    assert (dependency.calls, breaker.snapshot().failures) == (3, 1)


def test_a_retry_around_an_open_breaker_does_not_ask_again(clock: FakeClock) -> None:
    breaker, dependency = breaker_of(1), Dependency()
    with breaker.permit() as permit:
        permit.failure()

    with pytest.raises(CircuitOpenError):
        Pipeline(Retry(ConnectionError, attempts=3), breaker).call(dependency)

    assert (dependency.calls, clock.sleeps) == (0, [])


def test_a_retry_ends_when_the_breaker_inside_it_opens(clock: FakeClock) -> None:
    dependency = Dependency()

    with pytest.raises(CircuitOpenError):
        Pipeline(Retry(ConnectionError, attempts=5), breaker_of(2)).call(dependency)

    assert dependency.calls == 2


def test_a_retry_that_names_the_refusal_waits_for_the_limiter_inside_it(clock: FakeClock) -> None:
    dependency = Dependency()
    retry = Retry((ConnectionError, RateLimitedError), attempts=5)

    with pytest.raises((ConnectionError, RateLimitedError)):
        Pipeline(retry, RateLimiter(1.0, per=1_000.0, burst=3)).call(dependency)

    assert dependency.calls == 3


@DOUBTFUL
def test_a_fallback_inside_hides_the_failure_from_the_retry(clock: FakeClock) -> None:
    dependency = Dependency()
    retry, fallback = Retry(ConnectionError), Fallback(on=ConnectionError, value="stale")

    assert Pipeline(retry, fallback).call(dependency) == "stale"

    assert (dependency.calls, clock.sleeps) == (1, [])


def test_a_fallback_outside_answers_once_retry_and_breaker_have_had_their_say(
    clock: FakeClock,
) -> None:
    breaker, dependency = breaker_of(5), Dependency()
    fallback = Fallback(on=ConnectionError, value="stale")

    answer = Pipeline(fallback, Retry(ConnectionError, attempts=3), breaker).call(dependency)

    assert (answer, dependency.calls, breaker.snapshot().failures) == ("stale", 3, 3)


def test_a_fallback_that_names_the_refusal_answers_for_an_open_breaker(clock: FakeClock) -> None:
    breaker, dependency = breaker_of(1), Dependency()
    fallback = Fallback(on=(ConnectionError, CircuitOpenError), call=repr)

    answers = [Pipeline(fallback, breaker).call(dependency) for _ in range(2)]

    assert dependency.calls == 1
    assert [answer.partition("(")[0] for answer in answers] == [
        "ConnectionError",
        "CircuitOpenError",
    ]


async def test_a_call_that_hangs_counts_against_the_breaker_where_a_timeout_stands_inside() -> None:
    breaker = breaker_of(1)

    with pytest.raises(TimedOutError):
        await Pipeline(breaker, Timeout(2.0)).acall(anyio.sleep_forever)

    assert breaker.snapshot().times_opened == 1


async def test_each_attempt_has_a_timeout_of_its_own_and_the_total_bounds_the_pauses_too() -> None:
    script: list[float] = []
    retry = Retry(TimedOutError, attempts=100)

    async def hang() -> None:
        script.append(anyio.current_time())
        await anyio.sleep_forever()

    with pytest.raises(TimedOutError):
        await Pipeline(Timeout(10.0), retry, Timeout(2.0)).acall(hang)

    assert len(script) > 1
    assert anyio.current_time() <= 10.0


async def test_a_retry_around_a_hedge_makes_as_many_calls_as_both_allow_together() -> None:
    calls: list[int] = []

    async def fail() -> None:
        calls.append(1)
        await pause(5.0)
        raise ConnectionError

    retry, hedge = Retry(ConnectionError, attempts=3), Hedge(1.0, attempts=2, on=ConnectionError)
    with pytest.raises(ConnectionError):
        await Pipeline(retry, hedge).acall(fail)

    assert len(calls) == 6


def test_two_pipelines_share_the_slots_of_one_bulkhead() -> None:
    bulkhead = Bulkhead(1)
    orders, stock = Pipeline(bulkhead, name="orders"), Pipeline(bulkhead, name="stock")

    def inside() -> None:
        with pytest.raises(BulkheadFullError, match="stock"):
            stock.call(int)

    orders.call(inside)

    assert stock.call(int) == 0


def test_a_policy_shows_its_kind_and_its_name() -> None:
    breaker, orders = CircuitBreaker("db"), Pipeline(Bulkhead(1), name="orders")

    assert [repr(breaker), repr(orders), repr(Timeout(1.0))] == [
        "<CircuitBreaker 'db'>",
        "<Pipeline 'orders'>",
        "<Timeout 'timeout'>",
    ]
