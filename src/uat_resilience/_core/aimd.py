"""Additive increase, multiplicative decrease: the limit of a dependency that says when it has enough.

    a full round trip of calls went well    limit + 1
    a call was dropped, or took too long    limit * backoff, at most once each round trip

TCP's congestion avoidance (Jacobson, 1988). The limit saws between the capacity and `backoff` of it. It looks at
drops only: behind a dependency that queues instead of refusing it grows to the maximum, or until
calls take `timeout`. Errors that have nothing to do with load hold it down as loss holds down TCP: one call in a
hundred failing keeps it near thirty.
"""

from dataclasses import dataclass
from math import inf

from uat_resilience._core.adaptive import ROUNDING, Limits, Tuner
from uat_resilience._core.arguments import seconds

__all__ = ["AIMD"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AIMD(Limits):
    """Grow by one slot each round trip; shrink by a tenth when a call is dropped.

    For dependencies that refuse at once what is too much for them. TCP's congestion avoidance (Jacobson, 1988).

    Frozen, and safe to share: each limiter learns for itself.

    Args:
        initial: Where the limit begins. Twenty is enough to learn from and little enough to survive.
        minimum: Lowest limit, at least 1: without a call there is nothing to learn from.
        maximum: Highest limit: what this side can bear, whatever the other one can.
        backoff: Factor after a drop, at least 0.5 and below 1. Netflix's 0.9 costs little when it is wrong.
        timeout: Seconds after which a call counts as dropped though it ended well, above 0. Netflix's 5 s.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    timeout: float = 5.0

    def __post_init__(self) -> None:
        Limits.__post_init__(self)
        seconds("timeout", self.timeout)

    def tuner(self) -> Tuner:
        """Return a limit at its beginning."""
        return AIMDTuner(self)


class AIMDTuner:
    """The saw. Not thread-safe: its owner locks."""

    __slots__ = ("_exact", "_setting", "_shrunk_at", "limit")

    def __init__(self, setting: AIMD) -> None:
        self._setting = setting
        self._exact = float(setting.initial)
        self._shrunk_at = -inf
        self.limit = setting.initial

    def record(self, now: float, rtt: float, inflight: int, *, dropped: bool) -> int:
        """Take a call that ended, and return the limit from now on."""
        setting = self._setting
        if self._shrunk_at - ROUNDING > now - rtt and now >= self._shrunk_at:
            return (
                self.limit
            )  # It began before the limit shrank, so it cannot speak for or against it.
        if dropped or rtt > setting.timeout:
            self._exact = max(setting.minimum, self._exact * setting.backoff)
            self._shrunk_at = now
        elif inflight * 2 >= self.limit:
            self._exact = min(setting.maximum, self._exact + 1 / self._exact)
        self.limit = int(self._exact)
        return self.limit

    def bound(self, minimum: int | None, maximum: int | None) -> int:
        """Keep the limit between other bounds from now on; return it, moved inside if need be."""
        self._setting = setting = self._setting.within(minimum, maximum)
        self._exact = min(max(self._exact, setting.minimum), setting.maximum)
        self.limit = int(self._exact)
        return self.limit
