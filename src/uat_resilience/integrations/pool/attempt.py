"""An attempt at a request of httpx or httpx2: what is sent of it, which leaves the user's request as it is."""

from typing import Any, Generic, TypeVar

from uat_resilience.ambient import Deadline
from uat_resilience.integrations.headers import DEADLINE, RETRY_ATTEMPT
from uat_resilience.integrations.http.call import Call
from uat_resilience.integrations.pool.request import Request

__all__ = ["Attempt"]

Q = TypeVar("Q", bound=Request)


class Attempt(Generic[Q]):
    """One attempt at a request.

    Attributes:
        request: The request, as the user made it.
        repeat: When it may be sent again.
        headers: Its headers, with what the server is told in place of any of the same name.
        extensions: A copy of its extensions.
    """

    __slots__ = ("extensions", "headers", "repeat", "request")

    def __init__(self, call: Call[Q], deadline: Deadline | None) -> None:
        """Begin an attempt.

        Raises:
            TimedOutError: Nothing is left of the deadline.
        """
        self.request = request = call.request
        self.repeat = call.repeat
        self.extensions: dict[str, Any] = dict(request.extensions)
        told = call.attempt(deadline, request.headers)
        ours = [(_bytes(name), value.encode("ascii")) for name, value in told.items()]
        names = {name.lower() for name, _ in ours}
        self.headers = [each for each in request.headers.raw if each[0].lower() not in names]
        self.headers += ours


def _bytes(name: str) -> bytes:
    return _NAMES.get(name) or name.encode("ascii")


_NAMES = {name: name.encode("ascii") for name in (DEADLINE, RETRY_ATTEMPT)}
