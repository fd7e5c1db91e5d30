from typing import Any

import anyio
import pytest
from anyio.abc import TaskGroup
from tests.pausing import pause
from tests.worlds import World

from uat_resilience import (
    AIMD,
    AdaptiveLimiter,
    Gradient2,
    LimitChanged,
    OverloadedError,
    Pipeline,
    Priority,
    TimedOutError,
    Vegas,
    captured,
    deadline,
    priority,
)
from uat_resilience.ambient import current_priority
from uat_resilience.testing import FakeClock, disabled
from uat_resilience.testing.settling import settle


class Dependency:
    """Serves `capacity` calls at once, a tenth of a second each; the others queue inside it."""

    def __init__(self, capacity: int) -> None:
        self.slots = anyio.CapacityLimiter(capacity)

    async def serve(self) -> None:
        async with self.slots:
            await pause(0.1)


async def crowd(
    limiter: AdaptiveLimiter, dependency: Dependency, *, size: int, seconds: float
) -> None:
    """Let a crowd of clients call over and over, and go away all at once."""

    async def client() -> None:
        while True:
            try:
                await limiter.acall(dependency.serve)
            except OverloadedError:
                await pause(0.05)

    async with anyio.create_task_group() as group:
        for _ in range(size):
            group.start_soon(client)
        await pause(seconds)
        group.cancel_scope.cancel()


@pytest.mark.parametrize(
    "algorithm",
    [
        AIMD(initial=5, maximum=60),
        Vegas(initial=5, maximum=60, samples=5),
        Gradient2(initial=5, maximum=60, samples=5),
    ],
    ids=["aimd", "vegas", "gradient2"],
)
async def test_the_limit_grows_while_more_calls_do_not_make_each_slower(algorithm: Any) -> None:
    limiter = AdaptiveLimiter(algorithm)

    await crowd(limiter, Dependency(1000), size=20, seconds=3.0)

    assert limiter.snapshot().limit > 10


async def test_the_limit_settles_near_what_the_dependency_can_serve_and_follows_it_down() -> None:
    limiter = AdaptiveLimiter(Vegas(initial=30, maximum=60, samples=20))
    await crowd(limiter, Dependency(20), size=35, seconds=6.0)
    roomy = limiter.snapshot().limit

    await crowd(limiter, Dependency(5), size=35, seconds=15.0)

    assert 18 <= roomy <= 28
    assert 4 <= limiter.snapshot().limit <= 10


def test_fast_failures_never_raise_the_limit(world: World, clock: FakeClock) -> None:
    limiter = AdaptiveLimiter(AIMD(initial=10))

    for _ in range(50):
        clock.advance(0.001)
        with pytest.raises(ZeroDivisionError):
            world.call(limiter, lambda: 1 // 0)

    assert limiter.snapshot().limit < 10


def test_calls_beyond_the_limit_are_refused(clock: FakeClock) -> None:
    limiter = AdaptiveLimiter(AIMD(initial=2), name="api")

    with limiter.permit(), limiter.permit():
        assert limiter.in_use
        with pytest.raises(OverloadedError, match="api"):
            limiter.call(int)

    assert limiter.snapshot().running == 0
    assert not limiter.in_use


async def test_the_most_important_waiter_is_served_first_and_the_least_is_shed() -> None:
    limiter = AdaptiveLimiter(AIMD(initial=1, maximum=1), queue=2)
    served: list[object] = []

    async with anyio.create_task_group() as group:
        await waiting(group, limiter, served, Priority.NORMAL)
        for level in (Priority.LOW, Priority.BACKGROUND, Priority.CRITICAL):
            await waiting(group, limiter, served, level)
        assert limiter.snapshot().waiting == 2

    assert served == ["shed", Priority.NORMAL, Priority.CRITICAL, Priority.LOW]


async def test_a_priority_may_be_said_by_an_async_block() -> None:
    async with priority(Priority.HIGH):
        assert current_priority() is Priority.HIGH

    assert current_priority() is Priority.NORMAL


async def test_a_permit_may_say_its_own_priority() -> None:
    limiter = AdaptiveLimiter(AIMD(initial=1, maximum=1), queue=1)
    served: list[object] = []

    async with anyio.create_task_group() as group:
        await waiting(group, limiter, served, Priority.NORMAL)
        await waiting(group, limiter, served, Priority.LOW)
        async with limiter.permit(priority=Priority.HIGH):
            served.append("permit")

    assert served == ["shed", Priority.NORMAL, "permit"]


async def test_a_cancelled_waiter_gives_its_place_back() -> None:
    limiter = AdaptiveLimiter(AIMD(initial=1), queue=5)

    async with anyio.create_task_group() as group:
        group.start_soon(limiter.acall, pause, 1.0)
        await settle()
        with anyio.move_on_after(0.5):
            await limiter.acall(pause, 1.0)
        assert limiter.snapshot().waiting == 0

    assert limiter.snapshot().running == 0


async def test_a_wait_ends_with_max_wait_or_the_deadline() -> None:
    limiter = AdaptiveLimiter(AIMD(initial=1), queue=5, max_wait=0.5)

    async with anyio.create_task_group() as group:
        group.start_soon(limiter.acall, pause, 3.0)
        await settle()
        with pytest.raises(OverloadedError):
            await limiter.acall(pause, 1.0)
        with pytest.raises(TimedOutError), deadline(0.25):
            await limiter.acall(pause, 1.0)

    assert anyio.current_time() == 3.0


def test_a_thread_waits_no_longer_than_it_may(clock: FakeClock) -> None:
    limiter = AdaptiveLimiter(AIMD(initial=1), queue=1, max_wait=2.0)

    with limiter.permit(), pytest.raises(OverloadedError):
        limiter.call(int)

    assert clock.now() == 2.0


def test_a_thread_whose_wait_is_interrupted_leaves_the_queue() -> None:
    class Interrupting(FakeClock):
        def wait(self, event: Any, until: float | None) -> bool:
            raise KeyboardInterrupt

    limiter = AdaptiveLimiter(AIMD(initial=1), queue=1, clock=Interrupting())

    with limiter.permit(), pytest.raises(KeyboardInterrupt):
        limiter.call(int)

    assert limiter.snapshot().waiting == 0


async def test_a_slot_that_came_free_in_the_meantime_is_taken_without_waiting() -> None:
    limiter = AdaptiveLimiter(AIMD(initial=1), queue=1)
    gate = limiter._gate
    entered = gate.try_enter()
    gate.leave(lambda: None)

    assert entered
    assert await gate.await_slot("api", FakeClock(), Priority.NORMAL)
    gate.leave(lambda: None)
    assert gate.slots.running == 0


async def test_a_cancelled_call_teaches_nothing() -> None:
    limiter = AdaptiveLimiter(AIMD(initial=10))

    with anyio.move_on_after(1.0):
        await limiter.acall(pause, 60.0)

    assert limiter.snapshot().limit == 10
    assert limiter.snapshot().running == 0


async def test_a_change_of_the_limit_is_told() -> None:
    limiter = AdaptiveLimiter(AIMD(initial=10, backoff=0.5), name="api")

    async def fail() -> None:
        await pause(0.1)
        raise ConnectionError

    with captured() as events, pytest.raises(ConnectionError):
        await limiter.acall(fail)

    changes = [event for event in events if isinstance(event, LimitChanged)]
    assert [(change.policy, change.old, change.new) for change in changes] == [("api", 10, 5)]


def test_a_block_says_how_it_ended(world: World, clock: FakeClock) -> None:
    limiter = AdaptiveLimiter(AIMD(initial=10, backoff=0.5))

    clock.advance(1.0)
    world.block(limiter.permit(), lambda permit: permit.failure())

    assert limiter.snapshot().limit == 5


def test_disabled_lets_every_call_in(world: World) -> None:
    limiter = AdaptiveLimiter(AIMD(initial=1))

    with disabled(), limiter.permit():
        assert world.call(limiter, int) == 0

    assert limiter.snapshot().running == 0


def test_a_description_says_the_limit_of_now() -> None:
    assert AdaptiveLimiter().describe() == "at most 20 at once now, as found by measuring"
    assert "unbounded" in Pipeline(AdaptiveLimiter(queue=3)).describe()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"algorithm": 20}, "algorithm"),
        ({"algorithm": Vegas}, r"algorithm must be Gradient2\(\), Vegas\(\) or AIMD\(\), not"),
        ({"queue": -1}, "queue"),
        ({"max_wait": -1.0}, "max_wait"),
        ({"name": ""}, "name"),
    ],
)
def test_a_bad_argument_is_refused_by_name(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises((TypeError, ValueError), match=named):
        AdaptiveLimiter(**arguments)


@pytest.mark.parametrize("level", [3, "high", None])
def test_a_priority_is_no_number(level: Any) -> None:
    with pytest.raises(TypeError, match="level"):
        priority(level)


async def waiting(group: TaskGroup, limiter: Any, served: list[object], level: Priority) -> None:
    """Start a call that matters as much; it has joined the queue when this returns."""

    async def call() -> None:
        with priority(level):
            try:
                await limiter.acall(pause, 1.0)
            except OverloadedError:
                served.append("shed")
            else:
                served.append(level)

    group.start_soon(call)
    await settle()


def test_a_thread_finds_a_slot_that_came_free_in_the_meantime() -> None:
    gate = AdaptiveLimiter(AIMD(initial=1), queue=1)._gate

    assert gate.wait("api", FakeClock(), Priority.NORMAL)
    assert gate.slots.running == 1


def test_a_slot_that_comes_to_a_waiter_whose_loop_is_gone_moves_on() -> None:
    class Gone:
        def grant(self) -> bool:
            return False

    gate = AdaptiveLimiter(AIMD(initial=1), queue=2)._gate
    gate.try_enter()
    gate.slots.queue(Gone())

    gate.leave(lambda: None)

    assert gate.slots.running == 0
    assert gate.slots.waiting == 0
