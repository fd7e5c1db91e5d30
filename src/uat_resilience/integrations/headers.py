"""What services tell each other in headers: time left, who asks, and who repeats a call that fails.

    X-Request-Timeout-Ms: 1500          milliseconds left; shrinks at each hop (`grpc-timeout` is understood too)
    traceparent, X-Request-ID           which request this belongs to
    X-Retry-Attempt: 1                  the sender, or one before it, repeats this call; whoever gets it does not
    x-should-retry: false               on answers: the tries are spent already

Reading never raises: what is malformed counts as not there. What a server has read it puts into the two context
variables here, and into a deadline and `single_try()`; clients write it out again.
"""

import os
import re
from collections.abc import Callable
from contextvars import ContextVar
from os import urandom
from typing import NamedTuple

__all__ = [
    "DEADLINE",
    "GRPC_DEADLINE",
    "IDEMPOTENCY_KEY",
    "RATE_LIMIT",
    "RATE_LIMIT_POLICY",
    "REQUEST_ID",
    "RETRY_AFTER",
    "RETRY_ATTEMPT",
    "SHOULD_RETRY",
    "TRACE_PARENT",
    "TRACE_STATE",
    "Correlation",
    "Header",
    "current_attempt",
    "current_correlation",
    "new_request_id",
    "read_attempt",
    "read_correlation",
    "read_deadline",
    "valid_request_id",
    "valid_trace_parent",
    "written_deadline",
    "written_grpc_deadline",
]

DEADLINE = "X-Request-Timeout-Ms"
GRPC_DEADLINE = "grpc-timeout"
TRACE_PARENT = "traceparent"
TRACE_STATE = "tracestate"
REQUEST_ID = "X-Request-ID"
RETRY_ATTEMPT = "X-Retry-Attempt"
SHOULD_RETRY = "x-should-retry"
RETRY_AFTER = "Retry-After"
RATE_LIMIT = "RateLimit"
RATE_LIMIT_POLICY = "RateLimit-Policy"
IDEMPOTENCY_KEY = "Idempotency-Key"

Header = Callable[[str], str | None]
"""Looks up one header by its name, in any case."""


class Correlation(NamedTuple):
    """Which request a call belongs to.

    A tuple, because each request makes one, and a frozen dataclass takes five times as long.

    Attributes:
        request_id: For logs and answers: always there, and safe to write anywhere.
        trace_parent: The W3C trace context it came with, or None.
        trace_state: What tracing systems added to that, or None.
    """

    request_id: str
    trace_parent: str | None = None
    trace_state: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers that tell the next service."""
        told = {
            REQUEST_ID: self.request_id,
            TRACE_PARENT: self.trace_parent,
            TRACE_STATE: self.trace_state,
        }
        return {name: value for name, value in told.items() if value is not None}


current_correlation: ContextVar[Correlation | None] = ContextVar("uat_correlation", default=None)
"""The request that is being served here, or None outside of any."""

current_attempt: ContextVar[int | None] = ContextVar("uat_attempt", default=None)
"""The `X-Retry-Attempt` of the request that is being served here, or None when nobody repeats it."""


def read_correlation(header: Header, make: Callable[[], str] | None = None) -> Correlation:
    """Return which request this is: by its `traceparent`, else by its `X-Request-ID`, else a new one.

    A request with both keeps its own id; one with a `traceparent` alone is called by its trace id.

    Args:
        header: Looks up a header of the request.
        make: Makes the id of a request that has none. Default: `new_request_id`.
    """
    parent = valid_trace_parent(header(TRACE_PARENT))
    state = None if parent is None else _printable(header(TRACE_STATE))
    given = valid_request_id(header(REQUEST_ID))
    if given is None and parent is not None:
        given = parent.split("-")[1]
    return Correlation(given or (make or new_request_id)(), parent, state)


def new_request_id() -> str:
    """Return an id that nobody else has: 32 hexadecimal digits, as a trace id has. Thread-safe."""
    try:
        return _drawn.pop()
    except IndexError:
        return _draw()


def valid_request_id(value: str | None) -> str | None:
    """Return an id that may go into logs and headers, or None: others could forge lines of either."""
    return value if value is not None and _REQUEST_ID.fullmatch(value) else None


def valid_trace_parent(value: str | None) -> str | None:
    """Return a W3C `traceparent`, of this version or a later one, or None."""
    return value if value is not None and _TRACE_PARENT.fullmatch(value) else None


def read_deadline(header: Header) -> float | None:
    """Return the seconds a request has left, 0 or less included, or None when it does not say.

    With both headers the tighter one counts.
    """
    own, grpc = _milliseconds(header(DEADLINE)), _grpc(header(GRPC_DEADLINE))
    if own is None or grpc is None:
        return grpc if own is None else own
    return min(own, grpc)


def written_deadline(remaining: float) -> str:
    """Return seconds as `X-Request-Timeout-Ms`: whole milliseconds, rounded down, as a hop never adds time."""
    return str(max(0, int(remaining * 1000)))


def written_grpc_deadline(remaining: float) -> str:
    """Return seconds as `grpc-timeout`, in the finest unit that its eight digits hold, rounded down."""
    nanoseconds = max(0, round(remaining * 1e9))
    for unit, size in _GRPC_UNITS.items():
        amount = nanoseconds // size
        if amount <= _GRPC_MOST:
            return f"{amount}{unit}"
    return f"{_GRPC_MOST}H"


def read_attempt(header: Header) -> int | None:
    """Return the number of the attempt when somebody before us repeats failed calls, or None when nobody does."""
    value = header(RETRY_ATTEMPT)
    return int(value) if value is not None and _ATTEMPT.fullmatch(value) else None


_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
# Version 00 ends after its flags; a later version may go on.
_TRACE_PARENT = re.compile(
    r"(?:00-{ids}|(?!00|ff)[0-9a-f]{{2}}-{ids}(?:-[\x21-\x7e]{{1,200}})?)".format(
        ids="(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
    )
)
_PRINTABLE = re.compile(r"[\x20-\x7e\t]{1,4096}")
_MILLISECONDS = re.compile(r"-?[0-9]{1,12}")
_GRPC = re.compile(r"([0-9]{1,8})([HMSmun])")
_ATTEMPT = re.compile(r"[0-9]{1,4}")
_SECOND = 1_000_000_000
_GRPC_UNITS = {  # in nanoseconds
    "n": 1,
    "u": 1_000,
    "m": 1_000_000,
    "S": _SECOND,
    "M": 60 * _SECOND,
    "H": 3600 * _SECOND,
}
_GRPC_MOST = 99_999_999


# Asking the system for chance costs more than all else that is done to begin a request, however little it gives.
_drawn: list[str] = []
_DRAWN = 64


def _draw() -> str:
    digits = urandom(16 * _DRAWN).hex()
    first, *rest = (digits[at : at + 32] for at in range(0, len(digits), 32))
    _drawn.extend(rest)
    return first


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_drawn.clear)  # The parent has the same ones.


def _milliseconds(value: str | None) -> float | None:
    return int(value) / 1000 if value is not None and _MILLISECONDS.fullmatch(value) else None


def _grpc(value: str | None) -> float | None:
    found = None if value is None else _GRPC.fullmatch(value)
    return None if found is None else int(found[1]) * _GRPC_UNITS[found[2]] / _SECOND


def _printable(value: str | None) -> str | None:
    return value if value is not None and _PRINTABLE.fullmatch(value) else None
