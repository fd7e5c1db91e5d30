"""Circuit breaker, retry, timeout, bulkhead and more: one object for sync code, asyncio and trio."""

from uat_resilience._core.backoff import Backoff, Constant, Exponential, Linear
from uat_resilience._core.breaker import BreakerState
from uat_resilience._core.jitter import Jitter
from uat_resilience._core.quantile import Quantile
from uat_resilience._core.retry import GiveUp
from uat_resilience._core.trip import ConsecutiveFailures, FailureRate, SlowRate, TripRule
from uat_resilience._core.window import CountWindow, TimeWindow
from uat_resilience.advice import PipelineWarning
from uat_resilience.ambient import remaining, single_try
from uat_resilience.clock import Clock, SystemClock
from uat_resilience.errors import (
    BulkheadFullError,
    CallRefusedError,
    CircuitOpenError,
    DrainingError,
    OverloadedError,
    RateLimitedError,
    ResilienceError,
    TimedOutError,
)
from uat_resilience.pipeline import Pipeline, PipelineSnapshot
from uat_resilience.policies.attempts import Attempt
from uat_resilience.policies.bulkhead import Bulkhead, BulkheadSnapshot
from uat_resilience.policies.circuit_breaker import BreakerSnapshot, CircuitBreaker
from uat_resilience.policies.coalesce import Coalesce, CoalesceSnapshot
from uat_resilience.policies.deadline import deadline
from uat_resilience.policies.fallback import Fallback, FallbackSnapshot
from uat_resilience.policies.hedge import Hedge, HedgeSnapshot
from uat_resilience.policies.permit import Permit
from uat_resilience.policies.policy import Policy
from uat_resilience.policies.rate_limiter import RateLimiter, RateLimiterSnapshot
from uat_resilience.policies.retry import Retry, RetrySnapshot
from uat_resilience.policies.retry_budget import BudgetSnapshot, RetryBudget
from uat_resilience.policies.timeout import Timeout, TimeoutSnapshot, UnenforcedTimeoutWarning
from uat_resilience.registry import Keyed
from uat_resilience.telemetry import (
    BreakerStateChanged,
    CallAbandoned,
    CallbackFailed,
    CallFailed,
    CallRefused,
    CallSucceeded,
    DeadlineMissed,
    Event,
    EventBus,
    FallbackUsed,
    HedgeStarted,
    HedgeWon,
    KeyOverflowed,
    LimitChanged,
    RetriesExhausted,
    RetryScheduled,
    SlotQueued,
    captured,
    default_bus,
)

__all__ = [
    "Attempt",
    "Backoff",
    "BreakerSnapshot",
    "BreakerState",
    "BreakerStateChanged",
    "BudgetSnapshot",
    "Bulkhead",
    "BulkheadFullError",
    "BulkheadSnapshot",
    "CallAbandoned",
    "CallFailed",
    "CallRefused",
    "CallRefusedError",
    "CallSucceeded",
    "CallbackFailed",
    "CircuitBreaker",
    "CircuitOpenError",
    "Clock",
    "Coalesce",
    "CoalesceSnapshot",
    "ConsecutiveFailures",
    "Constant",
    "CountWindow",
    "DeadlineMissed",
    "DrainingError",
    "Event",
    "EventBus",
    "Exponential",
    "FailureRate",
    "Fallback",
    "FallbackSnapshot",
    "FallbackUsed",
    "GiveUp",
    "Hedge",
    "HedgeSnapshot",
    "HedgeStarted",
    "HedgeWon",
    "Jitter",
    "KeyOverflowed",
    "Keyed",
    "LimitChanged",
    "Linear",
    "OverloadedError",
    "Permit",
    "Pipeline",
    "PipelineSnapshot",
    "PipelineWarning",
    "Policy",
    "Quantile",
    "RateLimitedError",
    "RateLimiter",
    "RateLimiterSnapshot",
    "ResilienceError",
    "RetriesExhausted",
    "Retry",
    "RetryBudget",
    "RetryScheduled",
    "RetrySnapshot",
    "SlotQueued",
    "SlowRate",
    "SystemClock",
    "TimeWindow",
    "TimedOutError",
    "Timeout",
    "TimeoutSnapshot",
    "TripRule",
    "UnenforcedTimeoutWarning",
    "__version__",
    "captured",
    "deadline",
    "default_bus",
    "remaining",
    "single_try",
]

__version__: str


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - asked for rarely, and slow to import

        return version("uat-resilience")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
