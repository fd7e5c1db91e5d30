"""circuitbreaker: a breaker for consecutive failures, without a lock."""

from collections.abc import Callable

from circuitbreaker import CircuitBreaker

from benchmarks.contenders.contender import NEVER, Call, Contender


class Circuitbreaker(Contender):
    """Keeps its numbers as plain attributes, and admits every call while half-open."""

    name = "circuitbreaker"
    module = "circuitbreaker"
    distribution = "circuitbreaker"
    note = "takes no lock; while half-open it admits every call"

    def breaker(self, call: Call, *, threshold: int = 5, recovery: float = 30.0) -> Call:
        breaker = CircuitBreaker(failure_threshold=threshold, recovery_timeout=recovery)
        guarded: Call = breaker(call)
        return guarded

    def counting(self, call: Call) -> tuple[Call, Callable[[], int]]:
        breaker = CircuitBreaker(failure_threshold=NEVER)
        return breaker(call), lambda: breaker.failure_count


CONTENDERS = [Circuitbreaker]
