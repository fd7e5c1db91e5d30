import asyncio
import threading
from math import inf, nextafter
from typing import Any

import anyio
import pytest
import trio
from tests.pausing import pause

from uat_resilience.ambient import DrainSignal, EnforcedDeadline, current_drain
from uat_resilience.clock import SystemClock, default_clock
from uat_resilience.testing import FakeClock
from uat_resilience.testing.settling import settle
from uat_resilience.waiting import world
from uat_resilience.waiting.asyncio import TaskWaiter
from uat_resilience.waiting.trio import TrioWaiter

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


async def test_a_pause_under_a_drain_signal_ends_with_it() -> None:
    signal = DrainSignal()
    with FakeClock() as clock:
        ends: list[bool] = []

        async def sleep() -> None:
            ends.append(await world().pause(clock, 60.0, signal))

        async with anyio.create_task_group() as group:
            group.start_soon(sleep)
            await settle()
            signal.set()
        ends.append(await world().pause(clock, 60.0, signal))

    woken: list[int] = []
    signal.subscribe(lambda: woken.append(1))
    assert ends == [False, False]
    assert woken == [1]
    assert current_drain.get() is None


def test_a_waiter_whose_loop_is_gone_cannot_be_woken() -> None:
    async def make() -> TaskWaiter:
        return TaskWaiter()

    async def make_trio() -> TrioWaiter:
        return TrioWaiter()

    assert asyncio.run(make()).grant() is False
    assert trio.run(make_trio).grant() is False


async def test_the_shortest_wait_there_is_moves_virtual_time() -> None:
    # Where the sum of two times, less the one, is the one: a loop that waits until then would go on for ever.
    now = 4.205714096572141
    until = nextafter(now, inf)
    assert now + until - now == now
    await pause(now)

    await world().waiter().wait(default_clock.clock, until)

    assert default_clock.clock.now() >= until


@BACKENDS
def test_a_waiter_is_woken_from_another_thread(backend: Any) -> None:
    async def main() -> bool:
        waiter = world().waiter()
        thread = threading.Thread(target=waiter.grant)
        thread.start()
        return await waiter.wait(SystemClock(), None)

    assert anyio.run(main, backend=backend) is True


@BACKENDS
def test_two_runs_of_one_kind_do_not_wake_each_others_tasks(backend: Any) -> None:
    async def own() -> Any:
        return world().waiter()

    async def other(waiter: Any) -> bool:
        return waiter.grant()

    waiter = anyio.run(own, backend=backend)

    assert anyio.run(other, waiter, backend=backend) is False


@BACKENDS
def test_an_alarm_knows_that_it_is_used_elsewhere(backend: Any) -> None:
    async def make() -> Any:
        return world().alarm(SystemClock())

    async def use(alarm: Any) -> object:
        return alarm.enter(1.0, "p", 1.0)

    alarm = anyio.run(make, backend=backend)

    assert anyio.run(use, alarm, backend=backend) is None
    if backend == "trio":
        assert alarm.enter(1.0, "p", 1.0) is None


def test_an_enforced_deadline_is_made_by_its_world() -> None:
    assert EnforcedDeadline.leave.__isabstractmethod__
