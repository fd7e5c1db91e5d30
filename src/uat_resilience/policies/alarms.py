"""The alarm of the event loop that a thread ran last: one timer for all calls of one timeout."""

import threading

from uat_resilience.ambient import EnforcedDeadline
from uat_resilience.clock import Clock
from uat_resilience.waiting import AsyncAlarm, world

__all__ = ["Alarms"]


class Alarms(threading.local):
    """Keep an alarm for each thread.

    Attributes:
        here: That of this thread, whose event loop may be over.
    """

    here: AsyncAlarm | None = None

    def enter(self, clock: Clock, seconds: float, name: str) -> EnforcedDeadline | None:
        """Cut the running task in so many seconds."""
        until = clock.now() + seconds
        alarm = self.here
        if alarm is not None and alarm.clock is clock:
            scope = alarm.enter(until, name, seconds)
            if scope is not None:
                return scope
        self.here = alarm = world().alarm(clock)
        return alarm.enter(until, name, seconds)
