"""Deadlines that fall due in the order they were set, so that watching the first one is enough.

A `Timeout` gives every call the same number of seconds, so its deadlines fall due in the order the calls
began. One timer on the first of them serves any number of calls: adding and removing a call touches no
timer at all.
"""

from itertools import takewhile
from typing import Protocol, TypeVar

__all__ = ["DeadlineQueue", "Due", "tightest"]


class Due(Protocol):
    """Anything with a time it is due at. Compared and hashed by identity."""

    @property
    def until(self) -> float:
        """When it falls due."""
        ...


D = TypeVar("D", bound=Due)


class DeadlineQueue(dict[D, None]):
    """Running calls in the order their deadlines fall due.

    A dict, which keeps that order, and unlike a heap lets any call leave in O(1): `queue[call] = None` adds a call
    that is due no earlier than those before it, `queue.pop(call, None)` removes one. Every call with a timeout
    does both, and a method of ours around each would be a twentieth of what the whole timeout costs.
    """

    __slots__ = ()

    def due(self, now: float) -> list[D]:
        """Remove and return the calls whose time has come."""
        ready = list(takewhile(lambda call: call.until <= now, self))
        for call in ready:
            del self[call]
        return ready

    def next_due(self) -> float | None:
        """Return when the first call falls due, or None when nothing runs."""
        first = next(iter(self), None)
        return None if first is None else first.until


def tightest(*seconds: float | None) -> float | None:
    """Return the smallest of some numbers of seconds, where None is no limit."""
    return min((s for s in seconds if s is not None), default=None)
