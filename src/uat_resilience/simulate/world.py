"""Waiting inside a simulation: the third world, beside asyncio and trio.

The same three things wait here as there (a pause, a slot, a deadline), by the same rules: `waiting.asyncio` has
them with their reasons. All is single-threaded, so a wake-up from another thread is not provided for.
"""

from collections.abc import Generator
from contextlib import contextmanager
from threading import get_ident

from uat_resilience._core.deadline import DeadlineQueue
from uat_resilience.ambient import DrainSignal, EnforcedDeadline
from uat_resilience.clock import Clock, default_clock
from uat_resilience.simulate.kernel import TURN, Cut, Kernel, Task, running
from uat_resilience.simulate.race import Race
from uat_resilience.switches import switches
from uat_resilience.waiting import entered

__all__ = ["KernelWorld", "inhabited"]


@contextmanager
def inhabited(kernel: Kernel) -> Generator[None]:
    """Make the policies of this thread wait in the kernel, and go by its time, inside the block."""
    with entered(KernelWorld(kernel)), default_clock.replaced(kernel):
        yield


class KernelWorld:
    """What `waiting.asyncio` and `waiting.trio` offer, in a kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._thread = get_ident()

    def running_task(self) -> Task | None:
        """Return the task that runs this code, or None."""
        return self._kernel.current if get_ident() == self._thread else None

    def waiter(self) -> "KernelWaiter":
        """Return a waiter for the running task."""
        return KernelWaiter(self._kernel)

    async def pause(self, clock: Clock, seconds: float, drain: DrainSignal | None) -> bool:  # noqa: ARG002 - there is one clock
        """Suspend for `seconds` (at least for one turn); False when the drain signal cut it short."""
        if drain is not None and drain.is_set:
            return False
        kernel, task = self._kernel, running(self._kernel)
        if seconds <= 0 or not switches.pausing:
            kernel.soon(task)
            await TURN
            return True
        if drain is None:
            kernel.sleep(task, seconds)
            await TURN
            return True
        waiter = KernelWaiter(kernel)
        unsubscribe = drain.subscribe(waiter.grant)
        try:
            return not await waiter.wait(kernel, kernel.at + seconds)
        finally:
            unsubscribe()

    def race(self) -> Race:
        """Return a race for the running task."""
        return Race(self._kernel)

    def alarm(self, clock: Clock) -> "Alarm":  # noqa: ARG002 - there is one clock
        """Return an alarm for deadlines that fall due in the order they are set."""
        return Alarm(self._kernel)

    def single_alarm(self, clock: Clock) -> "SingleAlarm":  # noqa: ARG002 - there is one clock
        """Return an alarm for one deadline of the running task."""
        return SingleAlarm(self._kernel)


class KernelWaiter:
    """A task in a queue."""

    __slots__ = ("_granted", "_kernel", "_task")

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._task = running(kernel)
        self._granted = False

    def grant(self) -> bool:
        """Wake the task, in its turn."""
        self._granted = True
        self._kernel.wake(self._task, self)
        return True

    async def wait(self, clock: Clock, until: float | None) -> bool:  # noqa: ARG002 - there is one clock
        """Suspend until granted (True), or until `until` (False)."""
        self._task.blocked_on = self
        if until is not None:
            self._kernel.wake_at(until, self._task, self)
        await TURN
        return self._granted


class Scope(EnforcedDeadline):
    """A deadline that cuts one task. Made by an `Alarm`, left exactly once."""

    __slots__ = ("_running",)
    task: Task

    def __init__(self, alarm: "Alarm", until: float, policy: str, after: float, task: Task) -> None:
        self.clock = alarm.clock
        self.until = until
        self.policy = policy
        self.after = after
        self.task = task
        self.fired = False
        self._running = alarm.running

    def leave(self, error: BaseException | None) -> bool:
        """End the watch; True when `error` is our cut."""
        self._running.pop(self, None)
        return isinstance(error, Cut) and error.owner is self


class Alarm:
    """One timer for the deadlines of many calls."""

    __slots__ = ("_armed", "clock", "running")

    def __init__(self, kernel: Kernel) -> None:
        self.clock = kernel
        self.running: DeadlineQueue[Scope] = DeadlineQueue()
        self._armed = False

    def enter(self, until: float, policy: str, after: float) -> Scope | None:
        """Watch over the running task until `until`, which is no earlier than those watched already."""
        task = self.clock.current
        return None if task is None else self._watch(task, until, policy, after)

    def _watch(self, task: Task, until: float, policy: str, after: float) -> Scope:
        scope = Scope(self, until, policy, after, task)
        self.running[scope] = None
        if not self._armed:
            self._armed = True
            self.clock.at_time(until, Alarm._ring, self)
        return scope

    def _ring(self) -> None:
        """Cut the calls whose time has come, and set the timer for the next one."""
        self._armed = False
        for scope in self.running.due(self.clock.at):
            scope.fired = True
            self.clock.cut(scope.task, scope)
        until = self.running.next_due()
        if until is not None and not self._armed:
            self._armed = True
            self.clock.at_time(until, Alarm._ring, self)


class SingleAlarm(Alarm):
    """An alarm for one deadline of the running task."""

    __slots__ = ()

    def enter(self, until: float, policy: str, after: float) -> Scope:
        """Watch over the running task until `until`."""
        return self._watch(running(self.clock), until, policy, after)
