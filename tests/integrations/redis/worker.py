"""One process of a fleet: for each part, says that it is ready, waits for a line, says what came of it."""

import asyncio
import sys
from contextlib import suppress

import redis
import redis.asyncio

from uat_resilience import RateLimitedError
from uat_resilience.integrations.redis import RedisBulkhead, RedisLink, RedisRateLimiter

INSIDE = """
local inside = redis.call('INCR', 'inside')
if inside > tonumber(redis.call('GET', 'most') or 0) then redis.call('SET', 'most', inside) end
return inside
"""


def limited(port: int) -> None:
    """Try forty calls under a limit of twenty."""
    link = RedisLink(redis.Redis(port=port), timeout=10)
    limiter = RedisRateLimiter(20, per=3600, client=link, name="fleet")
    ready()
    admitted = 0
    for _ in range(40):
        with suppress(RateLimitedError):
            admitted += limiter.call(lambda: 1)
    say(admitted)


def capped(port: int) -> None:
    """Make ten calls under a cap of three."""
    client = redis.Redis(port=port)
    bulkhead = RedisBulkhead(
        3, queue=8, poll=0.001, client=RedisLink(client, timeout=10), name="fleet"
    )

    def body() -> None:
        client.eval(INSIDE, 0)
        client.decr("inside")

    ready()
    for _ in range(10):
        bulkhead.call(body)
    say(10)


def acapped(port: int) -> None:
    """Make ten calls under a cap of three, in two tasks."""

    async def main() -> None:
        client = redis.asyncio.Redis(port=port)
        link = RedisLink(client, timeout=10)
        bulkhead = RedisBulkhead(3, queue=8, poll=0.001, client=link, name="fleet")

        @bulkhead
        async def call() -> None:
            await client.eval(INSIDE, 0)
            await client.decr("inside")

        async def five() -> None:
            for _ in range(5):
                await call()

        ready()
        await asyncio.gather(five(), five())
        await client.aclose()
        say(10)

    asyncio.run(main())


def holding(port: int) -> None:
    """Hold the only slot until killed."""
    client = redis.Redis(port=port)
    bulkhead = RedisBulkhead(1, client=RedisLink(client, timeout=10), name="fleet", lease=2.0)
    with bulkhead.permit():
        ready()


def ready() -> None:
    say("ready")
    sys.stdin.readline()


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


PARTS = {"limited": limited, "capped": capped, "acapped": acapped, "holding": holding}

if __name__ == "__main__":
    for part in iter(sys.stdin.readline, ""):
        PARTS[part.strip()](int(sys.argv[1]))
