"""The policy for requests when the user gives none: one breaker and one bulkhead for each host."""

from typing import Generic, TypeVar

from uat_resilience._core.arguments import at_least, seconds
from uat_resilience.errors import TimedOutError
from uat_resilience.integrations.http.dialect import Dialect
from uat_resilience.pipeline import Pipeline
from uat_resilience.policies.bulkhead import Bulkhead
from uat_resilience.policies.circuit_breaker import CircuitBreaker
from uat_resilience.policies.retry import Retry
from uat_resilience.policies.retry_budget import RetryBudget
from uat_resilience.policies.timeout import Timeout
from uat_resilience.registry import Keyed

__all__ = ["Hosts"]

Q = TypeVar("Q")
R = TypeVar("R")

_QUEUE = 1000
_PATIENCE = 5.0  # Seconds: what HTTP libraries wait for a connection.


class Hosts(Generic[Q, R]):
    """Keep one pipeline for each host, so that one that is down takes nothing from the others.

    Outermost first: a timeout for the whole call, its body included; retry, within a budget for the host; the
    host's breaker; the host's slots; a timeout for each attempt, its body included.

    Bounded: hosts that nobody asked for go, open breakers stay. Thread-safe.

    Args:
        dialect: The library's answers and errors.
        total: Seconds for the whole call, above 0. As long as a person waits.
        each: Seconds for each attempt, above 0: a third of `total`, so that the last one has its time.
        attempts: Attempts at most, at least 1.
        slots: Requests to one host at once, at least 1; a thousand more wait for up to 5 s.
        hosts: Hosts kept apart at most, at least 1.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    __slots__ = ("_attempts", "_dialect", "_each", "_slots", "_total", "policies")

    def __init__(
        self,
        dialect: Dialect[Q, R],
        *,
        total: float = 30.0,
        each: float = 10.0,
        attempts: int = 3,
        slots: int = 100,
        hosts: int = 1000,
    ) -> None:
        self._dialect = dialect
        self._total = seconds("total", total)
        self._each = seconds("each", each)
        self._attempts = at_least("attempts", attempts, 1)
        self._slots = at_least("slots", slots, 1)
        self.policies: Keyed[str, Pipeline] = Keyed(
            self._pipeline, maximum=at_least("hosts", hosts, 1), name="hosts"
        )

    def __call__(self, request: Q) -> Pipeline:
        """Return the pipeline of the host that a request goes to."""
        return self.policies[self._dialect.host(request)]

    def _pipeline(self, host: str) -> Pipeline:
        if not host:
            raise self._dialect.nowhere("the URL must be like http://host, and names no host")
        dialect, attempt = self._dialect, f"{host}/attempt"

        def unwell(error: Exception) -> bool:
            # A deadline that is not the attempt's says that the caller had little time, not that the host is slow.
            if isinstance(error, TimedOutError):
                return error.policy == attempt
            return dialect.unwell(error)

        return Pipeline(
            Timeout(self._total, thread=False),
            Retry(
                lambda error: unwell(error) or dialect.unsent(error),
                attempts=self._attempts,
                on_result=dialect.worth_another,
                budget=RetryBudget(),
            ),
            CircuitBreaker(
                host,
                on=unwell,
                ignore=lambda error: not unwell(error),
                on_result=dialect.failed,
            ),
            Bulkhead(self._slots, queue=_QUEUE, max_wait=_PATIENCE),
            Timeout(self._each, name=attempt, thread=False),
            name=host,
        )
