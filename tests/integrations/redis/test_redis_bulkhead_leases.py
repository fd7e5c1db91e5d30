import asyncio

import pytest
import redis
from tests.integrations.redis.driving import Tasks
from tests.integrations.redis.servers import Server

from uat_resilience import (
    BulkheadFullError,
)
from uat_resilience.integrations.redis import RedisBulkhead, RedisLink

HELD = "uat:{orders}:held"


async def nothing() -> str:
    return "ran"


def test_lease_is_renewed_while_the_call_runs(server: Server) -> None:
    with redis.Redis(port=server.port) as client, server.admin() as admin:
        bulkhead = RedisBulkhead(1, client=client, name="orders", lease=0.15)

        with bulkhead.permit():
            renewals(admin, 5)
            held = admin.zcard(HELD)
            with pytest.raises(BulkheadFullError):
                bulkhead.call(int)

        assert held == 1
        assert bulkhead.snapshot().lost == 0


def renewals(admin: redis.Redis, number: int) -> None:
    """Wait until so many renewals have reached the server."""
    with admin.monitor() as seen:
        for command in seen.listen():
            number -= command["client_type"] == "lua" and command["command"].startswith(
                f"ZADD {HELD}"
            )
            if not number:
                return


def test_lease_of_a_task_is_renewed_while_the_call_runs(server: Server, tasks: Tasks) -> None:
    client = tasks.client(server.port)
    bulkhead = RedisBulkhead(1, client=client, name="orders", lease=0.15)

    async def main() -> None:
        async with bulkhead.permit():
            await asyncio.to_thread(watch, server, 5)
            with pytest.raises(BulkheadFullError):
                await bulkhead.acall(nothing)

    tasks.run(main)

    assert bulkhead.snapshot().lost == 0


def watch(server: Server, number: int) -> None:
    with server.admin() as admin:
        renewals(admin, number)


def test_renewal_begins_anew_after_a_rest(server: Server) -> None:
    with redis.Redis(port=server.port) as client, server.admin() as admin:
        bulkhead = RedisBulkhead(1, client=client, name="orders", lease=0.09)
        bulkhead.call(int)
        keeper = bulkhead._leases._keeper
        rest(bulkhead)

        with bulkhead.permit():
            renewals(admin, 3)

        assert bulkhead._leases._keeper is not keeper


def test_lease_that_was_taken_over_is_told_as_lost(server: Server) -> None:
    with redis.Redis(port=server.port) as client, server.admin() as admin:
        bulkhead = RedisBulkhead(1, client=client, name="orders", lease=0.15)

        with bulkhead.permit():
            # As if this process had stood still for a while.
            admin.zadd(HELD, {"somebody": 9e15})
            admin.zremrangebyrank(HELD, 0, 0)
            rest(bulkhead)

        assert bulkhead.snapshot().lost == 1
        assert bulkhead.snapshot().held == 0


def rest(bulkhead: RedisBulkhead) -> None:
    """Wait until the thread that renews has nothing left to renew."""
    keeper = bulkhead._leases._keeper
    assert keeper is not None
    keeper.join()


def test_lease_that_ran_out_is_taken_again_when_there_is_room(server: Server) -> None:
    with redis.Redis(port=server.port) as client, server.admin() as admin:
        bulkhead = RedisBulkhead(1, client=client, name="orders", lease=0.15)

        with bulkhead.permit():
            admin.delete(HELD)
            renewals(admin, 1)

            assert admin.zcard(HELD) == 1
        assert bulkhead.snapshot().lost == 0


def test_renewal_that_overtakes_the_end_of_its_call_is_undone(server: Server) -> None:
    with redis.Redis(port=server.port) as client, server.admin() as admin:
        bulkhead = RedisBulkhead(1, client=client, name="orders")
        leases = bulkhead._leases

        leases._exchange_now({"ended": None})

        assert admin.zcard(HELD) == 0


def test_renewal_of_a_task_that_overtakes_the_end_of_its_call_is_undone(
    server: Server, tasks: Tasks
) -> None:
    bulkhead = RedisBulkhead(1, client=tasks.client(server.port), name="orders")

    tasks.run(lambda: bulkhead._leases._aexchange({"ended": None}))

    with server.admin() as admin:
        assert admin.zcard(HELD) == 0


def test_lease_that_ended_in_time_is_not_lost(server: Server) -> None:
    with redis.Redis(port=server.port) as client, server.admin() as admin:
        bulkhead = RedisBulkhead(1, client=client, name="orders")
        admin.zadd(HELD, {"somebody": 9e15})

        bulkhead._leases._exchange_now({"ended": None})

        assert bulkhead.snapshot().lost == 0


def test_nothing_to_tell_is_not_told(server: Server, tasks: Tasks) -> None:
    with redis.Redis(port=server.port) as client, server.admin() as admin:
        link = RedisLink(client, tasks.client(server.port))
        leases = RedisBulkhead(1, client=link, name="orders")._leases

        leases.settle()
        tasks.run(leases.asettle)

        assert "cmdstat_evalsha" not in admin.info("commandstats")


def test_timer_rests_when_nothing_is_held(server: Server, tasks: Tasks) -> None:
    bulkhead = RedisBulkhead(1, client=tasks.client(server.port), name="orders", lease=0.3)

    async def main() -> None:
        await bulkhead.acall(nothing)
        timer = bulkhead._leases._timer
        assert timer is not None
        later = asyncio.Event()
        asyncio.get_running_loop().call_at(timer.when() + 0.001, later.set)
        await later.wait()

    tasks.run(main)

    assert bulkhead._leases._timer is None


def test_stream_that_is_closed_after_its_loop_leaves_its_lease_to_run_out(
    server: Server, tasks: Tasks
) -> None:
    bulkhead = RedisBulkhead(1, client=tasks.client(server.port), name="orders")

    @bulkhead
    async def numbers() -> "object":
        yield 1

    stream = numbers()
    tasks.run(stream.__anext__)

    with pytest.raises(StopIteration):
        stream.aclose().send(None)

    assert bulkhead.snapshot().held == 0
