"""Rate limiters whose settings are changed while they run."""

from typing import Any

import anyio
import pytest
from tests.worlds import World

from uat_resilience import RateLimitedError, RateLimiter
from uat_resilience.policies.rate_limiter import RateLimiterSnapshot
from uat_resilience.testing import FakeClock


def test_a_function_wrapped_before_sees_the_new_limit(world: World, clock: FakeClock) -> None:
    limiter = RateLimiter(1.0, burst=2)
    guarded = world.guard(limiter, lambda: "in")
    guarded()

    limiter.update(rate=2.0, per=10.0, burst=3)

    assert [guarded(), guarded()] == ["in", "in"]
    with pytest.raises(RateLimitedError) as limited:
        guarded()
    assert (limited.value.quota, limited.value.window) == (3, 15.0)
    assert limited.value.retry_after == 5.0


def test_what_was_spent_stays_spent_however_often_the_limit_is_changed(clock: FakeClock) -> None:
    limiter = RateLimiter(1.0, burst=10)
    for _ in range(8):
        limiter.call(int)

    available: list[float] = []
    for burst, rate in ((20, 5.0), (5, 0.5), (10, 1.0), (5, 2.0), (10, 1.0)):
        limiter.update(burst=burst, rate=rate)
        available.append(limiter.snapshot().available)

    assert available == [12.0, 0.0, 2.0, 0.0, 2.0]


def test_tokens_come_at_the_rate_of_their_time(clock: FakeClock) -> None:
    limiter = RateLimiter(1.0, burst=10)
    for _ in range(10):
        limiter.call(int)

    clock.advance(2.0)
    limiter.update(rate=0.5)
    clock.advance(2.0)
    limiter.update(rate=4.0)
    clock.advance(1.0)

    assert limiter.snapshot() == RateLimiterSnapshot(2 + 1 + 4, 0, 4.0, 10)


async def test_those_who_wait_move_up_when_the_rate_is_raised() -> None:
    limiter, began = RateLimiter(0.1, max_wait=None), []

    async def call(n: int) -> None:
        began.append((n, anyio.current_time() - start))

    start = anyio.current_time()
    async with anyio.create_task_group() as group:
        for n in range(4):
            group.start_soon(limiter.acall, call, n)
            await anyio.wait_all_tasks_blocked()
        limiter.update(rate=2.0)

    assert began == [(0, 0.0), (1, 0.5), (2, 1.0), (3, 1.5)]


async def test_nobody_waits_for_longer_than_it_was_told() -> None:
    limiter, began = RateLimiter(1.0, max_wait=None), []

    async def call(n: int) -> None:
        began.append((n, anyio.current_time() - start))

    start = anyio.current_time()
    async with anyio.create_task_group() as group:
        for n in range(3):
            group.start_soon(limiter.acall, call, n)
            await anyio.wait_all_tasks_blocked()
        limiter.update(rate=0.1)
        group.start_soon(limiter.acall, call, 3)

    assert began == [(0, 0.0), (1, 1.0), (2, 2.0), (3, 30.0)]


def test_the_burst_stays_unless_the_rate_is_to_make_it(clock: FakeClock) -> None:
    limiter = RateLimiter(3.0)

    limiter.update(rate=5.0)
    kept = limiter.snapshot().burst
    limiter.update(burst=None)

    assert (kept, limiter.snapshot().burst) == (3, 5)


def test_a_wait_that_is_too_long_by_the_new_patience_is_refused(clock: FakeClock) -> None:
    limiter = RateLimiter(1.0, max_wait=10.0)
    limiter.call(int)

    limiter.update(max_wait=0.5)

    with pytest.raises(RateLimitedError) as limited:
        limiter.call(int)
    assert limited.value.retry_after == 0.5
    assert limiter.describe().endswith("up to 0.5 s")


def test_a_permit_that_has_become_too_heavy_is_refused_on_entering(world: World) -> None:
    limiter = RateLimiter(1.0, burst=5)
    permit = limiter.permit(weight=4)

    limiter.update(burst=3)

    with pytest.raises(ValueError, match=r"weight must be at most burst \(3\), not 4"):
        world.block(permit, lambda _: None)
    assert limiter.snapshot().available == 3.0


def test_a_change_a_moment_before_the_last_call_gives_nothing_away(clock: FakeClock) -> None:
    limiter = RateLimiter(1.0, burst=2)
    clock.advance(0.5)
    limiter.call(int)

    limiter._gate.bucket.retune(clock.now() - 0.25, rate=100.0, per=1.0, burst=2)

    assert limiter.snapshot().available == 1.0


@pytest.mark.parametrize(
    "changes",
    [
        {"rate": 0.0},
        {"rate": "1"},
        {"per": -1.0},
        {"per": None},
        {"burst": 0},
        {"max_wait": -1.0},
    ],
    ids=repr,
)
def test_a_bad_value_changes_nothing(changes: dict[str, Any], clock: FakeClock) -> None:
    limiter = RateLimiter(2.0, burst=3, max_wait=4.0)

    with pytest.raises((TypeError, ValueError), match=next(iter(changes))):
        limiter.update(**{"rate": 9.0, "per": 9.0, "burst": 9, "max_wait": 9.0, **changes})

    assert limiter.describe() == "2 calls a second, 3 at once, the next waits up to 4 s"
