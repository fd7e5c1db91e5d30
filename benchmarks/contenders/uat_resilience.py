"""Ours."""

from collections.abc import Callable
from inspect import iscoroutinefunction

from benchmarks.contenders.contender import HOUR, NEVER, Call, Contender, NotOffered, by_hand
from uat_resilience import (
    Bulkhead,
    CircuitBreaker,
    Coalesce,
    ConsecutiveFailures,
    Constant,
    EventBus,
    FailureRate,
    Hedge,
    Jitter,
    Pipeline,
    RateLimiter,
    Retry,
    Timeout,
    TimeWindow,
)


class UatResilience(Contender):
    """Decorated functions, with the settings that its own documentation shows first."""

    name = "uat_resilience"
    module = "uat_resilience"
    distribution = "uat-resilience"
    note = "its sync timeout is a budget: it does not cut a blocking body, so it starts no thread"

    def retry(self, call: Call, *, pauses: bool = True) -> Call:
        if pauses:
            return Retry(on=ConnectionError)(call)
        return Retry(on=ConnectionError, backoff=Constant(0.0), jitter=Jitter.NONE)(call)

    def breaker(self, call: Call, *, threshold: int = 5, recovery: float = 30.0) -> Call:
        trip = ConsecutiveFailures(threshold)
        return CircuitBreaker("benchmark", trip=trip, recovery_time=recovery)(call)

    def windowed(self, call: Call, *, minimum: int = 10, recovery: float = 30.0) -> Call:
        trip = FailureRate(0.5, window=TimeWindow(60.0), minimum_calls=minimum)
        return CircuitBreaker("benchmark", trip=trip, recovery_time=recovery)(call)

    def bulkhead(self, call: Call, *, size: int = 100) -> Call:
        return Bulkhead(size)(call)

    def timeout(self, call: Call) -> Call:
        return Timeout(10.0, thread=False)(call)

    def three(self, call: Call) -> Call:
        return _three()(call)

    def three_by_hand(self, call: Call) -> Call:
        pipeline = _three()
        return by_hand(call, pipeline.call, pipeline.acall)

    def three_windowed(self, call: Call) -> Call:
        trip = FailureRate(0.5, window=TimeWindow(60.0))
        return Pipeline(
            Retry(on=ConnectionError),
            CircuitBreaker("benchmark", trip=trip),
            Bulkhead(100),
        )(call)

    def three_instrumented(self, call: Call) -> Call:
        try:
            # Optional here as for everybody else.
            from prometheus_client import CollectorRegistry  # noqa: PLC0415 - see above

            from uat_resilience.integrations.prometheus import instrument  # noqa: PLC0415 - see above
        except ImportError as error:
            raise NotOffered from error
        bus = EventBus()
        instrument(bus, registry=CollectorRegistry())
        return _three(bus)(call)

    def four(self, call: Call) -> Call:
        return Pipeline(
            Retry(on=ConnectionError),
            CircuitBreaker("benchmark"),
            Bulkhead(100),
            Timeout(10.0, thread=False),
        )(call)

    def limiter(self, call: Call, *, rate: int = NEVER, per: float = 1.0) -> Call:
        return RateLimiter(rate, per)(call)

    def hedge(self, call: Call) -> Call:
        if not iscoroutinefunction(call):
            raise NotOffered
        return Hedge(10.0)(call)

    def cached(self, call: Call) -> Call:
        return Coalesce(key=lambda order: order, ttl=HOUR)(call)

    def counting(self, call: Call) -> tuple[Call, Callable[[], int]]:
        breaker = CircuitBreaker("benchmark", trip=ConsecutiveFailures(NEVER))
        return breaker(call), lambda: breaker.snapshot().failures


def _three(bus: EventBus | None = None) -> Pipeline:
    return Pipeline(
        Retry(on=ConnectionError, bus=bus),
        CircuitBreaker("benchmark", bus=bus),
        Bulkhead(100, bus=bus),
    )


CONTENDERS = [UatResilience]
