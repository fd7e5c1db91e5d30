"""nopanic: every pattern, sync and async, from one set of policies."""

from collections.abc import Callable
from inspect import iscoroutinefunction

import nopanic

from benchmarks.contenders.contender import HOUR, NEVER, Call, Contender, NotOffered, by_hand


class Nopanic(Contender):
    """Its breaker judges a failure rate over 30 seconds; it has none for consecutive failures."""

    name = "nopanic"
    module = "nopanic"
    distribution = "nopanic"
    note = "its breaker judges a failure rate, in every row; its sync timeout runs the body in a thread"

    def retry(self, call: Call, *, pauses: bool = True) -> Call:
        return nopanic.retry(attempts=3, on=ConnectionError, backoff=None if pauses else 0.0)(call)

    def windowed(self, call: Call, *, minimum: int = 5, recovery: float = 30.0) -> Call:
        return nopanic.circuit_breaker(min_calls=minimum, reset_timeout=recovery)(call)

    def bulkhead(self, call: Call, *, size: int = 100) -> Call:
        # By default a call waits for a slot without limit.
        return nopanic.bulkhead(size, max_wait=0.0)(call)

    def timeout(self, call: Call) -> Call:
        return nopanic.timeout(10.0)(call)

    def three_windowed(self, call: Call) -> Call:
        return _three()(call)

    three = three_windowed

    def three_by_hand(self, call: Call) -> Call:
        policy = _three()
        return by_hand(call, policy.call, policy.acall)

    def four(self, call: Call) -> Call:
        return nopanic.compose(
            nopanic.retry(attempts=3, on=ConnectionError),
            nopanic.circuit_breaker(),
            nopanic.bulkhead(100),
            nopanic.timeout(10.0),
        )(call)

    def limiter(self, call: Call, *, rate: int = NEVER, per: float = 1.0) -> Call:
        # By default a call waits for its token without limit.
        return nopanic.rate_limit(rate, per, max_wait=0.0)(call)

    def hedge(self, call: Call) -> Call:
        if not iscoroutinefunction(call):
            raise NotOffered
        return nopanic.hedge(delay=10.0)(call)

    def cached(self, call: Call) -> Call:
        return nopanic.cache(HOUR)(call)

    def counting(self, call: Call) -> tuple[Call, Callable[[], int]]:
        # The window is made longer than the run, so that nothing is forgotten in it.
        breaker = nopanic.circuit_breaker(min_calls=NEVER, window=3600.0)
        return breaker(call), lambda: breaker.metrics.failures


def _three() -> nopanic.compose:
    return nopanic.compose(
        nopanic.retry(attempts=3, on=ConnectionError),
        nopanic.circuit_breaker(),
        nopanic.bulkhead(100),
    )


CONTENDERS = [Nopanic]
