"""pybreaker: a breaker for consecutive failures, for sync code (and Tornado coroutines)."""

from collections.abc import Callable

from pybreaker import CircuitBreaker

from benchmarks.contenders.contender import NEVER, Call, Contender, World


class Pybreaker(Contender):
    """Holds its lock for the whole of the guarded call, so only one runs at a time."""

    name = "pybreaker"
    module = "pybreaker"
    distribution = "pybreaker"
    worlds = frozenset({World.SYNC})
    note = "holds its lock during the call, so calls through one breaker run one at a time"

    def breaker(self, call: Call, *, threshold: int = 5, recovery: float = 30.0) -> Call:
        return CircuitBreaker(fail_max=threshold, reset_timeout=recovery)(call)

    def counting(self, call: Call) -> tuple[Call, Callable[[], int]]:
        breaker = CircuitBreaker(fail_max=NEVER)
        return breaker(call), lambda: breaker.fail_counter


CONTENDERS = [Pybreaker]
