"""What the code that serves one request finds around it."""

from contextvars import Token  # noqa: TC003 - read by those who ask for type hints
from types import TracebackType

from uat_resilience._core.priority_slots import Priority
from uat_resilience.ambient import (
    Deadline,
    DrainSignal,
    RetryLedger,
    current_deadline,
    current_drain,
    current_ledger,
    priority,
    retries_owned,
)
from uat_resilience.integrations.headers import Correlation, current_attempt, current_correlation

__all__ = ["RequestContext"]


class RequestContext:
    """Set everything that a request brings, and unset what it does not bring.

    Servers may start a request in the context of an earlier one on the same connection: a pipelined request begins
    where the answer before it ended, and a connection that was paused for a large body goes on in the context of
    whoever read it. So nothing here is left as it was found, whatever the server does.

    Args:
        correlation: Which request it is.
        attempt: The number of the attempt when the caller repeats failed calls, or None.
        level: How much it matters.
    """

    __slots__ = (
        "_attempt",
        "_level",
        "_tokens",
        "correlation",
        "ledger",
    )

    def __init__(self, correlation: Correlation, attempt: int | None, level: Priority) -> None:
        self.correlation = correlation
        self.ledger = RetryLedger()
        self._attempt = attempt
        self._level = priority(level)

    def __enter__(self) -> None:
        self._level.__enter__()
        self._tokens: tuple[
            Token[Correlation | None],
            Token[int | None],
            Token[bool],
            Token[RetryLedger | None],
            Token[Deadline | None],
            Token[DrainSignal | None],
        ] = (
            current_correlation.set(self.correlation),
            current_attempt.set(self._attempt),
            retries_owned.set(self._attempt is not None),
            current_ledger.set(self.ledger),
            current_deadline.set(None),
            current_drain.set(None),
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        correlation, attempt, owned, ledger, deadline, drain = self._tokens
        current_drain.reset(drain)
        current_deadline.reset(deadline)
        current_ledger.reset(ledger)
        retries_owned.reset(owned)
        current_attempt.reset(attempt)
        current_correlation.reset(correlation)
        self._level.__exit__(kind, error, trace)
