import asyncio
import gc
import threading
from collections.abc import Callable

import pytest
import redis
from tests.integrations.redis.driving import Driver, Tasks
from tests.integrations.redis.servers import Server

from uat_resilience import (
    BulkheadFullError,
    EventBus,
    Pipeline,
    TimedOutError,
    Timeout,
    captured,
    deadline,
)
from uat_resilience.integrations.redis import RedisBulkhead, RedisLink
from uat_resilience.telemetry import CallFailed, CallSucceeded, SlotQueued
from uat_resilience.testing import disabled

HELD = "uat:{orders}:held"
QUEUE = "uat:{orders}:queue"


async def nothing() -> str:
    return "ran"


def test_two_processes_share_one_cap(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        one, other = (RedisBulkhead(2, client=client, name="orders") for _ in range(2))

        with one.permit(), other.permit(), pytest.raises(BulkheadFullError) as refused:
            one.call(int)

        assert (refused.value.policy, refused.value.size) == ("orders", 2)
        assert one.call(lambda: "ran") == "ran"


def test_tasks_share_the_cap_too(server: Server, tasks: Tasks) -> None:
    link = RedisLink(tasks.client(server.port))
    one, other = (RedisBulkhead(2, client=link, name="orders") for _ in range(2))

    async def main() -> None:
        async with one.permit(), other.permit():
            with pytest.raises(BulkheadFullError):
                await one.acall(nothing)
        assert await one.acall(nothing) == "ran"

    tasks.run(main)


def test_slot_is_given_back_when_the_call_fails(server: Server, driver: Driver) -> None:
    bulkhead = RedisBulkhead(1, client=driver.client(server.port), name="orders")

    with pytest.raises(ZeroDivisionError):
        driver.call(bulkhead, lambda: 1 // 0)

    assert driver.call(bulkhead, lambda: "ran") == "ran"


def test_outcomes_are_told(server: Server, driver: Driver) -> None:
    bus = EventBus()
    bulkhead = RedisBulkhead(1, client=driver.client(server.port), name="orders", bus=bus)

    with captured(bus) as events:
        driver.call(bulkhead, int)
        with pytest.raises(ZeroDivisionError):
            driver.call(bulkhead, lambda: 1 // 0)

    told = [type(event) for event in events if event.policy == "orders"]
    assert told == [CallSucceeded, CallFailed]


def test_call_takes_one_round_trip_in_and_one_out(server: Server, driver: Driver) -> None:
    bulkhead = RedisBulkhead(1, client=driver.client(server.port), name="orders")
    driver.call(bulkhead, int)  # The first one connects, and brings the scripts.
    with server.admin() as admin:
        before = admin.info("commandstats")["cmdstat_evalsha"]["calls"]

        driver.call(bulkhead, int)

        assert admin.info("commandstats")["cmdstat_evalsha"]["calls"] - before == 2


def test_calls_wait_in_one_queue_first_come_first_served(server: Server, tasks: Tasks) -> None:
    bus, ran = EventBus(), list[int]()
    link = RedisLink(tasks.client(server.port))
    fleet = [
        RedisBulkhead(1, queue=3, client=link, name="orders", poll=0.001, bus=bus) for _ in range(2)
    ]

    async def main() -> None:
        waits = asyncio.Event()
        bus.subscribe(lambda _: waits.set(), SlotQueued)
        calls = list[asyncio.Task[None]]()
        async with fleet[0].permit():
            for number in range(3):

                async def body(number: int = number) -> None:
                    ran.append(number)

                waits.clear()
                calls.append(asyncio.create_task(fleet[number % 2].acall(body)))
                await waits.wait()
            with pytest.raises(BulkheadFullError):
                await fleet[0].acall(nothing)
        await asyncio.gather(*calls)

    tasks.run(main)

    assert ran == [0, 1, 2]


def test_newcomer_does_not_pass_those_who_wait(server: Server, driver: Driver) -> None:
    client = driver.client(server.port)
    narrow = RedisBulkhead(1, queue=1, client=client, name="orders")
    wide = RedisBulkhead(2, queue=1, client=client, name="orders")
    with server.admin() as admin:
        admin.zadd(QUEUE, {"first": 1})
        admin.zadd("uat:{orders}:heard", {"first": 9e15})

        with pytest.raises(BulkheadFullError):
            driver.call(narrow, pytest.fail)

        assert driver.call(wide, lambda: "there was room for both") == "there was room for both"


def test_lease_that_ran_out_is_free_while_others_last(server: Server, driver: Driver) -> None:
    bulkhead = RedisBulkhead(2, client=driver.client(server.port), name="orders")
    with server.admin() as admin:
        admin.zadd(HELD, {"dead": 1, "alive": 9e15})

        assert driver.call(bulkhead, lambda: "ran") == "ran"


def test_wait_ends_at_max_wait(server: Server, driver: Driver) -> None:
    client = driver.client(server.port)
    bulkhead = RedisBulkhead(1, queue=1, max_wait=0.05, client=client, name="orders")
    with server.admin() as admin:
        admin.zadd(HELD, {"somebody": 9e15})

        with pytest.raises(BulkheadFullError) as refused:
            driver.call(bulkhead, pytest.fail)

        assert refused.value.queue == 1
        settle(driver, bulkhead)
        assert admin.zcard(QUEUE) == 0


def settle(driver: Driver, bulkhead: RedisBulkhead) -> None:
    """Wait for what a bulkhead does beside its callers."""
    if isinstance(driver, Tasks):

        async def main() -> None:
            await asyncio.gather(*bulkhead._link._late)

        driver.run(main)


def test_wait_ends_at_the_deadline(server: Server, driver: Driver) -> None:
    link = RedisLink(driver.client(server.port), timeout=5)
    bulkhead = RedisBulkhead(1, queue=1, client=link, name="orders")
    with server.admin() as admin:
        admin.zadd(HELD, {"somebody": 9e15})

        with pytest.raises((BulkheadFullError, TimedOutError)):
            driver.call(bulkhead, pytest.fail, within=0.4)

        assert not bulkhead.snapshot().degraded


def test_call_with_no_time_left_to_ask_is_not_let_in_by_itself(
    start: Callable[..., Server], driver: Driver
) -> None:
    own, bus = start(), EventBus()
    link = RedisLink(driver.client(own.port), timeout=20)
    bulkhead = RedisBulkhead(1, queue=1, client=link, name="orders", bus=bus)
    with own.admin() as admin:
        admin.zadd(HELD, {"somebody": 9e15})
    bus.subscribe(lambda _: own.pause(), SlotQueued)

    with pytest.raises(BulkheadFullError):
        driver.call(bulkhead, pytest.fail, within=1.0)


def test_place_of_one_who_no_longer_asks_is_given_up(server: Server, driver: Driver) -> None:
    client = driver.client(server.port)
    bulkhead = RedisBulkhead(1, queue=1, client=client, name="orders")
    with server.admin() as admin:
        admin.zadd(QUEUE, {"dead": 1})
        admin.zadd("uat:{orders}:heard", {"dead": 1})

        assert driver.call(bulkhead, lambda: "ran") == "ran"


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


def test_bulkhead_that_never_decides_alone_is_one_like_others(
    server: Server, driver: Driver
) -> None:
    client = driver.client(server.port)
    bulkhead = RedisBulkhead(1, client=client, name="orders", local=False)

    assert driver.call(bulkhead, lambda: "ran") == "ran"


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


def test_snapshot_shows_the_fleet_and_what_is_held_here(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        one, other = (RedisBulkhead(3, client=client, name="orders") for _ in range(2))

        with one.permit(), other.permit():
            shown = other.snapshot()

        assert (shown.running, shown.waiting, shown.size, shown.queue) == (2, 0, 3, 0)
        assert (shown.held, shown.lost, shown.degraded) == (1, 0, False)
        assert not other.in_use


def test_threads_count_exactly(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        link = RedisLink(client, timeout=5)
        bulkhead = RedisBulkhead(3, queue=8, client=link, name="orders", poll=0.001)
        inside, most, lock = set[int](), list[int](), threading.Lock()

        def body() -> None:
            with lock:
                inside.add(threading.get_ident())
                most.append(len(inside))
            with lock:
                inside.discard(threading.get_ident())

        def work() -> None:
            for _ in range(5):
                bulkhead.call(body)

        run_all([work] * 8)

        assert len(most) == 40
        assert max(most) <= 3
        assert bulkhead.snapshot().held == 0


def run_all(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_child_starts_with_nothing_held(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        bulkhead = RedisBulkhead(1, client=client, name="orders")

        with bulkhead.permit():
            bulkhead.renew()

        assert bulkhead.snapshot().held == 0


def test_switched_off_bulkhead_asks_nobody(server: Server, driver: Driver) -> None:
    bulkhead = RedisBulkhead(1, client=driver.client(server.port), name="orders")
    with server.admin() as admin:
        with disabled():
            driver.call(bulkhead, int)
            driver.block(bulkhead.permit(), lambda _: None)

        assert "cmdstat_evalsha" not in admin.info("commandstats")


def test_coroutine_of_a_sync_call_is_refused(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        bulkhead = RedisBulkhead(1, client=client, name="orders")

        with pytest.raises(TypeError, match="use acall"):
            bulkhead.call(nothing)


def test_bulkhead_describes_itself(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        plain = RedisBulkhead(2, client=client, name="orders")
        queued = RedisBulkhead(2, queue=3, client=client, name="orders")
        patient = RedisBulkhead(2, queue=3, max_wait=1.5, client=client, name="orders")

        said = [each.describe() for each in (plain, queued, patient)]

        assert said == [
            "at most 2 at once in the fleet, no queue",
            "at most 2 at once in the fleet, 3 wait without limit",
            "at most 2 at once in the fleet, 3 wait up to 1.5 s",
        ]
        assert "at most 2" in Pipeline(Timeout(1), patient, name="all").describe()


def test_bad_arguments_are_named(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        for bad in ({"size": 0}, {"queue": -1}, {"lease": 0}, {"poll": 0}, {"max_wait": -1}):
            arguments = {"size": 1, "client": client, "name": "orders", **bad}
            size = arguments.pop("size")
            [name] = bad
            with pytest.raises(ValueError, match=f"{name} must be"):
                RedisBulkhead(size, **arguments)
