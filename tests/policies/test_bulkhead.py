import threading
from queue import SimpleQueue
from typing import Any

import anyio
import pytest
from anyio.abc import TaskGroup
from tests.pausing import pause
from tests.worlds import World

from uat_resilience import (
    Bulkhead,
    BulkheadFullError,
    EventBus,
    Pipeline,
    SlotQueued,
    TimedOutError,
    captured,
    deadline,
)
from uat_resilience.testing import FakeClock, disabled
from uat_resilience.testing.settling import settle


def test_beyond_its_size_calls_are_refused_at_once(world: World) -> None:
    bulkhead = Bulkhead(1, name="db")

    with bulkhead.permit(), pytest.raises(BulkheadFullError, match="db") as full:
        world.call(bulkhead, int)

    assert (full.value.size, full.value.queue) == (1, 0)
    assert world.call(bulkhead, int) == 0
    with pytest.raises(ZeroDivisionError):
        world.guard(bulkhead, lambda: 1 // 0)()
    assert bulkhead.snapshot().running == 0


async def test_waiters_are_served_in_the_order_they_came() -> None:
    bulkhead, served = Bulkhead(1, queue=3), []

    async with anyio.create_task_group() as group:
        for n in range(4):
            await calling(group, bulkhead, served, n)
        assert bulkhead.snapshot().waiting == 3
        assert bulkhead.in_use
        with pytest.raises(BulkheadFullError):
            await bulkhead.acall(pause, 1.0)

    assert served == [0, 1, 2, 3]
    assert not bulkhead.in_use


async def test_a_block_waits_for_its_slot_too() -> None:
    bulkhead, served = Bulkhead(1, queue=1), []

    async with anyio.create_task_group() as group:
        await calling(group, bulkhead, served, 1)
        async with bulkhead.permit():
            served.append("block")

    assert served == [1, "block"]


async def test_a_waiter_cancelled_in_the_moment_it_is_granted_hands_the_slot_on() -> None:
    bulkhead, served = Bulkhead(1, queue=2), []
    impatient = anyio.CancelScope()

    async def wait() -> None:
        with impatient:
            await bulkhead.acall(pause, 1.0)

    async with anyio.create_task_group() as group:
        permit = bulkhead.permit()
        await permit.__aenter__()
        group.start_soon(wait)
        await settle()
        await calling(group, bulkhead, served, 2)
        await permit.__aexit__(None, None, None)
        impatient.cancel()

    assert served == [2]
    assert bulkhead.snapshot().running == 0


async def test_a_wait_ends_with_max_wait() -> None:
    bulkhead = Bulkhead(1, queue=1, max_wait=0.5)

    async with anyio.create_task_group() as group:
        await calling(group, bulkhead, [], 1)
        with pytest.raises(BulkheadFullError):
            await bulkhead.acall(pause, 1.0)
        assert anyio.current_time() == 0.5


async def test_a_wait_ended_by_a_deadline_is_the_deadlines_own_error() -> None:
    bulkhead = Bulkhead(1, queue=1)

    async with anyio.create_task_group() as group:
        await calling(group, bulkhead, [], 1)
        with pytest.raises(TimedOutError, match="deadline"):
            async with deadline(0.25):
                await bulkhead.acall(pause, 1.0)
        with pytest.raises(TimedOutError, match="deadline"), deadline(0.25):
            await bulkhead.acall(pause, 1.0)
        assert anyio.current_time() == 0.5


def test_in_sync_code_a_wait_ended_by_a_deadline_is_a_full_bulkhead(clock: FakeClock) -> None:
    bulkhead = Bulkhead(1, queue=1)

    with bulkhead.permit(), deadline(2.0), pytest.raises(BulkheadFullError):
        bulkhead.call(int)

    assert clock.now() == 2.0


def test_threads_and_blocks_share_one_queue() -> None:
    told: SimpleQueue[SlotQueued] = SimpleQueue()
    bus = EventBus()
    bus.subscribe(told.put, SlotQueued)
    bulkhead, served, waiting = Bulkhead(1, queue=2, bus=bus), [], []

    with bulkhead.permit():
        threads = [
            threading.Thread(target=bulkhead.call, args=(served.append, n)) for n in range(2)
        ]
        for thread in threads:
            thread.start()
            waiting.append(told.get().waiting)
    for thread in threads:
        thread.join()

    assert served == [0, 1]
    assert waiting == [1, 2]


def test_a_thread_whose_wait_is_interrupted_leaves_the_queue() -> None:
    class Interrupting(FakeClock):
        def wait(self, event: threading.Event, until: float | None) -> bool:
            raise KeyboardInterrupt

    bulkhead = Bulkhead(1, queue=1, clock=Interrupting())

    with bulkhead.permit():
        with pytest.raises(KeyboardInterrupt):
            bulkhead.call(int)
        assert bulkhead.snapshot().waiting == 0


def test_a_slot_that_came_free_in_the_meantime_is_taken_without_waiting(async_world: Any) -> None:
    gate = Bulkhead(2, queue=1)._gate

    async def main() -> bool:
        return await gate.await_slot("db", FakeClock())

    assert gate.wait("db", FakeClock())
    assert async_world.run(main)
    assert gate.slots.running == 2


def test_a_slot_put_back_while_somebody_joins_goes_to_the_one_who_joins() -> None:
    bulkhead = Bulkhead(1, queue=1)
    gate = bulkhead._gate

    class Leaving(type(gate.slots)):
        """Puts a slot back in the moment between a full bulkhead and a place in the queue."""

        def queue(self, waiter: Any) -> bool:
            self.put_back()
            return super().queue(waiter)

    gate.slots = Leaving(1, 1)
    gate.slots.enter()

    assert bulkhead.call(int) == 0


def test_a_slot_that_comes_to_a_waiter_whose_loop_is_gone_moves_on() -> None:
    class Gone:
        def grant(self) -> bool:
            return False

    gate = Bulkhead(1, queue=1)._gate
    gate.slots.enter()
    gate.slots.queue(Gone())

    gate.leave(gate.slots)

    assert (gate.slots.running, gate.slots.waiting) == (0, 0)


def test_a_sync_wait_on_an_event_loop_names_the_async_spelling(async_world: Any) -> None:
    bulkhead = Bulkhead(1, queue=1)

    async def main() -> None:
        bulkhead.call(int)

    with bulkhead.permit(), pytest.raises(RuntimeError, match="acall"):
        async_world.run(main)


def test_how_calls_and_blocks_end_is_told(world: World) -> None:
    bulkhead = Bulkhead(1)

    with captured() as events:
        world.call(bulkhead, int)
        with pytest.raises(ZeroDivisionError):
            world.call(bulkhead, lambda: 1 // 0)
        world.block(bulkhead.permit(), lambda permit: permit.failure())
        with bulkhead.permit(), pytest.raises(BulkheadFullError):
            world.block(bulkhead.permit(), lambda _: None)

    told = [type(event).__name__ for event in events]
    assert told == ["CallSucceeded", "CallFailed", "CallFailed", "CallRefused", "CallSucceeded"]


def test_disabled_lets_every_call_in(world: World) -> None:
    bulkhead = Bulkhead(1)

    with bulkhead.permit(), disabled():
        assert world.call(bulkhead, int) == 0
        world.block(bulkhead.permit(), lambda _: None)

    assert bulkhead.snapshot().running == 0


def test_a_coroutine_from_a_sync_call_is_refused() -> None:
    async def fetch() -> None: ...

    with pytest.raises(TypeError, match="acall"):
        Bulkhead(1).call(lambda _: fetch(), 0)


def test_a_description_says_slots_and_queue() -> None:
    assert Bulkhead(3).describe() == "at most 3 at once, no queue"
    assert "2 wait without limit" in Pipeline(Bulkhead(3, queue=2)).describe()
    assert Bulkhead(3, queue=2, max_wait=1.0).describe().endswith("2 wait up to 1 s")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"size": 0}, "size"),
        ({"size": True}, "size"),
        ({"size": 1.5}, "size"),
        ({"size": 1, "queue": -1}, "queue"),
        ({"size": 1, "max_wait": float("nan")}, "max_wait"),
    ],
    ids=["zero", "bool", "fraction", "queue", "max_wait"],
)
def test_a_bad_argument_is_refused_by_name(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises((TypeError, ValueError), match=named):
        Bulkhead(**arguments)


async def calling(group: TaskGroup, bulkhead: Bulkhead, served: list[Any], n: int) -> None:
    """Start a call of a second; it is inside or in the queue when this returns."""

    async def body() -> None:
        await pause(1.0)
        served.append(n)

    group.start_soon(bulkhead.acall, body)
    await settle()


def test_a_permit_that_waited_for_its_slot_holds_it() -> None:
    bulkhead, inside, done = Bulkhead(1, queue=1), threading.Event(), threading.Event()

    def work() -> None:
        with bulkhead.permit():
            inside.set()
            assert done.wait(10)

    thread = threading.Thread(target=work)
    with bulkhead.permit():
        thread.start()
        while not bulkhead.snapshot().waiting:
            thread.join(0.001)
    assert inside.wait(10)

    assert bulkhead.snapshot().running == 1
    done.set()
    thread.join()
    assert bulkhead.snapshot().running == 0
