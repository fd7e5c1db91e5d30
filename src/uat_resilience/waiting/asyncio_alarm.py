"""Deadlines of asyncio tasks.

An `Alarm` serves all running calls of one `Timeout` on one event loop. Their deadlines fall due in the order
the calls began, so one timer on the first of them is enough: a call that ends in time touches no timer.
When the alarm rings it cancels the tasks whose time has come and is set again for the next.

Telling our cancellation from somebody else's follows `asyncio.timeout`: count the cancel requests on entry,
take ours back on the way out, and it was only ours when the count is what it was.
"""

import asyncio
from asyncio import CancelledError, Task, current_task
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from uat_resilience._core.deadline import DeadlineQueue
from uat_resilience.ambient import EnforcedDeadline
from uat_resilience.clock import Clock
from uat_resilience.waiting.asyncio_loop import running_task, runs_here

__all__ = ["Alarm", "Scope", "SingleAlarm"]


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
        if running_task() is not None or not runs_here(self._loop):
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

    def enter(self, until: float, policy: str, after: float) -> Scope:
        """Watch over the running task until `until`."""
        # It is made where it is entered, so it belongs to the loop that runs here.
        task = cast("Task[object]", current_task(self._loop))
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
