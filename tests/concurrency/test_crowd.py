"""Eight threads and two event loops, all at once, on one breaker and one bulkhead."""

import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from tests.concurrency.holding_up import held_up_at_random

from uat_resilience import (
    BreakerState,
    Bulkhead,
    BulkheadFullError,
    CircuitBreaker,
    CircuitOpenError,
    ConsecutiveFailures,
    CountWindow,
    FailureRate,
)
from uat_resilience.testing import FakeClock

THREADS = 8
TASKS = 25
CALLS_OF_A_THREAD = 80
CALLS_OF_A_TASK = 6
CALLS = THREADS * CALLS_OF_A_THREAD + 2 * TASKS * CALLS_OF_A_TASK
SIZE = 4


class Dependency:
    """Every third call fails; counts how the calls end, and how many are inside at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self.most = 0
        self.ends: Counter[str] = Counter()

    def sync(self, n: int) -> None:
        self._enter()
        try:
            self._answer(n)
        finally:
            self._leave()

    async def tasks(self, n: int) -> None:
        self._enter()
        try:
            await anyio.lowlevel.checkpoint()
            self._answer(n)
        finally:
            self._leave()

    def count(self, end: str) -> None:
        with self._lock:
            self.ends[end] += 1

    def _answer(self, n: int) -> None:
        if n % 3 == 0:
            self.count("failed")
            raise ConnectionError
        self.count("succeeded")

    def _enter(self) -> None:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)

    def _leave(self) -> None:
        with self._lock:
            self._inside -= 1


@pytest.mark.parametrize("queue", [0, CALLS], ids=["no queue", "queue"])
def test_all_calls_are_counted_once_and_no_more_than_the_cap_run(queue: int) -> None:
    breaker = CircuitBreaker(
        "db", trip=FailureRate(1.0, window=CountWindow(CALLS), minimum_calls=CALLS)
    )
    bulkhead, dependency = Bulkhead(SIZE, queue=queue), Dependency()
    sync, tasks = breaker(bulkhead(dependency.sync)), breaker(bulkhead(dependency.tasks))

    def calls() -> None:
        for n in range(CALLS_OF_A_THREAD):
            try:
                sync(n)
            except ConnectionError:
                pass
            except BulkheadFullError:
                dependency.count("refused")

    async def task() -> None:
        for n in range(CALLS_OF_A_TASK):
            try:
                await tasks(n)
            except ConnectionError:
                pass
            except BulkheadFullError:
                dependency.count("refused")

    crowd(calls, task)

    ends, seen = dependency.ends, breaker.snapshot()
    assert ends.total() == CALLS
    assert (seen.calls, seen.failures) == (ends["failed"] + ends["succeeded"], ends["failed"])
    assert (ends["refused"] > 0) is (queue == 0)
    assert 1 < dependency.most <= SIZE  # All of it is in use only where there are cores for it.
    assert not bulkhead.in_use


def test_tasks_that_are_cancelled_in_a_crowd_take_nothing_along() -> None:
    breaker = CircuitBreaker(
        "db", trip=FailureRate(1.0, window=CountWindow(CALLS), minimum_calls=CALLS)
    )
    bulkhead, dependency = Bulkhead(SIZE, queue=CALLS), Dependency()
    sync, tasks = breaker(bulkhead(dependency.sync)), breaker(bulkhead(dependency.tasks))

    def calls() -> None:
        for n in range(1, CALLS_OF_A_THREAD):
            sync(3 * n + 1)

    async def task() -> None:
        for turns in range(CALLS_OF_A_TASK):
            async with anyio.create_task_group() as group:
                group.start_soon(tasks, 1)
                for _ in range(turns % 5):
                    await anyio.lowlevel.checkpoint()
                group.cancel_scope.cancel()

    crowd(calls, task)

    assert breaker.snapshot().calls == dependency.ends["succeeded"]
    assert breaker.snapshot().failures == 0
    assert dependency.most <= SIZE
    assert (bulkhead.snapshot().running, bulkhead.snapshot().waiting) == (0, 0)
    with bulkhead.permit(), bulkhead.permit(), bulkhead.permit(), bulkhead.permit():
        assert bulkhead.snapshot().running == SIZE


def test_of_a_crowd_at_a_half_open_breaker_exactly_the_allowed_number_get_in() -> None:
    clock = FakeClock()
    breaker = CircuitBreaker(
        "db", trip=ConsecutiveFailures(1), recovery_time=5.0, probes=3, close_after=3, clock=clock
    )
    with breaker.permit() as permit:
        permit.failure()
    clock.advance(5.0)
    inside: list[Any] = []
    refused: list[CircuitOpenError] = []

    def ask() -> None:
        probe = breaker.permit()
        try:
            inside.append(probe.__enter__())
        except CircuitOpenError as error:
            refused.append(error)

    async def task() -> None:
        await anyio.lowlevel.checkpoint()
        ask()

    crowd(ask, task)

    assert (len(inside), len(refused)) == (3, THREADS + 2 * TASKS - 3)
    assert all(error.retry_after == 5.0 for error in refused)
    for probe in inside:
        probe.__exit__(None, None, None)
    assert breaker.state is BreakerState.CLOSED


def crowd(calls: Callable[[], None], task: Callable[[], Awaitable[None]]) -> None:
    """Run `calls` in eight threads, and `task` many times in each of two event loops, all beginning together."""
    beginning = threading.Barrier(THREADS + 2)
    errors: list[BaseException] = []

    def begin(run: Callable[[], None]) -> None:
        beginning.wait(timeout=10)
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - raised again by the test
            errors.append(error)

    async def tasks() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(TASKS):
                group.start_soon(task)

    runs: list[Callable[[], None]] = [calls] * THREADS
    runs += [lambda: anyio.run(tasks), lambda: anyio.run(tasks, backend="trio")]
    threads = [threading.Thread(target=begin, args=(run,), daemon=True) for run in runs]
    with held_up_at_random(0.004):
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert errors == []
    assert [thread for thread in threads if thread.is_alive()] == []
