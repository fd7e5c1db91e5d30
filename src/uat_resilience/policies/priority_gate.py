"""The gate of an adaptive limiter or a load shedder: slots whose number may change, and a queue by importance.

Everything happens under one short lock; ending a call or a wait never blocks (see `mailbox`). When the queue is
full, a more important newcomer takes the place of the least important waiter, which is woken and refused.
"""

from collections.abc import Callable

from uat_resilience._core.deadline import tightest
from uat_resilience._core.priority_slots import Priority, PrioritySlotMachine
from uat_resilience.ambient import current_deadline
from uat_resilience.clock import Clock
from uat_resilience.errors import TimedOutError
from uat_resilience.policies.mailbox import Mailbox
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import SlotQueued
from uat_resilience.waiting import Waiter, refuse_to_block, unenforced_deadline, world
from uat_resilience.waiting.threads import ThreadWaiter

__all__ = ["PriorityGate"]


class PriorityGate:
    """Hand out slots to threads and tasks alike, the most important first.

    Args:
        size: Slots at first.
        queue: Places in the queue.
        max_wait: Seconds a place in the queue is held at most, or None for no limit.
        bus: Where waiting is told.
    """

    __slots__ = ("_bus", "_max_wait", "_queue_limit", "mailbox", "slots")

    def __init__(self, size: int, *, queue: int, max_wait: float | None, bus: EventBus) -> None:
        self.slots: PrioritySlotMachine[Waiter] = PrioritySlotMachine(size, queue)
        # A note is a change to be made under the lock; it returns the waiters to wake.
        self.mailbox: Mailbox[Callable[[], list[Waiter]], list[Waiter]] = Mailbox(
            lambda change: change(), self._wake
        )
        self._queue_limit = queue
        self._max_wait = max_wait
        self._bus = bus

    def try_enter(self) -> bool:
        """Take a free slot; False when there is none."""
        with self.mailbox.lock:
            entered = self.slots.enter()
        self.mailbox.sweep()
        return entered

    def leave(self, resized: Callable[[], int | None]) -> None:
        """Give a slot back and wake whoever is next. Never blocks.

        Args:
            resized: Asked under the lock, while the slot still counts: the number of slots from now on, or None.
        """

        def change() -> list[Waiter]:
            size = resized()
            woken = [] if size is None or size == self.slots.size else self.slots.resize(size)
            heir = self.slots.leave()
            return woken if heir is None else [*woken, heir]

        self.mailbox.post(change)

    def wait(self, name: str, clock: Clock, priority: Priority) -> bool:
        """Queue for a slot in a thread; False when there is no place, the wait is over, or the call was shed.

        Raises:
            RuntimeError: This thread runs an event loop, which waiting would stop.
        """
        if not self._queue_limit:
            return False
        refuse_to_block(name, "guard an async function, use acall() or `async with`")
        deadline = current_deadline.get()
        patience = tightest(self._max_wait, None if deadline is None else deadline.remaining())
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

    async def await_slot(self, name: str, clock: Clock, priority: Priority) -> bool:
        """Queue for a slot in a task; False when there is no place, the wait is over, or the call was shed.

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

    def renew(self) -> None:
        """In a forked child: a free lock, and nobody inside."""
        self.mailbox.renew()
        self.slots.clear()

    def _join(self, waiter: Waiter, name: str, clock: Clock, priority: Priority) -> bool | None:
        """Take a slot (True), or a place in the queue (None); False when there is neither."""
        shed = None
        with self.mailbox.lock:
            entered = self.slots.enter()
            queued = not entered and self.slots.queue(waiter, priority)
            if not entered and not queued:
                shed = self.slots.shed(priority)
                queued = shed is not None and self.slots.queue(waiter, priority)
            waiting = self.slots.waiting
        if shed is not None:
            shed.grant()  # It owns nothing, so its claim says False: it is refused.
        self.mailbox.sweep()
        if queued and self._bus.wants(SlotQueued):
            self._bus.emit(SlotQueued(name, clock.now(), waiting))
        return None if queued else entered

    def _claim(self, waiter: Waiter) -> bool:
        with self.mailbox.lock:
            granted = self.slots.claim(waiter)
        self.mailbox.sweep()
        return granted

    def _abandon(self, waiter: Waiter) -> None:
        def change() -> list[Waiter]:
            heir = self.slots.abandon(waiter)
            return [] if heir is None else [heir]

        self.mailbox.post(change)

    def _wake(self, waiters: list[Waiter]) -> None:
        for waiter in waiters:
            if not waiter.grant():
                self._abandon(waiter)
