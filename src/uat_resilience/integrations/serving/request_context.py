"""What the code that serves one request finds around it."""

from contextvars import Token, copy_context
from types import TracebackType

from uat_resilience._core.priority_slots import Priority
from uat_resilience.ambient import (
    Deadline,
    DrainSignal,
    RetryLedger,
    current_deadline,
    current_drain,
    current_ledger,
    current_priority,
    priority,
    retries_owned,
)
from uat_resilience.integrations.headers import Correlation, current_attempt, current_correlation

__all__ = ["NORMAL", "RequestContext"]

NORMAL = Priority.NORMAL
"""How much nearly all requests matter. To ask an enum for its member takes ten times as long (CPython 3.11)."""


class RequestContext(RetryLedger):
    """Set everything that a request brings, and unset what it does not bring.

    Servers may start a request in the context of an earlier one on the same connection: a pipelined request begins
    where the answer before it ended, and a connection that was paused for a large body goes on in the context of
    whoever read it. So nothing here is left as it was found, whatever the server does.

    Args:
        correlation: Which request it is.
        drain: Tells when the request had better come to an end, or None.
        attempt: The number of the attempt when the caller repeats failed calls, or None.
        level: How much it matters.

    Attributes:
        correlation: Which request it is.
        spent: True once tries were spent on it.
    """

    __slots__ = ("_attempt", "_drain", "_level", "_rest", "_tokens", "correlation")

    def __init__(
        self,
        correlation: Correlation,
        drain: DrainSignal | None,
        attempt: int | None = None,
        level: Priority = NORMAL,
    ) -> None:
        self.spent = False
        self.correlation = correlation
        self._drain = drain
        self._attempt = attempt
        self._level = level
        self._rest: _Rest | None = None

    def __enter__(self) -> None:
        # Servers that begin each request in an empty context have nothing to unset, and that is seen in one look.
        if self._attempt is not None or self._level is not NORMAL or copy_context():
            self._rest = _Rest(self._attempt, self._level)
        self._tokens: tuple[
            Token[Correlation | None], Token[RetryLedger | None], Token[DrainSignal | None]
        ] = (
            current_correlation.set(self.correlation),
            current_ledger.set(self),
            current_drain.set(self._drain),
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        correlation, ledger, drain = self._tokens
        current_drain.reset(drain)
        current_ledger.reset(ledger)
        current_correlation.reset(correlation)
        if self._rest is not None:
            self._rest.leave(kind, error, trace)


class _Rest:
    """What few requests bring, and what others may have left."""

    __slots__ = ("_level", "_tokens")

    def __init__(self, attempt: int | None, level: Priority) -> None:
        self._level = None if level is current_priority() else priority(level)
        if self._level is not None:
            self._level.__enter__()
        # Most of it is as it should be already: looking takes a fraction of setting and resetting.
        owned = attempt is not None
        self._tokens: tuple[
            Token[int | None] | None,
            Token[bool] | None,
            Token[Deadline | None] | None,
        ] = (
            None if current_attempt.get() == attempt else current_attempt.set(attempt),
            None if retries_owned.get() is owned else retries_owned.set(owned),
            None if current_deadline.get() is None else current_deadline.set(None),
        )

    def leave(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        attempt, owned, deadline = self._tokens
        if deadline is not None:
            current_deadline.reset(deadline)
        if owned is not None:
            retries_owned.reset(owned)
        if attempt is not None:
            current_attempt.reset(attempt)
        if self._level is not None:
            self._level.__exit__(kind, error, trace)
