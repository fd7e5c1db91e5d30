"""What a server answers when it refuses a request, or is not done in time: problem details (RFC 9457).

    503  a refusal, with Retry-After
    429  a rate limit, with Retry-After and RateLimit, and RateLimit-Policy where the limit is known
    504  a deadline that has passed
    500  anything else that went wrong

Strangers read these answers. So they name the kind of error and never a policy, whose name tells what a service is
made of; a rate limit is the exception, because its header must have a name.
"""

import json
from dataclasses import dataclass
from math import ceil
from typing import cast

from uat_resilience.errors import (
    BulkheadFullError,
    CallRefusedError,
    CircuitOpenError,
    DrainingError,
    OverloadedError,
    RateLimitedError,
    TimedOutError,
)
from uat_resilience.integrations.headers import RATE_LIMIT, RATE_LIMIT_POLICY, RETRY_AFTER

__all__ = ["CRASH", "MEDIA_TYPE", "Problem", "problem", "refusal"]

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer to be given.

    Attributes:
        status: Of HTTP.
        kind: Last part of its type, a URN.
        title: The same in words, always the same words.
        detail: What is to be said of this time, or None.
        headers: What goes along, without type and length.
    """

    status: int
    kind: str
    title: str
    detail: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def body(self, request_id: str | None = None) -> bytes:
        """Return it as JSON, with the id of the request when there is one."""
        members = {
            "type": f"urn:uat-resilience:problem:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
        }
        return json.dumps({k: v for k, v in members.items() if v is not None}).encode()


def problem(error: BaseException | None, *, retry_after: float = 1.0) -> Problem | None:
    """Return how to answer an error of this library, or None when it is none.

    An exception group with one member, as task groups raise them, is answered like its member.

    Args:
        error: What came out of the code that serves the request.
        retry_after: Seconds to ask for where a refusal does not know any.
    """
    while isinstance(error, BaseExceptionGroup):
        members = cast("BaseExceptionGroup[BaseException]", error).exceptions
        error = members[0] if len(members) == 1 else None
    if isinstance(error, TimedOutError):
        return _LATE
    return refusal(error, retry_after=retry_after) if isinstance(error, CallRefusedError) else None


def refusal(error: CallRefusedError, *, retry_after: float) -> Problem:
    """Return how to answer a refusal."""
    pause = max(1, ceil(retry_after if error.retry_after is None else error.retry_after))
    detail, asked = f"Try again in {pause} s.", (RETRY_AFTER, str(pause))
    if isinstance(error, RateLimitedError):
        told = (asked, *_limit(error, pause))
        return Problem(429, "rate-limited", "Too many requests", detail, told)
    kind, title = next(words for refusal, words in _REFUSALS.items() if isinstance(error, refusal))
    return Problem(503, kind, title, detail, (asked,))


CRASH = Problem(500, "internal-error", "Something went wrong in the service")
_LATE = Problem(504, "deadline-exceeded", "Not done in the time that was given")

_REFUSALS: dict[type[CallRefusedError], tuple[str, str]] = {
    CircuitOpenError: ("circuit-open", "Something the service needs is not available"),
    BulkheadFullError: ("bulkhead-full", "Too much is going on at once"),
    OverloadedError: ("overloaded", "The service is overloaded"),
    DrainingError: ("draining", "The service is shutting down"),
    CallRefusedError: ("refused", "The service refuses the request for now"),
}


def _limit(error: RateLimitedError, pause: int) -> list[tuple[str, str]]:
    """Return the rate limit as structured fields; windows are whole seconds there."""
    name = _quoted(error.policy)
    told = [(RATE_LIMIT, f"{name};r=0;t={pause}")]
    if error.quota is not None and error.window is not None:
        window = max(1, ceil(error.window))
        quota = int(error.quota * window / error.window)
        told.append((RATE_LIMIT_POLICY, f"{name};q={quota};w={window}"))
    return told


def _quoted(name: str) -> str:
    plain = "".join(each if " " <= each <= "~" else "?" for each in name)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
