"""aiolimiter: a leaky bucket for asyncio."""

from aiolimiter import AsyncLimiter

from benchmarks.contenders.contender import NEVER, Call, Contender, World


class Aiolimiter(Contender):
    """A call that finds no room waits for it; nothing is refused."""

    name = "aiolimiter"
    module = "aiolimiter"
    distribution = "aiolimiter"
    worlds = frozenset({World.ASYNC})
    note = "its limiter waits, and refuses nothing"

    def limiter(self, call: Call, *, rate: int = NEVER, per: float = 1.0) -> Call:
        limiter = AsyncLimiter(rate, per)

        async def guarded(order: int) -> object:
            async with limiter:
                return await call(order)

        return guarded


CONTENDERS = [Aiolimiter]
