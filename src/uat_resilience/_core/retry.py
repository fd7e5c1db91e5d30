"""What to do after a failed attempt: pause and try again, or give up, and why.

One pure function over a frozen plan. The policy has already decided that the outcome is one to retry;
here only arithmetic is left. The rules, in the order they are asked:

    1. attempts      the plan's number of calls is used up
    2. single try    the caller owns the retries
    3. Retry-After   the server asks for more patience than `retry_after_max`
    4. time limit    the pause would end at or after it
    5. deadline      the pause would end at or after the caller's deadline
    6. budget        asked last, because a yes is charged; see `Pause` and the policy
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from uat_resilience._core.arguments import seconds_or_zero
from uat_resilience._core.backoff import Backoff
from uat_resilience._core.jitter import Jitter

__all__ = ["GiveUp", "Pause", "RetryPlan", "decide"]


class GiveUp(Enum):
    """Why no further attempt is made, in words that fit after "gave up: "."""

    ATTEMPTS = "all attempts are used"
    SINGLE_TRY = "the caller owns the retries (single_try)"
    RETRY_AFTER = "the server asks for a longer pause than retry_after_max"
    TIME_LIMIT = "the next attempt would start after time_limit"
    DEADLINE = "the next attempt would start after the deadline"
    BUDGET = "the retry budget is spent"
    DRAINING = "the service is shutting down"


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait this many seconds, then try again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """The settings a decision is made from; checked by the policy that owns them."""

    attempts: int | None
    backoff: Backoff
    jitter: Jitter
    retry_after_max: float
    time_limit: float | None


def decide(
    plan: RetryPlan,
    *,
    attempt: int,
    elapsed: float,
    remaining: float | None,
    retry_after: float | None,
    single_try: bool,
    draw: Callable[[], float],
) -> Pause | GiveUp:
    """Return the pause before the next attempt, or the reason to give up.

    Args:
        plan: The settings.
        attempt: Number of the attempt that just failed, from 1.
        elapsed: Seconds since the run began.
        remaining: Seconds until the caller's deadline, or None.
        retry_after: Seconds the server asked for, or None. Never undercut.
        single_try: True inside a `single_try()` block.
        draw: Source of a uniform number from [0, 1), called at most once.

    Raises:
        TypeError, ValueError: The backoff returned something else than seconds.
    """
    if plan.attempts is not None and attempt >= plan.attempts:
        return GiveUp.ATTEMPTS
    if single_try:
        return GiveUp.SINGLE_TRY
    if retry_after is not None and retry_after > plan.retry_after_max:
        return GiveUp.RETRY_AFTER
    backoff = seconds_or_zero("backoff", plan.backoff(attempt))
    pause = plan.jitter.spread(backoff, draw())
    if retry_after is not None:
        pause = max(pause, retry_after)
    if plan.time_limit is not None and elapsed + pause >= plan.time_limit:
        return GiveUp.TIME_LIMIT
    if remaining is not None and pause >= remaining:
        return GiveUp.DEADLINE
    return Pause(pause)
