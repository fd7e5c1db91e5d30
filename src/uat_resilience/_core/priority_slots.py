"""Slots whose number may change, and a queue in which importance comes before time.

    running <= size            but for calls that were running when the size shrank
    queued  >  0               only while running >= size
    a freed slot               goes to the most important waiter, among equals to the first
    a full queue               makes room for a newcomer by giving up its least important waiter, among
                               equals the last, and only if the newcomer is more important

The same surface as `slots.SlotMachine`, plus `shed` and `resize`. Waiters are opaque here too. A waiter that was
shed owns nothing, so it is woken like one that was granted a slot, and its `claim` says False.
Not thread-safe: its owner locks.
"""

from collections import OrderedDict
from enum import IntEnum
from typing import Generic, TypeVar

__all__ = ["Priority", "PrioritySlotMachine"]

W = TypeVar("W")


class Priority(IntEnum):
    """How much a call matters when not all can be served. Greater is more important."""

    CRITICAL = 4
    """Served if anything is: health probes, the last step of something that cost much already."""

    HIGH = 3
    """A person waits for the answer."""

    NORMAL = 2
    """The default."""

    LOW = 1
    """Can be late: reports, prefetching."""

    BACKGROUND = 0
    """Nobody waits: batch work that will come again by itself."""


class PrioritySlotMachine(Generic[W]):
    """Count running calls and keep the queue.

    Attributes:
        size: Slots. Changed by `resize`.
        running: Slots that are taken.
        queue_limit: Places in the queue. May be changed: who has a place keeps it.
    """

    __slots__ = ("_granted", "_waiters", "queue_limit", "running", "size")

    def __init__(self, size: int, queue_limit: int) -> None:
        self.size = size
        self.running = 0
        self.queue_limit = queue_limit
        # Most important first: the order in which they are asked for their next waiter.
        self._waiters: dict[Priority, OrderedDict[W, None]] = {p: OrderedDict() for p in Priority}
        self._granted: set[W] = set()

    @property
    def waiting(self) -> int:
        """Waiters in the queue."""
        return sum(len(waiters) for waiters in self._waiters.values())

    def enter(self) -> bool:
        """Take a free slot; False when there is none. A free slot means that nobody waits."""
        if self.running >= self.size:
            return False
        self.running += 1
        return True

    def queue(self, waiter: W, priority: Priority = Priority.NORMAL) -> bool:
        """Put a waiter behind its equals; False when the queue is full (`shed` may make room)."""
        if self.waiting >= self.queue_limit:
            return False
        self._waiters[priority][waiter] = None
        return True

    def shed(self, priority: Priority) -> W | None:
        """Take the least important waiter out of the queue, for its owner to wake and refuse.

        None when nobody waits who is less important than `priority`, or when that would make no room: the queue
        has shrunk, and more wait than it has places.
        """
        if self.waiting > self.queue_limit:
            return None
        for level, waiters in reversed(self._waiters.items()):
            if waiters:
                return waiters.popitem(last=True)[0] if level < priority else None
        return None

    def leave(self) -> W | None:
        """Give a slot back; return the waiter that is granted it, for its owner to wake."""
        # A call that began before a fork frees no slot when it leaves in the child, where nobody runs.
        self.running = max(0, self.running - 1)
        return self._grant()

    def resize(self, size: int) -> list[W]:
        """Change the number of slots; return the waiters that are granted new ones.

        When it shrinks nobody is thrown out: slots given back are not handed on until enough are gone.
        """
        self.size = size
        granted: list[W] = []
        while (waiter := self._grant()) is not None:
            granted.append(waiter)
        return granted

    def claim(self, waiter: W) -> bool:
        """End a wait: True with the slot that was granted, False and out of the queue without one."""
        if waiter in self._granted:
            self._granted.remove(waiter)
            return True
        for waiters in self._waiters.values():
            waiters.pop(waiter, None)
        return False

    def abandon(self, waiter: W) -> W | None:
        """End the wait of a waiter that is gone; a slot it was granted goes on to the one returned.

        May be called twice for one waiter: by whoever failed to wake it, and by its own clean-up.
        """
        return self.leave() if self.claim(waiter) else None

    def clear(self) -> None:
        """Forget everybody: in a forked child nobody else is left."""
        self.running = 0
        self._granted.clear()
        for waiters in self._waiters.values():
            waiters.clear()

    def _grant(self) -> W | None:
        if self.running >= self.size:
            return None
        for waiters in self._waiters.values():
            if waiters:
                waiter, _ = waiters.popitem(last=False)
                self._granted.add(waiter)
                self.running += 1
                return waiter
        return None
