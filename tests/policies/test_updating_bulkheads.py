"""Bulkheads whose settings are changed while they run."""

import threading
from typing import Any

import anyio
import pytest
from tests.pausing import pause
from tests.worlds import World

from uat_resilience import Bulkhead, BulkheadFullError
from uat_resilience.policies.bulkhead import BulkheadSnapshot


def test_a_function_wrapped_before_sees_the_new_size(world: World) -> None:
    bulkhead = Bulkhead(1)
    guarded = world.guard(bulkhead, lambda: "in")

    bulkhead.update(size=2)

    with bulkhead.permit():
        assert guarded() == "in"
        with bulkhead.permit(), pytest.raises(BulkheadFullError) as full:
            guarded()
    assert full.value.size == 2


async def test_new_slots_wake_those_who_waited_longest() -> None:
    bulkhead, began = Bulkhead(1, queue=3), []

    async def call(n: int) -> None:
        began.append((n, anyio.current_time() - start))
        await pause(1.0)

    start = anyio.current_time()
    async with anyio.create_task_group() as group:
        for n in range(4):
            group.start_soon(bulkhead.acall, call, n)
            await anyio.wait_all_tasks_blocked()
        bulkhead.update(size=3)

    assert sorted(began) == [(0, 0.0), (1, 0.0), (2, 0.0), (3, 1.0)]


async def test_a_smaller_size_holds_once_enough_calls_have_ended() -> None:
    bulkhead = Bulkhead(3, queue=2)
    began: list[float] = []

    async def call(seconds: float) -> None:
        began.append(anyio.current_time() - start)
        await pause(seconds)

    start = anyio.current_time()
    async with anyio.create_task_group() as group:
        for seconds in (1.0, 2.0, 3.0, 4.0, 1.0):
            group.start_soon(bulkhead.acall, call, seconds)
            await anyio.wait_all_tasks_blocked()
        bulkhead.update(size=1)
        assert bulkhead.snapshot() == BulkheadSnapshot(3, 2, 1, 2)

    assert began == [0.0, 0.0, 0.0, 3.0, 7.0]
    assert bulkhead.snapshot() == BulkheadSnapshot(0, 0, 1, 2)


async def test_a_shorter_queue_puts_nobody_out_and_lets_nobody_else_in() -> None:
    bulkhead = Bulkhead(1, queue=2)

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(bulkhead.acall, pause, 1.0)
            await anyio.wait_all_tasks_blocked()
        bulkhead.update(queue=0)
        with pytest.raises(BulkheadFullError):
            await bulkhead.acall(pause, 1.0)
        assert bulkhead.snapshot().waiting == 2

    assert bulkhead.snapshot() == BulkheadSnapshot(0, 0, 1, 0)


async def test_a_wait_lasts_for_as_long_as_it_was_to_when_it_began() -> None:
    bulkhead, ended = Bulkhead(1, queue=2, max_wait=2.0), []

    async def call() -> None:
        with pytest.raises(BulkheadFullError):
            await bulkhead.acall(pause, 1.0)
        ended.append(anyio.current_time() - start)

    start = anyio.current_time()
    async with bulkhead.permit(), anyio.create_task_group() as group:
        group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        bulkhead.update(max_wait=1.0)
        group.start_soon(call)

    assert ended == [1.0, 2.0]


def test_what_is_not_given_stays() -> None:
    bulkhead = Bulkhead(2, queue=3, max_wait=4.0)

    bulkhead.update()
    before = bulkhead.describe()
    bulkhead.update(max_wait=None)

    assert before == "at most 2 at once, 3 wait up to 4 s"
    assert bulkhead.describe() == "at most 2 at once, 3 wait without limit"


@pytest.mark.parametrize(
    "changes",
    [{"size": 0}, {"queue": -1}, {"max_wait": -1.0}, {"size": True}, {"queue": None}],
    ids=repr,
)
def test_a_bad_value_changes_nothing(changes: dict[str, Any]) -> None:
    bulkhead = Bulkhead(2, queue=3, max_wait=4.0)

    with pytest.raises((TypeError, ValueError), match=next(iter(changes))):
        bulkhead.update(**{"size": 9, "queue": 9, "max_wait": 9.0, **changes})

    assert bulkhead.describe() == "at most 2 at once, 3 wait up to 4 s"


def test_a_call_that_began_before_a_fork_makes_no_slot_in_the_child() -> None:
    bulkhead = Bulkhead(1)
    before = bulkhead.permit()
    before.__enter__()
    bulkhead.renew()

    with bulkhead.permit():
        before.__exit__(None, None, None)

        with pytest.raises(BulkheadFullError):
            bulkhead.call(int)


def test_threads_never_pass_the_size_that_holds_while_it_is_changed_under_them() -> None:
    bulkhead = Bulkhead(4, queue=100)
    inside: list[int] = []
    rounds = 0

    def work() -> None:
        for _ in range(300):
            with bulkhead.permit():
                inside.append(1)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        bulkhead.update(size=1 + rounds % 5)
        rounds += 1
    bulkhead.update(size=3)

    assert bulkhead.snapshot() == BulkheadSnapshot(0, 0, 3, 100)
    permits = [bulkhead.permit() for _ in range(3)]
    for permit in permits:
        permit.__enter__()
    bulkhead.update(queue=0)
    with pytest.raises(BulkheadFullError):
        bulkhead.call(int)
