"""The Redis of a service, as its settings name it."""

import redis.asyncio

from uat_service.addresses import redis_address
from uat_service.settings import Settings

__all__ = ["redis_client"]


def redis_client(settings: Settings) -> redis.asyncio.Redis | None:
    """Return a client for `REDIS_ADDR`, `REDIS_DB` and `REDIS_PASSWORD`, or None where no address is set.

    Nothing is connected yet. The client belongs to one event loop, and whoever asked for it closes it.

    It is redis-py's own, which repeats a command up to ten times, for a minute with a server that is silent. What
    this library does in Redis has limits of its own; around other commands put a deadline.
    """
    if not settings.redis_addr:
        return None
    host, port = redis_address("REDIS_ADDR", settings.redis_addr)
    return redis.asyncio.Redis(
        host=host,
        port=port,
        db=settings.redis_db,
        password=settings.redis_password.get_secret_value() or None,
    )
