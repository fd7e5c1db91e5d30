"""The three things that wait (a pause, a slot, a deadline), once for each world.

`threads` blocks a thread, `asyncio` and `trio` suspend a task. The modules offer the same names; `world()`
picks the one that runs the calling task. Each is imported on first use, so that a program pays only for
the world it lives in.
"""

import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager
from importlib import import_module
from types import TracebackType
from typing import Protocol, Self, cast

from uat_resilience.ambient import Deadline, DrainSignal, EnforcedDeadline, current_deadline
from uat_resilience.clock import Clock

__all__ = [
    "AsyncAlarm",
    "AsyncRace",
    "AsyncSingleAlarm",
    "AsyncWaiter",
    "AsyncWorld",
    "Waiter",
    "announce",
    "entered",
    "refuse_to_block",
    "running_task",
    "unenforced_deadline",
    "world",
]


class Waiter(Protocol):
    """Somebody in a queue."""

    def grant(self) -> bool:
        """Wake it, from any thread; False when its event loop is gone."""
        ...


class AsyncWaiter(Waiter, Protocol):
    """A task in a queue."""

    async def wait(self, clock: Clock, until: float | None) -> bool:
        """Suspend until granted (True), or until `until` (False)."""
        ...


class AsyncAlarm(Protocol):
    """Sets deadlines in one event loop, on one clock."""

    @property
    def clock(self) -> Clock:
        """The clock it goes by."""
        ...

    def enter(self, until: float, policy: str, after: float) -> EnforcedDeadline | None:
        """Cut the running task at `until`; None when this alarm's loop is not the one that runs here."""
        ...


class AsyncSingleAlarm(Protocol):
    """Watches over the one deadline for which it is made."""

    def enter(self, until: float, policy: str, after: float) -> EnforcedDeadline:
        """Watch over the running task until `until`."""
        ...


class AsyncRace(Protocol):
    """Several copies of one call: the first runs in the caller's own task, the others in tasks beside it.

    Leaving it waits until all of them have ended; leaving it by an exception cancels them first.
    """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> object: ...

    async def inline(self, copy: Callable[[], Awaitable[None]]) -> None:
        """Run a copy in the caller's task; returns early when `stop` cancels it."""
        ...

    def spawn(self, copy: Callable[[], Coroutine[object, object, None]]) -> None:
        """Start a copy in a task of its own."""
        ...

    def later(
        self, clock: Clock, seconds: float, fire: Callable[[], object]
    ) -> Callable[[], object]:
        """Call `fire` after `seconds`, in the event loop; return what calls that off."""
        ...

    def stop(self) -> None:
        """Cancel every copy that still runs, but for the one that says so."""
        ...


class AsyncWorld(Protocol):
    """What `waiting.asyncio` and `waiting.trio` offer."""

    def running_task(self) -> object:
        """Return the task that runs this code, or None."""
        ...

    def waiter(self) -> AsyncWaiter:
        """Return a waiter for the running task."""
        ...

    async def pause(self, clock: Clock, seconds: float, drain: DrainSignal | None) -> bool:
        """Suspend for `seconds`; False when the drain signal cut it short."""
        ...

    def race(self) -> AsyncRace:
        """Return a race for the running task."""
        ...

    def alarm(self, clock: Clock) -> AsyncAlarm:
        """Return an alarm for the running loop, for deadlines that fall due in the order they are set."""
        ...

    def single_alarm(self, clock: Clock) -> AsyncSingleAlarm:
        """Return an alarm for one deadline of the running task."""
        ...


_entered: list[
    AsyncWorld
] = []  # Those that have been used, so that finding the running one is cheap.


def running_task() -> object:
    """Return the task that runs this code, or None when its world has not been entered yet."""
    for known in _entered:
        task = known.running_task()
        if task is not None:
            return task
    return None


def world() -> AsyncWorld:
    """Return the waiting module of the event loop that runs this task.

    Raises:
        RuntimeError: Neither an asyncio nor a trio task runs here.
    """
    for known in _entered:
        if known.running_task() is not None:
            return known
    for name in ("asyncio", "trio"):
        if name in sys.modules:
            module = cast("AsyncWorld", import_module(f"uat_resilience.waiting.{name}"))
            if module.running_task() is not None:
                _entered.append(module)
                return module
    raise RuntimeError(
        "no asyncio or trio task runs here: await this inside asyncio.run(...) or trio.run(...)"
    )


@contextmanager
def entered(another: AsyncWorld) -> Generator[None]:
    """Ask another world first, inside the block: a simulation is one, and may run inside an asyncio task."""
    _entered.insert(0, another)
    try:
        yield
    finally:
        _entered.remove(another)


def unenforced_deadline(here: AsyncWorld) -> Deadline | None:
    """Return the deadline around this task when nothing cuts the task at it."""
    deadline = current_deadline.get()
    if deadline is None or (deadline.task is not None and deadline.task is here.running_task()):
        return None
    return deadline


def refuse_to_block(policy: str, instead: str) -> None:
    """Raise when this thread runs an event loop, which a blocking wait would stop.

    Called only when there is something to wait for: the usual call pays nothing for it.

    Raises:
        RuntimeError: Names the async spelling, `instead`.
    """
    if not _runs_event_loop():
        return
    raise RuntimeError(
        f"{policy} would block the event loop that runs in this thread: {instead}, "
        "or move the sync call to a thread (asyncio.to_thread)"
    )


def announce(clock: Clock, seconds: float) -> None:
    """Tell a clock that wants to know that a pause is about to begin (test clocks record it)."""
    pausing: Callable[[float], object] | None = getattr(clock, "pausing", None)
    if pausing is not None:
        pausing(seconds)


def _runs_event_loop() -> bool:
    asyncio, trio = sys.modules.get("asyncio"), sys.modules.get("trio")
    if asyncio is not None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass  # No asyncio loop; trio may still run one.
        else:
            return True
    return trio is not None and bool(trio.lowlevel.in_trio_run())
