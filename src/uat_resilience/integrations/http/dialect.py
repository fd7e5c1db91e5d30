"""What the core must know about a library: how to read its answers and its errors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from uat_resilience.integrations.headers import SHOULD_RETRY
from uat_resilience.integrations.http.answer import Answer
from uat_resilience.integrations.http.kin import Kinship
from uat_resilience.integrations.http.repeating import Repeat

__all__ = ["Dialect"]

Q = TypeVar("Q")
R = TypeVar("R")

_NOT_IMPLEMENTED = 501
_SERVER_ERRORS = 500
_WORTH_ANOTHER = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Dialect(Generic[Q, R]):
    """One library's requests, answers and errors.

    Attributes:
        host: Returns which host a request goes to, with its port.
        repeat: Returns when a request may be sent again.
        status: Returns the status of a response.
        header: Returns a header of a response, or None.
        answer: Returns what is held for a response, or None for a response that did not come through us.
        unwell: Says whether an error means that the server, or the way to it, is not well.
        unsent: Says whether an error means that nothing of the request was sent.
        kinship: Makes errors of ours also the library's.
        nowhere: Makes the error for a request that names no host: one of the library's, where it has one.
    """

    host: Callable[[Q], str]
    repeat: Callable[[Q], Repeat]
    status: Callable[[R], int]
    header: Callable[[R, str], str | None]
    answer: Callable[[R], Answer | None]
    unwell: Callable[[Exception], bool]
    unsent: Callable[[Exception], bool]
    kinship: Kinship
    nowhere: Callable[[str], Exception] = ValueError

    def failed(self, response: R) -> bool:
        """Return True for an answer that says that the server is not well: 5xx, but for 501.

        Not 429: a server that says so is well, and an open breaker would also stop those it would serve.
        """
        status = self.status(response)
        return status >= _SERVER_ERRORS and status != _NOT_IMPLEMENTED

    def worth_another(self, response: R) -> bool:
        """Return True for an answer that another attempt may turn into a better one.

        Those are 408, 429, 500, 502, 503 and 504, unless it says `x-should-retry: false`: whoever is behind the
        server has used up the tries.
        """
        if self.status(response) not in _WORTH_ANOTHER:
            return False
        said = self.header(response, SHOULD_RETRY)
        return said is None or said.lower() != "false"
