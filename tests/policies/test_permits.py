"""Blocks under a policy: entered here and left there, and one inside another."""

from contextlib import suppress
from typing import Any

import anyio
import pytest

from uat_resilience import (
    AIMD,
    AdaptiveLimiter,
    BreakerState,
    Bulkhead,
    BulkheadFullError,
    CallFailed,
    CallRefusedError,
    CallSucceeded,
    CircuitBreaker,
    ConsecutiveFailures,
    LimitChanged,
    LoadShedder,
    RateLimiter,
    captured,
)
from uat_resilience.testing import FakeClock

each_kind = pytest.mark.parametrize(
    "make",
    [
        lambda: Bulkhead(1),
        lambda: AdaptiveLimiter(AIMD(initial=1)),
        lambda: LoadShedder(1, queue=0),
        lambda: CircuitBreaker("db"),
        lambda: RateLimiter(10.0),
    ],
    ids=["bulkhead", "adaptive limiter", "load shedder", "breaker", "rate limiter"],
)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Bulkhead(1),
        lambda: AdaptiveLimiter(AIMD(initial=1)),
        lambda: LoadShedder(1, queue=0),
    ],
    ids=["bulkhead", "adaptive limiter", "load shedder"],
)
async def test_a_block_entered_in_one_task_and_left_in_another_gives_its_slot_back(
    make: Any,
) -> None:
    policy = make()
    permit = policy.permit()

    async with anyio.create_task_group() as group:
        group.start_soon(permit.__aenter__)
    async with anyio.create_task_group() as group:
        assert policy.in_use
        group.start_soon(permit.__aexit__, None, None, None)

    assert not policy.in_use
    assert policy.call(int) == 0


async def test_a_probe_entered_in_one_task_and_left_in_another_is_judged() -> None:
    clock = FakeClock()
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), recovery_time=1.0, clock=clock)
    with breaker.permit() as failing:
        failing.failure()
    clock.advance(1.0)
    probe = breaker.permit()

    async with anyio.create_task_group() as group:
        group.start_soon(probe.__aenter__)
    assert breaker.state is BreakerState.HALF_OPEN
    async with anyio.create_task_group() as group:
        group.start_soon(probe.__aexit__, None, None, None)

    assert breaker.state is BreakerState.CLOSED


def test_blocks_of_one_policy_may_be_nested() -> None:
    bulkhead = Bulkhead(2)

    with bulkhead.permit():
        with bulkhead.permit():
            assert bulkhead.snapshot().running == 2
            with pytest.raises(BulkheadFullError), bulkhead.permit():
                pass
        assert bulkhead.snapshot().running == 1

    assert bulkhead.snapshot().running == 0


@pytest.mark.parametrize(
    "make",
    [lambda: Bulkhead(1), lambda: CircuitBreaker("db"), AdaptiveLimiter],
    ids=["bulkhead", "breaker", "adaptive limiter"],
)
async def test_a_permit_guards_one_block(make: Any) -> None:
    policy = make()
    inside, outside = policy.permit(), policy.permit()
    async with inside:
        pass
    with outside:
        pass

    with pytest.raises(RuntimeError, match="a permit guards one block"):
        async with inside:
            pass
    with pytest.raises(RuntimeError, match="a permit guards one block"), outside:
        pass


@each_kind
async def test_a_permit_is_given_back_once_however_often_it_is_left(make: Any) -> None:
    policy = make()
    unused, left = policy.permit(), policy.permit()

    with captured() as events:
        unused.__exit__(None, None, None)
        async with left:
            left.failure()
            left.__exit__(None, None, None)
        left.__exit__(None, None, None)

    assert getattr(policy.snapshot(), "running", 0) == 0
    assert [type(event) for event in events if not isinstance(event, LimitChanged)] == [CallFailed]


@each_kind
async def test_a_block_that_ends_well_or_says_so_is_a_success(make: Any) -> None:
    policy = make()
    blocks = policy.permit(), policy.permit(), policy.permit()

    with captured() as events:
        with blocks[0]:
            pass
        async with blocks[1]:
            pass
        with suppress(ConnectionError), blocks[2]:
            blocks[2].success()
            raise ConnectionError

    told = [type(event) for event in events if not isinstance(event, LimitChanged)]
    assert told == [CallSucceeded] * 3


def test_a_permit_that_was_refused_has_nothing_to_give_back() -> None:
    bulkhead, breaker = Bulkhead(1), CircuitBreaker("db")
    breaker.force_open()
    refused = [breaker.permit(), bulkhead.permit()]

    with bulkhead.permit():
        for permit in refused:
            with pytest.raises(CallRefusedError):
                permit.__enter__()
            permit.__exit__(None, None, None)
        assert bulkhead.snapshot().running == 1

    assert bulkhead.snapshot().running == 0
