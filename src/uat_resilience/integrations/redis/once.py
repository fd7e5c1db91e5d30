"""A script that a server is asked to run once, by an asyncio client.

redis-py sends a command again when its connection breaks, up to ten times. The server may have carried it out: the
answer was lost, and each repetition of a decision spends another token.
"""

from collections.abc import Sequence
from typing import Any

import redis.asyncio
from redis.exceptions import NoScriptError

from uat_resilience.integrations.redis.scripts import Script

__all__ = ["Argument", "AsyncClient", "run_once"]

AsyncClient = redis.asyncio.Redis | redis.asyncio.RedisCluster
Argument = str | int | float


async def run_once(
    client: AsyncClient, script: Script, keys: Sequence[str], arguments: Sequence[Argument]
) -> object:
    """Run a script and return what it answers. Connecting is repeated as the client is told to, running is not.

    Cancelling closes the connection, as the server may run the script all the same.

    Raises:
        redis.RedisError: There is no answer.
    """
    try:
        return await _sent(client, keys[0], "EVALSHA", script.sha, len(keys), *keys, *arguments)
    except NoScriptError:  # It was not run.
        return await _sent(client, keys[0], "EVAL", script.source, len(keys), *keys, *arguments)


async def _sent(client: Any, key: str, *command: Argument) -> object:  # noqa: ANN401 - redis-py has no types for this
    await client.initialize()
    if isinstance(client, redis.asyncio.RedisCluster):
        # Told where to send a command, it repeats only what a node has refused because the key is elsewhere.
        node: Any = client.get_node_from_key(key)
        return await client.execute_command(*command, target_nodes=node)
    connection = await client.connection_pool.get_connection()
    try:
        await connection.send_command(*command)
        return await connection.read_response()
    finally:
        await client.connection_pool.release(connection)
