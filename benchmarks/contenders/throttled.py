"""throttled-py: five algorithms over a store; here its own memory."""

from datetime import timedelta
from inspect import iscoroutinefunction

import throttled.asyncio
from throttled import MemoryStore, RateLimiterType, Throttled, per_duration

from benchmarks.contenders.contender import NEVER, Call, Contender


class ThrottledPy(Contender):
    """The algorithm that ours has."""

    name = "throttled-py"
    module = "throttled"
    distribution = "throttled-py"

    def limiter(self, call: Call, *, rate: int = NEVER, per: float = 1.0) -> Call:
        quota = per_duration(timedelta(seconds=per), rate, burst=rate)
        using = RateLimiterType.GCRA.value
        if iscoroutinefunction(call):
            store = throttled.asyncio.MemoryStore()
            guard = throttled.asyncio.Throttled("benchmark", using=using, quota=quota, store=store)
            return guard(call)
        return Throttled("benchmark", using=using, quota=quota, store=MemoryStore())(call)


CONTENDERS = [ThrottledPy]
