"""The wait for a slot, in threads and tasks alike: what the gates of bulkheads, limiters and shedders share.

A gate keeps its slots its own way; how somebody queues for one is always the same. Whoever waits does so no longer
than it may, and no longer than its deadline. A waiter that is gone when its slot comes (cancelled, timed out, its
event loop closed) hands it on.
"""

from abc import ABC, abstractmethod

from uat_resilience._core.deadline import tightest
from uat_resilience._core.priority_slots import Priority
from uat_resilience.ambient import current_deadline
from uat_resilience.clock import Clock
from uat_resilience.errors import TimedOutError
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import SlotQueued
from uat_resilience.waiting import Waiter, refuse_to_block, unenforced_deadline, world
from uat_resilience.waiting.threads import ThreadWaiter

__all__ = ["QueueGate"]


class QueueGate(ABC):
    """Wait for slots in a queue.

    Args:
        queue: Places in the queue.
        max_wait: Seconds a place in the queue is held at most, or None for no limit. A wait goes by what it was
            when it began.
        bus: Where waiting is told.
    """

    __slots__ = ("_bus", "max_wait", "queue")

    def __init__(self, *, queue: int, max_wait: float | None, bus: EventBus) -> None:
        self.queue = queue
        self.max_wait = max_wait
        self._bus = bus

    def wait(self, name: str, clock: Clock, priority: Priority = Priority.NORMAL) -> bool:
        """Queue for a slot in a thread; False when there is no place, or the wait ended without one.

        Raises:
            RuntimeError: This thread runs an event loop, which waiting would stop.
        """
        if not self.queue:
            return False
        refuse_to_block(name, "guard an async function, use acall() or `async with`")
        deadline = current_deadline.get()
        patience = tightest(self.max_wait, None if deadline is None else deadline.remaining())
        waiter = ThreadWaiter()
        try:
            settled = self._join(waiter, name, clock, priority)
            if settled is not None:
                return settled
            waiter.wait(clock, None if patience is None else clock.now() + patience)
        except BaseException:
            self._abandon(waiter)
            raise
        return self._claim(waiter)

    async def await_slot(
        self, name: str, clock: Clock, priority: Priority = Priority.NORMAL
    ) -> bool:
        """Queue for a slot in a task; False when there is no place, or the wait ended without one.

        A cancelled wait gives its place, or the slot it was just granted, to the next in line.

        Raises:
            TimedOutError: The deadline around this task has passed.
        """
        if not self.queue:
            return False
        here = world()
        patience, limit = self.max_wait, unenforced_deadline(here)
        if limit is not None:
            patience = tightest(patience, limit.remaining())
        waiter = here.waiter()
        try:
            settled = self._join(waiter, name, clock, priority)
            if settled is not None:
                return settled
            await waiter.wait(clock, None if patience is None else clock.now() + patience)
        except BaseException:
            self._abandon(waiter)
            raise
        if self._claim(waiter):
            return True
        if limit is not None and limit.remaining() <= 0:
            raise TimedOutError(limit.policy, after=limit.after)
        return False

    @abstractmethod
    def _join(self, waiter: Waiter, name: str, clock: Clock, priority: Priority) -> bool | None:
        """Take a slot (True), or a place in the queue (None); False when there is neither."""

    @abstractmethod
    def _claim(self, waiter: Waiter) -> bool:
        """End a wait: True with the slot that was granted, False and out of the queue without one."""

    @abstractmethod
    def _abandon(self, waiter: Waiter) -> None:
        """End the wait of somebody who is gone, and hand on what it was granted. Never blocks."""

    def _tell_queued(self, name: str, clock: Clock, waiting: int) -> None:
        if self._bus.wants(SlotQueued):
            self._bus.emit(SlotQueued(name, clock.now(), waiting))
