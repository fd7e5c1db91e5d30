"""The gate of a bulkhead: a free slot is taken and given back without a lock; only the queue needs one.

Giving back never waits (see `mailbox`).
"""

from uat_resilience._core.priority_slots import Priority
from uat_resilience._core.slots import SlotMachine
from uat_resilience.clock import Clock
from uat_resilience.policies.mailbox import Mailbox
from uat_resilience.policies.queue_gate import QueueGate
from uat_resilience.policies.unset import Unset, given
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.waiting import Waiter

__all__ = ["SlotGate", "Slots"]

Slots = SlotMachine[Waiter]


class SlotGate(QueueGate):
    """Hand out slots to threads and tasks alike, first come, first served.

    Args:
        slots: The decisions.
        queue: Places in the queue.
        max_wait: Seconds a place in the queue is held at most, or None for no limit.
        bus: Where waiting is told.
    """

    __slots__ = ("mailbox", "slots")

    def __init__(self, slots: Slots, *, queue: int, max_wait: float | None, bus: EventBus) -> None:
        super().__init__(queue=queue, max_wait=max_wait, bus=bus)
        self.slots: Slots = slots
        self.mailbox: Mailbox[Waiter | None, Waiter] = Mailbox(self._apply, self._wake)

    def leave(self, slots: Slots) -> None:
        """Give a slot back to where it was taken from, and wake whoever is next. Never blocks."""
        if slots.put_back():
            self.pass_on()

    def pass_on(self) -> None:
        """Wake whoever is next for a slot that was put back. Never blocks."""
        self.mailbox.post(None)

    def update(
        self, *, size: int | Unset, queue: int | Unset, max_wait: float | Unset | None
    ) -> None:
        """Go by other settings from now on. New slots go to those who wait."""
        with self.mailbox.lock:
            slots = self.slots
            self.queue = slots.queue_limit = given(queue, self.queue)
            self.max_wait = given(max_wait, self.max_wait)
            heirs = slots.resize(given(size, slots.size))
        for heir in heirs:
            self._wake(heir)
        self.mailbox.sweep()

    def renew(self) -> None:
        """In a forked child: a free lock, and nobody inside.

        Calls that began before give their slots back to where they took them from, which nobody uses any more.
        """
        self.mailbox.renew()
        self.slots = SlotMachine(self.slots.size, self.queue)

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
