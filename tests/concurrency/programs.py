"""Programs that test_processes runs in processes of their own: what goes wrong in them would hang or kill a test.

Each is a function that prints what came of it. Under the lock means: by the thread that holds the lock of a
policy, in the moment in which it has got it.
"""

# ruff: noqa: T201 - what a program prints is what its test reads

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from types import coroutine
from typing import Any

import anyio
import anyio.lowlevel

from uat_resilience import (
    AIMD,
    AdaptiveLimiter,
    Bulkhead,
    CircuitBreaker,
    ConsecutiveFailures,
    LoadShedder,
    SlotQueued,
    TimedOutError,
    Timeout,
    default_bus,
)
from uat_resilience.policies.mailbox import Mailbox

# Built at import, where no event loop runs.
BREAKER = CircuitBreaker("db", trip=ConsecutiveFailures(3))
BULKHEAD = Bulkhead(2, queue=8)


class EventfulLock:
    """A lock under which something happens, once, as soon as it is held."""

    def __init__(self, happening: Callable[[], object]) -> None:
        self._lock = threading.Lock()
        self._happening: Callable[[], object] | None = happening

    def acquire(self, blocking: bool = True) -> bool:  # noqa: FBT001, FBT002 - as a lock's
        taken = self._lock.acquire(blocking)
        happening = self._happening
        if taken and happening is not None:
            self._happening = None
            happening()
        return taken

    def release(self) -> None:
        self._lock.release()

    def locked(self) -> bool:
        return self._lock.locked()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


def under_the_lock_of(mailbox: Mailbox[Any, Any], happening: Callable[[], object]) -> None:
    lock: Any = EventfulLock(happening)
    mailbox.lock = lock


@coroutine
def suspended() -> Generator[None, None, None]:
    """Suspend, without an event loop to wake anybody."""
    yield


def abandon(call: Callable[[Callable[[], Coroutine[Any, Any, None]]], Any]) -> None:
    """Make a call, suspend in its body, and drop it so that only the garbage collector finds it."""

    async def body() -> None:
        await suspended()

    made = call(body)
    made.send(None)
    ring: list[Any] = [made]
    ring.append(ring)


def slot_finalised(policy: Any) -> None:
    """The garbage collector ends a call that holds the only slot, while another thread waits for it."""
    gc.disable()
    waiting = threading.Event()
    default_bus.subscribe(lambda _: waiting.set(), SlotQueued)
    abandon(policy.acall)
    thread = threading.Thread(target=policy.call, args=(print, "served"))
    thread.start()
    waiting.wait()
    under_the_lock_of(policy._gate.mailbox, gc.collect)

    policy.snapshot()
    thread.join()

    print("in use" if policy.in_use else "free")


def probe_finalised() -> None:
    """The garbage collector ends a probe while its breaker counts the outcome of a call."""
    gc.disable()
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), recovery_time=1e-9, probe_lease=60)
    late = breaker.permit()
    late.__enter__()
    with breaker.permit() as permit:
        permit.failure()
    abandon(breaker.acall)
    print(breaker.snapshot().probes)
    under_the_lock_of(breaker._gate.mailbox, gc.collect)

    late.failure()
    late.__exit__(None, None, None)

    print(breaker.snapshot().probes)


def failure_signalled() -> None:
    """A handler makes a call that fails, while the breaker counts the failure of another."""

    def fail(*_: object) -> None:
        with suppress(ValueError):
            BREAKER.call(int, "no number")

    signal.signal(signal.SIGUSR1, fail)
    under_the_lock_of(BREAKER._gate.mailbox, lambda: signal.raise_signal(signal.SIGUSR1))

    fail()

    print(BREAKER.snapshot().failures)


def slot_signalled() -> None:
    """A handler takes a slot and gives it back, while the bulkhead looks after its queue."""
    signal.signal(signal.SIGUSR1, lambda *_: BULKHEAD.call(print, "called"))
    under_the_lock_of(BULKHEAD._gate.mailbox, lambda: signal.raise_signal(signal.SIGUSR1))

    print(BULKHEAD.snapshot().running)
    print(BULKHEAD.snapshot().running)


def forked() -> None:
    """A child is forked while another thread holds the locks and has calls inside."""
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with (
            BULKHEAD.permit(),
            BREAKER.permit(),
            BULKHEAD._gate.mailbox.lock,
            BREAKER._gate.mailbox.lock,
        ):
            held.set()
            free.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()

    child = os.fork()
    if child == 0:
        signal.alarm(10)  # A child that hangs must not outlive its test.
        now = BULKHEAD.snapshot()
        print("child", now.running, now.waiting, BREAKER(BULKHEAD(int))("7"), flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    free.set()
    thread.join()
    print("parent", BULKHEAD.snapshot().running, os.waitstatus_to_exitcode(status))


def probe_forked() -> None:
    """A child is forked while the only probe is under way in the parent."""
    breaker = CircuitBreaker("db", trip=ConsecutiveFailures(1), recovery_time=1e-9, probe_lease=60)
    with breaker.permit() as permit:
        permit.failure()
    probe = breaker.permit()
    probe.__enter__()

    child = os.fork()
    if child == 0:
        signal.alarm(10)  # A child that hangs must not outlive its test.
        print("child", breaker.snapshot().probes, breaker.call(int, "7"), flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print("parent", breaker.snapshot().probes, os.waitstatus_to_exitcode(status))


def left_behind() -> None:
    """The program ends while a worker thread still runs a body that never will."""
    began, never = threading.Event(), threading.Event()

    def body() -> None:
        began.set()
        never.wait()

    bulkhead = Bulkhead(2)
    try:
        Timeout(0.01, thread=bulkhead).call(body)
    except TimedOutError:
        began.wait()
        print("left", bulkhead.snapshot().running)


def two_loops() -> None:
    """What was built at import guards calls on one event loop after another, with a queue in each."""

    async def crowd() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(BREAKER(BULKHEAD(anyio.lowlevel.checkpoint)))

    queued: list[SlotQueued] = []
    default_bus.subscribe(queued.append, SlotQueued)
    for backend in ("asyncio", "asyncio", "trio"):
        anyio.run(crowd, backend=backend)
        print(len(queued), BULKHEAD.snapshot().running)


PROGRAMS: dict[str, Callable[[], None]] = {
    "bulkhead": lambda: slot_finalised(Bulkhead(1, queue=1)),
    "adaptive limiter": lambda: slot_finalised(
        AdaptiveLimiter(AIMD(initial=1, maximum=1), queue=1)
    ),
    "load shedder": lambda: slot_finalised(LoadShedder(1, queue=1)),
    "probe finalised": probe_finalised,
    "failure signalled": failure_signalled,
    "slot signalled": slot_signalled,
    "forked": forked,
    "probe forked": probe_forked,
    "left behind": left_behind,
    "two loops": two_loops,
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]]()
