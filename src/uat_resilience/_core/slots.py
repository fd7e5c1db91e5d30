"""A fixed number of slots and a first-come, first-served queue for them.

    running <= size            always
    queued  >  0               only while running == size
    a freed slot               goes to the head of the queue, never to a newcomer (no barging)

Waiters are opaque: the machine keeps them in order and hands them back; whoever asked knows how to
wake them. A waiter that is gone by the time its slot comes gives the slot on with `abandon`.
Not thread-safe: its owner locks.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

__all__ = ["SlotMachine"]

W = TypeVar("W")


class SlotMachine(Generic[W]):
    """Count running calls and keep the queue."""

    __slots__ = ("_granted", "_queue_limit", "_waiters", "running", "size")

    def __init__(self, size: int, queue_limit: int) -> None:
        self.size = size
        self.running = 0
        self._queue_limit = queue_limit
        self._waiters: OrderedDict[W, None] = OrderedDict()
        self._granted: set[W] = set()

    @property
    def waiting(self) -> int:
        """Waiters in the queue."""
        return len(self._waiters)

    def enter(self) -> bool:
        """Take a free slot; False when there is none. A free slot means that nobody waits."""
        if self.running >= self.size:
            return False
        self.running += 1
        return True

    def queue(self, waiter: W) -> bool:
        """Put a waiter at the end of the queue; False when the queue is full."""
        if len(self._waiters) >= self._queue_limit:
            return False
        self._waiters[waiter] = None
        return True

    def leave(self) -> W | None:
        """Give a slot back; return the waiter that is granted it, for its owner to wake."""
        if self._waiters:
            waiter, _ = self._waiters.popitem(last=False)
            self._granted.add(waiter)
            return waiter
        # In a forked child a call that began before the fork leaves as well, after `clear`.
        self.running = max(0, self.running - 1)
        return None

    def claim(self, waiter: W) -> bool:
        """End a wait: True with the slot that was granted, False and out of the queue without one."""
        if waiter in self._granted:
            self._granted.remove(waiter)
            return True
        self._waiters.pop(waiter, None)
        return False

    def abandon(self, waiter: W) -> W | None:
        """End the wait of a waiter that is gone; a slot it was granted goes on to the one returned.

        May be called twice for one waiter: by whoever failed to wake it, and by its own clean-up.
        """
        return self.leave() if self.claim(waiter) else None

    def clear(self) -> None:
        """Forget everybody: in a forked child nobody else is left."""
        self.running = 0
        self._waiters.clear()
        self._granted.clear()
