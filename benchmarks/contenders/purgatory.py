"""purgatory: breakers for consecutive failures, kept by name in a factory."""

from inspect import iscoroutinefunction

from purgatory import AsyncCircuitBreakerFactory, SyncCircuitBreakerFactory

from benchmarks.contenders.contender import Call, Contender


class Purgatory(Contender):
    """One factory for each world; breakers live in its memory."""

    name = "purgatory"
    module = "purgatory"
    distribution = "purgatory"
    note = "while open it raises one exception instance, whose traceback grows with each refusal"

    def breaker(self, call: Call, *, threshold: int = 5, recovery: float = 30.0) -> Call:
        is_async = iscoroutinefunction(call)
        factory = AsyncCircuitBreakerFactory if is_async else SyncCircuitBreakerFactory
        breaker = factory(default_threshold=threshold, default_ttl=recovery)("benchmark")
        guarded: Call = breaker(call)
        return guarded


CONTENDERS = [Purgatory]
