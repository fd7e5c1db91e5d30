"""How long a retry pauses, and when it would rather give up than pause."""

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, Never

import anyio
import pytest
from tests.policies.script import Script
from tests.worlds import World

from uat_resilience import (
    Constant,
    DrainingError,
    EventBus,
    Exponential,
    GiveUp,
    Jitter,
    Linear,
    Pipeline,
    RetriesExhausted,
    Retry,
    RetryScheduled,
    TimedOutError,
    Timeout,
    captured,
    deadline,
)
from uat_resilience.ambient import DrainSignal, current_drain
from uat_resilience.testing import FakeClock


def within(seconds: float, retry: Retry) -> Pipeline:
    """A retry inside the caller's deadline."""
    return Pipeline(Timeout(seconds, thread=False), retry)


def steadily(pause: float, **settings: Any) -> Retry:
    """A retry that leaves nothing to chance."""
    settings = {"on": ConnectionError, "backoff": Constant(pause), **settings}
    return Retry(jitter=Jitter.NONE, **settings)


def slow(clock: FakeClock, seconds: float) -> Callable[[], Never]:
    """A body that takes its time to fail."""

    def body() -> Never:
        clock.advance(seconds)
        raise ConnectionError

    return body


@pytest.mark.parametrize(
    ("backoff", "pauses"),
    [
        (Constant(1.0), [1.0, 1.0, 1.0, 1.0]),
        (Linear(2.0), [2.0, 4.0, 6.0, 8.0]),
        (Linear(2.0, maximum=3.0), [2.0, 3.0, 3.0, 3.0]),
        (Exponential(1.0), [1.0, 2.0, 4.0, 8.0]),
        (Exponential(1.0, factor=3.0, maximum=10.0), [1.0, 3.0, 9.0, 10.0]),
        (lambda attempt: attempt**2, [1.0, 4.0, 9.0, 16.0]),
        ([0.5, 0.25, 4.0, 2.0].pop, None),
    ],
    ids=["constant", "linear", "capped", "exponential", "tripling", "callable", "list"],
)
def test_the_backoff_says_how_long(
    world: World, clock: FakeClock, backoff: Callable[[int], float], pauses: list[float] | None
) -> None:
    if pauses is None:
        table = [0.5, 0.25, 4.0, 2.0]
        backoff, pauses = (lambda attempt: table[attempt - 1]), table

    with pytest.raises(ConnectionError):
        world.call(steadily(0.0, attempts=5, backoff=backoff), Script(ConnectionError))

    assert clock.sleeps == pauses
    assert clock.now() == sum(pauses)


def test_a_pause_of_nothing_sets_no_timer(world: World, clock: FakeClock) -> None:
    script = Script(ConnectionError)

    with pytest.raises(ConnectionError):
        world.call(steadily(0.0, attempts=4), script)

    assert (script.calls, clock.sleeps) == (4, [])


def test_at_the_cap_pauses_are_still_spread_over_the_whole_cap(clock: FakeClock) -> None:
    endless = Retry(on=ConnectionError, attempts=None, time_limit=1e9)

    endless.call(Script(*[ConnectionError] * 1009, "row"))

    at_the_cap = clock.sleeps[-1000:]
    tenths = [sum(n * 3 <= pause < n * 3 + 3 for pause in at_the_cap) for n in range(10)]
    assert all(60 < each < 140 for each in tenths), tenths
    assert max(at_the_cap) < 30.0


def test_first_pauses_are_not_swamped(clock: FakeClock) -> None:
    retry = Retry(on=ConnectionError, attempts=2, backoff=Exponential(0.1))

    for _ in range(200):
        retry.call(Script(ConnectionError, "row"))

    assert max(clock.sleeps) < 0.1
    assert len(set(clock.sleeps)) == 200


def test_equal_jitter_leaves_half_of_the_pause_alone(clock: FakeClock) -> None:
    retry = Retry(on=ConnectionError, attempts=2, backoff=Constant(2.0), jitter=Jitter.EQUAL)

    for _ in range(200):
        retry.call(Script(ConnectionError, "row"))

    assert 1.0 <= min(clock.sleeps) < 1.1
    assert 1.9 < max(clock.sleeps) < 2.0


@pytest.mark.parametrize("pause", [5.0, 6.0])
def test_a_pause_that_would_end_at_the_deadline_or_later_is_not_begun(
    world: World, clock: FakeClock, pause: float
) -> None:
    script = Script(ConnectionError)

    with pytest.raises(ConnectionError) as caught:
        world.call(within(5.0, steadily(pause)), script)

    assert (script.calls, clock.sleeps) == (1, [])
    assert caught.value.__notes__ == [
        "retry gave up after 1 attempt: the next attempt would start after the deadline"
    ]


def test_a_pause_that_ends_before_the_deadline_is_taken(world: World, clock: FakeClock) -> None:
    script = Script(ConnectionError)

    with pytest.raises(ConnectionError):
        world.call(within(5.0, steadily(2.0, attempts=9)), script)

    assert (script.calls, clock.sleeps) == (3, [2.0, 2.0])


def test_after_an_attempt_that_outlasts_the_deadline_there_is_no_other(
    world: World, clock: FakeClock
) -> None:
    calls: list[float] = []

    def body() -> Never:
        calls.append(clock.now())
        slow(clock, 6.0)()

    with pytest.raises(ConnectionError):
        world.call(within(5.0, steadily(0.0, attempts=9)), body)

    assert calls == [0.0]


def test_a_deadline_set_further_out_is_never_retried(world: World, clock: FakeClock) -> None:
    inner = Script("never seen")

    def body() -> Any:
        clock.advance(6.0)
        with deadline(1.0):
            return inner()

    with pytest.raises(TimedOutError):
        world.call(within(5.0, steadily(0.0, on=TimedOutError, attempts=9)), body)

    assert clock.now() == 6.0
    assert inner.calls == 0


async def test_a_call_cut_by_the_deadline_takes_no_longer_than_the_deadline() -> None:
    began = anyio.current_time()

    with pytest.raises(TimedOutError):
        await within(5.0, steadily(1.0, on=Exception, attempts=9)).acall(anyio.sleep_forever)

    assert anyio.current_time() - began == 5.0


def test_a_listener_that_takes_too_long_costs_the_next_attempt(
    world: World, clock: FakeClock
) -> None:
    bus = EventBus()
    bus.subscribe(lambda _: clock.advance(7.0), RetryScheduled)
    script = Script(ConnectionError)

    with captured(bus) as events, pytest.raises(ConnectionError) as caught:
        world.call(steadily(0.0, time_limit=5.0, bus=bus), script)

    assert script.calls == 1
    assert [e.reason for e in events if isinstance(e, RetriesExhausted)] == [GiveUp.TIME_LIMIT]
    assert caught.value.__notes__ == [
        "retry gave up after 1 attempt: the next attempt would start after time_limit"
    ]


def test_a_listener_that_outlasts_the_deadline_costs_the_next_attempt(
    world: World, clock: FakeClock
) -> None:
    bus = EventBus()
    bus.subscribe(lambda _: clock.advance(7.0), RetryScheduled)
    script = Script(ConnectionError)
    error = ConnectionError if world.name == "sync" else TimedOutError  # Async code is cut.

    with pytest.raises(error):
        world.call(within(5.0, steadily(0.0, bus=bus)), script)

    assert script.calls == 1


@pytest.mark.parametrize(("pause", "calls"), [(2.0, 3), (2.5, 2), (4.9, 2), (5.0, 1), (9.0, 1)])
def test_no_attempt_starts_at_the_time_limit_or_after_it(
    world: World, clock: FakeClock, pause: float, calls: int
) -> None:
    script = Script(ConnectionError)

    with pytest.raises(ConnectionError) as caught:
        world.call(steadily(pause, attempts=9, time_limit=5.0), script)

    assert script.calls == calls
    assert clock.now() < 5.0
    assert "the next attempt would start after time_limit" in caught.value.__notes__[0]


def test_the_time_limit_counts_from_the_first_attempt(world: World, clock: FakeClock) -> None:
    with pytest.raises(ConnectionError):
        world.call(steadily(1.0, attempts=9, time_limit=5.0), slow(clock, 2.0))

    assert clock.sleeps == [1.0]  # 2 s, a pause of 1 s, 2 s: the next one would start at 6 s.


def test_a_running_attempt_is_not_cut_by_the_time_limit(world: World, clock: FakeClock) -> None:
    def body() -> str:
        clock.advance(60.0)
        return "late"

    assert world.call(steadily(1.0, time_limit=5.0), body) == "late"


class Interrupting(FakeClock):
    """A clock on which something happens in every pause."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__(auto=True)
        self._happens = happens

    def pausing(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self._happens()


@pytest.fixture
def drain() -> Any:
    signal = DrainSignal()
    token = current_drain.set(signal)
    yield signal
    current_drain.reset(token)


def test_a_pause_that_a_shutdown_ends_is_followed_by_no_attempt(
    world: World, drain: DrainSignal
) -> None:
    script = Script(ConnectionError("first"))
    retry = steadily(60.0, clock=Interrupting(drain.set), bus=(bus := EventBus()))

    with captured(bus) as events, pytest.raises(ConnectionError, match="first") as caught:
        world.call(retry, script)

    assert script.calls == 1
    assert caught.value.__notes__ == ["retry gave up after 1 attempt: the service is shutting down"]
    assert [e.reason for e in events if isinstance(e, RetriesExhausted)] == [GiveUp.DRAINING]


def test_a_result_judged_a_failure_comes_out_when_a_shutdown_ends_its_pause(
    world: World, drain: DrainSignal
) -> None:
    script = Script("busy")
    retry = steadily(60.0, on=(), on_result="busy".__eq__, clock=Interrupting(drain.set))

    assert world.call(retry, script) == "busy"
    assert script.calls == 1


class Answer:
    """A result that is good for nothing once it has been closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


def busy(result: object) -> bool:
    return isinstance(result, Answer)


def test_a_result_that_is_closed_does_not_come_out_when_a_shutdown_ends_its_pause(
    world: World, drain: DrainSignal
) -> None:
    answer = Answer()
    retry = steadily(60.0, on=(), on_result=busy, clock=Interrupting(drain.set))

    with pytest.raises(DrainingError, match="retry is shutting down"):
        world.call(retry, Script(answer))

    assert answer.closed


def test_a_result_that_is_closed_does_not_come_out_when_its_pause_outlasts_the_time_limit(
    world: World,
) -> None:
    clock = Interrupting(lambda: clock.advance(9.0))
    retry = steadily(1.0, on=(), on_result=busy, time_limit=5.0, clock=clock)

    with pytest.raises(TimedOutError, match="retry timed out after 5 s"):
        world.call(retry, Script(Answer()))


def test_a_result_that_is_closed_does_not_come_out_when_its_pause_outlasts_the_deadline() -> None:
    clock = Interrupting(lambda: clock.advance(9.0))
    retry = steadily(1.0, on=(), on_result=busy, clock=clock)

    with (
        pytest.raises(TimedOutError, match="deadline timed out after 5 s"),
        deadline(5.0, clock=clock),
    ):
        retry.call(Script(Answer()))


def test_during_a_shutdown_no_pause_is_begun(
    world: World, clock: FakeClock, drain: DrainSignal
) -> None:
    script = Script(ConnectionError)
    drain.set()

    with captured() as events, pytest.raises(ConnectionError):
        world.call(steadily(0.0), script)

    assert (script.calls, clock.sleeps) == (1, [])
    assert not any(isinstance(event, RetryScheduled) for event in events)


def test_work_that_is_not_drained_pauses_in_peace(
    world: World, clock: FakeClock, drain: DrainSignal
) -> None:
    script = Script(ConnectionError, "row")

    assert world.call(steadily(3.0), script) == "row"
    assert clock.sleeps == [3.0]
    assert drain._wakers == {}


def test_a_thread_that_pauses_is_woken_by_a_shutdown(drain: DrainSignal) -> None:
    pausing = threading.Event()
    clock = FakeClock()
    clock.pausing = lambda _: pausing.set()
    retry, errors = steadily(60.0, clock=clock), list[Exception]()

    def work() -> None:
        try:
            retry.call(Script(ConnectionError))
        except ConnectionError as error:
            errors.append(error)

    thread = threading.Thread(target=copy_context().run, args=(work,))
    thread.start()
    assert pausing.wait(10)
    drain.set()
    thread.join(10)

    assert len(errors) == 1
    assert clock.now() == 0.0


async def test_a_task_that_pauses_is_woken_by_a_shutdown() -> None:
    drain, began = DrainSignal(), anyio.current_time()
    script = Script(ConnectionError)

    async def work() -> None:
        current_drain.set(drain)
        with pytest.raises(ConnectionError):
            await steadily(60.0).acall(fetch)

    async def fetch() -> None:
        script()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        await anyio.wait_all_tasks_blocked()
        drain.set()

    assert anyio.current_time() - began < 1.0
    assert script.calls == 1
