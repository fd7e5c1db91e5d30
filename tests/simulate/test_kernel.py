from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from tests.simulate.inside import End, Probe, inside, one, sleep

from uat_resilience.clock import Clock
from uat_resilience.simulate.kernel import TURN, Kernel
from uat_resilience.testing import FakeClock


def elsewhere(work: Callable[[], Any]) -> Any:
    """Return what comes of work in another thread."""
    came: list[Any] = []
    thread = Thread(target=lambda: came.append(work()))
    thread.start()
    thread.join()
    return came[0]


def test_timers_fire_in_the_order_of_their_times_and_move_the_clock() -> None:
    kernel, seen = Kernel(), []
    for at in (3.0, 1.0, 2.0):
        kernel.arm(at, lambda at=at: seen.append((at, kernel.now())))

    kernel.run([], lambda: None)

    assert seen == [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]


def test_timers_of_one_time_fire_in_the_order_they_were_set() -> None:
    kernel, seen = Kernel(), []
    for name in "abc":
        kernel.at_time(1.0, seen.append, name)

    kernel.run([], lambda: None)

    assert seen == ["a", "b", "c"]


def test_timer_that_is_called_off_does_not_fire() -> None:
    kernel, seen = Kernel(), []
    disarm = kernel.arm(1.0, lambda: seen.append(1))
    disarm()
    disarm()

    kernel.run([], lambda: None)

    assert seen == []


def test_arrivals_and_timers_are_merged() -> None:
    kernel, seen = Kernel(), []
    kernel.at_time(1.5, lambda _: seen.append(("timer", kernel.at)), None)

    kernel.run([1.0, 2.0], lambda: seen.append(("arrival", kernel.at)))

    assert seen == [("arrival", 1.0), ("timer", 1.5), ("arrival", 2.0)]


def test_kernel_is_a_clock_that_cannot_block() -> None:
    kernel = Kernel()

    assert isinstance(kernel, Clock)
    with pytest.raises(RuntimeError, match="cannot block its thread"):
        kernel.wait(Event(), 1.0)


def test_lots_of_the_policies_are_drawn_from_the_seed() -> None:
    assert Kernel(1).random() == Kernel(1).random()
    assert Kernel(1).random() != Kernel(2).random()


def test_tasks_run_at_the_same_time() -> None:
    ends = inside(lambda: sleep(2.0), lambda: sleep(1.0))

    assert ends == [End(2.0), End(1.0)]


def test_wake_up_that_comes_too_late_is_ignored() -> None:
    kernel = Kernel()
    token = object()

    async def body() -> None:
        probe.blocked_on = token
        await TURN
        kernel.sleep(probe, 5.0)
        await TURN

    probe = Probe(kernel, body)
    kernel.at_time(1.0, lambda _: kernel.wake(probe, token), None)
    kernel.at_time(2.0, lambda _: kernel.wake(probe, token), None)

    kernel.run([0.0], lambda: kernel.resume(probe))

    assert probe.end == End(6.0)


def test_cut_is_thrown_where_the_task_is_blocked_and_its_timer_is_stale_then() -> None:
    kernel = Kernel()

    async def body() -> str:
        kernel.sleep(probe, 5.0)
        try:
            await TURN
        finally:
            kernel.sleep(probe, 10.0)
            await TURN
        return "not reached"

    probe = Probe(kernel, body)
    kernel.at_time(1.0, lambda _: kernel.cut(probe, "somebody"), None)

    kernel.run([0.0], lambda: kernel.resume(probe))

    assert probe.end is not None
    assert probe.end.at == 11.0
    assert repr(probe.end.error) == "Cut()"


def test_error_of_a_task_is_told_with_its_end() -> None:
    async def body() -> None:
        await sleep(1.0)
        raise KeyError("x")

    end = one(body)

    assert end.at == 1.0
    assert isinstance(end.error, KeyError)


def test_interrupt_comes_out_of_the_run() -> None:
    async def body() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        one(body)


def test_other_threads_go_on_by_the_clock_there_was_before() -> None:
    rung = Event()
    rung.set()
    fired: list[float] = []
    with FakeClock(start=7.0, seed=1) as outside:
        kernel = Kernel()
        drawn = elsewhere(kernel.random)
        elsewhere(lambda: kernel.arm(8.0, lambda: fired.append(outside.now())))
        waited = elsewhere(lambda: kernel.wait(rung, None))
        told = elsewhere(kernel.now)
        outside.advance(1.0)

    assert drawn == FakeClock(seed=1).random()
    assert (told, waited, fired) == (7.0, True, [8.0])
    assert kernel.idle
    assert kernel.random() == Kernel().random()
