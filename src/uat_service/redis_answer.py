"""Whether a Redis takes commands: asked once, on connections of its own.

one server, or nodes of a Cluster    PING each at once; the first that answers will do
Sentinels                            ask each at once where the master is, and PING that
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from uat_service.redis_client import master_client

__all__ = ["redis_answers"]

Address = tuple[str, int]


async def redis_answers(
    addresses: Sequence[Address],
    *,
    password: str = "",
    sentinel: str = "",
    sentinel_password: str = "",
) -> None:
    """Return when one of these takes commands, or the master of their set does.

    Args:
        addresses: Servers, or Sentinels.
        password: That of the servers, or empty for none.
        sentinel: Name of the set, where they are Sentinels; or empty.
        sentinel_password: That of the Sentinels, or empty for none.

    Raises:
        redis.RedisError: What the last that answered was told, or said.
    """

    async def ping(address: Address) -> None:
        client: Any  # redis-py has no types for its commands.
        if sentinel:
            client = master_client(
                sentinel, [address], password=password, sentinel_password=sentinel_password
            )
        else:
            once = Retry(NoBackoff(), 0)
            host, port = address
            client = Redis(host=host, port=port, password=password or None, retry=once)
        async with client:
            await client.ping()

    await _any(addresses, ping)


async def _any(addresses: Sequence[Address], ask: Callable[[Address], Awaitable[None]]) -> None:
    """Ask all at once, until one answers."""
    failures: list[Exception] = []

    async def one(address: Address) -> None:
        try:
            await ask(address)
        except Exception as error:  # noqa: BLE001 - the last of them is raised below
            failures.append(error)
        else:
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for address in addresses:
            group.start_soon(one, address)
    if len(failures) == len(addresses):
        raise failures[-1]
