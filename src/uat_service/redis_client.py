"""The Redis of a service, as its settings name it.

REDIS_ADDR     REDIS_SENTINEL    the client
one address    empty             that server
several        empty             a Cluster, found through any of these nodes
any number     a name            the master of that set, asked of these Sentinels at each connection
"""

from typing import Any

import redis.asyncio
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

from uat_resilience.integrations.redis.once import AsyncClient
from uat_service.addresses import redis_addresses
from uat_service.settings import Settings

__all__ = ["master_client", "redis_client"]

_NODE_TIMEOUT = 0.15
"""Seconds for an answer of a node: when it takes longer redis-py asks the others who has its place by now. Less
than a policy waits, which would cut it off before that, and so would ask a silent node for ever."""

_SENTINEL_TIMEOUT = 0.1
"""Seconds for one Sentinel: a policy waits a quarter of a second for all, and one of them may be silent."""


def redis_client(settings: Settings) -> AsyncClient | None:
    """Return a client for what `REDIS_ADDR` and `REDIS_SENTINEL` name, or None where no address is set.

    Nothing is connected yet. The client belongs to one event loop, and whoever asked for it closes it.

    It is redis-py's own: that of one server repeats a command up to ten times, for a minute with a server that is
    silent, and that of a Cluster a few times, when a node has not answered within 0.15 s: block for no longer in a
    command. What this library does in Redis has limits of its own; around other commands put a deadline. Keys that
    one command names lie in one slot of a Cluster: give them a hash tag.
    """
    if not settings.redis_addr:
        return None
    password = settings.redis_password.get_secret_value()
    name, db = settings.redis_sentinel, settings.redis_db
    addresses = redis_addresses("REDIS_ADDR", settings.redis_addr, sentinel=name)
    if name:
        asked = settings.redis_sentinel_password.get_secret_value()
        return master_client(name, addresses, db=db, password=password, sentinel_password=asked)
    if len(addresses) > 1:
        nodes = [ClusterNode(host, port) for host, port in addresses]
        return redis.asyncio.RedisCluster(
            startup_nodes=nodes,
            password=password or None,
            socket_timeout=_NODE_TIMEOUT,
            socket_connect_timeout=_NODE_TIMEOUT,
        )
    host, port = addresses[0]
    return redis.asyncio.Redis(host=host, port=port, db=db, password=password or None)


def master_client(
    name: str,
    sentinels: list[tuple[str, int]],
    *,
    password: str,
    sentinel_password: str,
    db: int = 0,
) -> redis.asyncio.Redis:
    """Return a client for the master of a set, which repeats nothing.

    Args:
        name: What the set is called.
        sentinels: Where its Sentinels are.
        password: That of the servers, or empty for none.
        sentinel_password: That of the Sentinels, or empty for none.
        db: Number of the database.
    """
    asking = {
        "password": sentinel_password or None,
        "socket_timeout": _SENTINEL_TIMEOUT,
        "socket_connect_timeout": _SENTINEL_TIMEOUT,
        "retry": Retry(NoBackoff(), 0),  # The next one is asked instead.
    }
    sentinel: Any = Sentinel(sentinels, sentinel_kwargs=asking, db=db, password=password or None)  # type: ignore[no-untyped-call]  # redis-py has no types for this
    client: redis.asyncio.Redis = sentinel.master_for(name, connection_pool_class=_Pool)
    return client


class _Pool(SentinelConnectionPool):
    """Connections to a master; those to its Sentinels are closed with them."""

    sentinel_manager: Any

    async def aclose(self) -> None:
        await super().aclose()
        await self.sentinel_manager.aclose()
