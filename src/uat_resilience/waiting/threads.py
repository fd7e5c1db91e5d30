"""Waiting by blocking a thread. Every wait goes through the clock, so a fake one moves it."""

from threading import Event

from uat_resilience.ambient import DrainSignal
from uat_resilience.clock import Clock
from uat_resilience.switches import switches
from uat_resilience.waiting import announce, refuse_to_block

__all__ = ["ThreadWaiter", "pause"]


class ThreadWaiter:
    """A thread in a queue."""

    __slots__ = ("_event", "_granted")

    def __init__(self) -> None:
        self._event = Event()
        self._granted = False

    def grant(self) -> bool:
        """Wake the thread; threads are never gone."""
        self._granted = True
        self._event.set()
        return True

    def wait(self, clock: Clock, until: float | None) -> bool:
        """Block until granted (True), or until `until` (False)."""
        clock.wait(self._event, until)
        return self._granted


def pause(clock: Clock, seconds: float, drain: DrainSignal | None, *, policy: str) -> bool:
    """Block for `seconds`; False when the drain signal cut it short.

    Raises:
        RuntimeError: This thread runs an event loop.
    """
    if drain is not None and drain.is_set:
        return False
    if seconds <= 0 or not switches.pausing:
        return True
    refuse_to_block(policy, "guard an async function, use acall() or `async for`")
    until = clock.now() + seconds
    announce(clock, seconds)
    event = Event()
    if drain is None:
        clock.wait(event, until)
        return True
    unsubscribe = drain.subscribe(event.set)
    try:
        clock.wait(event, until)
    finally:
        unsubscribe()
    return not drain.is_set
