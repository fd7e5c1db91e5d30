"""limits: windows over a storage; here its own memory."""

from inspect import iscoroutinefunction

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage as AsyncMemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter as AsyncFixedWindowRateLimiter
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from benchmarks.contenders.contender import NEVER, Call, Contender


class Refused(Exception):  # noqa: N818 - a refusal is no error of the call
    """What a user raises: the library only answers whether there is room."""


class Limits(Contender):
    """Its cheapest window. It has no guard for functions, so the question is asked before each call."""

    name = "limits"
    module = "limits"
    distribution = "limits"
    note = "its fixed window lets two windows' worth of calls pass around a boundary"

    def limiter(self, call: Call, *, rate: int = NEVER, per: float = 1.0) -> Call:
        item = RateLimitItemPerSecond(rate, int(per))
        if iscoroutinefunction(call):
            return _async(call, item)
        limiter = FixedWindowRateLimiter(MemoryStorage())

        def guarded(order: int) -> object:
            if not limiter.hit(item, "benchmark"):
                raise Refused
            return call(order)

        return guarded


def _async(call: Call, item: RateLimitItemPerSecond) -> Call:
    limiter = AsyncFixedWindowRateLimiter(AsyncMemoryStorage())

    async def guarded(order: int) -> object:
        if not await limiter.hit(item, "benchmark"):
            raise Refused
        return await call(order)

    return guarded


CONTENDERS = [Limits]
