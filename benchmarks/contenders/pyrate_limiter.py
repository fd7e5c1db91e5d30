"""pyrate-limiter: buckets and clocks, with GCRA in constant memory."""

from inspect import iscoroutinefunction

from pyrate_limiter import GCRA, Limiter, Rate, StateBucket

from benchmarks.contenders.contender import NEVER, Call, Contender


class Refused(Exception):  # noqa: N818 - a refusal is no error of the call
    """What a user raises: without waiting, the library only answers whether there is room."""


class PyrateLimiter(Contender):
    """The algorithm that ours has. Its decorator waits, so it is asked before each call, not to wait."""

    name = "pyrate-limiter"
    module = "pyrate_limiter"
    distribution = "pyrate-limiter"
    note = "its clock counts milliseconds"

    def limiter(self, call: Call, *, rate: int = NEVER, per: float = 1.0) -> Call:
        limiter = Limiter(StateBucket([Rate(rate, int(1000 * per))], algorithm=GCRA()))
        if iscoroutinefunction(call):

            async def aguarded(order: int) -> object:
                if not await limiter.try_acquire_async("benchmark", blocking=False):
                    raise Refused
                return await call(order)

            return aguarded

        def guarded(order: int) -> object:
            if not limiter.try_acquire("benchmark", blocking=False):
                raise Refused
            return call(order)

        return guarded


CONTENDERS = [PyrateLimiter]
