"""The standard library: what is written by hand where no library is used."""

import asyncio
import threading
from functools import wraps

from benchmarks.contenders.contender import Call, Contender, World


class AsyncioTimeout(Contender):
    """`async with asyncio.timeout(10):` around the call."""

    name = "asyncio.timeout"
    module = "asyncio"
    distribution = ""
    worlds = frozenset({World.ASYNC})

    def timeout(self, call: Call) -> Call:
        @wraps(call)
        async def guarded(order: int) -> object:
            async with asyncio.timeout(10.0):
                return await call(order)

        return guarded


class AsyncioSemaphore(Contender):
    """`async with semaphore:` around the call; it waits for a slot, it cannot refuse."""

    name = "asyncio.Semaphore"
    module = "asyncio"
    distribution = ""
    worlds = frozenset({World.ASYNC})
    note = "waits for a slot and cannot refuse"

    def bulkhead(self, call: Call, *, size: int = 100) -> Call:
        semaphore = asyncio.Semaphore(size)

        @wraps(call)
        async def guarded(order: int) -> object:
            async with semaphore:
                return await call(order)

        return guarded


class ThreadingSemaphore(Contender):
    """`with semaphore:` around the call; it waits for a slot, it does not refuse."""

    name = "threading.Semaphore"
    module = "threading"
    distribution = ""
    worlds = frozenset({World.SYNC})
    note = "waits for a slot"

    def bulkhead(self, call: Call, *, size: int = 100) -> Call:
        semaphore = threading.BoundedSemaphore(size)

        @wraps(call)
        def guarded(order: int) -> object:
            with semaphore:
                return call(order)

        return guarded


CONTENDERS = [AsyncioTimeout, AsyncioSemaphore, ThreadingSemaphore]
