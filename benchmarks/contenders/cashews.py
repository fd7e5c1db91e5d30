"""cashews: caches for asyncio; here its own memory."""

from cashews import Cache

from benchmarks.contenders.contender import HOUR, Call, Contender, World


class Cashews(Contender):
    """Protected, as by default, one call at a time brings a value."""

    name = "cashews"
    module = "cashews"
    distribution = "cashews"
    worlds = frozenset({World.ASYNC})

    def cached(self, call: Call) -> Call:
        cache = Cache()
        cache.setup("mem://")
        return cache(ttl=HOUR, key="{order}")(call)


CONTENDERS = [Cashews]
