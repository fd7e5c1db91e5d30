"""A picture of a rate limiter."""

from dataclasses import dataclass

from uat_resilience._core.gcra import GcraMachine
from uat_resilience.policies.rate_gate import Turn
from uat_resilience.waiting import Waiter

__all__ = ["RateLimiterSnapshot", "pictured"]


@dataclass(frozen=True, slots=True)
class RateLimiterSnapshot:
    """A rate limiter at one moment.

    Attributes:
        available: Calls that could be begun at once.
        waiting: Calls that wait for their turn.
        rate: Calls a second in the long run.
        burst: Calls at once after a rest.
    """

    available: float
    waiting: int
    rate: float
    burst: int


def pictured(bucket: GcraMachine[Turn[Waiter]], now: float) -> RateLimiterSnapshot:
    """Return the limiter at this moment. Its owner locks."""
    return RateLimiterSnapshot(
        bucket.available(now), bucket.waiting, bucket.rate / bucket.per, bucket.burst
    )
