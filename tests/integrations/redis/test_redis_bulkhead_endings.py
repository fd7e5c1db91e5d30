import asyncio
import gc

import pytest
import redis
from tests.integrations.redis.driving import Tasks
from tests.integrations.redis.servers import Server

from uat_resilience import (
    BulkheadFullError,
    EventBus,
    Pipeline,
    TimedOutError,
    Timeout,
    deadline,
)
from uat_resilience.integrations.redis import RedisBulkhead
from uat_resilience.telemetry import SlotQueued

HELD = "uat:{orders}:held"
QUEUE = "uat:{orders}:queue"


async def nothing() -> str:
    return "ran"


def test_cancelled_call_gives_its_slot_back(server: Server, tasks: Tasks) -> None:
    bulkhead = RedisBulkhead(1, client=tasks.client(server.port), name="orders")

    async def main() -> None:
        inside = asyncio.Event()

        async def body() -> None:
            inside.set()
            await asyncio.Event().wait()

        call = asyncio.create_task(bulkhead.acall(body))
        await inside.wait()
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        await asyncio.gather(*bulkhead._link._late)
        assert await bulkhead.acall(nothing) == "ran"

    tasks.run(main)


def test_call_cut_by_its_deadline_gives_its_slot_back_all_the_same(
    server: Server, tasks: Tasks
) -> None:
    bulkhead = RedisBulkhead(1, client=tasks.client(server.port), name="orders")
    cut = Pipeline(Timeout(0.1), bulkhead)

    async def main() -> None:
        with pytest.raises(TimedOutError):
            await cut.acall(asyncio.Event().wait)
        await asyncio.gather(*bulkhead._link._late)
        assert await bulkhead.acall(nothing) == "ran"

    tasks.run(main)


def test_waiter_that_is_cancelled_leaves_the_queue(server: Server, tasks: Tasks) -> None:
    bus = EventBus()
    client = tasks.client(server.port)
    bulkhead = RedisBulkhead(1, queue=1, client=client, name="orders", bus=bus)

    async def main() -> None:
        waits = asyncio.Event()
        bus.subscribe(lambda _: waits.set(), SlotQueued)
        async with bulkhead.permit():
            call = asyncio.create_task(bulkhead.acall(nothing))
            await waits.wait()
            call.cancel()
            await asyncio.wait([call])
            await asyncio.gather(*bulkhead._link._late)

    tasks.run(main)

    with server.admin() as admin:
        assert admin.zcard(QUEUE) == 0


def test_call_after_its_deadline_leaves_nothing_behind(server: Server) -> None:
    with redis.Redis(port=server.port) as client, server.admin() as admin:
        bulkhead = RedisBulkhead(1, client=client, name="orders")

        with deadline(1e-9), pytest.raises(TimedOutError):
            bulkhead.call(pytest.fail)

        assert bulkhead.call(lambda: "ran") == "ran"
        assert admin.zcard(HELD) == 0


def test_abandoned_stream_gives_its_slot_back_with_the_next_exchange(server: Server) -> None:
    with redis.Redis(port=server.port) as client, server.admin() as admin:
        bulkhead = RedisBulkhead(1, client=client, name="orders", lease=0.15)
        stream = bulkhead(lambda: (yield 1))()
        next(stream)
        keeper = bulkhead._leases._keeper
        assert keeper is not None

        del stream
        gc.collect()

        keeper.join()
        assert admin.zcard(HELD) == 0


def test_async_stream_holds_its_slot_to_its_end(server: Server, tasks: Tasks) -> None:
    bulkhead = RedisBulkhead(1, client=tasks.client(server.port), name="orders")

    @bulkhead
    async def numbers() -> "object":
        yield 1

    async def main() -> None:
        async for _ in numbers():
            with pytest.raises(BulkheadFullError):
                await bulkhead.acall(nothing)
        assert await bulkhead.acall(nothing) == "ran"

    tasks.run(main)
