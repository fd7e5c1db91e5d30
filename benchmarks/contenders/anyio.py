"""anyio: the primitives that work on asyncio and trio alike, here on asyncio."""

from functools import wraps

import anyio

from benchmarks.contenders.contender import Call, Contender, World


class CapacityLimiter(Contender):
    """`async with limiter:` around the call; it waits for a slot."""

    name = "anyio.CapacityLimiter"
    module = "anyio"
    distribution = "anyio"
    worlds = frozenset({World.ASYNC})
    note = "waits for a slot; lets other tasks run at every acquisition"

    def bulkhead(self, call: Call, *, size: int = 100) -> Call:
        limiter = anyio.CapacityLimiter(size)

        @wraps(call)
        async def guarded(order: int) -> object:
            async with limiter:
                return await call(order)

        return guarded


class FailAfter(Contender):
    """`with anyio.fail_after(10):` around the call."""

    name = "anyio.fail_after"
    module = "anyio"
    distribution = "anyio"
    worlds = frozenset({World.ASYNC})

    def timeout(self, call: Call) -> Call:
        @wraps(call)
        async def guarded(order: int) -> object:
            with anyio.fail_after(10.0):
                return await call(order)

        return guarded


CONTENDERS = [CapacityLimiter, FailAfter]
