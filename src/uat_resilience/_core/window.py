"""Windows over recent calls: how much of the past a trip rule judges.

A window is a frozen setting; `tally()` makes the counter that a breaker keeps while it is closed.
Recording is O(1) per call. A time window is a ring of buckets with running totals: turning it drops
whole buckets, at most one turn of the ring whatever the silence, so reading forgets as well as writing.

Times may come in a little out of order (see `straggling`): a late one counts in the newest bucket.

The first call after an empty window starts the first bucket, so that a call is remembered for the
whole width minus at most one bucket, and for exactly the width when it opened the window.
"""

from dataclasses import dataclass
from math import inf
from typing import Protocol

from uat_resilience._core.arguments import at_least, seconds
from uat_resilience._core.straggling import STRAGGLING

__all__ = ["CountWindow", "Tally", "TimeWindow", "Window"]


class Tally(Protocol):
    """Running totals of the calls inside a window."""

    calls: int
    failures: int
    slow: int

    def record(self, now: float, failed: int = 0, slow: int = 0) -> None:
        """Add one call; `failed` and `slow` are 0 or 1."""

    def forget(self, now: float) -> None:
        """Drop what is no longer inside the window."""


class Window(Protocol):
    """A setting that makes tallies."""

    def tally(self) -> Tally:
        """Return an empty counter for this window."""
        ...

    def capped(self, calls: int) -> int:
        """Return `calls`, or the most calls the window can hold when that is fewer."""
        ...


@dataclass(frozen=True, slots=True)
class CountWindow:
    """Judge the last `size` calls, however long ago they were.

    Frozen, and safe to share.

    Args:
        size: Number of calls, at least 1. More calls judge more calmly and react later.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    size: int = 100

    def __post_init__(self) -> None:
        at_least("size", self.size, 1)

    def tally(self) -> Tally:
        """Return an empty counter for this window."""
        return _CountTally(self.size)

    def capped(self, calls: int) -> int:
        """Return `calls`, but never more than the window can hold."""
        return min(calls, self.size)


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Judge the calls of the last `width` seconds.

    Frozen, and safe to share.

    Args:
        width: Seconds, above 0. A minute is long enough to see a rate at one call a second.
        buckets: Parts the window is forgotten in, at least 1. Ten means that a call is forgotten
            at most a tenth of the width early.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    width: float = 60.0
    buckets: int = 10

    def __post_init__(self) -> None:
        seconds("width", self.width)
        at_least("buckets", self.buckets, 1)

    def tally(self) -> Tally:
        """Return an empty counter for this window."""
        return _TimeTally(self.width, self.buckets)

    def capped(self, calls: int) -> int:
        """Return `calls`: a time window holds any number."""
        return calls


class _CountTally:
    """A ring of the last outcomes, with running totals."""

    __slots__ = ("_next", "_ring", "_size", "calls", "failures", "slow")

    def __init__(self, size: int) -> None:
        self._ring: list[tuple[int, int]] = []
        self._size = size
        self._next = 0
        self.calls = 0
        self.failures = 0
        self.slow = 0

    def record(self, now: float, failed: int = 0, slow: int = 0) -> None:  # noqa: ARG002 - a Tally's call
        if self.calls < self._size:
            self._ring.append((failed, slow))
            self.calls += 1
        else:
            old_failed, old_slow = self._ring[self._next]
            self._ring[self._next] = (failed, slow)
            self.failures -= old_failed
            self.slow -= old_slow
            self._next = (self._next + 1) % self._size
        self.failures += failed
        self.slow += slow

    def forget(self, now: float) -> None:
        """Do nothing: only newer calls push old ones out."""


class _TimeTally:
    """A ring of finished buckets, each `(calls, failures, slow)`, with running totals.

    What the current bucket holds is the totals less the finished buckets: recording touches the totals alone.
    """

    __slots__ = ("_ends", "_next", "_ring", "_starts", "_width", "calls", "failures", "slow")

    def __init__(self, width: float, buckets: int) -> None:
        self._ring: list[tuple[int, int, int]] = [_EMPTY] * buckets
        self._width = width / buckets
        self._next = 0
        self._starts = self._ends = -inf
        self.calls = 0
        self.failures = 0
        self.slow = 0

    def record(self, now: float, failed: int = 0, slow: int = 0) -> None:
        if not self._starts <= now < self._ends:
            self.forget(now)
            if not self.calls:
                self._starts, self._ends = now, now + self._width
        self.calls += 1
        if failed or slow:
            self.failures += failed
            self.slow += slow

    def forget(self, now: float) -> None:
        if not self.calls or self._starts - STRAGGLING <= now < self._ends:
            return
        turns = int((now - self._ends) / self._width) + 1
        if now < self._starts:
            turns = len(self._ring)  # A clock with an earlier epoch: nothing here counts.
        self._finish_bucket()
        for _ in range(min(turns, len(self._ring))):
            self._drop_oldest()
        self._starts += turns * self._width
        self._ends += turns * self._width
        if not self.calls:
            self._starts = self._ends = -inf  # The next call starts the first bucket.

    def _finish_bucket(self) -> None:
        self._ring[self._next] = (
            self.calls - sum(bucket[0] for bucket in self._ring),
            self.failures - sum(bucket[1] for bucket in self._ring),
            self.slow - sum(bucket[2] for bucket in self._ring),
        )

    def _drop_oldest(self) -> None:
        self._next = (self._next + 1) % len(self._ring)
        calls, failures, slow = self._ring[self._next]
        self._ring[self._next] = _EMPTY
        self.calls -= calls
        self.failures -= failures
        self.slow -= slow


_EMPTY: tuple[int, int, int] = (0, 0, 0)
