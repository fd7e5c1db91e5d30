"""The gate of a bulkhead: a free slot is taken and given back without a lock; only the queue needs one.

Giving back never waits (see `mailbox`).
"""

from uat_resilience._core.priority_slots import Priority
from uat_resilience._core.slots import SlotMachine
from uat_resilience.clock import Clock
from uat_resilience.policies.mailbox import Mailbox
from uat_resilience.policies.queue_gate import QueueGate
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.waiting import Waiter

__all__ = ["SlotGate"]


class SlotGate(QueueGate):
    """Hand out slots to threads and tasks alike, first come, first served.

    Args:
        slots: The decisions.
        queue: Places in the queue.
        max_wait: Seconds a place in the queue is held at most, or None for no limit.
        bus: Where waiting is told.
    """

    __slots__ = ("mailbox", "slots")

    def __init__(
        self, slots: SlotMachine[Waiter], *, queue: int, max_wait: float | None, bus: EventBus
    ) -> None:
        super().__init__(queue=queue, max_wait=max_wait, bus=bus)
        self.slots = slots
        self.mailbox: Mailbox[Waiter | None, Waiter] = Mailbox(self._apply, self._wake)

    def leave(self) -> None:
        """Give a slot back, and wake whoever is next. Never blocks."""
        if self.slots.put_back():
            self.mailbox.post(None)

    def renew(self) -> None:
        """In a forked child: a free lock, and nobody inside."""
        self.mailbox.renew()
        self.slots.clear()

    def _join(
        self,
        waiter: Waiter,
        name: str,
        clock: Clock,
        priority: Priority,  # noqa: ARG002 - all are equal here
    ) -> bool | None:
        with self.mailbox.lock:
            entered = self.slots.enter()
            queued = not entered and self.slots.queue(waiter)
            waiting = self.slots.waiting
            heir = self.slots.heir()
        if heir is not None:
            self._wake(heir)
        self.mailbox.sweep()
        if not queued:
            return entered
        self._tell_queued(name, clock, waiting)
        return None

    def _claim(self, waiter: Waiter) -> bool:
        with self.mailbox.lock:
            granted = self.slots.claim(waiter)
        self.mailbox.sweep()
        return granted

    def _abandon(self, waiter: Waiter) -> None:
        self.mailbox.post(waiter)

    def _apply(self, gone: Waiter | None) -> Waiter | None:
        return self.slots.heir() if gone is None else self.slots.abandon(gone)

    def _wake(self, waiter: Waiter) -> None:
        if not waiter.grant():
            self._abandon(waiter)
