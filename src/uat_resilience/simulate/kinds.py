"""What a scenario can name: arrivals, latencies, troubles and policies, by the names they go by in a file."""

from collections.abc import Callable, Mapping

from uat_resilience._core.adaptive import Algorithm
from uat_resilience._core.aimd import AIMD
from uat_resilience._core.backoff import Backoff, Constant, Exponential, Linear
from uat_resilience._core.gradient import Gradient2
from uat_resilience._core.jitter import Jitter
from uat_resilience._core.ramp import Ramp as Easing
from uat_resilience._core.trip import ConsecutiveFailures, FailureRate, TripRule
from uat_resilience._core.vegas import Vegas
from uat_resilience._core.window import CountWindow, TimeWindow
from uat_resilience.errors import TimedOutError
from uat_resilience.pipeline import Pipeline
from uat_resilience.policies.adaptive_limiter import AdaptiveLimiter
from uat_resilience.policies.bulkhead import Bulkhead
from uat_resilience.policies.circuit_breaker import CircuitBreaker
from uat_resilience.policies.hedge import Hedge
from uat_resilience.policies.policy import Policy
from uat_resilience.policies.rate_limiter import RateLimiter
from uat_resilience.policies.retry import Retry
from uat_resilience.policies.retry_budget import RetryBudget
from uat_resilience.policies.timeout import Timeout
from uat_resilience.simulate.arrivals import Arrivals, Bursts, Poisson, Ramp, Steady
from uat_resilience.simulate.dependency import BrownOut, DependencyError, Outage
from uat_resilience.simulate.latency import Fixed, Latency, LogNormal, Memoryless, Uniform
from uat_resilience.simulate.settings import Table, make

__all__ = ["ARRIVALS", "LATENCIES", "POLICIES", "TROUBLES"]

FAILURES = (DependencyError, TimedOutError)
"""What the policies of a scenario retry and count against the dependency."""

ARRIVALS: Mapping[str, Callable[..., Arrivals]] = {
    "bursts": Bursts,
    "poisson": Poisson,
    "ramp": Ramp,
    "steady": Steady,
}
LATENCIES: Mapping[str, Callable[..., Latency]] = {
    "fixed": Fixed,
    "log_normal": LogNormal,
    "memoryless": Memoryless,
    "uniform": Uniform,
}
TROUBLES: Mapping[str, Callable[..., Outage | BrownOut]] = {
    "brown_out": BrownOut,
    "outage": Outage,
}
_BACKOFFS: Mapping[str, Callable[..., Backoff]] = {
    "constant": Constant,
    "exponential": Exponential,
    "linear": Linear,
}
_ALGORITHMS: Mapping[str, Callable[..., Algorithm]] = {
    "aimd": AIMD,
    "gradient2": Gradient2,
    "vegas": Vegas,
}


def _consecutive(*, failures: int = 5) -> TripRule:
    return ConsecutiveFailures(failures)


def _failure_rate(
    *,
    rate: float = 0.5,
    seconds: float = 60.0,
    calls: int | None = None,
    minimum_calls: int = 10,
) -> TripRule:
    window = TimeWindow(seconds) if calls is None else CountWindow(calls)
    return FailureRate(rate, window=window, minimum_calls=minimum_calls)


_TRIPS: Mapping[str, Callable[..., TripRule]] = {
    "consecutive_failures": _consecutive,
    "failure_rate": _failure_rate,
}


def _standard(
    *,
    total: float = 30.0,
    attempts: int = 3,
    each: float = 10.0,
    bulkhead: int | None = None,
    budget: object = None,
) -> Policy:
    return Pipeline.standard(
        "standard",
        on=DependencyError,
        total=total,
        attempts=attempts,
        each=each,
        bulkhead=bulkhead,
        budget=_budget(budget),
    )


def _retry(
    *,
    attempts: int = 3,
    backoff: object = None,
    jitter: str = "full",
    time_limit: float | None = None,
    budget: object = None,
) -> Policy:
    names = [each.value for each in Jitter]
    if jitter not in names:
        raise ValueError(f"jitter must be one of {', '.join(sorted(names))}, not {jitter!r}")
    return Retry(
        FAILURES,
        attempts=attempts,
        backoff=Exponential(0.1) if backoff is None else make("backoff", backoff, _BACKOFFS),
        jitter=Jitter(jitter),
        time_limit=time_limit,
        budget=_budget(budget),
    )


def _circuit_breaker(
    *,
    name: str = "breaker",
    trip: object = None,
    recovery_time: float = 30.0,
    probes: int = 1,
    close_after: int = 1,
    ramp: float | None = None,
) -> Policy:
    return CircuitBreaker(
        name,
        trip=ConsecutiveFailures(5) if trip is None else make("trip", trip, _TRIPS),
        on=FAILURES,
        recovery_time=recovery_time,
        probes=probes,
        close_after=close_after,
        ramp=None if ramp is None else Easing(ramp),
    )


def _adaptive_limiter(
    *, algorithm: object = None, queue: int = 0, max_wait: float | None = None
) -> Policy:
    chosen = Gradient2() if algorithm is None else make("algorithm", algorithm, _ALGORITHMS)
    return AdaptiveLimiter(chosen, queue=queue, max_wait=max_wait)


def _hedge(*, after: float, attempts: int = 2, budget: object = None) -> Policy:
    return Hedge(after, attempts=attempts, on=FAILURES, budget=_budget(budget))


def _budget(settings: object) -> RetryBudget | None:
    return None if settings is None else Table(settings, "budget").making(RetryBudget)


POLICIES: Mapping[str, Callable[..., Policy]] = {
    "adaptive_limiter": _adaptive_limiter,
    "bulkhead": Bulkhead,
    "circuit_breaker": _circuit_breaker,
    "hedge": _hedge,
    "rate_limiter": RateLimiter,
    "retry": _retry,
    "standard": _standard,
    "timeout": Timeout,
}
