"""A number of slots and a first-come, first-served queue for them.

    running <= size            but for calls that were running when the size shrank
    queued  >  0               only while running >= size
    a freed slot               goes to the head of the queue, never to a newcomer (no barging)

Waiters are opaque: the machine keeps them in order and hands them back; whoever asked knows how to
wake them. A waiter that is gone by the time its slot comes gives the slot on with `abandon`.

Not thread-safe: its owner locks, but for the two moves that every call makes. `enter` and `put_back` are one
step on a deque each, which no other thread can come between, so they need no lock. What that leaves open is a
slot put back in the moment in which somebody joins the queue: whoever puts back asks for the `heir` if
anybody waits then, and whoever joins asks for it after joining. One of the two sees the other.

Shrinking takes away the slots that are free, and owes the rest: slots put back while some are owed are taken away
too, before anybody is granted one. Who is on its way in at the moment of shrinking may still get a slot that is
put back in that moment; what is owed stays owed, so the count is exact once enough calls have ended. Both free
moves look at one flag, `_crowded`: somebody waits, or slots are owed.
"""

from collections import OrderedDict, deque
from typing import Generic, TypeVar

__all__ = ["SlotMachine"]

W = TypeVar("W")


class SlotMachine(Generic[W]):
    """Keep the free slots and the queue.

    Attributes:
        size: Slots that there shall be. Changed by `resize`.
        queue_limit: Places in the queue. May be changed: who has a place keeps it.
    """

    __slots__ = ("_crowded", "_free", "_granted", "_slots", "_waiters", "queue_limit", "size")

    def __init__(self, size: int, queue_limit: int) -> None:
        self.size = size
        self.queue_limit = queue_limit
        self._slots = size  # Those that there are: more than `size` while some are owed.
        self._crowded = False
        self._waiters: OrderedDict[W, None] = OrderedDict()
        self._granted: set[W] = set()
        self._free: deque[None] = deque([None] * size)

    @property
    def running(self) -> int:
        """Slots that are taken."""
        return self._slots - len(self._free)

    @property
    def waiting(self) -> int:
        """Waiters in the queue."""
        return len(self._waiters)

    def enter(self) -> bool:
        """Take a free slot; False when there is none, or when others wait for one."""
        if self._crowded:
            return False
        try:
            self._free.pop()
        except IndexError:
            return False
        return True

    def put_back(self) -> bool:
        """Give a slot back; True when somebody may be waiting for it, who is found by `heir`."""
        self._free.append(None)
        return self._crowded

    def heir(self) -> W | None:
        """Grant a free slot to the head of the queue; return it, for its owner to wake."""
        self._take_away()
        if not self._waiters or self._slots > self.size:
            return None
        try:
            self._free.pop()
        except IndexError:
            return None
        waiter, _ = self._waiters.popitem(last=False)
        self._granted.add(waiter)
        self._look()
        return waiter

    def leave(self) -> W | None:
        """Give a slot back; return the waiter that is granted it, for its owner to wake."""
        self.put_back()
        return self.heir()

    def resize(self, size: int) -> list[W]:
        """Change the number of slots; return the waiters that are granted new ones.

        When it shrinks nobody is thrown out: slots that are put back are taken away until enough are gone.
        """
        self.size = size
        self._look()  # Whoever puts a slot back from now on asks for the heir.
        while self._slots < size:
            self._slots += 1
            self._free.append(None)
        granted: list[W] = []
        while (waiter := self.heir()) is not None:
            granted.append(waiter)
        return granted

    def queue(self, waiter: W) -> bool:
        """Put a waiter at the end of the queue; False when the queue is full. Ask for the `heir` then."""
        if len(self._waiters) >= self.queue_limit:
            return False
        self._waiters[waiter] = None
        self._crowded = True
        return True

    def claim(self, waiter: W) -> bool:
        """End a wait: True with the slot that was granted, False and out of the queue without one."""
        if waiter in self._granted:
            self._granted.remove(waiter)
            return True
        self._waiters.pop(waiter, None)
        self._look()
        return False

    def abandon(self, waiter: W) -> W | None:
        """End the wait of a waiter that is gone; a slot it was granted goes on to the one returned.

        May be called twice for one waiter: by whoever failed to wake it, and by its own clean-up.
        """
        return self.leave() if self.claim(waiter) else None

    def _take_away(self) -> None:
        """Take free slots away while there are more than there shall be."""
        while self._slots > self.size:
            try:
                self._free.pop()
            except IndexError:
                break
            self._slots -= 1
        self._look()

    def _look(self) -> None:
        self._crowded = bool(self._waiters) or self._slots > self.size
