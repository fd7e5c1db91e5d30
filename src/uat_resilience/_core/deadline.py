"""Deadlines that fall due in the order they were set, so that watching the first one is enough.

A `Timeout` gives every call the same number of seconds, so its deadlines fall due in the order the calls
began. One timer on the first of them serves any number of calls: adding and removing a call touches no
timer at all.
"""

from itertools import takewhile
from typing import Generic, Protocol, TypeVar

__all__ = ["DeadlineQueue", "Due", "tightest"]


class Due(Protocol):
    """Anything with a time it is due at. Compared and hashed by identity."""

    @property
    def until(self) -> float:
        """When it falls due."""
        ...


D = TypeVar("D", bound=Due)


class DeadlineQueue(Generic[D]):
    """Running calls in the order their deadlines fall due."""

    __slots__ = ("_running",)

    def __init__(self) -> None:
        # A dict keeps insertion order, and unlike a heap it lets any call leave in O(1).
        self._running: dict[D, None] = {}

    def __len__(self) -> int:
        return len(self._running)

    def add(self, call: D) -> None:
        """Add a call that is due no earlier than those before it."""
        self._running[call] = None

    def discard(self, call: D) -> None:
        """Remove a call; one that is not there is no error."""
        self._running.pop(call, None)

    def due(self, now: float) -> list[D]:
        """Remove and return the calls whose time has come."""
        ready = list(takewhile(lambda call: call.until <= now, self._running))
        for call in ready:
            del self._running[call]
        return ready

    def next_due(self) -> float | None:
        """Return when the first call falls due, or None when nothing runs."""
        first = next(iter(self._running), None)
        return None if first is None else first.until


def tightest(*seconds: float | None) -> float | None:
    """Return the smallest of some numbers of seconds, where None is no limit."""
    return min((s for s in seconds if s is not None), default=None)
