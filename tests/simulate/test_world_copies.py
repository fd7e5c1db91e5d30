"""Every policy that waits, in the third world."""

from contextvars import ContextVar
from typing import Any

import pytest
from tests.simulate.inside import End, forever, now, one, sleep

from uat_resilience import (
    BreakerState,
    CircuitBreaker,
    ConsecutiveFailures,
    Hedge,
    Pipeline,
    TimedOutError,
    Timeout,
    captured,
)
from uat_resilience.simulate.kernel import Cut
from uat_resilience.telemetry import DeadlineMissed
from uat_resilience.waiting import world


def copies(*bodies: Any) -> Any:
    """The first copy runs the first body, the second the second."""
    left = iter(bodies)

    async def call() -> Any:
        return await next(left)()

    return call


async def quick() -> str:
    await sleep(0.1)
    return "quick"


async def broken() -> str:
    raise ConnectionError("broken")


def test_healthy_call_is_one_call() -> None:
    assert one(lambda: Hedge(1.0).acall(copies(quick))) == End(0.1, "quick")


def test_second_copy_wins_and_the_first_is_cut() -> None:
    cuts: list[float] = []

    async def slow() -> str:
        try:
            await forever()
        except Cut:
            cuts.append(now())
            raise
        return "not reached"

    end = one(lambda: Hedge(1.0).acall(copies(slow, quick)))

    assert end == End(1.1, "quick")
    assert cuts == [1.1]


def test_first_copy_wins_and_the_second_is_cut() -> None:
    async def slow() -> str:
        await sleep(1.5)
        return "slow"

    end = one(lambda: Hedge(1.0).acall(copies(slow, forever)))

    assert end == End(1.5, "slow")


def test_copies_that_end_in_one_moment_are_one_result() -> None:
    async def slow() -> str:
        await sleep(1.1)
        return "slow"

    end = one(lambda: Hedge(1.0).acall(copies(slow, quick)))

    assert end.at == 1.1
    assert end.result in {"slow", "quick"}


def test_winner_waits_for_the_cleanup_of_the_loser() -> None:
    async def untidy() -> str:
        try:
            await forever()
        finally:
            await sleep(2.0)
        return "not reached"

    end = one(lambda: Hedge(1.0).acall(copies(quick_later, untidy)))

    assert end == End(4.0, "later")


async def quick_later() -> str:
    await sleep(2.0)
    return "later"


def test_failed_copy_is_followed_by_the_next_at_once() -> None:
    assert one(lambda: Hedge(1.0).acall(copies(broken, quick))) == End(0.1, "quick")


def test_first_error_comes_out_when_all_fail() -> None:
    end = one(lambda: Hedge(1.0).acall(copies(broken, broken)))

    assert end.at == 0.0
    assert isinstance(end.error, ConnectionError)


def test_caller_that_is_cut_takes_all_copies_with_it() -> None:
    ended: list[float] = []

    async def body() -> str:
        try:
            await forever()
        finally:
            ended.append(now())
        return "not reached"

    end = one(lambda: Timeout(3.0).acall(lambda: Hedge(1.0).acall(body)))

    assert end.at == 3.0
    assert isinstance(end.error, TimedOutError)
    assert ended == [3.0, 3.0]


def test_caller_that_is_cut_while_it_waits_for_a_loser_leaves_with_it() -> None:
    async def untidy() -> str:
        try:
            await forever()
        finally:
            await sleep(5.0)
        return "not reached"

    end = one(lambda: Timeout(3.0).acall(lambda: Hedge(1.0).acall(copies(quick_later, untidy))))

    assert end.at == 3.0
    assert isinstance(end.error, TimedOutError)


def test_copy_is_run_in_the_context_of_its_caller() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="unset")

    async def slow() -> str:
        await forever()
        return "not reached"

    async def named() -> str:
        return variable.get()

    async def caller() -> str:
        variable.set("the caller's")
        return str(await Hedge(1.0).acall(copies(slow, named)))

    assert one(caller) == End(1.0, "the caller's")


def test_loser_is_no_failure_and_missed_no_deadline() -> None:
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1))
    guarded = Pipeline(Hedge(1.0), breaker, Timeout(5.0))

    with captured() as events:
        end = one(lambda: guarded.acall(copies(forever, quick)))

    assert end == End(1.1, "quick")
    assert breaker.state is BreakerState.CLOSED
    assert not [event for event in events if isinstance(event, DeadlineMissed)]


def test_copy_that_is_stopped_in_its_turn_is_not_cut_twice() -> None:
    async def race_and_pause() -> float:
        async with world().race() as race:

            async def first() -> None:
                race.spawn(second)
                await sleep(0.0)

            async def second() -> None:
                race.stop()

            await race.inline(first)
        await sleep(1.0)
        return now()

    assert one(race_and_pause) == End(1.0, 1.0)


def test_mistake_in_a_copy_comes_out_of_the_run() -> None:
    async def race() -> None:
        async with world().race() as here:

            async def mistaken() -> None:
                raise TypeError("mistaken")

            here.spawn(mistaken)

    with pytest.raises(TypeError, match="mistaken"):
        one(race)


# --- who runs
