import asyncio
import threading
import warnings
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from tests.pausing import pause

from uat_resilience import (
    Bulkhead,
    BulkheadFullError,
    CircuitBreaker,
    DeadlineMissed,
    Pipeline,
    TimedOutError,
    Timeout,
    UnenforcedTimeoutWarning,
    captured,
    deadline,
    remaining,
)
from uat_resilience.policies import worker
from uat_resilience.testing import FakeClock, disabled
from uat_resilience.testing.settling import settle


async def test_the_body_is_cut_at_the_deadline_and_the_miss_is_told() -> None:
    with captured() as events, pytest.raises(TimedOutError, match="read") as late:
        await Timeout(2.0, name="read").acall(pause, 60.0)

    assert anyio.current_time() == 2.0
    assert (late.value.policy, late.value.after) == ("read", 2.0)
    assert isinstance(late.value, TimeoutError)
    assert [type(event).__name__ for event in events] == ["DeadlineMissed", "CallFailed"]


async def test_the_bodys_own_timeout_error_and_an_outside_cancellation_pass() -> None:
    async def own() -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine") as raised:
        await Timeout(2.0).acall(own)
    with anyio.move_on_after(1.0) as outside:
        await Timeout(2.0).acall(pause, 60.0)

    assert not isinstance(raised.value, TimedOutError)
    assert outside.cancelled_caught


async def test_a_body_that_swallows_the_cancellation_is_believed() -> None:
    async def stubborn() -> str:
        try:
            await pause(60.0)
        except anyio.get_cancelled_exc_class():
            return "late"
        return "never"

    with captured() as events:
        answer = await Timeout(2.0).acall(stubborn)

    assert answer == "late"
    assert any(isinstance(event, DeadlineMissed) for event in events)


async def test_the_earliest_of_nested_deadlines_wins_and_of_equal_ones_the_outermost() -> None:
    for inner, outer, owner in ((5.0, 2.0, "outer"), (2.0, 5.0, "inner"), (2.0, 2.0, "outer")):
        guarded = Timeout(outer, name="outer")(Timeout(inner, name="inner")(pause))
        with pytest.raises(TimedOutError) as late:
            await guarded(60.0)
        assert late.value.policy == owner


async def test_a_task_that_inherits_a_deadline_keeps_it_by_its_timeouts() -> None:
    ends: list[TimedOutError] = []

    async def child() -> None:
        try:
            await Timeout(60.0).acall(pause, 100.0)
        except TimedOutError as error:
            ends.append(error)

    with deadline(3.0):
        async with anyio.create_task_group() as group:
            group.start_soon(child)

    assert anyio.current_time() == 3.0
    assert ends[0].policy == "deadline"


async def test_nothing_is_run_when_nothing_is_left() -> None:
    ran: list[int] = []

    async def body() -> None:
        ran.append(1)

    with deadline(1.0):
        await pause(2.0)
        assert (remaining() or 0) < 0
        for spell in (Timeout(5.0).acall(body), deadline(5.0).__aenter__()):
            with pytest.raises(TimedOutError):
                await spell

    assert ran == []


async def test_a_deadline_block_is_cut_and_one_that_detaches_is_not_seen() -> None:
    seen: list[float | None] = []

    async def work() -> None:
        async with deadline(2.0):
            async with deadline(None):
                seen.append(remaining())
            with deadline(None):
                seen.append(remaining())
            async with deadline(60.0):
                await pause(60.0)

    with pytest.raises(TimedOutError, match="deadline"):
        await work()

    assert seen == [None, None]
    assert anyio.current_time() == 2.0


async def test_one_object_serves_threads_with_loops_of_their_own() -> None:
    timeout, answers = Timeout(60.0), []

    async def answer() -> str:
        return "done"

    def own_loop() -> None:
        answers.extend(asyncio.run(timeout.acall(answer)) for _ in range(2))

    threads = [threading.Thread(target=own_loop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == ["done"] * 8


async def test_disabled_cuts_nothing() -> None:
    here = threading.current_thread()

    with disabled():
        await Timeout(1.0).acall(pause, 2.0)
        async with deadline(1.0):
            await pause(2.0)
        with deadline(1.0):
            assert remaining() is None
        assert Timeout(1.0).call(remaining) is None
        assert Timeout(1.0, thread=Bulkhead(1)).call(threading.current_thread) is here


def test_a_sync_body_gets_a_budget_and_a_late_result_is_told(clock: FakeClock) -> None:
    with captured() as events:
        assert Timeout(2.0, thread=False).call(lambda: clock.advance(3.0) or remaining()) == -1.0
        with deadline(1.0):
            assert Timeout(2.0, thread=False).call(remaining) == 1.0

    assert sum(isinstance(event, DeadlineMissed) for event in events) == 1


async def test_the_clock_that_leaves_less_rules() -> None:
    timeout = Timeout(2.0, clock=FakeClock(start=3600.0))

    async def left() -> float | None:
        return remaining()

    async with deadline(60.0):
        assert [await timeout.acall(left) for _ in range(2)] == [2.0, 2.0]
    async with deadline(1.0):
        assert await timeout.acall(left) == 1.0


def test_in_sync_code_the_clock_that_leaves_less_rules() -> None:
    hours, seconds = FakeClock(start=3600.0), FakeClock()

    with deadline(60.0, clock=hours):
        assert Timeout(2.0, thread=False, clock=seconds).call(remaining) == 2.0
    with deadline(60.0, clock=seconds):
        assert Timeout(3600.0, thread=False, clock=hours).call(remaining) == 60.0
        assert Timeout(2.0, thread=False, clock=hours).call(remaining) == 2.0


def test_an_unenforced_timeout_warns_once_for_each_object() -> None:
    timeout = Timeout(2.0)

    with pytest.warns(UnenforcedTimeoutWarning, match="thread=False"):
        timeout.call(int)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        timeout.call(int)


@pytest.mark.parametrize(
    "spell",
    [
        lambda timeout: timeout(int)(),
        lambda timeout: timeout.call(int),
        lambda timeout: Pipeline(Bulkhead(1), timeout)(int)(),
        lambda timeout: Pipeline(CircuitBreaker("db"), Bulkhead(1), timeout).call(int),
    ],
    ids=["decorated", "called", "in a pipeline", "called in a pipeline"],
)
def test_the_warning_names_the_line_that_calls_the_guarded_function(
    spell: Callable[[Timeout], object],
) -> None:
    timeout = Timeout(2.0)

    with pytest.warns(UnenforcedTimeoutWarning) as told:
        spell(timeout)

    assert [each.filename for each in told] == [__file__]


def test_a_worker_carries_context_and_hands_results_and_errors_over() -> None:
    timeout = Timeout(60.0, thread=Bulkhead(1))

    assert timeout.call(remaining) is not None
    with pytest.raises(ZeroDivisionError):
        timeout.call(lambda: 1 // 0)
    assert timeout.enforced_in_sync_code


def test_a_worker_left_behind_keeps_its_slot_until_it_ends() -> None:
    slots, may_end = Bulkhead(1), threading.Event()
    timeout = Timeout(2.0, thread=slots, clock=FakeClock(auto=True))

    with pytest.raises(TimedOutError):
        timeout.call(may_end.wait)
    assert slots.snapshot().running == 1
    with pytest.raises(BulkheadFullError):
        timeout.call(int)
    behind = next(thread for thread in threading.enumerate() if thread.name == "uat-timeout")
    may_end.set()
    behind.join()

    assert slots.snapshot().running == 0


def test_a_thread_that_cannot_be_started_leaves_no_slot_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Unstartable(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    slots = Bulkhead(1)
    monkeypatch.setattr(worker, "Thread", Unstartable)

    with pytest.raises(RuntimeError, match="can't start"):
        Timeout(2.0, thread=slots).call(int)

    assert slots.snapshot().running == 0


def test_a_coroutine_from_a_sync_call_is_refused() -> None:
    async def fetch() -> None: ...

    with captured() as events, pytest.raises(TypeError, match="acall"):
        Timeout(2.0, thread=False).call(lambda _: fetch(), 0)

    assert [type(event).__name__ for event in events] == ["CallAbandoned"]


def test_outside_of_any_loop_an_async_wait_says_what_is_missing() -> None:
    coroutine = Timeout(2.0).acall(pause, 1.0)

    with pytest.raises(RuntimeError, match="no asyncio or trio task"):
        coroutine.send(None)


async def test_a_fake_clock_cuts_tasks_too(anyio_backend_name: str) -> None:
    with FakeClock() as clock:
        ends: list[Exception] = []

        async def call() -> None:
            try:
                await Timeout(5.0).acall(anyio.sleep_forever)
            except TimedOutError as error:
                ends.append(error)

        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await clock.aadvance(4.0)
            assert ends == []
            await clock.aadvance(1.0)
            await settle()

    assert len(ends) == 1, anyio_backend_name


@pytest.mark.parametrize("thread", [True, 3], ids=["true", "number"])
def test_a_thread_is_none_false_or_a_bulkhead(thread: Any) -> None:
    with pytest.raises(TypeError, match="thread"):
        Timeout(1.0, thread=thread)


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan"), float("inf"), True, "1"])
@pytest.mark.parametrize("make", [Timeout, deadline])
def test_a_duration_is_a_number_above_zero(make: Callable[[Any], object], seconds: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="seconds"):
        make(seconds)


def test_a_timeout_of_somebody_else_is_not_counted_as_ours() -> None:
    def inner() -> None:
        raise TimedOutError("another", after=1.0)

    with captured() as events, pytest.raises(TimedOutError, match="another"):
        Timeout(2.0, thread=False).call(inner)

    assert [type(event).__name__ for event in events] == ["CallFailed"]
