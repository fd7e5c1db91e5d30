import asyncio
import sys
import threading
from contextlib import suppress
from typing import Any

import anyio
import pytest
import trio
from tests.pausing import pause

import uat_resilience
from uat_resilience import Constant, Jitter, Retry, RetryBudget, waiting
from uat_resilience.ambient import DrainSignal, EnforcedDeadline, current_drain
from uat_resilience.clock import SystemClock, default_clock
from uat_resilience.policies import forking
from uat_resilience.telemetry import EventBus
from uat_resilience.testing import FakeClock, virtual_time
from uat_resilience.testing.settling import settle
from uat_resilience.waiting import refuse_to_block, world
from uat_resilience.waiting.asyncio import Race, TaskWaiter
from uat_resilience.waiting.trio import TrioWaiter

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@BACKENDS
def test_an_hour_takes_no_time(backend: Any) -> None:
    async def poll(hours: int) -> float:
        began = anyio.current_time()
        for _ in range(hours):
            await pause(3600.0)
        return anyio.current_time() - began

    assert virtual_time.run(poll, 3, backend=backend) == 3 * 3600.0


@BACKENDS
def test_policies_go_by_the_loops_time(backend: Any) -> None:
    retry = Retry(KeyError, attempts=3, backoff=Constant(600.0), jitter=Jitter.NONE)

    async def fail() -> None:
        raise KeyError

    async def main() -> float:
        with pytest.raises(KeyError):
            await retry.acall(fail)
        return anyio.current_time()

    before = default_clock.clock
    assert virtual_time.run(main, backend=backend) == 1200.0
    assert default_clock.clock is before


@BACKENDS
def test_threads_wait_on_the_loops_time_too(backend: Any) -> None:
    retry = Retry(KeyError, attempts=2, backoff=Constant(600.0), jitter=Jitter.NONE)
    waits: list[bool] = []

    def block() -> None:
        with pytest.raises(KeyError):
            retry.call({}.__getitem__, "x")
        clock = default_clock.clock
        is_set = threading.Event()
        is_set.set()
        waits.append(clock.wait(is_set, clock.now() + 5.0))
        waits.append(clock.wait(is_set, None))
        waits.append(clock.wait(threading.Event(), clock.now() + 5.0))

    async def main() -> float:
        await anyio.to_thread.run_sync(block)
        await pause(30.0)
        return anyio.current_time()

    assert virtual_time.run(main, backend=backend) >= 600.0
    assert waits == [True, True, False]


def test_another_backend_is_refused() -> None:
    async def main() -> None: ...

    backend: Any = "curio"
    with pytest.raises(ValueError, match="backend"):
        virtual_time.run(main, backend=backend)


async def test_settling_gives_up_on_tasks_that_never_rest(anyio_backend_name: str) -> None:
    if anyio_backend_name == "trio":
        return

    async def restless() -> None:
        while True:  # noqa: ASYNC110 - it must not rest
            await asyncio.sleep(0)  # noqa: TID251 - a turn, over and over

    task = asyncio.ensure_future(restless())
    with pytest.raises(RuntimeError, match="did not come to rest"):
        await settle()
    task.cancel()


def test_a_wait_on_a_fake_clock_ends_with_its_event_or_its_time() -> None:
    clock = FakeClock(start=5.0)
    done = threading.Event()
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(clock.wait(done, 10.0)))
    waiting.start()
    while not clock._armed:
        pass

    clock.advance(5.0)
    waiting.join()

    assert answers == [False]
    done.set()
    assert clock.wait(done, None)
    assert clock.wait(done, 100.0)


def test_what_was_called_off_does_not_fire() -> None:
    clock, fired = FakeClock(), []
    off = clock.arm(1.0, lambda: fired.append("off"))
    clock.arm(2.0, lambda: fired.append("on"))

    off()
    off()
    clock.advance(5.0)

    assert fired == ["on"]
    clock.arm(5.0, lambda: fired.append("at once"))
    assert fired == ["on", "at once"]


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), True])
def test_a_clock_is_not_moved_by_nonsense(seconds: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="seconds"):
        FakeClock().advance(seconds)


async def test_a_fake_clock_moves_past_several_due_times_in_order() -> None:
    with FakeClock() as clock:
        seen: list[float] = []

        async def tick(at: float) -> None:
            await world().pause(clock, at, None)
            seen.append(clock.now())

        async with anyio.create_task_group() as group:
            for at in (3.0, 1.0, 2.0):
                group.start_soon(tick, at)
            await clock.aadvance(10.0)

    assert seen == [1.0, 2.0, 3.0]


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


@BACKENDS
def test_a_waiter_is_woken_from_another_thread(backend: Any) -> None:
    async def main() -> bool:
        waiter = world().waiter()
        thread = threading.Thread(target=waiter.grant)
        thread.start()
        return await waiter.wait(SystemClock(), None)

    assert anyio.run(main, backend=backend) is True


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
    assert EnforcedDeadline.leave.__isabstractmethod__  # type: ignore[attr-defined]


def test_a_fork_renews_every_policy_that_is_alive() -> None:
    renewed: list[int] = []

    class Policy:
        def renew(self) -> None:
            renewed.append(1)

    policy = Policy()
    forking.renew_after_fork(policy)

    forking._renew_all()

    assert renewed == [1]


@pytest.mark.parametrize("listener", [3, anyio.sleep_forever], ids=["number", "coroutine function"])
def test_a_listener_is_a_plain_function(listener: Any) -> None:
    with pytest.raises(TypeError, match="listener"):
        EventBus().subscribe(listener)


def test_only_events_can_be_subscribed_to() -> None:
    kind: Any = int
    with pytest.raises(TypeError, match="types"):
        EventBus().subscribe(print, kind)


def test_every_public_name_is_there_and_no_other() -> None:
    for name in uat_resilience.__all__:
        assert getattr(uat_resilience, name) is not None
    with pytest.raises(AttributeError, match="no attribute"):
        _ = uat_resilience.nothing  # type: ignore[attr-defined]


def test_a_budget_checks_its_arguments() -> None:
    clock: Any = 3
    with pytest.raises(TypeError, match="clock"):
        RetryBudget(clock=clock)
    with pytest.raises(ValueError, match="ratio"):
        RetryBudget(-0.1)


@BACKENDS
def test_two_runs_of_one_kind_do_not_wake_each_others_tasks(backend: Any) -> None:
    async def own() -> Any:
        return world().waiter()

    async def other(waiter: Any) -> bool:
        return waiter.grant()

    waiter = anyio.run(own, backend=backend)

    assert anyio.run(other, waiter, backend=backend) is False


def test_without_any_event_loop_library_a_thread_may_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncio", None)
    monkeypatch.setitem(sys.modules, "trio", None)

    refuse_to_block("bulkhead", "use acall()")


async def test_a_copy_that_shrugs_off_being_stopped_leaves_no_cancellation_behind() -> None:
    race = world().race()

    async def stubborn() -> None:
        race.spawn(stop)
        try:
            await pause(60.0)
        except anyio.get_cancelled_exc_class():
            done.append(1)

    async def stop() -> None:
        race.stop()

    done: list[int] = []
    async with race:
        await race.inline(stubborn)
    await pause(1.0)

    assert done == [1]


def test_the_world_that_runs_is_found_wherever_it_is_first_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def found() -> str:
        return getattr(world(), "__name__", "")

    monkeypatch.setattr(waiting, "_entered", [])

    assert trio.run(found) == "uat_resilience.waiting.trio"
    assert asyncio.run(found()) == "uat_resilience.waiting.asyncio"


def test_an_inline_copy_that_swallows_its_stop_is_uncancelled() -> None:
    async def main() -> int:
        race = Race()

        async def copy() -> None:
            asyncio.get_running_loop().call_soon(race.stop)
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

        async with race:
            await race.inline(copy)
        task = asyncio.current_task()
        return -1 if task is None else task.cancelling()

    assert asyncio.run(main()) == 0


def test_a_program_without_trio_is_told_that_no_task_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_entered", [])
    monkeypatch.delitem(sys.modules, "trio")

    with pytest.raises(RuntimeError, match="no asyncio or trio task"):
        world()
