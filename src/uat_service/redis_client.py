"""The Redis of a service, as its settings name it."""

import redis.asyncio

from uat_service.settings import Settings

__all__ = ["redis_client"]

_PORT = 6379


def redis_client(settings: Settings) -> redis.asyncio.Redis | None:
    """Return a client for `REDIS_ADDR`, `REDIS_DB` and `REDIS_PASSWORD`, or None where no address is set.

    Nothing is connected yet. The client belongs to one event loop, and whoever asked for it closes it.
    """
    if not settings.redis_addr:
        return None
    host, colon, port = settings.redis_addr.rpartition(":")
    return redis.asyncio.Redis(
        host=(host if colon else port).strip("[]"),
        port=int(port) if colon else _PORT,
        db=settings.redis_db,
        password=settings.redis_password.get_secret_value() or None,
    )
