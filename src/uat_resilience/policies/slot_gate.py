"""The gate of a bulkhead: its slots, one short lock for the queue, and the wait for a slot in every world.

A free slot is taken and given back without the lock; only the queue needs it. Giving back never waits (see
`mailbox`). A waiter that is gone when its slot comes (cancelled, timed out, its event loop closed) hands it on.
"""

from uat_resilience._core.deadline import tightest
from uat_resilience._core.slots import SlotMachine
from uat_resilience.ambient import current_deadline
from uat_resilience.clock import Clock
from uat_resilience.errors import TimedOutError
from uat_resilience.policies.mailbox import Mailbox
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import SlotQueued
from uat_resilience.waiting import Waiter, refuse_to_block, unenforced_deadline, world
from uat_resilience.waiting.threads import ThreadWaiter

__all__ = ["SlotGate"]


class SlotGate:
    """Hand out slots to threads and tasks alike, first come, first served.

    Args:
        slots: The decisions.
        queue: Places in the queue.
        max_wait: Seconds a place in the queue is held at most, or None for no limit.
        bus: Where waiting is told.
    """

    __slots__ = ("_bus", "_max_wait", "_queue_limit", "mailbox", "slots")

    def __init__(
        self, slots: SlotMachine[Waiter], *, queue: int, max_wait: float | None, bus: EventBus
    ) -> None:
        self.slots = slots
        self.mailbox: Mailbox[Waiter | None, Waiter] = Mailbox(self._apply, self._wake)
        self._queue_limit = queue
        self._max_wait = max_wait
        self._bus = bus

    def leave(self) -> None:
        """Give a slot back, and wake whoever is next. Never blocks."""
        if self.slots.put_back():
            self.mailbox.post(None)

    def wait(self, name: str, clock: Clock) -> bool:
        """Queue for a slot in a thread; False when the queue is full, the wait is over, or the deadline past.

        Raises:
            RuntimeError: This thread runs an event loop, which waiting would stop.
        """
        if not self._queue_limit:
            return False
        refuse_to_block(name, "guard an async function, use acall() or `async with`")
        deadline = current_deadline.get()
        patience = tightest(self._max_wait, None if deadline is None else deadline.remaining())
        waiter = ThreadWaiter()
        settled = self._join(waiter, name, clock)
        if settled is not None:
            return settled
        try:
            waiter.wait(clock, None if patience is None else clock.now() + patience)
        except BaseException:
            self.mailbox.post(waiter)
            raise
        return self._claim(waiter)

    async def await_slot(self, name: str, clock: Clock) -> bool:
        """Queue for a slot in a task; False when the queue is full or the wait is over.

        A cancelled wait gives its place, or the slot it was just granted, to the next in line.

        Raises:
            TimedOutError: The deadline around this task has passed.
        """
        if not self._queue_limit:
            return False
        here = world()
        patience, limit = self._max_wait, unenforced_deadline(here)
        if limit is not None:
            patience = tightest(patience, limit.remaining())
        waiter = here.waiter()
        settled = self._join(waiter, name, clock)
        if settled is not None:
            return settled
        try:
            await waiter.wait(clock, None if patience is None else clock.now() + patience)
        except BaseException:
            self.mailbox.post(waiter)
            raise
        if self._claim(waiter):
            return True
        if limit is not None and limit.remaining() <= 0:
            raise TimedOutError(limit.policy, after=limit.after)
        return False

    def renew(self) -> None:
        """In a forked child: a free lock, and nobody inside."""
        self.mailbox.renew()
        self.slots.clear()

    def _join(self, waiter: Waiter, name: str, clock: Clock) -> bool | None:
        """Take a slot (True), or a place in the queue (None); False when there is neither."""
        with self.mailbox.lock:
            entered = self.slots.enter()
            queued = not entered and self.slots.queue(waiter)
            waiting = self.slots.waiting
            heir = self.slots.heir()
        if heir is not None:
            self._wake(heir)
        self.mailbox.sweep()
        if queued and self._bus.wants(SlotQueued):
            self._bus.emit(SlotQueued(name, clock.now(), waiting))
        return None if queued else entered

    def _claim(self, waiter: Waiter) -> bool:
        with self.mailbox.lock:
            granted = self.slots.claim(waiter)
        self.mailbox.sweep()
        return granted

    def _apply(self, gone: Waiter | None) -> Waiter | None:
        return self.slots.heir() if gone is None else self.slots.abandon(gone)

    def _wake(self, waiter: Waiter) -> None:
        if not waiter.grant():
            self.mailbox.post(waiter)
