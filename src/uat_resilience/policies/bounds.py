"""How long a guarded call can take and how many calls it can become: what `Pipeline.describe()` tells."""

from dataclasses import dataclass

from uat_resilience._core.deadline import tightest
from uat_resilience._core.retry import RetryPlan

__all__ = ["Bounds"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The worst case. None stands for no limit.

    Attributes:
        seconds: Longest duration of one call from outside.
        calls: Most calls of the guarded function.
    """

    seconds: float | None = None
    calls: int | None = 1

    def cut(self, seconds: float) -> "Bounds":
        """Return the bounds with a deadline around them."""
        return Bounds(tightest(seconds, self.seconds), self.calls)

    def delayed(self, seconds: float | None) -> "Bounds":
        """Return the bounds with a wait in front of them."""
        if self.seconds is None or seconds is None:
            return Bounds(None, self.calls)
        return Bounds(self.seconds + seconds, self.calls)

    def copied(self, copies: int) -> "Bounds":
        """Return the bounds with copies of the call beside each other."""
        return Bounds(self.seconds, None if self.calls is None else self.calls * copies)

    def repeated(self, plan: RetryPlan) -> "Bounds":
        """Return the bounds of a retry of them: all attempts last longest, all pauses are longest."""
        calls = None if self.calls is None or plan.attempts is None else self.calls * plan.attempts
        return Bounds(self._repeated_seconds(plan), calls)

    def _repeated_seconds(self, plan: RetryPlan) -> float | None:
        if self.seconds is None:
            return None
        # The last attempt starts before the time limit, and may then take its full time.
        limited = None if plan.time_limit is None else plan.time_limit + self.seconds
        if plan.attempts is None:
            return limited
        longest: float | None = getattr(plan.backoff, "longest", None)
        if longest is None and plan.attempts > 1:
            return limited  # A callable of the user's: nobody knows what it will answer.
        pauses = (plan.attempts - 1) * max(longest or 0.0, plan.retry_after_max)
        return tightest(limited, plan.attempts * self.seconds + pauses)
