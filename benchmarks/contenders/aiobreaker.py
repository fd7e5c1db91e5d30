"""aiobreaker: a breaker for consecutive failures, made for asyncio."""

from collections.abc import Callable
from datetime import timedelta

from aiobreaker import CircuitBreaker

from benchmarks.contenders.contender import NEVER, Call, Contender


class Aiobreaker(Contender):
    """Its sync form is as public as its async form; neither takes a lock."""

    name = "aiobreaker"
    module = "aiobreaker"
    distribution = "aiobreaker"
    note = "takes no lock"

    def breaker(self, call: Call, *, threshold: int = 5, recovery: float = 30.0) -> Call:
        duration = timedelta(seconds=recovery)
        guarded: Call = CircuitBreaker(fail_max=threshold, timeout_duration=duration)(call)
        return guarded

    def counting(self, call: Call) -> tuple[Call, Callable[[], int]]:
        breaker = CircuitBreaker(fail_max=NEVER)
        return breaker(call), lambda: breaker.fail_counter


CONTENDERS = [Aiobreaker]
