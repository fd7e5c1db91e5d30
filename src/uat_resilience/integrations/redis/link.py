"""The way to Redis: every exchange ends in time, and a Redis that is away is left alone for a while.

Nothing here holds a lock. Sync code talks through a bounded client made from the user's (see `bounded`); asyncio
code through the connections of the user's own (see `once`), in a task that is cancelled when its time is over,
which redis-py answers by dropping the connection. That task is not waited for: redis-py sends with
`asyncio.wait_for`, which up to Python 3.11 loses a cancellation now and then, and would go on for seconds.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from contextvars import copy_context
from typing import Any, cast

import redis
from redis.exceptions import NoScriptError

from uat_resilience._core.arguments import seconds, text
from uat_resilience._core.breaker import BreakerState
from uat_resilience._core.trip import ConsecutiveFailures
from uat_resilience.ambient import current_deadline
from uat_resilience.clock import Clock
from uat_resilience.errors import TimedOutError
from uat_resilience.integrations.redis.away import HurriedError, RedisAwayError
from uat_resilience.integrations.redis.bounded import bounded, ending_within
from uat_resilience.integrations.redis.once import Argument, AsyncClient, run_once
from uat_resilience.integrations.redis.patience import Patience
from uat_resilience.integrations.redis.scripts import Script
from uat_resilience.policies.circuit_breaker import BreakerSnapshot, CircuitBreaker
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.waiting import refuse_to_block

__all__ = ["Client", "RedisLink", "linked"]

Client = redis.Redis | AsyncClient


class RedisLink:
    """Reach one Redis, for any number of policies: when it is away, all of them know it together.

    An exchange takes at most `timeout` seconds, connecting included, and at most half of what the ambient deadline
    leaves; nothing is repeated. After three failures in a row Redis is left alone: policies decide in their own
    process at once, and one call in each `recovery_time` tries Redis. That is a circuit breaker called `name`: its
    events and metrics say when policies were on their own.

    Safe to share between threads and tasks. An asyncio client belongs to one event loop, as redis-py has it.

    Args:
        clients: `redis.Redis` for sync code, `redis.asyncio.Redis` or `redis.asyncio.RedisCluster` for asyncio,
            or one of each; those of `Sentinel.master_for`, too. From the sync client only the settings are
            taken: its connections stay its own.
        timeout: Seconds an exchange takes at most, above 0. A Redis next door answers within a few
            milliseconds, so a quarter of a second is a long wait already.
        recovery_time: Seconds for which a Redis that is away is left alone, above 0. Short, because asking again
            costs one call `timeout`.
        name: Name of its breaker in events and metrics.
        prefix: What every key begins with.
        clock: Time source of its breaker. Default: the replaceable system clock.
        bus: Where events go. Default: `default_bus`.

    Attributes:
        name: Name of its breaker.
        recovery_time: Seconds for which a Redis that is away is left alone.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self,
        *clients: Client,
        timeout: float = 0.25,
        recovery_time: float = 2.0,
        name: str = "redis",
        prefix: str = "uat",
        clock: Clock | None = None,
        bus: EventBus | None = None,
    ) -> None:
        self._sync: redis.Redis | None = None
        self._async: AsyncClient | None = None
        for client in clients:
            self._take(client)
        if not clients:
            raise TypeError("clients must be one or two clients of redis-py, not none")
        self.name = text("name", name)
        self._patience = Patience(timeout)
        self.recovery_time = seconds("recovery_time", recovery_time)
        self._prefix = text("prefix", prefix)
        self._late: set[asyncio.Task[None]] = set()
        self._exchanges: set[asyncio.Task[object]] = set()
        self._breaker = CircuitBreaker(
            name,
            trip=ConsecutiveFailures(3),
            ignore=(TimedOutError, HurriedError),
            recovery_time=self.recovery_time,
            clock=clock,
            bus=bus,
        )

    @property
    def away(self) -> bool:
        """True while Redis is left alone."""
        return self._breaker.state is not BreakerState.CLOSED

    def snapshot(self) -> BreakerSnapshot:
        """Return the breaker in front of Redis at this moment."""
        return self._breaker.snapshot()

    def key(self, name: str, part: str) -> str:
        """Return a key; all keys of one name lie in one hash slot of a cluster."""
        return f"{self._prefix}:{{{name}}}:{part}"

    def ask(
        self, policy: str, script: Script, keys: Sequence[str], *arguments: Argument
    ) -> list[int]:
        """Run a script from sync code and return what it answers.

        Raises:
            RedisAwayError: There is no answer.
            TimedOutError: The deadline around this call has passed.
            RuntimeError: This thread runs an event loop, which waiting would stop.
            TypeError: There is no sync client.
        """
        client = self._sync
        if client is None:
            raise TypeError(
                f"{policy} has an asyncio client only: use acall(), or add a redis.Redis"
            )
        refuse_to_block(policy, "guard an async function, use acall() or `async with`")
        try:
            return self._breaker.call(self._run, client, script, keys, arguments)
        except TimedOutError:
            raise
        except Exception as error:
            raise RedisAwayError(error, pause=self.recovery_time) from error

    async def aask(
        self, policy: str, script: Script, keys: Sequence[str], *arguments: Argument
    ) -> list[int]:
        """Run a script from a task and return what it answers.

        Raises:
            RedisAwayError: There is no answer.
            TimedOutError: The deadline around this task has passed.
            RuntimeError: A trio task runs here.
            TypeError: There is no asyncio client.
        """
        client = self._async
        if client is None:
            raise TypeError(
                f"{policy} has a sync client only: use call(), or add a redis.asyncio.Redis"
            )
        _refuse_trio(policy)
        try:
            return await self._breaker.acall(self._arun, client, script, keys, arguments)
        except TimedOutError:
            raise
        except Exception as error:
            raise RedisAwayError(error, pause=self.recovery_time) from error

    def later(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Do something beside the running task; None when no event loop is left to do it in."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            work.close()
            return None
        context = copy_context()
        context.run(current_deadline.set, None)  # It is no part of the call that may be over.
        task = loop.create_task(work, context=context)
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        return task

    def _take(self, client: Client) -> None:
        if isinstance(client, redis.Redis) and self._sync is None:
            self._sync = bounded(client)
        elif isinstance(client, AsyncClient) and self._async is None:
            self._async = client
        else:
            raise TypeError(
                "clients must be a redis.Redis, a redis.asyncio.Redis or RedisCluster, or one sync and one "
                f"asyncio client, not a {type(client).__name__}"  # A URL would show its password.
            )

    def _run(
        self,
        client: redis.Redis,
        script: Script,
        keys: Sequence[str],
        arguments: Sequence[Argument],
    ) -> list[int]:
        limit = self._patience.limit()
        try:
            with ending_within(limit):
                try:
                    answer = client.evalsha(script.sha, len(keys), *keys, *arguments)
                except NoScriptError:
                    answer = client.eval(script.source, len(keys), *keys, *arguments)
        except (redis.TimeoutError, TimeoutError) as error:
            self._patience.excuse(limit, error)
            raise
        return cast("list[int]", answer)

    async def _arun(
        self,
        client: AsyncClient,
        script: Script,
        keys: Sequence[str],
        arguments: Sequence[Argument],
    ) -> list[int]:
        limit = self._patience.limit()
        exchange = asyncio.create_task(run_once(client, script, keys, arguments))
        self._exchanges.add(exchange)
        exchange.add_done_callback(self._ended)
        try:
            await asyncio.wait((exchange,), timeout=limit)
        finally:
            in_time = not exchange.cancel()
        try:
            if not in_time or exchange.cancelled():
                raise TimeoutError("the exchange with Redis took too long")
            return cast("list[int]", exchange.result())
        except (redis.TimeoutError, TimeoutError) as error:
            self._patience.excuse(limit, error)
            raise

    def _ended(self, exchange: asyncio.Task[object]) -> None:
        """Drop an exchange, and what it raised when nobody was left to hear it."""
        self._exchanges.discard(exchange)
        if not exchange.cancelled():
            exchange.exception()


def linked(
    client: Client | RedisLink, *, name: str, clock: Clock | None, bus: EventBus
) -> RedisLink:
    """Return the link that is given, or one for this policy alone."""
    if isinstance(client, RedisLink):
        return client
    return RedisLink(client, name=f"{name}/redis", clock=clock, bus=bus)


def _refuse_trio(policy: str) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            f"{policy} cannot reach Redis from trio, which redis-py does not speak: run the sync call in a thread "
            "(trio.to_thread.run_sync) with a redis.Redis client"
        ) from None
