"""Waiting by suspending an asyncio task.

Deadlines
---------
An `Alarm` serves all running calls of one `Timeout` on one event loop. Their deadlines fall due in the order
the calls began, so one timer on the first of them is enough: a call that ends in time touches no timer.
When the alarm rings it cancels the tasks whose time has come and is set again for the next.

Telling our cancellation from somebody else's follows `asyncio.timeout`: count the cancel requests on entry,
take ours back on the way out, and it was only ours when the count is what it was.
"""

import asyncio
from asyncio import AbstractEventLoop, CancelledError, Future, Task, current_task
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

from uat_resilience._core.deadline import DeadlineQueue
from uat_resilience.ambient import DrainSignal, EnforcedDeadline
from uat_resilience.clock import Clock
from uat_resilience.switches import switches
from uat_resilience.waiting import announce

__all__ = [
    "Alarm",
    "Race",
    "Scope",
    "SingleAlarm",
    "TaskWaiter",
    "alarm",
    "pause",
    "race",
    "running_task",
    "single_alarm",
    "waiter",
]

T = TypeVar("T")


def running_task() -> Task[object] | None:
    """Return the asyncio task that runs this code, or None."""
    try:
        return current_task()
    except RuntimeError:  # No asyncio loop runs in this thread.
        return None


class TaskWaiter:
    """A task in a queue."""

    __slots__ = ("_future", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: Future[bool] = self._loop.create_future()

    def grant(self) -> bool:
        """Wake the task, from any thread; False when its event loop is closed."""
        return _run_in(self._loop, lambda: _resolve(self._future, value=True))

    async def wait(self, clock: Clock, until: float | None) -> bool:
        """Suspend until granted (True), or until `until` (False)."""
        if until is None:
            return await self._future
        disarm = clock.arm(
            until, lambda: _run_in(self._loop, lambda: _resolve(self._future, value=False))
        )
        try:
            return await self._future
        finally:
            disarm()


waiter = TaskWaiter


async def pause(clock: Clock, seconds: float, drain: DrainSignal | None) -> bool:
    """Suspend for `seconds` (at least for one turn of the loop); False when the drain signal cut it short."""
    loop = asyncio.get_running_loop()
    over: Future[bool] = loop.create_future()

    def wake() -> None:
        _run_in(loop, lambda: _resolve(over, value=True))

    if drain is not None and drain.is_set:
        return False
    if seconds <= 0 or not switches.pausing:
        disarm: Callable[[], object] = loop.call_soon(wake).cancel
    else:
        until = clock.now() + seconds
        announce(clock, seconds)
        disarm = clock.arm(until, wake)
    unsubscribe = None if drain is None else drain.subscribe(wake)
    try:
        if over.done():  # A test's clock has moved already.
            await asyncio.sleep(0)  # noqa: TID251 - a turn of the loop, not a pause
        await over
    finally:
        disarm()
        if unsubscribe is not None:
            unsubscribe()
    return drain is None or not drain.is_set


class Scope(EnforcedDeadline):
    """A deadline that cuts one task. Made by an `Alarm`, left exactly once."""

    __slots__ = ("_asked_before", "_running")
    task: Task[object]

    def __init__(
        self, alarm: "Alarm", until: float, policy: str, after: float, task: Task[object]
    ) -> None:
        self.clock = alarm.clock
        self.until = until
        self.policy = policy
        self.after = after
        self.task = task
        self.fired = False
        self._running = alarm.running
        self._asked_before = task.cancelling()

    def cut(self) -> None:
        """Cancel the task, remembering that it was us."""
        self.fired = True
        self.task.cancel()

    def leave(self, error: BaseException | None) -> bool:
        """End the watch; True when `error` is our cancellation, and nobody else asked for one."""
        self._running.pop(self, None)
        if not self.fired:
            return False
        still_asked = self.task.uncancel()
        return isinstance(error, CancelledError) and still_asked <= self._asked_before


class Alarm:
    """One timer for the deadlines of many calls on one event loop and one clock.

    Used from its loop's thread only, but for `ring`, which a test's clock may call from anywhere.
    """

    __slots__ = ("_disarm", "_loop", "clock", "running")

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._loop = asyncio.get_running_loop()
        self.running: DeadlineQueue[Scope] = DeadlineQueue()
        self._disarm: Callable[[], object] | None = None

    def enter(self, until: float, policy: str, after: float) -> Scope | None:
        """Watch over the running task until `until`, which is no earlier than those watched already.

        Returns None when this alarm's loop is not the one that runs here.
        """
        task: Task[object] | None = current_task(self._loop)
        if task is None:
            return None
        scope = Scope(self, until, policy, after, task)
        self.running[scope] = None
        if self._disarm is None:
            self._disarm = self.clock.arm(until, self.ring)
        return scope

    def ring(self) -> None:
        """Cut the calls whose time has come, and set the timer for the next one."""
        if running_task() is not None or not _runs_here(self._loop):
            # A fake clock was moved from inside a task or from another thread. Cutting a task in the
            # middle of its own step would leave a cancellation behind in one that never suspends.
            with suppress(RuntimeError):  # The loop is closed: nobody is left to cut.
                self._loop.call_soon_threadsafe(self.ring)
            return
        self._disarm = None
        for scope in self.running.due(self.clock.now()):
            scope.cut()
        until = self.running.next_due()
        if until is not None:
            self._disarm = self.clock.arm(until, self.ring)


class SingleAlarm(Alarm):
    """An alarm for one call: its timer is taken off when the call is left."""

    __slots__ = ()

    def enter(self, until: float, policy: str, after: float) -> Scope | None:
        """Watch over the running task until `until`; None when this alarm's loop is not the one that runs here."""
        task: Task[object] | None = current_task(self._loop)
        if task is None:
            return None
        scope = LoneScope(self, until, policy, after, task)
        self.running[scope] = None
        self._disarm = self.clock.arm(until, self.ring)
        return scope

    def call_off(self) -> None:
        """Take the timer off, unless it has rung."""
        if self._disarm is not None:
            self._disarm()
            self._disarm = None


class LoneScope(Scope):
    """The only deadline of its alarm."""

    __slots__ = ("_alarm",)

    def __init__(
        self, alarm: SingleAlarm, until: float, policy: str, after: float, task: Task[object]
    ) -> None:
        super().__init__(alarm, until, policy, after, task)
        self._alarm = alarm

    def leave(self, error: BaseException | None) -> bool:
        """End the watch and its timer; True when `error` is our cancellation, and nobody else asked for one."""
        ours = super().leave(error)
        self._alarm.call_off()
        return ours


class Race:
    """Copies of one call, the first of them in the caller's own task: a call that needs no second one is cheap."""

    __slots__ = ("_asked_before", "_group", "_inline", "_loop", "_stopped", "_tasks")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._group = asyncio.TaskGroup()
        self._tasks: set[Task[None]] = set()
        self._inline: Task[object] | None = None
        self._asked_before = 0
        self._stopped = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._group.__aexit__(kind, error, trace)

    async def inline(self, copy: Callable[[], Awaitable[None]]) -> None:
        """Run a copy in the caller's task; returns early when `stop` cancels it."""
        self._inline = task = asyncio.current_task()
        assert task is not None, "awaited in a task"  # noqa: S101 - for the type checkers
        self._asked_before = task.cancelling()
        try:
            await copy()
        except CancelledError:
            if not self._stopped or task.uncancel() > self._asked_before:
                raise
        else:
            if self._stopped:
                task.uncancel()
        finally:
            self._inline = None

    def spawn(self, copy: Callable[[], Coroutine[object, object, None]]) -> None:
        """Start a copy in a task of its own."""
        task = self._group.create_task(copy())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def later(
        self, clock: Clock, seconds: float, fire: Callable[[], object]
    ) -> Callable[[], object]:
        """Call `fire` after `seconds`, in the event loop; return what calls that off."""
        return clock.arm(clock.now() + seconds, lambda: _run_in(self._loop, fire))

    def stop(self) -> None:
        """Cancel every copy that still runs, but for the one that says so."""
        here = running_task()
        for task in self._tasks:
            if task is not here:
                task.cancel()
        if self._inline is not None and self._inline is not here and not self._stopped:
            self._stopped = True
            self._inline.cancel()


race = Race
alarm = Alarm
single_alarm = SingleAlarm


def _resolve(future: "Future[T]", *, value: T) -> None:
    if not future.done():
        future.set_result(value)


def _runs_here(loop: AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _run_in(loop: AbstractEventLoop, action: Callable[[], object]) -> bool:
    """Run an action in a loop's own thread: now when we are in it, soon otherwise; False when it is closed."""
    if _runs_here(loop):
        action()
        return True
    try:
        loop.call_soon_threadsafe(action)
    except RuntimeError:
        return False
    return True
