"""Everything this library raises of its own accord.

    ResilienceError
    ├── CallRefusedError        the call was never made        .policy  .retry_after
    │   ├── CircuitOpenError    .state
    │   ├── BulkheadFullError   .size  .queue
    │   ├── RateLimitedError    .quota  .window
    │   ├── OverloadedError
    │   └── DrainingError
    └── TimedOutError           also a built-in TimeoutError   .policy  .after

A refused call was never made; a failed call was. What the guarded function raises comes out as
itself. Every raise makes a new instance. All of them survive pickling.
"""

from uat_resilience._core.breaker import BreakerState

__all__ = [
    "BulkheadFullError",
    "CallRefusedError",
    "CircuitOpenError",
    "DrainingError",
    "OverloadedError",
    "RateLimitedError",
    "ResilienceError",
    "TimedOutError",
]


class ResilienceError(Exception):
    """Anything this library raises of its own accord.

    Attributes:
        policy: Name of the policy that raised it.
    """

    policy: str


class CallRefusedError(ResilienceError):
    """The call was never made.

    Attributes:
        policy: Name of the policy that refused.
        retry_after: Seconds above 0 after which another try makes sense, or None when that is unknown.
    """

    # Attributes live in __dict__ and the name in `args`, so pickling and copying work as for any
    # exception; the message is made only when somebody reads it, because refusing must be cheap.
    def __init__(self, policy: str, /, *, retry_after: float | None = None) -> None:
        self.policy = policy
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.policy} {self._reason()}{self._hint()}"

    def _reason(self) -> str:
        return "refused the call"

    def _hint(self) -> str:
        return "" if self.retry_after is None else f"; try again in {self.retry_after:.3g} s"


class CircuitOpenError(CallRefusedError):
    """A circuit breaker is open: the dependency failed too often and is given time to recover.

    Attributes:
        state: The breaker's state when it refused.
    """

    def __init__(
        self,
        policy: str,
        /,
        *,
        state: BreakerState = BreakerState.OPEN,
        retry_after: float | None = None,
    ) -> None:
        self.policy = policy
        self.state = state
        self.retry_after = retry_after

    def _reason(self) -> str:
        return f"is {self.state.name.lower().replace('_', ' ')}"

    def _hint(self) -> str:
        return "" if self.retry_after is None else f"; next probe in {self.retry_after:.3g} s"


class BulkheadFullError(CallRefusedError):
    """A bulkhead has no free slot, and its queue is full or the wait is over.

    Attributes:
        size: Slots of the bulkhead.
        queue: Places in its queue.
    """

    def __init__(
        self,
        policy: str,
        /,
        *,
        size: int = 0,
        queue: int = 0,
        retry_after: float | None = None,
    ) -> None:
        self.policy = policy
        self.size = size
        self.queue = queue
        self.retry_after = retry_after

    def _reason(self) -> str:
        return f"is full ({self.size} running, queue of {self.queue})"


class RateLimitedError(CallRefusedError):
    """A rate limiter has no token left for this call.

    Attributes:
        quota: Calls that are admitted in `window` seconds, or None when that is unknown.
        window: Seconds, or None.
    """

    def __init__(
        self,
        policy: str,
        /,
        *,
        quota: int | None = None,
        window: float | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.policy = policy
        self.quota = quota
        self.window = window
        self.retry_after = retry_after

    def _reason(self) -> str:
        return "is over its rate"


class OverloadedError(CallRefusedError):
    """An adaptive limiter or a load shedder turned the call away to protect the rest."""

    def _reason(self) -> str:
        return "is overloaded"


class DrainingError(CallRefusedError):
    """The service is shutting down and takes no new work."""

    def _reason(self) -> str:
        return "is shutting down"


class TimedOutError(ResilienceError, TimeoutError):
    """A deadline passed. The call was made, unless nothing was left of the deadline at its start.

    Attributes:
        policy: Name of the policy that set the deadline.
        after: Seconds the call was given.
    """

    def __init__(self, policy: str, /, *, after: float = 0.0) -> None:
        super().__init__(policy)
        self.policy = policy
        self.after = after

    def __str__(self) -> str:
        return f"{self.policy} timed out after {self.after:.3g} s"


class MisusedCallError(TypeError):
    """A sync call returned a coroutine, or an async one returned nothing to await.

    A TypeError of its own, so that policies know it from one that the guarded function raised: a call
    that was made the wrong way says nothing about the dependency.
    """
