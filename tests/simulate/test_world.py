"""Every policy that waits, in the third world."""

import threading
from contextvars import ContextVar
from typing import Any

import pytest
from tests.simulate.inside import End, cut_of, forever, inside, now, one, sleep

from uat_resilience import (
    Bulkhead,
    BulkheadFullError,
    CallRefusedError,
    Coalesce,
    Constant,
    Jitter,
    RateLimiter,
    Retry,
    TimedOutError,
    Timeout,
    captured,
    deadline,
)
from uat_resilience.ambient import DrainSignal, current_drain
from uat_resilience.simulate.kernel import Cut, Kernel
from uat_resilience.simulate.world import KernelWorld, inhabited
from uat_resilience.telemetry import DeadlineMissed
from uat_resilience.testing import instant, virtual_time
from uat_resilience.waiting import world

SECOND = Retry(KeyError, attempts=4, backoff=Constant(1.0), jitter=Jitter.NONE)


def failing(times: int) -> Any:
    left = [KeyError(n) for n in range(times)]

    async def body() -> float:
        if left:
            raise left.pop()
        return now()

    return body


# --- pauses


def test_retry_pauses_in_the_kernel() -> None:
    end = one(lambda: SECOND.acall(failing(2)))

    assert end == End(2.0, 2.0)


def test_pause_of_nothing_lets_others_go_first() -> None:
    order: list[str] = []

    async def body(name: str) -> None:
        order.append(name)
        await sleep(0.0)
        order.append(name)

    async def both() -> None:
        await body("a")

    inside(both, lambda: body("b"))

    assert order == ["a", "a", "b", "b"]


def test_instant_pauses_take_no_time() -> None:
    with instant():
        end = one(lambda: SECOND.acall(failing(3)))

    assert end == End(0.0, 0.0)


def test_drain_signal_ends_a_pause_and_forbids_the_next() -> None:
    drain = DrainSignal()

    async def pausing() -> list[tuple[bool, float]]:
        current_drain.set(drain)
        kernel = Kernel()
        return [(await world().pause(kernel, 10.0, drain), now()) for _ in range(2)]

    async def draining() -> None:
        await sleep(3.0)
        drain.set()

    paused, _ = inside(pausing, draining)

    assert paused == End(3.0, [(False, 3.0), (False, 3.0)])


def test_pause_under_a_drain_signal_that_is_not_set_takes_its_time() -> None:
    async def pausing() -> bool:
        return await world().pause(Kernel(), 10.0, DrainSignal())

    assert one(pausing) == End(10.0, result=True)


# --- deadlines


def test_timeout_cuts_at_its_deadline() -> None:
    end = one(lambda: Timeout(2.0).acall(forever))

    assert end.at == 2.0
    assert isinstance(end.error, TimedOutError)


def test_deadline_that_was_missed_is_told() -> None:
    with captured() as events:
        one(lambda: Timeout(2.0, name="mine").acall(forever))

    assert DeadlineMissed("mine", 2.0, 2.0) in events


def test_one_alarm_serves_calls_that_end_and_calls_that_are_cut() -> None:
    timeout = Timeout(2.0)

    async def later() -> None:
        await sleep(1.0)
        await timeout.acall(forever)

    ends = inside(lambda: timeout.acall(forever), lambda: timeout.acall(lambda: sleep(1.5)), later)

    assert [end and end.at for end in ends] == [2.0, 1.5, 3.0]


def test_timeout_serves_one_kernel_after_the_other() -> None:
    timeout = Timeout(2.0)

    ends = [one(lambda: timeout.acall(forever)) for _ in range(2)]

    assert [end.at for end in ends] == [2.0, 2.0]


def test_timeout_that_has_served_a_kernel_serves_asyncio() -> None:
    timeout = Timeout(2.0)
    one(lambda: timeout.acall(forever))

    with pytest.raises(TimedOutError):
        virtual_time.run(timeout.acall, threading_free_forever)


async def threading_free_forever() -> None:
    import anyio  # noqa: PLC0415 - the one test that leaves the kernel

    await anyio.sleep_forever()


def test_inner_deadline_is_told_by_its_own_policy_and_the_outer_one_goes_on() -> None:
    inner, outer = Timeout(1.0, name="inner"), Timeout(5.0, name="outer")

    async def body() -> str:
        with pytest.raises(TimedOutError, match="inner"):
            await inner.acall(forever)
        await forever()
        return "not reached"

    end = one(lambda: outer.acall(body))

    assert end.at == 5.0
    assert isinstance(end.error, TimedOutError)
    assert end.error.policy == "outer"


def test_body_that_swallows_its_cut_is_believed() -> None:
    async def body() -> str:
        try:
            await forever()
        except Cut:
            return "done all the same"
        return "not reached"

    assert one(lambda: Timeout(1.0).acall(body)) == End(1.0, "done all the same")


def test_deadline_block_cuts() -> None:
    async def body() -> None:
        async with deadline(1.5):
            await forever()

    end = one(body)

    assert end.at == 1.5
    assert isinstance(end.error, TimedOutError)


def test_context_variables_of_one_task_are_not_those_of_another() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    variable.set("outside")

    async def body(name: str) -> tuple[str, str]:
        before = variable.get()
        variable.set(name)
        await sleep(1.0)
        return before, variable.get()

    ends = inside(lambda: body("a"), lambda: body("b"))

    assert ends == [End(1.0, ("unset", "a")), End(1.0, ("unset", "b"))]


# --- slots


def test_slots_are_handed_on_first_come_first_served() -> None:
    bulkhead = Bulkhead(1, queue=5)

    ends = inside(*[lambda: bulkhead.acall(lambda: sleep(1.0))] * 3)

    assert [end and end.at for end in ends] == [1.0, 2.0, 3.0]


def test_wait_for_a_slot_ends_when_patience_does() -> None:
    bulkhead = Bulkhead(1, queue=5, max_wait=0.5)

    holder, waiter = inside(*[lambda: bulkhead.acall(lambda: sleep(1.0))] * 2)

    assert holder == End(1.0)
    assert waiter is not None
    assert waiter.at == 0.5
    assert isinstance(waiter.error, BulkheadFullError)


def test_slot_that_comes_in_time_calls_patience_off() -> None:
    bulkhead = Bulkhead(1, queue=5, max_wait=1.5)

    ends = inside(*[lambda: bulkhead.acall(lambda: sleep(1.0))] * 2)

    assert ends == [End(1.0), End(2.0)]


def test_waiter_that_is_cut_leaves_its_place_to_the_next() -> None:
    bulkhead = Bulkhead(1, queue=5)
    impatient = Timeout(0.5)

    async def hasty() -> None:
        await impatient.acall(lambda: bulkhead.acall(lambda: sleep(1.0)))

    _, cut, last = inside(
        lambda: bulkhead.acall(lambda: sleep(1.0)),
        hasty,
        lambda: bulkhead.acall(lambda: sleep(1.0)),
    )

    assert cut is not None
    assert isinstance(cut.error, TimedOutError)
    assert last == End(2.0)
    assert bulkhead.snapshot().running == 0


def test_waiter_cut_in_the_moment_of_its_grant_hands_the_slot_on() -> None:
    bulkhead, timeout = Bulkhead(1, queue=5), Timeout(1.0)

    ends = inside(
        lambda: timeout.acall(lambda: bulkhead.acall(forever)),
        lambda: timeout.acall(lambda: bulkhead.acall(forever)),
        lambda: bulkhead.acall(lambda: sleep(1.0)),
    )

    assert [end and end.at for end in ends] == [1.0, 1.0, 2.0]
    assert bulkhead.snapshot().running == 0


def test_waiter_that_is_granted_before_it_waits_does_not_wait() -> None:
    async def body() -> bool:
        waiter = world().waiter()
        waiter.grant()
        return await waiter.wait(Kernel(), 5.0)

    assert one(body) == End(0.0, result=True)


def test_rate_limiter_waits_for_its_tokens() -> None:
    limiter = RateLimiter(2.0, burst=1, max_wait=None)

    ends = inside(*[lambda: limiter.acall(failing(0))] * 3)

    assert [end and end.at for end in ends] == [0.0, 0.5, 1.0]


def test_followers_wait_for_their_leader() -> None:
    coalesce: Coalesce[Any] = Coalesce(lambda: "key")

    async def flight() -> float:
        await sleep(1.0)
        return now()

    ends = inside(*[lambda: coalesce.acall(flight)] * 3)

    assert ends == [End(1.0, 1.0)] * 3


# --- races


def test_kernel_is_asked_first_inside_an_asyncio_task() -> None:
    async def main() -> list[End | None]:
        return inside(lambda: SECOND.acall(failing(1)))

    assert virtual_time.run(main) == [End(1.0, 1.0)]


def test_other_threads_are_not_in_the_kernel() -> None:
    seen: list[object] = []

    async def body() -> object:
        here = world()
        thread = threading.Thread(target=lambda: seen.append(here.running_task()))
        thread.start()
        thread.join()
        return here.running_task()

    end = one(body)

    assert seen == [None]
    assert end.result is not None


def test_nobody_runs_between_two_steps() -> None:
    kernel = Kernel()

    assert KernelWorld(kernel).running_task() is None
    assert KernelWorld(kernel).alarm(kernel).enter(1.0, "timeout", 1.0) is None


def test_world_and_clock_are_put_back_after_a_run() -> None:
    with pytest.raises(KeyError), inhabited(Kernel()):
        raise KeyError

    with pytest.raises(RuntimeError, match="no asyncio or trio task runs here"):
        world()


def test_refusal_in_the_kernel_is_a_refusal() -> None:
    bulkhead = Bulkhead(1)

    _, refused = inside(*[lambda: bulkhead.acall(lambda: sleep(1.0))] * 2)

    assert refused is not None
    assert isinstance(refused.error, CallRefusedError)
    assert not cut_of(refused)
