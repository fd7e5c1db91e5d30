"""How long an exchange with Redis may take, and whether one that took longer says something about Redis."""

from uat_resilience._core.arguments import seconds
from uat_resilience.ambient import current_deadline
from uat_resilience.errors import TimedOutError
from uat_resilience.integrations.redis.away import HurriedError

__all__ = ["Patience"]

_FAIR = 0.1  # The share of the timeout in which a healthy Redis answers for sure.


class Patience:
    """The time for one exchange. Frozen, and safe to share.

    Args:
        timeout: Seconds at most, above 0.

    Raises:
        TypeError, ValueError: `timeout` is no such number.
    """

    __slots__ = ("_timeout",)

    def __init__(self, timeout: float) -> None:
        self._timeout = seconds("timeout", timeout)

    def limit(self) -> float:
        """Return the seconds for one exchange: of what the deadline leaves, half is for the call itself.

        Raises:
            TimedOutError: It leaves nothing.
        """
        deadline = current_deadline.get()
        if deadline is None:
            return self._timeout
        left = deadline.remaining()
        if left <= 0:
            raise TimedOutError(deadline.policy, after=deadline.after)
        return min(self._timeout, left / 2)

    def excuse(self, limit: float, error: Exception) -> None:
        """Raise what does not count against Redis, when it was given too little time to say anything about it."""
        if limit < self._timeout * _FAIR:
            raise HurriedError from error
