"""Services that Redis knows: each instance says again and again that it is there, and is forgotten when it stops.

    {prefix}:{services/NAME}:all             set of instance ids
    {prefix}:{services/NAME}:one:ID          JSON of the instance, gone after `ttl`

All keys of a service lie in one slot of a cluster. Ids whose key is gone are removed by whoever registers next.
"""

import asyncio
import json
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import asdict, fields
from typing import cast

from uat_resilience._core.arguments import seconds, text
from uat_resilience.clock import default_clock
from uat_resilience.integrations.redis.away import CLIENT_ERRORS
from uat_resilience.integrations.redis.once import AsyncClient
from uat_service.resolver.instance import Instance
from uat_service.rounds import next_round

__all__ = ["RedisRegistry"]

_SHARE = 3.0  # A lease is renewed three times while it lasts, so two of them may be lost.
_FIELDS = tuple(each.name for each in fields(Instance))


class RedisRegistry:
    """Register instances in Redis, and look them up there. Belongs to one event loop.

    Every exchange is one attempt of at most `timeout` seconds, whatever the client would do by itself.

    Args:
        client: To the Redis; a Cluster will do.
        ttl: Seconds, above 0, after which an instance that says nothing is forgotten.
        timeout: Seconds for one exchange, above 0.
        prefix: What every key begins with.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self,
        client: AsyncClient,
        *,
        ttl: float = 15.0,
        timeout: float = 1.0,
        prefix: str = "uat",
    ) -> None:
        self._client = client
        self._ttl = seconds("ttl", ttl)
        self._timeout = seconds("timeout", timeout)
        self._prefix = text("prefix", prefix)

    async def look_up(self, name: str) -> list[Instance]:
        """Return the instances whose lease has not run out, in the order of their ids.

        What is no instance is left out: one registration that nobody can read must not hide the others.

        Raises:
            redis.RedisError, redis.exceptions.RedisClusterException, TimeoutError: Redis is away, or has something
                else under these names.
        """
        async with asyncio.timeout(self._timeout):
            members = await cast("Awaitable[set[bytes]]", self._client.smembers(self._all(name)))
            ids = sorted(_text(member) for member in members)
            if not ids:
                return []
            told = await self._client.mget([self._one(name, each) for each in ids])
        found = [_read(value) for value in told if value is not None]
        return [each for each in found if each is not None]

    async def announce(self, name: str, instance: Instance) -> None:
        """Say that an instance is there, for `ttl` seconds.

        Raises:
            redis.RedisError, redis.exceptions.RedisClusterException, TimeoutError: Redis is away.
        """
        everyone, body = self._all(name), json.dumps(asdict(instance))
        async with asyncio.timeout(self._timeout):
            await self._client.set(self._one(name, instance.id), body, px=round(self._ttl * 1000))
            await self._client.sadd(everyone, instance.id)
            members = await cast("Awaitable[set[bytes]]", self._client.smembers(everyone))
            ids = sorted(_text(member) for member in members)
            there = await self._client.mget([self._one(name, each) for each in ids])
            gone = [each for each, value in zip(ids, there, strict=True) if value is None]
            if gone:
                await self._client.srem(everyone, *gone)

    async def withdraw(self, name: str, instance: Instance) -> None:
        """Say that an instance is gone, which is better than letting its lease run out.

        Raises:
            redis.RedisError, redis.exceptions.RedisClusterException, TimeoutError: Redis is away.
        """
        async with asyncio.timeout(self._timeout):
            await self._client.delete(self._one(name, instance.id))
            await self._client.srem(self._all(name), instance.id)

    async def keep(self, name: str, instance: Instance) -> None:
        """Announce an instance again and again, until this is cancelled; then withdraw it.

        A Redis that is away ends nothing: the instance is there again as soon as Redis is.
        """
        try:
            while True:
                with suppress(*CLIENT_ERRORS):
                    await self.announce(name, instance)
                # Spread, so that a fleet that was started together does not speak together.
                share = 0.8 + 0.2 * default_clock.clock.random()
                await next_round(self._ttl / _SHARE * share)
        finally:
            with suppress(*CLIENT_ERRORS):
                await self.withdraw(name, instance)

    def _all(self, name: str) -> str:
        return f"{self._prefix}:{{services/{name}}}:all"

    def _one(self, name: str, instance: str) -> str:
        return f"{self._prefix}:{{services/{name}}}:one:{instance}"


def _read(value: bytes | str) -> Instance | None:
    """Return an instance, or None for what is none. What a later version tells besides is left out."""
    try:
        told = json.loads(value)
        return Instance(**{name: told[name] for name in _FIELDS if name in told})
    except (TypeError, ValueError):
        return None


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode()
