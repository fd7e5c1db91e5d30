import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import anyio
import pytest
from anyio.abc import TaskGroup
from tests.pausing import pause
from tests.worlds import World

from uat_resilience import (
    CallRefused,
    Pipeline,
    RateLimitedError,
    RateLimiter,
    SlotQueued,
    captured,
    deadline,
)
from uat_resilience.policies.rate_gate import Turn
from uat_resilience.testing import FakeClock, disabled
from uat_resilience.testing.settling import settle
from uat_resilience.waiting.threads import ThreadWaiter


def test_a_rested_limiter_lets_a_burst_in_and_refuses_the_next(
    world: World, clock: FakeClock
) -> None:
    limiter = RateLimiter(10.0, burst=3, name="api")

    ran = [world.call(limiter, lambda n=n: n) for n in range(3)]

    assert ran == [0, 1, 2]
    with pytest.raises(RateLimitedError, match="api") as refused:
        world.call(limiter, int)
    assert refused.value.retry_after == pytest.approx(0.1)
    clock.advance(0.1)
    assert world.call(limiter, int) == 0


def test_burst_is_a_second_of_the_rate_unless_it_is_given() -> None:
    assert RateLimiter(7.9).snapshot().burst == 7
    assert RateLimiter(0.2).snapshot().burst == 1
    assert RateLimiter(60, per=60.0).snapshot().rate == 1.0


def test_a_call_waits_for_its_turn_as_long_as_it_may(clock: FakeClock) -> None:
    limiter = RateLimiter(2.0, burst=1, max_wait=None)

    moments = [limiter.call(clock.now) for _ in range(4)]

    assert moments == [0.0, 0.5, 1.0, 1.5]


async def test_tasks_are_let_in_one_by_one_in_the_order_they_came() -> None:
    limiter = RateLimiter(10.0, burst=2, max_wait=None)
    began: list[tuple[int, float]] = []

    async with anyio.create_task_group() as group:
        for n in range(5):
            await start(group, limiter, began, n)

    assert began == [(0, 0.0), (1, 0.0), (2, 0.1), (3, 0.2), (4, pytest.approx(0.3))]


async def test_those_behind_a_cancelled_waiter_move_up() -> None:
    limiter = RateLimiter(1.0, burst=1, max_wait=None)
    began: list[tuple[int, float]] = []

    async with anyio.create_task_group() as group:
        await start(group, limiter, began, 0)
        impatient = anyio.CancelScope()
        group.start_soon(cancelled_in, impatient, limiter)
        await settle()
        await start(group, limiter, began, 2)
        await start(group, limiter, began, 3)
        await pause(0.25)
        impatient.cancel()

    assert began == [(0, 0.0), (2, 1.0), (3, 2.0)]
    assert limiter.snapshot().waiting == 0


async def test_a_wait_that_would_outlive_the_deadline_is_refused_at_once() -> None:
    limiter = RateLimiter(1.0, burst=1, max_wait=None)
    await limiter.acall(pause, 0)
    before = anyio.current_time()

    async with deadline(0.5):
        with pytest.raises(RateLimitedError) as refused:
            await limiter.acall(pause, 0)

    assert anyio.current_time() == before
    assert refused.value.retry_after == pytest.approx(0.5)


async def test_a_wait_longer_than_max_wait_is_refused_at_once() -> None:
    limiter = RateLimiter(1.0, burst=1, max_wait=1.5)
    async with anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(limiter.acall, pause, 0)
        await settle()

        with pytest.raises(RateLimitedError):
            await limiter.acall(pause, 0)


def test_a_block_may_count_for_several_calls(world: World, clock: FakeClock) -> None:
    limiter = RateLimiter(10.0, burst=5)

    world.block(limiter.permit(weight=4), lambda _: None)

    with pytest.raises(RateLimitedError) as refused:
        world.block(limiter.permit(weight=2), lambda _: None)
    assert refused.value.retry_after == pytest.approx(0.1)
    world.block(limiter.permit(), lambda _: None)


@pytest.mark.parametrize("weight", [0, 6, True, 1.0])
def test_a_weight_that_can_never_pass_is_refused(weight: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="weight"):
        RateLimiter(10.0, burst=5).permit(weight=weight)


def test_a_token_that_was_used_stays_used_when_the_call_fails(
    world: World, clock: FakeClock
) -> None:
    limiter = RateLimiter(1.0)

    with pytest.raises(ZeroDivisionError):
        world.call(limiter, lambda: 1 // 0)

    with pytest.raises(RateLimitedError):
        world.call(limiter, int)


def test_refusals_and_waits_are_told(clock: FakeClock) -> None:
    limiter = RateLimiter(1.0, max_wait=1.0, name="api")

    with captured() as events:
        limiter.call(int)
        limiter.call(int)
        with pytest.raises(RateLimitedError), deadline(0.5):
            limiter.call(int)

    told = [type(event) for event in events if isinstance(event, SlotQueued | CallRefused)]
    assert told == [SlotQueued, CallRefused]
    assert {event.policy for event in events} == {"api"}


def test_threads_share_one_bucket_exactly() -> None:
    limiter = RateLimiter(1e-6, burst=100)
    admitted: list[bool] = []
    barrier = threading.Barrier(8)

    def knock() -> None:
        barrier.wait()
        for _ in range(50):
            try:
                limiter.call(int)
            except RateLimitedError:
                admitted.append(False)
            else:
                admitted.append(True)

    run_in_threads(knock, 8)

    assert admitted.count(True) == 100


def test_disabled_lets_every_call_in(world: World) -> None:
    limiter = RateLimiter(1e-3)

    with disabled():
        assert [world.call(limiter, int) for _ in range(3)] == [0, 0, 0]
        world.block(limiter.permit(), lambda _: None)

    assert limiter.snapshot().available == 1


def test_a_sync_wait_on_an_event_loop_names_the_async_spelling(async_world: Any) -> None:
    limiter = RateLimiter(1.0, max_wait=None)
    limiter.call(int)

    async def main() -> None:
        limiter.call(int)

    with pytest.raises(RuntimeError, match="acall"):
        async_world.run(main)


def test_a_thread_whose_wait_is_interrupted_gives_its_reservation_back() -> None:
    class Interrupting(FakeClock):
        def wait(self, event: threading.Event, until: float | None) -> bool:
            raise KeyboardInterrupt

    limiter = RateLimiter(1.0, burst=1, max_wait=None, clock=Interrupting())
    limiter.call(int)

    with pytest.raises(KeyboardInterrupt):
        limiter.call(int)

    assert limiter.snapshot().waiting == 0


def test_a_description_says_the_rate_and_what_happens_beyond() -> None:
    assert "refused at once" in RateLimiter(5.0).describe()
    assert "no limit" in RateLimiter(5.0, max_wait=None).describe()
    assert "up to 2 s" in RateLimiter(5.0, max_wait=2.0).describe()
    assert "worst case: unbounded" in Pipeline(RateLimiter(5.0, max_wait=None)).describe()


def test_it_is_in_use_until_it_is_rested(clock: FakeClock) -> None:
    limiter = RateLimiter(1.0, burst=2)
    assert limiter.in_use is False

    limiter.call(int)

    assert limiter.in_use is True
    clock.advance(1.0)
    assert limiter.in_use is False


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"rate": 0}, "rate"),
        ({"rate": -1.0}, "rate"),
        ({"rate": float("nan")}, "rate"),
        ({"rate": True}, "rate"),
        ({"rate": 1.0, "per": 0.0}, "per"),
        ({"rate": 1.0, "burst": 0}, "burst"),
        ({"rate": 1.0, "burst": 1.5}, "burst"),
        ({"rate": 1.0, "max_wait": -1.0}, "max_wait"),
        ({"rate": 1.0, "name": ""}, "name"),
        ({"rate": 1.0, "clock": object()}, "clock"),
        ({"rate": 1.0, "bus": object()}, "bus"),
    ],
)
def test_a_bad_argument_is_refused_by_name(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises((TypeError, ValueError), match=named):
        RateLimiter(**arguments)


async def start(
    group: TaskGroup, limiter: RateLimiter, began: list[tuple[int, float]], n: int
) -> None:
    async def note() -> None:
        began.append((n, anyio.current_time()))

    group.start_soon(limiter.acall, note)
    await settle()


async def cancelled_in(scope: anyio.CancelScope, limiter: RateLimiter) -> None:
    with scope:
        await limiter.acall(pause, 0)


def run_in_threads(body: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=body) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_how_calls_and_blocks_end_is_told(world: World) -> None:
    limiter = RateLimiter(1.0, burst=9)

    with captured() as events:
        world.call(limiter, int)
        with pytest.raises(ZeroDivisionError):
            world.call(limiter, lambda: 1 // 0)
        world.block(limiter.permit(), lambda permit: permit.abandon())

    told = [type(event).__name__ for event in events]
    assert told == ["CallSucceeded", "CallFailed", "CallAbandoned"]


@pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])
def test_a_coroutine_from_a_sync_call_is_refused(*, heard: bool) -> None:
    async def fetch() -> None: ...

    with ExitStack() as listening:
        if heard:
            listening.enter_context(captured())
        with pytest.raises(TypeError, match="acall"):
            RateLimiter(1.0).call(fetch)


def test_a_reservation_given_back_while_the_lock_is_held_is_not_lost(clock: FakeClock) -> None:
    limiter = RateLimiter(1.0, burst=1)
    gate = limiter._gate
    turn = Turn(ThreadWaiter())
    limiter.call(int)
    gate.bucket.reserve(turn, clock.now(), 1)
    gate.mailbox.notes.append((turn, clock.now()))

    with pytest.raises(RateLimitedError):
        limiter.call(int)

    assert not gate.mailbox.notes
    assert limiter.snapshot().waiting == 0
