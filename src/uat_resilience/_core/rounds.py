"""Calls judged together: all that began under the limit they speak for.

Where all calls take exactly as long they end in batches, and those of a batch that queued inside come last. A
round that ends as soon as it has calls enough, in the middle of a batch, has too many that did not queue. So has
one that counts the first batch: what queued when that began is still to come. So a round begins to count, and
ends, with a moment and not with a call:

    since        the limit is set; calls that began earlier do not count
    opened_at    the first call that began in the round has ended; what ends at a later moment counts
    full_at      there are calls enough; what ends at the same moment counts too

Without that a limit rests a third above the capacity of such a dependency. Where calls differ, each has a moment
to itself and little changes.
"""

from dataclasses import dataclass
from math import inf

from uat_resilience._core.adaptive import ROUNDING

__all__ = ["Round"]


@dataclass(slots=True)
class Round:
    """Calls that began at `since` or later. Not thread-safe: its owner locks."""

    since: float
    size: int
    """Calls that are enough."""
    calls: int = 0
    drops: int = 0
    total: float = 0.0
    busiest: int = 0
    opened_at: float = inf
    full_at: float = inf

    def includes(self, now: float, rtt: float) -> bool:
        """Say whether a call that ended now began in this round."""
        return now - rtt >= self.since - ROUNDING

    def count(self, now: float, rtt: float) -> None:
        """Take a call of this round that ended well."""
        self.opened_at = min(self.opened_at, now)
        if now == self.opened_at:
            return
        self.calls += 1
        self.total += rtt
        if self.calls + self.drops >= self.size:
            self.full_at = now

    @property
    def latency(self) -> float:
        """The mean of its calls, above 0."""
        return max(self.total / self.calls, ROUNDING)
