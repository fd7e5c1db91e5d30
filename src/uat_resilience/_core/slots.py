"""A fixed number of slots and a first-come, first-served queue for them.

    running <= size            always
    queued  >  0               only while running == size
    a freed slot               goes to the head of the queue, never to a newcomer (no barging)

Waiters are opaque: the machine keeps them in order and hands them back; whoever asked knows how to
wake them. A waiter that is gone by the time its slot comes gives the slot on with `abandon`.

Not thread-safe: its owner locks, but for the two moves that every call makes. `enter` and `put_back` are one
step on a deque each, which no other thread can come between, so they need no lock. What that leaves open is a
slot put back in the moment in which somebody joins the queue: whoever puts back asks for the `heir` if
anybody waits then, and whoever joins asks for it after joining. One of the two sees the other.
"""

from collections import OrderedDict, deque
from typing import Generic, TypeVar

__all__ = ["SlotMachine"]

W = TypeVar("W")


class SlotMachine(Generic[W]):
    """Keep the free slots and the queue."""

    __slots__ = ("_free", "_granted", "_queue_limit", "_waiters", "size")

    def __init__(self, size: int, queue_limit: int) -> None:
        self.size = size
        self._queue_limit = queue_limit
        self._waiters: OrderedDict[W, None] = OrderedDict()
        self._granted: set[W] = set()
        # Never longer than `size`: a call that began before a fork makes no slot when it leaves in the child.
        self._free: deque[None] = deque([None] * size, maxlen=size)

    @property
    def running(self) -> int:
        """Slots that are taken."""
        return self.size - len(self._free)

    @property
    def waiting(self) -> int:
        """Waiters in the queue."""
        return len(self._waiters)

    def enter(self) -> bool:
        """Take a free slot; False when there is none, or when others wait for one."""
        if self._waiters:
            return False
        try:
            self._free.pop()
        except IndexError:
            return False
        return True

    def put_back(self) -> bool:
        """Give a slot back; True when somebody may be waiting for it, who is found by `heir`."""
        self._free.append(None)
        return bool(self._waiters)

    def heir(self) -> W | None:
        """Grant a free slot to the head of the queue; return it, for its owner to wake."""
        if not self._waiters:
            return None
        try:
            self._free.pop()
        except IndexError:
            return None
        waiter, _ = self._waiters.popitem(last=False)
        self._granted.add(waiter)
        return waiter

    def leave(self) -> W | None:
        """Give a slot back; return the waiter that is granted it, for its owner to wake."""
        self.put_back()
        return self.heir()

    def queue(self, waiter: W) -> bool:
        """Put a waiter at the end of the queue; False when the queue is full. Ask for the `heir` then."""
        if len(self._waiters) >= self._queue_limit:
            return False
        self._waiters[waiter] = None
        return True

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
        self._waiters.clear()
        self._granted.clear()
        self._free.extend([None] * self.size)
