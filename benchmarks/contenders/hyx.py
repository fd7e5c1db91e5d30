"""hyx: decorators for asyncio."""

from hyx.bulkhead import bulkhead
from hyx.circuitbreaker import consecutive_breaker
from hyx.retry import retry
from hyx.timeout import timeout

from benchmarks.contenders.contender import Call, Contender, World


class Hyx(Contender):
    """It counts attempts after the first call, so two are three calls."""

    name = "hyx"
    module = "hyx.retry"
    distribution = "hyx"
    worlds = frozenset({World.ASYNC})
    note = "its retry gives up with an error of its own"

    def retry(self, call: Call, *, pauses: bool = True) -> Call:
        return retry(on=ConnectionError, attempts=2, backoff=0.5 if pauses else 0)(call)

    def breaker(self, call: Call, *, threshold: int = 5, recovery: float = 30.0) -> Call:
        return consecutive_breaker(failure_threshold=threshold, recovery_time_secs=recovery)(call)

    def bulkhead(self, call: Call, *, size: int = 100) -> Call:
        # Both numbers are required; equal, they leave no queue.
        return bulkhead(max_concurrency=size, max_capacity=size)(call)

    def timeout(self, call: Call) -> Call:
        return timeout(10.0)(call)

    def three(self, call: Call) -> Call:
        return self.retry(self.breaker(self.bulkhead(call)))

    def four(self, call: Call) -> Call:
        return self.three(self.timeout(call))


CONTENDERS = [Hyx]
