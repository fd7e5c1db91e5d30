"""Calls that are cancelled after one, two, three, ... turns of the loop: nothing stays behind in Redis."""

import asyncio
from contextlib import suppress
from typing import Any

import redis.asyncio
from tests.integrations.redis.driving import Tasks
from tests.integrations.redis.servers import Server

from uat_resilience import BreakerState, ConsecutiveFailures
from uat_resilience.integrations.redis import (
    RedisBulkhead,
    RedisLink,
    RedisRateLimiter,
    SharedBreaker,
)

TURNS = 80


async def nothing() -> str:
    return "ran"


async def turn() -> None:
    """Let the loop go round once."""
    loop = asyncio.get_running_loop()
    passed = loop.create_future()
    loop.call_soon(passed.set_result, None)
    await passed


async def cancelled_after(turns: int, policy: Any) -> bool:
    """Begin a call that hangs, cancel it, and wait for all that it leaves to be done; True when its body began."""
    began = asyncio.Event()

    async def body() -> None:
        began.set()
        await asyncio.Event().wait()

    call = asyncio.create_task(policy.acall(body))
    for _ in range(turns):
        await turn()
    call.cancel()
    await asyncio.wait([call])
    await asyncio.gather(*policy._link._exchanges, return_exceptions=True)
    await asyncio.gather(*policy._link._late)
    return began.is_set()


def test_no_slot_is_lost(server: Server, tasks: Tasks) -> None:
    link = RedisLink(tasks.client(server.port), timeout=5)
    bulkhead = RedisBulkhead(1, queue=1, client=link, name="orders")

    async def main() -> list[bool]:
        return [await cancelled_after(turns, bulkhead) for turns in range(TURNS)]

    began = tasks.run(main)

    assert set(began) == {False, True}
    assert bulkhead.snapshot().held == 0
    with server.admin() as admin:
        assert admin.keys("uat:{orders}:*") == []
    assert tasks.call(bulkhead, lambda: "ran") == "ran"


def test_no_place_in_the_queue_is_lost(server: Server, tasks: Tasks) -> None:
    link = RedisLink(tasks.client(server.port), timeout=5)
    bulkhead = RedisBulkhead(1, queue=1, client=link, name="orders", poll=0.001)

    async def main() -> None:
        async with bulkhead.permit():
            for turns in range(TURNS):
                assert not await cancelled_after(turns, bulkhead)

    tasks.run(main)

    with server.admin() as admin:
        assert admin.keys("uat:{orders}:*") == []


def test_no_probe_is_lost(server: Server, tasks: Tasks) -> None:
    link = RedisLink(tasks.client(server.port), timeout=5)
    one, other = (
        SharedBreaker("orders", client=link, trip=ConsecutiveFailures(1)) for _ in range(2)
    )
    for breaker in (one, other):
        breaker._gate.follow(1e-9)

    async def main() -> list[bool]:
        return [await cancelled_after(turns, one) for turns in range(TURNS)]

    began = tasks.run(main)

    assert set(began) == {False, True}
    assert tasks.call(other, lambda: "probe") == "probe"
    assert other.state is BreakerState.CLOSED


class Deaf(redis.asyncio.Redis):
    """Does not hear that it is cancelled, as `asyncio.wait_for` up to Python 3.11 now and then."""

    def __init__(self) -> None:
        super().__init__(port=1)
        self.asked = asyncio.Event()
        self.free = asyncio.Event()

    async def initialize(self) -> "Deaf":
        self.asked.set()
        with suppress(asyncio.CancelledError):
            await self.free.wait()
        await self.free.wait()
        return self


def test_client_that_hears_of_no_cancellation_keeps_no_call(tasks: Tasks) -> None:
    async def main() -> bool:
        client = Deaf()
        limiter = RedisRateLimiter(9, client=RedisLink(client, timeout=0.01), name="orders")
        asyncio.get_running_loop().call_later(5, client.free.set)
        assert await limiter.acall(nothing) == "ran"
        return await released(client, limiter)

    assert not tasks.run(main)


def test_cancellation_that_a_client_does_not_hear_of_ends_the_call(tasks: Tasks) -> None:
    async def main() -> bool:
        client = Deaf()
        limiter = RedisRateLimiter(9, client=RedisLink(client, timeout=60), name="orders")
        asyncio.get_running_loop().call_later(5, client.free.set)
        call = asyncio.create_task(limiter.acall(nothing))
        await client.asked.wait()
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        return await released(client, limiter)

    assert not tasks.run(main)


async def released(client: Deaf, limiter: Any) -> bool:
    """Let a client go on that hears nothing; True when it had gone on already."""
    late = client.free.is_set()
    client.free.set()
    await asyncio.gather(*limiter._link._exchanges, return_exceptions=True)
    await client.aclose()
    return late


def test_cancelled_exchange_is_made_up_for(server: Server, tasks: Tasks) -> None:
    link = RedisLink(tasks.client(server.port), timeout=5)
    bulkhead = RedisBulkhead(1, client=link, name="orders")
    leases = bulkhead._leases

    async def main() -> None:
        async with bulkhead.permit():
            leases.drop(next(iter(leases._aheld)))
            settling = asyncio.create_task(leases.asettle())
            await turn()
            settling.cancel()
            await asyncio.wait([settling])
        assert await bulkhead.acall(nothing) == "ran"

    tasks.run(main)
