"""A call: one request of the user, which may become several attempts."""

from collections.abc import Container
from typing import Any, Generic, TypeVar

from uat_resilience.ambient import Deadline, retries_owned
from uat_resilience.errors import TimedOutError
from uat_resilience.integrations.headers import (
    DEADLINE,
    RETRY_ATTEMPT,
    current_attempt,
    current_correlation,
    written_deadline,
)
from uat_resilience.integrations.http.repeating import Repeat

__all__ = ["Call"]

Q = TypeVar("Q")


class Call(Generic[Q]):
    """One request, and the attempts made of it so far.

    Attributes:
        request: The request, as the user made it.
        using: What the adapter needs to send it.
        repeat: When it may be sent again.
        repeats: True when we repeat it if it fails, so that nobody behind us has to.
        attempts: Attempts begun so far.
    """

    __slots__ = ("attempts", "repeat", "repeats", "request", "using")

    def __init__(
        self,
        request: Q,
        using: Any,  # noqa: ANN401 - the adapter's own
        *,
        repeat: Repeat,
        repeats: bool,
    ) -> None:
        self.request = request
        self.using = using
        self.repeat = repeat
        self.repeats = repeats
        self.attempts = 0

    def attempt(self, deadline: Deadline | None, said: Container[str]) -> dict[str, str]:
        """Begin an attempt; return the headers that tell the server, in place of those of the request.

        Args:
            deadline: The tightest deadline around the attempt, or None.
            said: The names of the request's own headers, in any case. Which request this belongs to, it may have
                said itself.

        Raises:
            TimedOutError: Nothing is left of the deadline.
        """
        told: dict[str, str] = {}
        if deadline is not None:
            left = deadline.remaining()
            if left <= 0:
                raise TimedOutError(deadline.policy, after=deadline.after)
            told[DEADLINE] = written_deadline(left)
        self.attempts += 1
        current = current_correlation.get()
        if current is not None:
            told |= {name: value for name, value in current.headers().items() if name not in said}
        if retries_owned.get():
            # Somebody before us repeats the request, so nobody behind us does either.
            told[RETRY_ATTEMPT] = str(current_attempt.get() or self.attempts)
        elif self.repeats or self.attempts > 1:
            told[RETRY_ATTEMPT] = str(self.attempts)
        return told
