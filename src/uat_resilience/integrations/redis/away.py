"""What an exchange with Redis comes to when there is no answer."""

import redis
from redis.exceptions import RedisClusterException

from uat_resilience.errors import CircuitOpenError

__all__ = ["CLIENT_ERRORS", "HurriedError", "RedisAwayError"]

CLIENT_ERRORS = (redis.RedisError, RedisClusterException, OSError)
"""What a client raises without an answer. A Cluster that cannot be reached is no `RedisError` to redis-py."""


class RedisAwayError(Exception):
    """Redis did not answer, or not in time, or not with what was asked for: decide without it.

    Attributes:
        error: Why.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error

    @property
    def retry_after(self) -> float | None:
        """Seconds until Redis is asked again, where that is known."""
        return self.error.retry_after if isinstance(self.error, CircuitOpenError) else None


class HurriedError(Exception):
    """A caller had so little time left that a healthy Redis might not have answered either."""
