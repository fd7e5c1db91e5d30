"""Cancellation at every point at which a call can be suspended: nothing is lost, nothing is made up."""

from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import trio
from tests.concurrency.interrupting import DRIVERS, Moment
from tests.pausing import pause

from uat_resilience import (
    BreakerState,
    Bulkhead,
    CircuitBreaker,
    ConsecutiveFailures,
    Fallback,
    Pipeline,
    Retry,
    RetryBudget,
    TimedOutError,
    Timeout,
    deadline,
    remaining,
)
from uat_resilience.ambient import retries_owned

Step = Callable[[], Awaitable[object]]


@dataclass
class Ending:
    """What was seen when the call was cancelled, and in its task when it had ended."""

    starts_when_cancelled: int = 0
    state_when_cancelled: BreakerState | None = None
    failures_when_cancelled: int = 0
    result: object = None
    error: BaseException | None = None
    left: float | None = None
    single: bool = False


@dataclass
class Scene:
    """One call, what else happens meanwhile, and the entities that must be as before when it is over."""

    call: Step
    company: Step
    bulkheads: list[Bulkhead] = field(default_factory=list)
    breakers: list[CircuitBreaker] = field(default_factory=list)
    timeouts: list[Timeout] = field(default_factory=list)
    suspensions: int = 1
    body: "Body" = field(default_factory=lambda: Body())  # noqa: PLW0108 - it is defined further down
    ending: Ending = field(default_factory=Ending)

    def cancelled_now(self) -> None:
        """Take note of how things stand in the moment of the cancellation."""
        self.ending.starts_when_cancelled = self.body.starts
        for breaker in self.breakers:
            self.ending.state_when_cancelled = breaker.state
            self.ending.failures_when_cancelled = breaker.snapshot().failures

    async def observed(self) -> None:
        """Make the call, and take note of its end and of what it left in its task's context."""
        try:
            self.ending.result = await self.call()
        except BaseException as error:
            self.ending.error = error
            raise
        finally:
            self.ending.left = remaining()
            self.ending.single = retries_owned.get()


class Body:
    """Suspends twice; fails at first as often as told."""

    def __init__(self, *, failures: int = 0, seconds: float = 1.0) -> None:
        self.starts = 0
        self.failed = 0
        self.running = 0
        self._failures = failures
        self._seconds = seconds

    async def __call__(self) -> str:
        self.starts += 1
        self.running += 1
        try:
            await pause(self._seconds)
            await pause(self._seconds)
            if self.starts <= self._failures:
                self.failed += 1
                raise ConnectionError
        finally:
            self.running -= 1
        return "done"


async def nobody() -> None:
    """Be no company."""


def closed_breaker() -> Scene:
    body, breaker = Body(), CircuitBreaker("db", trip=ConsecutiveFailures(1))
    return Scene(lambda: breaker.acall(body), nobody, breakers=[breaker], suspensions=2, body=body)


def probe() -> Scene:
    body, breaker = Body(), recovering()
    return Scene(lambda: breaker.acall(body), nobody, breakers=[breaker], suspensions=2, body=body)


def probe_in_a_block() -> Scene:
    body, breaker = Body(), recovering()

    async def call() -> str:
        async with breaker.permit():
            return await body()

    return Scene(call, nobody, breakers=[breaker], suspensions=2, body=body)


def free_slot() -> Scene:
    body, bulkhead = Body(), Bulkhead(1)
    return Scene(lambda: bulkhead.acall(body), nobody, [bulkhead], suspensions=2, body=body)


def queue_for_a_slot(**settings: Any) -> Callable[[], Scene]:
    def scene() -> Scene:
        body, bulkhead = Body(), Bulkhead(1, queue=10, **settings)
        held = bulkhead.permit()
        held.__enter__()

        async def holder_then_next_in_line() -> None:
            await pause(1.0)
            held.__exit__(None, None, None)
            async with bulkhead.permit():
                await pause(1.0)

        return Scene(
            lambda: bulkhead.acall(body),
            holder_then_next_in_line,
            [bulkhead],
            suspensions=3,
            body=body,
        )

    return scene


def queue_in_a_block() -> Scene:
    body, bulkhead = Body(), Bulkhead(1, queue=10)
    held = bulkhead.permit()
    held.__enter__()

    async def holder() -> None:
        await pause(1.0)
        held.__exit__(None, None, None)

    async def call() -> str:
        async with bulkhead.permit():
            return await body()

    return Scene(call, holder, [bulkhead], suspensions=3, body=body)


def timeout_in_time() -> Scene:
    body, timeout = Body(), Timeout(10.0)
    return Scene(lambda: timeout.acall(body), nobody, timeouts=[timeout], suspensions=2, body=body)


def timeout_that_passes() -> Scene:
    body, timeout = Body(seconds=2.0), Timeout(3.0)

    async def call() -> str:
        with pytest.raises(TimedOutError):
            await timeout.acall(body)
        return "done"

    return Scene(call, nobody, timeouts=[timeout], suspensions=2, body=body)


def deadline_block() -> Scene:
    body = Body()

    async def call() -> str:
        async with deadline(10.0):
            return await body()

    return Scene(call, nobody, suspensions=2, body=body)


def nested_deadlines() -> Scene:
    body, timeout = Body(seconds=2.0), Timeout(3.0)

    async def call() -> str:
        with pytest.raises(TimedOutError):
            async with deadline(3.0):
                await timeout.acall(body)
        return "done"

    return Scene(call, nobody, timeouts=[timeout], suspensions=2, body=body)


def retried() -> Scene:
    body = Body(failures=2)
    retry = Retry(ConnectionError, attempts=3, budget=RetryBudget(10.0))
    return Scene(lambda: retry.acall(body), nobody, suspensions=8, body=body)


def retried_in_blocks() -> Scene:
    body, retry = Body(failures=2), Retry(ConnectionError, attempts=3)

    async def call() -> str:
        answer = ""
        async for attempt in retry:
            with attempt:
                answer = await body()
        return answer

    return Scene(call, nobody, suspensions=8, body=body)


def fallback() -> Scene:
    body, instead = Body(failures=1), Body()
    policy = Fallback(on=ConnectionError, call=lambda _: instead())
    return Scene(lambda: policy.acall(body), nobody, suspensions=4, body=body)


def pipeline() -> Scene:
    body = Body(failures=2)
    breaker, bulkhead = CircuitBreaker("db"), Bulkhead(1, queue=5)
    total, each = Timeout(60.0), Timeout(5.0)
    orders = Pipeline(
        total, Retry(ConnectionError, attempts=3), breaker, bulkhead, each, name="orders"
    )
    held = bulkhead.permit()
    held.__enter__()

    async def holder() -> None:
        await pause(1.0)
        held.__exit__(None, None, None)

    return Scene(lambda: orders.acall(body), holder, [bulkhead], [breaker], [total, each], 9, body)


def pipeline_with_a_hang() -> Scene:
    body, breaker, bulkhead = Body(seconds=4.0), CircuitBreaker("db"), Bulkhead(1)
    total, each = Timeout(60.0), Timeout(5.0)
    orders = Pipeline(total, Retry(TimedOutError, attempts=2), breaker, bulkhead, each)

    async def call() -> str:
        with pytest.raises(TimedOutError):
            await orders.acall(body)
        return "done"

    return Scene(call, nobody, [bulkhead], [breaker], [total, each], 5, body)


def recovering() -> CircuitBreaker:
    """Return a breaker whose next call is a probe, also on a clock that starts at 0."""
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), recovery_time=1e-9)
    breaker._gate.machine.record(breaker._gate.machine.era, 1, 0.0, -100.0)
    return breaker


SCENES: dict[str, Callable[[], Scene]] = {
    "closed breaker": closed_breaker,
    "probe": probe,
    "probe in a block": probe_in_a_block,
    "free slot": free_slot,
    "queue for a slot": queue_for_a_slot(),
    "queue for a slot with patience": queue_for_a_slot(max_wait=30.0),
    "queue in a block": queue_in_a_block,
    "timeout in time": timeout_in_time,
    "timeout that passes": timeout_that_passes,
    "deadline": deadline_block,
    "nested deadlines": nested_deadlines,
    "retry": retried,
    "retry in blocks": retried_in_blocks,
    "fallback": fallback,
    "pipeline": pipeline,
    "pipeline with a hang": pipeline_with_a_hang,
}
KINDS: dict[str, type[BaseException]] = {"asyncio": CancelledError, "trio": trio.Cancelled}


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("backend", DRIVERS)
@pytest.mark.parametrize("scenery", SCENES)
def test_cancelled_at_any_suspension_a_call_loses_nothing_and_is_not_retried(
    scenery: str, backend: str, moment: Moment
) -> None:
    at, came_that_far = 0, True

    while came_that_far:
        at += 1
        scene = SCENES[scenery]()
        came_that_far = DRIVERS[backend](
            scene.observed, scene.company, at, moment, scene.cancelled_now
        )
        check_nothing_is_lost(scene)
        if came_that_far:
            check_it_was_cancelled(scene, KINDS[backend], moment)

    assert scene.ending.result == "done"
    assert at > scene.suspensions


def check_nothing_is_lost(scene: Scene) -> None:
    assert scene.body.running == 0
    assert scene.ending.left is None
    assert scene.ending.single is False
    for bulkhead in scene.bulkheads:
        gate, now = bulkhead._gate, bulkhead.snapshot()
        assert (now.running, now.waiting) == (0, 0)
        assert gate.slots._granted == set()
        assert not gate.mailbox.notes
        with bulkhead.permit():  # Every slot is there, and no more than that.
            assert not gate.slots.enter()
    for breaker in scene.breakers:
        assert breaker.snapshot().probes == 0
        assert not breaker._gate.mailbox.notes
    for timeout in scene.timeouts:
        watched = getattr(timeout._alarms.here, "_running", ())  # Trio keeps its own.
        assert len(watched) == 0


def check_it_was_cancelled(scene: Scene, kind: type[BaseException], moment: Moment) -> None:
    ending = scene.ending
    if ending.error is None:
        # Trio cancels at checkpoints only: what woke for the last time before it was cancelled goes on to its end.
        assert (kind, moment) == (trio.Cancelled, Moment.AS_IT_WAKES)
        assert ending.result == "done"
        return
    assert type(ending.error) is kind
    assert ending.error.__cause__ is None
    # Of the slot or pause it woke with, a trio task may make use until its next checkpoint, and no longer.
    late = (kind, moment) == (trio.Cancelled, Moment.AS_IT_WAKES)
    assert scene.body.starts - ending.starts_when_cancelled in ({0, 1} if late else {0})
    for breaker in scene.breakers:
        assert breaker.state is ending.state_when_cancelled
        assert breaker.snapshot().failures == ending.failures_when_cancelled
