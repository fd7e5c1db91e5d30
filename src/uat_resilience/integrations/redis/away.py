"""What an exchange with Redis comes to when there is no answer."""

import redis
from redis.exceptions import RedisClusterException

from uat_resilience.errors import CallRefusedError, CircuitOpenError

__all__ = ["CLIENT_ERRORS", "HurriedError", "RedisAwayError", "RedisUnavailableError"]

CLIENT_ERRORS = (redis.RedisError, RedisClusterException, OSError)
"""What a client raises without an answer. A Cluster that cannot be reached is no `RedisError` to redis-py."""


class RedisAwayError(Exception):
    """Redis did not answer, or not in time, or not with what was asked for: decide without it.

    Args:
        error: Why.
        pause: Seconds for which a Redis that is away is left alone at most.

    Attributes:
        error: Why.
        retry_after: Seconds until Redis is asked again, at most.
    """

    def __init__(self, error: Exception, *, pause: float) -> None:
        super().__init__(str(error))
        self.error = error
        left = error.retry_after if isinstance(error, CircuitOpenError) else None
        self.retry_after = left or pause

    def refusal(self, policy: str) -> "RedisUnavailableError":
        """Return the error of a policy that must not decide."""
        return RedisUnavailableError(policy, retry_after=self.retry_after)


class RedisUnavailableError(CallRefusedError):
    """Redis could not be asked, and the policy must not decide without it (`local=False`).

    The call was never made. Its cause is what the client of redis-py raised, or the `CircuitOpenError` of the link
    while Redis is left alone.
    """

    def _reason(self) -> str:
        return "could not ask Redis"


class HurriedError(Exception):
    """A caller had so little time left that a healthy Redis might not have answered either."""
