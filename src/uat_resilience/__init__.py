"""Circuit breaker, retry, timeout, bulkhead and more: one object for sync code, asyncio and trio."""

from importlib import import_module
from typing import TYPE_CHECKING

from uat_resilience.homes import HOME_OF

if TYPE_CHECKING:
    from uat_resilience._core.aimd import AIMD
    from uat_resilience._core.backoff import Backoff, Constant, Exponential, Linear
    from uat_resilience._core.breaker import BreakerState
    from uat_resilience._core.gradient import Gradient2
    from uat_resilience._core.hysteresis import Probe, Status
    from uat_resilience._core.jitter import Jitter
    from uat_resilience._core.priority_slots import Priority
    from uat_resilience._core.quantile import Quantile
    from uat_resilience._core.ramp import Ramp
    from uat_resilience._core.retry import GiveUp
    from uat_resilience._core.trip import ConsecutiveFailures, FailureRate, SlowRate, TripRule
    from uat_resilience._core.vegas import Vegas
    from uat_resilience._core.window import CountWindow, TimeWindow
    from uat_resilience.advice import PipelineWarning
    from uat_resilience.ambient import priority, remaining, single_try
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
    from uat_resilience.lifecycle.health import CheckReport, HealthRegistry, HealthReport
    from uat_resilience.lifecycle.shutdown import GracefulShutdown, ShutdownSnapshot
    from uat_resilience.pipeline import Pipeline, PipelineSnapshot
    from uat_resilience.policies.adaptive_limiter import AdaptiveLimiter, AdaptiveLimiterSnapshot
    from uat_resilience.policies.attempts import Attempt
    from uat_resilience.policies.bulkhead import Bulkhead, BulkheadSnapshot
    from uat_resilience.policies.circuit_breaker import BreakerSnapshot, CircuitBreaker
    from uat_resilience.policies.coalesce import Coalesce, CoalesceSnapshot
    from uat_resilience.policies.deadline import deadline
    from uat_resilience.policies.fallback import Fallback, FallbackSnapshot
    from uat_resilience.policies.hedge import Hedge, HedgeSnapshot
    from uat_resilience.policies.load_shedder import LoadShedder, LoadShedderSnapshot
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
        HealthChanged,
        HedgeStarted,
        HedgeWon,
        KeyOverflowed,
        LimitChanged,
        RetriesExhausted,
        RetryScheduled,
        ShutdownPhaseChanged,
        SlotQueued,
        captured,
        default_bus,
    )

__all__ = [
    "AIMD",
    "AdaptiveLimiter",
    "AdaptiveLimiterSnapshot",
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
    "CheckReport",
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
    "GracefulShutdown",
    "Gradient2",
    "HealthChanged",
    "HealthRegistry",
    "HealthReport",
    "Hedge",
    "HedgeSnapshot",
    "HedgeStarted",
    "HedgeWon",
    "Jitter",
    "KeyOverflowed",
    "Keyed",
    "LimitChanged",
    "Linear",
    "LoadShedder",
    "LoadShedderSnapshot",
    "OverloadedError",
    "Permit",
    "Pipeline",
    "PipelineSnapshot",
    "PipelineWarning",
    "Policy",
    "Priority",
    "Probe",
    "Quantile",
    "Ramp",
    "RateLimitedError",
    "RateLimiter",
    "RateLimiterSnapshot",
    "ResilienceError",
    "RetriesExhausted",
    "Retry",
    "RetryBudget",
    "RetryScheduled",
    "RetrySnapshot",
    "ShutdownPhaseChanged",
    "ShutdownSnapshot",
    "SlotQueued",
    "SlowRate",
    "Status",
    "SystemClock",
    "TimeWindow",
    "TimedOutError",
    "Timeout",
    "TimeoutSnapshot",
    "TripRule",
    "UnenforcedTimeoutWarning",
    "Vegas",
    "__version__",
    "captured",
    "deadline",
    "default_bus",
    "priority",
    "remaining",
    "single_try",
]

__version__: str


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - asked for rarely, and slow to import

        return version("uat-resilience")
    if name in HOME_OF:
        value: object = getattr(import_module(HOME_OF[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
