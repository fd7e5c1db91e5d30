"""An attempt at a request of httpx or httpx2: what is sent of it, which leaves the user's request as it is."""

from typing import Any, Generic, TypeVar

from uat_resilience.ambient import Deadline
from uat_resilience.integrations.headers import (
    DEADLINE,
    REQUEST_ID,
    RETRY_ATTEMPT,
    TRACE_PARENT,
    TRACE_STATE,
)
from uat_resilience.integrations.http.call import Call
from uat_resilience.integrations.http.deadlines import bounded
from uat_resilience.integrations.pool.request import Request

__all__ = ["Attempt"]

Q = TypeVar("Q", bound=Request)


class Attempt(Generic[Q]):
    """One attempt at a request.

    Attributes:
        request: The request, as the user made it.
        repeat: When it may be sent again.
        deadline: The tightest deadline around it, or None.
        headers: Its headers, with what the server is told in place of any of the same name.
    """

    __slots__ = ("deadline", "headers", "repeat", "request")

    def __init__(self, call: Call[Q], deadline: Deadline | None) -> None:
        """Begin an attempt.

        Raises:
            TimedOutError: Nothing is left of the deadline.
        """
        self.request = request = call.request
        self.repeat = call.repeat
        self.deadline = deadline
        told = call.attempt(deadline, request.headers)
        headers = request.headers.raw
        if not _TOLD.keys().isdisjoint([name.lower() for name, _ in headers]):  # Hardly ever.
            headers = [each for each in headers if _TOLD.get(each[0].lower()) not in told]
        self.headers = headers + [
            (_RAW[name], value.encode("ascii")) for name, value in told.items()
        ]

    def bounded(self) -> dict[str, Any]:
        """Return the extensions of the request, with no timeout longer than what is left of the deadline."""
        given = self.request.extensions
        if self.deadline is None:
            return dict(given)
        return {**given, "timeout": bounded(given.get("timeout", {}), self.deadline)}


_RAW = {
    name: name.encode("ascii")
    for name in (DEADLINE, REQUEST_ID, RETRY_ATTEMPT, TRACE_PARENT, TRACE_STATE)
}
_TOLD = {raw.lower(): name for name, raw in _RAW.items()}
