"""Tell a burst from a standing queue by how long its members waited, and shed what waited too long (CoDel).

    burst             somebody in the last interval waited no longer than `target`: the queue drains by itself
    standing queue    even the luckiest of the last interval waited longer: work comes in faster than it is
                      done, and every further second of queue is only added to every answer

The signal is that of Nichols and Jacobson, "Controlling Queue Delay" (ACM Queue, 2012; RFC 8289), with its
constants: a target of 5 ms and an interval of 100 ms. What is done about it is not. Their law drops a little
more often each time, because the TCP senders they have in mind slow down at the first drop. Callers of a
service do not, so while a queue stands everybody who waited over twice the target is shed. Servers at Facebook
found the same (Maurer, "Fail at Scale", ACM Queue, 2015; folly's `Codel`, whose rule this is).

One machine judges one first-come, first-served queue. Where a queue serves by priority, each priority has
a machine of its own: the least delay of all would be that of the most important.
"""

from math import inf

__all__ = ["INTERVAL", "TARGET", "CoDelMachine"]

TARGET = 0.005
"""Seconds of waiting that are no sign of anything."""

INTERVAL = 0.1
"""Seconds for which a queue must stand before it is called that. Long enough for a burst to drain."""

_SLACK = 2.0


class CoDelMachine:
    """Judge each request as it leaves the queue. Not thread-safe: its owner locks.

    Attributes:
        target: Seconds of waiting that are no sign of anything. May be changed.
        interval: Seconds for which a queue must stand. May be changed: the one that runs ends when it was to.
        standing: True while the queue counts as standing.
    """

    __slots__ = ("_ends", "_last", "_least", "interval", "standing", "target")

    def __init__(self, *, target: float = TARGET, interval: float = INTERVAL) -> None:
        self.target = target
        self.interval = interval
        self._ends = self._last = -inf
        self._least = 0.0
        self.standing = False

    def sheds(self, now: float, delay: float) -> bool:
        """Return True when the request that leaves the queue now, after `delay` seconds in it, is to be shed.

        A request that did not wait is told with a delay of 0.
        """
        if now - delay > self._last or now < self._ends - 2 * self.interval:
            # It came after the last one had left, so the queue was empty then. (Or the clock was
            # replaced by one with an earlier epoch.)
            self.standing = False
            self._begin(now, delay)
        elif now >= self._ends:
            self.standing = self._least > self.target
            self._begin(now, delay)
        else:
            self._least = min(self._least, delay)
        self._last = now
        return self.standing and delay > _SLACK * self.target

    def _begin(self, now: float, delay: float) -> None:
        self._ends = now + self.interval
        self._least = delay
