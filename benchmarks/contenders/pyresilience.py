"""pyresilience: one decorator with a configuration object per pattern."""

from functools import cache

from pyresilience import (
    BulkheadConfig,
    CircuitBreakerConfig,
    RetryConfig,
    TimeoutConfig,
    resilient,
)
from pyresilience.contrib.prometheus import PrometheusListener

from benchmarks.contenders.contender import Call, Contender, NotOffered

_RETRY = RetryConfig(retry_on=[ConnectionError])
_BULKHEAD = BulkheadConfig(max_concurrent=100)
_WINDOW = 100


class Pyresilience(Contender):
    """It puts the patterns into an order of its own: its breaker is outside its retry."""

    name = "pyresilience"
    module = "pyresilience"
    distribution = "pyresilience"
    note = (
        "its window counts the last 100 calls, not time; its breaker is outside its retry; "
        "its sync timeout runs the body in a pool of threads"
    )

    def retry(self, call: Call, *, pauses: bool = True) -> Call:
        delay = 1.0 if pauses else 0.0
        return resilient(retry=RetryConfig(retry_on=[ConnectionError], delay=delay))(call)

    def breaker(self, call: Call, *, threshold: int = 5, recovery: float = 30.0) -> Call:
        config = CircuitBreakerConfig(failure_threshold=threshold, recovery_timeout=recovery)
        return resilient(circuit_breaker=config)(call)

    def windowed(self, call: Call, *, minimum: int = 10, recovery: float = 30.0) -> Call:
        config = CircuitBreakerConfig(
            sliding_window_size=_WINDOW, minimum_calls=minimum, recovery_timeout=recovery
        )
        return resilient(circuit_breaker=config)(call)

    def bulkhead(self, call: Call, *, size: int = 100) -> Call:
        return resilient(bulkhead=BulkheadConfig(max_concurrent=size))(call)

    def timeout(self, call: Call) -> Call:
        return resilient(timeout=TimeoutConfig(seconds=10.0))(call)

    def three(self, call: Call) -> Call:
        return resilient(retry=_RETRY, circuit_breaker=CircuitBreakerConfig(), bulkhead=_BULKHEAD)(
            call
        )

    def three_windowed(self, call: Call) -> Call:
        breaker = CircuitBreakerConfig(sliding_window_size=_WINDOW, minimum_calls=10)
        return resilient(retry=_RETRY, circuit_breaker=breaker, bulkhead=_BULKHEAD)(call)

    def three_instrumented(self, call: Call) -> Call:
        return resilient(
            retry=_RETRY,
            circuit_breaker=CircuitBreakerConfig(),
            bulkhead=_BULKHEAD,
            listeners=[_prometheus()],
        )(call)

    def four(self, call: Call) -> Call:
        return resilient(
            retry=_RETRY,
            circuit_breaker=CircuitBreakerConfig(),
            bulkhead=_BULKHEAD,
            timeout=TimeoutConfig(seconds=10.0),
        )(call)


@cache
def _prometheus() -> PrometheusListener:
    """Return the one listener there can be: it registers its metrics in the default registry."""
    try:
        return PrometheusListener()
    except ImportError as error:
        raise NotOffered from error


CONTENDERS = [Pyresilience]
