import asyncio
import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from anyio.abc import TaskGroup
from tests.pausing import pause
from tests.worlds import World

from uat_resilience import (
    CallbackFailed,
    CallRefused,
    Constant,
    DrainingError,
    EventBus,
    GracefulShutdown,
    HealthRegistry,
    Jitter,
    Retry,
    ShutdownPhaseChanged,
    Status,
    captured,
)
from uat_resilience.lifecycle import Account, Phase
from uat_resilience.testing import FakeClock, virtual_time
from uat_resilience.testing.settling import settle


def drain(world: Any, shutdown: GracefulShutdown) -> bool:
    return shutdown.drained() if world.name == "sync" else world.run(shutdown.adrained)


async def working(
    group: TaskGroup, shutdown: GracefulShutdown, seconds: float, ends: list[object]
) -> None:
    """Start a piece of work; it is tracked, or refused, when this returns."""

    async def work() -> None:
        try:
            async with shutdown.track():
                await pause(seconds)
                ends.append(seconds)
        except DrainingError:
            ends.append("refused")

    group.start_soon(work)
    await settle()


async def test_work_begun_before_during_and_after_is_accounted_for() -> None:
    shutdown, ends = GracefulShutdown(grace=30.0, delay=5.0), []

    async with anyio.create_task_group() as group:
        await working(group, shutdown, 10.0, ends)
        assert shutdown.ready
        shutdown.begin()
        assert not shutdown.ready
        await working(group, shutdown, 2.0, ends)
        await pause(6.0)
        await working(group, shutdown, 1.0, ends)
        assert shutdown.running == 1

        assert await shutdown.adrained() is True

    assert ends == [2.0, "refused", 10.0]
    assert anyio.current_time() == 10.0
    snapshot = shutdown.snapshot()
    assert snapshot.phase is Phase.CLOSED
    assert snapshot.account == Account(before=1, during=1, refused=1, finished=2, cut=0)


async def test_what_outlasts_the_grace_is_cut_off_and_the_truth_is_told() -> None:
    shutdown, ends = GracefulShutdown(grace=3.0), []

    async with anyio.create_task_group() as group:
        await working(group, shutdown, 10.0, ends)

        assert await shutdown.adrained() is False
        assert anyio.current_time() == 3.0

    assert shutdown.snapshot().account.cut == 1


@pytest.mark.parametrize(
    ("arguments", "timeouts", "closed_at"),
    [
        ({"grace": 30.0}, [2.0, 1.0], 27.0),
        ({"grace": 30.0}, [4.0, 4.0], 25.0),
        ({"grace": 12.0, "delay": 4.0}, [4.0], 10.0),
        ({"grace": 30.0, "reserve": 12.0}, [4.0], 18.0),
        ({"grace": 30.0, "reserve": 0.0}, [4.0], None),
        ({"grace": 30.0, "delay": 20.0, "reserve": 10.0}, [4.0], 20.0),
    ],
    ids=[
        "their timeouts",
        "of a long grace five seconds",
        "of a short one a quarter",
        "as long as asked for",
        "none asked for",
        "all that the delay leaves",
    ],
)
async def test_closers_have_their_time_when_work_hangs(
    arguments: dict[str, float], timeouts: list[float], closed_at: float | None
) -> None:
    shutdown, closed = GracefulShutdown(**arguments), []

    async def close() -> None:
        closed.append(anyio.current_time())

    for timeout in timeouts:
        shutdown.on_close(close, timeout=timeout)
    async with anyio.create_task_group() as group:
        await working(group, shutdown, 100.0, [])

        assert await shutdown.adrained() is False
        ended = anyio.current_time()
        group.cancel_scope.cancel()

    assert closed == ([] if closed_at is None else [closed_at] * len(timeouts))
    assert ended == (arguments["grace"] if closed_at is None else closed_at)
    assert shutdown.snapshot().account.cut == 1


async def test_a_closer_that_is_registered_while_work_is_waited_for_has_its_time_too() -> None:
    shutdown, closed = GracefulShutdown(grace=30.0), []

    async def close() -> None:
        closed.append(anyio.current_time())

    async with anyio.create_task_group() as group:
        await working(group, shutdown, 100.0, [])
        group.start_soon(shutdown.adrained)
        await pause(1.0)
        shutdown.on_close(close, timeout=3.0)
        await pause(28.0)
        group.cancel_scope.cancel()

    assert closed == [27.0]


def test_nothing_to_wait_for_is_over_at_once(world: World, clock: FakeClock) -> None:
    shutdown = GracefulShutdown()

    with captured() as events:
        assert drain(world, shutdown) is True

    phases = [event.new for event in events if isinstance(event, ShutdownPhaseChanged)]
    assert phases == [Phase.ANNOUNCED, Phase.DRAINING, Phase.CLOSING, Phase.CLOSED]
    assert drain(world, shutdown) is True


def test_a_thread_waits_for_work_in_another(clock: FakeClock) -> None:
    shutdown = GracefulShutdown(clock=FakeClock())
    inside, may_end = threading.Event(), threading.Event()

    def work() -> None:
        with shutdown.track():
            inside.set()
            may_end.wait()

    worker = threading.Thread(target=work)
    worker.start()
    inside.wait()
    shutdown.begin()
    with captured() as events, pytest.raises(DrainingError), shutdown.track():
        pass
    may_end.set()

    assert shutdown.drained() is True
    worker.join()
    assert [type(event) for event in events] == [CallRefused]


async def test_a_sleeping_retry_wakes_and_its_last_error_comes_out() -> None:
    shutdown = GracefulShutdown(grace=30.0, delay=2.0)
    retry = Retry(KeyError, attempts=9, backoff=Constant(600.0), jitter=Jitter.NONE)

    async def fail() -> None:
        raise KeyError("first")

    async def work() -> None:
        async with shutdown.track():
            with pytest.raises(KeyError) as failed:
                await retry.acall(fail)
            assert "shutting down" in failed.value.__notes__[0]

    async with anyio.create_task_group() as group:
        group.start_soon(work)
        await settle()

        assert await shutdown.adrained() is True

    assert anyio.current_time() == 2.0


def test_a_sleeping_retry_in_a_thread_wakes_too() -> None:
    clock = FakeClock()
    shutdown = GracefulShutdown(clock=clock)
    retry = Retry(KeyError, attempts=9, backoff=Constant(600.0), clock=clock)
    notes: list[str] = []
    asleep = threading.Event()

    def fail() -> None:
        asleep.set()
        raise KeyError

    def work() -> None:
        with shutdown.track():
            try:
                retry.call(fail)
            except KeyError as error:
                notes.extend(error.__notes__)

    worker = threading.Thread(target=work)
    worker.start()
    asleep.wait()

    assert shutdown.drained() is True
    worker.join()
    assert "shutting down" in notes[0]


def test_readiness_turns_first(clock: FakeClock) -> None:
    health = HealthRegistry()
    shutdown = GracefulShutdown(delay=1.0, health=health)
    assert health.report().status is Status.HEALTHY

    shutdown.begin()

    assert health.report().status is Status.UNHEALTHY
    with shutdown.track():
        pass


def test_closers_run_last_registered_first_and_a_bad_one_stops_nobody(
    world: World,
) -> None:
    shutdown, ran = GracefulShutdown(clock=FakeClock()), []

    async def second() -> None:
        ran.append("second")

    def third() -> None:
        ran.append("third")
        raise ConnectionError

    shutdown.on_close(lambda: ran.append("first"))
    shutdown.on_close(second)
    shutdown.on_close(third)

    with captured() as events:
        assert drain(world, shutdown) is True

    assert ran == ["third", "second", "first"]
    failed = [event for event in events if isinstance(event, CallbackFailed)]
    assert [(event.argument, type(event.error)) for event in failed] == [
        ("on_close", ConnectionError)
    ]


async def test_a_closer_has_its_own_timeout_within_the_grace() -> None:
    shutdown = GracefulShutdown(grace=10.0)
    shutdown.on_close(lambda: None)
    for _ in range(2):
        shutdown.on_close(anyio.sleep_forever, timeout=6.0)

    with captured() as events:
        assert await shutdown.adrained() is True

    assert anyio.current_time() == 10.0
    errors = [str(event.error) for event in events if isinstance(event, CallbackFailed)]
    assert len(errors) == 3
    assert "no time was left" in errors[2]


def test_a_sync_closer_that_comes_too_late_is_told() -> None:
    clock = FakeClock(auto=True)
    shutdown = GracefulShutdown(grace=10.0, clock=clock)
    shutdown.on_close(lambda: None)
    shutdown.on_close(lambda: clock.advance(20.0), timeout=30.0)

    with captured() as events:
        shutdown.drained()

    assert "no time was left" in str(
        [event.error for event in events if isinstance(event, CallbackFailed)][-1]
    )


async def test_forcing_gives_up_at_once() -> None:
    shutdown, ends = GracefulShutdown(grace=30.0), []

    async with anyio.create_task_group() as group:
        await working(group, shutdown, 10.0, ends)
        shutdown.begin()
        shutdown.force()

        assert await shutdown.adrained() is False
        assert anyio.current_time() == 0.0

    assert shutdown.snapshot().phase is Phase.FORCED


async def test_a_main_program_waits_for_somebody_to_begin() -> None:
    shutdown, seen = GracefulShutdown(), []

    async def main() -> None:
        await shutdown.arequested()
        seen.append(anyio.current_time())

    async with anyio.create_task_group() as group:
        group.start_soon(main)
        await pause(1.0)
        shutdown.on_close(lambda: None)
        await pause(2.0)
        shutdown.begin()

    await shutdown.arequested()
    assert seen == [3.0]


def test_a_main_thread_waits_for_somebody_to_begin() -> None:
    shutdown = GracefulShutdown()
    waiting = threading.Thread(target=shutdown.requested)
    waiting.start()

    shutdown.begin()
    waiting.join()

    shutdown.requested()
    assert not shutdown.ready


async def test_a_block_may_be_left_in_another_task() -> None:
    shutdown = GracefulShutdown()
    tracked = shutdown.track()
    await tracked.__aenter__()

    async with anyio.create_task_group() as group:

        async def leave() -> None:
            await tracked.__aexit__(None, None, None)

        group.start_soon(leave)

    assert shutdown.running == 0


def test_a_blocking_wait_on_an_event_loop_names_the_async_spelling(async_world: Any) -> None:
    shutdown = GracefulShutdown()

    async def drained() -> None:
        shutdown.drained()

    async def requested() -> None:
        shutdown.requested()

    with pytest.raises(RuntimeError, match="adrained"):
        async_world.run(drained)
    with pytest.raises(RuntimeError, match="arequested"):
        async_world.run(requested)


async def test_all_who_drain_wait_until_the_closers_have_run() -> None:
    shutdown, ends = GracefulShutdown(), []

    async def close() -> None:
        await pause(1.0)
        ends.append("closed")

    async def drain() -> None:
        ends.append(await shutdown.adrained())

    shutdown.on_close(close)
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(drain)

    assert ends == ["closed", True, True, True]


def test_a_closer_that_waits_for_what_was_cancelled_does_not_stop_the_others(world: World) -> None:
    shutdown, ends = GracefulShutdown(), []

    async def close() -> None:
        if world.name == "trio":
            raise KeyError
        task = asyncio.ensure_future(anyio.sleep_forever())
        task.cancel()
        await task

    shutdown.on_close(lambda: ends.append("last"))
    shutdown.on_close(close)
    with captured() as events:
        ends.append(drain(world, shutdown))

    assert ends == ["last", True]
    assert [type(event) for event in events].count(CallbackFailed) == 1


def test_a_closer_that_is_cancelled_from_outside_ends_the_drain() -> None:
    shutdown, ends = GracefulShutdown(), []

    async def main() -> None:
        draining = asyncio.ensure_future(shutdown.adrained())
        shutdown.on_close(draining.cancel)
        shutdown.on_close(stop)
        await draining

    async def stop() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await anyio.sleep_forever()

    shutdown.on_close(lambda: ends.append("last"))
    with pytest.raises(asyncio.CancelledError):
        virtual_time.run(main)

    assert ends == []


def test_what_stops_the_program_goes_through_a_closer(world: World) -> None:
    shutdown = GracefulShutdown()

    def stop() -> None:
        raise SystemExit

    shutdown.on_close(stop)

    with pytest.raises(SystemExit):
        drain(world, shutdown)


def test_threads_that_drain_wait_for_the_closers_until_the_grace_is_over() -> None:
    clock, bus, release, ends = FakeClock(), EventBus(), threading.Event(), []
    shutdown = GracefulShutdown(grace=5.0, clock=clock, bus=bus)

    def drain() -> None:
        shutdown.drained()
        ends.append(threading.current_thread().name)

    second = threading.Thread(target=drain, name="second")

    def close() -> None:
        second.start()
        clock.advance(5.0)
        release.wait(5.0)

    shutdown.on_close(close)
    # Keeps the one that runs the closers from going on.
    bus.subscribe(lambda _: second.join(5.0), CallbackFailed)
    first = threading.Thread(target=drain, name="first")
    first.start()
    first.join(5.0)
    release.set()

    assert ends == ["second", "first"]


def test_a_thread_that_drains_is_woken_when_another_has_run_the_closers() -> None:
    shutdown, ends = GracefulShutdown(), []

    def drain() -> None:
        shutdown.drained()
        ends.append("drained")

    second = threading.Thread(target=drain)

    def close() -> None:
        second.start()
        second.join(0.05)  # Were it not made to wait, it would be over by then.
        ends.append("closed")

    shutdown.on_close(close)
    shutdown.drained()
    second.join(5.0)

    assert ends == ["closed", "drained"]


async def test_another_goes_on_where_one_who_runs_the_closers_is_cancelled() -> None:
    shutdown, ends = GracefulShutdown(), []
    shutdown.on_close(lambda: ends.append("last"))
    shutdown.on_close(anyio.sleep_forever)

    async def drain() -> None:
        ends.append(await shutdown.adrained())

    async with anyio.create_task_group() as group:
        with anyio.move_on_after(1.0):
            async with anyio.create_task_group() as first:
                first.start_soon(drain)
                await settle()
                group.start_soon(drain)
                await settle()

    assert ends == ["last", True]


async def test_nobody_waits_past_the_grace_for_closers_that_another_runs() -> None:
    shutdown, ends = GracefulShutdown(grace=5.0), []

    async def close() -> None:
        with anyio.CancelScope(shield=True):
            await pause(9.0)

    async def drain() -> None:
        ends.append(await shutdown.adrained())
        ends.append(anyio.current_time())

    shutdown.on_close(close, timeout=9.0)
    async with anyio.create_task_group() as group:
        group.start_soon(drain)
        await settle()
        group.start_soon(drain)

    assert ends[:2] == [True, 5.0]


def test_a_block_may_not_be_entered_twice_at_a_time_and_is_counted_once() -> None:
    shutdown = GracefulShutdown()
    work = shutdown.track()

    with work:
        with pytest.raises(RuntimeError, match="call track"):
            work.__enter__()
        assert shutdown.running == 1
        work.__exit__(None, None, None)
    with work:
        assert shutdown.running == 1

    assert shutdown.running == 0


def test_a_forked_child_begins_anew() -> None:
    shutdown = GracefulShutdown()
    shutdown.begin()

    shutdown.renew()

    assert shutdown.ready


def test_a_block_from_before_the_fork_is_not_missed_by_the_child() -> None:
    shutdown, before = GracefulShutdown(grace=5.0, clock=FakeClock(auto=True)), []
    inherited = shutdown.track()
    inherited.__enter__()
    before.append(shutdown.running)

    shutdown.renew()
    work = shutdown.track()
    work.__enter__()
    inherited.__exit__(None, None, None)

    assert before == [1]
    assert shutdown.running == 1
    assert not shutdown.drained()


def test_a_child_that_is_forked_in_a_drain_does_not_hurry() -> None:
    shutdown = GracefulShutdown()
    inherited = shutdown.track()
    inherited.__enter__()
    shutdown.begin()
    assert shutdown.signal.is_set

    shutdown.renew()
    inherited.__exit__(None, None, None)

    assert not shutdown.signal.is_set
    assert shutdown.ready


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"grace": 0.0}, "grace"),
        ({"delay": -1.0}, "delay"),
        ({"grace": 5.0, "delay": 6.0}, "delay"),
        ({"reserve": -1.0}, "reserve"),
        ({"grace": 5.0, "delay": 2.0, "reserve": 4.0}, "reserve"),
    ],
    ids=["grace", "delay", "delay above grace", "reserve", "reserve above what is left"],
)
def test_a_bad_argument_is_refused_by_name(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        GracefulShutdown(**arguments)


def test_a_closer_needs_some_time() -> None:
    with pytest.raises(ValueError, match="timeout"):
        GracefulShutdown().on_close(int, timeout=0.0)


def test_a_phase_that_is_over_by_the_time_somebody_waits_is_not_waited_for() -> None:
    class Ticking(FakeClock):
        """Moves on by a second each time it is looked at."""

        def now(self) -> float:
            self.advance(1.0)
            return super().now()

    shutdown = GracefulShutdown(grace=4.0, delay=2.0, clock=Ticking(auto=True))

    with shutdown.track():
        assert shutdown.drained() is False


def test_a_bad_closer_stops_nobody_when_nobody_listens() -> None:
    shutdown, ran = GracefulShutdown(clock=FakeClock()), []
    shutdown.on_close(lambda: ran.append("first"))
    shutdown.on_close(lambda: 1 // 0)

    assert shutdown.drained() is True
    assert ran == ["first"]


def test_work_that_ends_while_the_lock_is_held_is_counted_by_its_holder() -> None:
    shutdown = GracefulShutdown()
    work = shutdown.track()
    work.__enter__()

    with shutdown._gate._mailbox.lock:
        work.__exit__(None, None, None)
    shutdown.snapshot()

    assert shutdown.running == 0


def test_closer_that_was_called_instead_of_passed_is_refused() -> None:
    shutdown, closed = GracefulShutdown(), list[str]()
    nothing: Any = closed.append("at once")

    with pytest.raises(TypeError, match="fn must be a function, not None: pass the function"):
        shutdown.on_close(nothing)


class Interrupted:
    """A lock in whose first region something happens, as from a signal handler or the garbage collector."""

    def __init__(self, happening: Callable[[], object]) -> None:
        self._lock = threading.Lock()
        self._happenings = [happening]

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def acquire(self, blocking: bool = True) -> bool:  # noqa: FBT001, FBT002 - as a lock has it
        taken = self._lock.acquire(blocking)
        if taken and self._happenings:
            self._happenings.pop()()
        return taken

    def release(self) -> None:
        self._lock.release()

    def locked(self) -> bool:
        return self._lock.locked()


@pytest.mark.parametrize("move", ["enter", "leave"])
def test_work_that_ends_in_the_middle_of_other_work_is_counted_after_it(move: str) -> None:
    shutdown = GracefulShutdown()
    shutdown.enter()
    shutdown.enter()
    lock: Any = Interrupted(shutdown.leave)
    shutdown._gate._mailbox.lock = lock

    getattr(shutdown, move)()

    assert shutdown.running == {"enter": 2, "leave": 0}[move]
