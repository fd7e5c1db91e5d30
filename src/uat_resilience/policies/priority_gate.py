"""The gate of an adaptive limiter or a load shedder: slots whose number may change, and a queue by importance.

Everything happens under one short lock; ending a call or a wait never blocks (see `mailbox`). When the queue is
full, a more important newcomer takes the place of the least important waiter, which is woken and refused.
"""

from collections.abc import Callable
from dataclasses import dataclass

from uat_resilience._core.priority_slots import Priority, PrioritySlotMachine
from uat_resilience.clock import Clock
from uat_resilience.policies.mailbox import Mailbox
from uat_resilience.policies.queue_gate import QueueGate
from uat_resilience.policies.unset import Unset, given
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.waiting import Waiter

__all__ = ["PriorityGate", "Resized"]


@dataclass(frozen=True, slots=True)
class Resized:
    """A fact to tell once the lock is free: the number of slots has changed."""

    old: int
    new: int


@dataclass(frozen=True, slots=True)
class _Change:
    """What came of a note: who is to be woken, and what is to be told."""

    woken: list[Waiter]
    resized: Resized | None = None


class PriorityGate(QueueGate):
    """Hand out slots to threads and tasks alike, the most important first.

    Args:
        size: Slots at first.
        queue: Places in the queue.
        max_wait: Seconds a place in the queue is held at most, or None for no limit.
        bus: Where waiting is told.
        tell: Called with each change of the number of slots, when the lock is free.
    """

    __slots__ = ("_tell", "mailbox", "slots")

    def __init__(
        self,
        size: int,
        *,
        queue: int,
        max_wait: float | None,
        bus: EventBus,
        tell: Callable[[Resized], None],
    ) -> None:
        super().__init__(queue=queue, max_wait=max_wait, bus=bus)
        self.slots: PrioritySlotMachine[Waiter] = PrioritySlotMachine(size, queue)
        # A note is a change to be made under the lock.
        self.mailbox: Mailbox[Callable[[], _Change], _Change] = Mailbox(
            lambda change: change(), self._carry_out
        )
        self._tell = tell

    def try_enter(self) -> bool:
        """Take a free slot; False when there is none."""
        with self.mailbox.lock:
            entered = self.slots.enter()
        self.mailbox.sweep()
        return entered

    def leave(self, size: Callable[[], int | None]) -> None:
        """Give a slot back and wake whoever is next. Never blocks.

        Args:
            size: Asked under the lock, while the slot still counts: the number of slots from now on, or None.
        """

        def change() -> _Change:
            old, new = self.slots.size, size()
            resized = None if new is None or new == old else Resized(old, new)
            woken = [] if resized is None else self.slots.resize(resized.new)
            heir = self.slots.leave()
            return _Change(woken if heir is None else [*woken, heir], resized)

        self.mailbox.post(change)

    def update(
        self,
        *,
        queue: int | Unset,
        max_wait: float | Unset | None = Unset.UNSET,
        size: Callable[[], int],
    ) -> None:
        """Go by other settings from now on. New slots go to those who wait.

        Args:
            queue: Places in the queue.
            max_wait: Seconds a place is held at most, or None.
            size: Asked under the lock before anything changes: the number of slots from now on. It may raise.
        """
        with self.mailbox.lock:
            resized = Resized(self.slots.size, size())
            self.queue = self.slots.queue_limit = given(queue, self.queue)
            self.max_wait = given(max_wait, self.max_wait)
            woken = self.slots.resize(resized.new)
        self._carry_out(_Change(woken, resized if resized.new != resized.old else None))
        self.mailbox.sweep()

    def renew(self) -> None:
        """In a forked child: a free lock, and nobody inside."""
        self.mailbox.renew()
        self.slots.clear()

    def _join(self, waiter: Waiter, name: str, clock: Clock, priority: Priority) -> bool | None:
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
        def change() -> _Change:
            heir = self.slots.abandon(waiter)
            return _Change([] if heir is None else [heir])

        self.mailbox.post(change)

    def _carry_out(self, change: _Change) -> None:
        for waiter in change.woken:
            if not waiter.grant():
                self._abandon(waiter)
        if change.resized is not None:
            self._tell(change.resized)
