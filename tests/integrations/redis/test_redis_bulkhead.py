import asyncio
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


def test_bulkhead_that_never_decides_alone_is_one_like_others(
    server: Server, driver: Driver
) -> None:
    client = driver.client(server.port)
    bulkhead = RedisBulkhead(1, client=client, name="orders", local=False)

    assert driver.call(bulkhead, lambda: "ran") == "ran"


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
