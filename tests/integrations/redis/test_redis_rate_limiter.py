import asyncio
import threading
from collections.abc import Callable
from contextlib import closing, suppress

import pytest
import redis
import trio
from tests.integrations.redis.driving import Driver, Tasks
from tests.integrations.redis.proxy import LosingProxy
from tests.integrations.redis.servers import Server

from uat_resilience import EventBus, Pipeline, RateLimitedError, TimedOutError, captured, deadline
from uat_resilience.integrations.redis import RedisLink, RedisRateLimiter
from uat_resilience.telemetry import CallRefused, SlotQueued
from uat_resilience.waiting.threads import ThreadWaiter


def admitted(driver: Driver, limiter: RedisRateLimiter, calls: int) -> int:
    """Return how many of some calls were let in."""
    count = 0
    for _ in range(calls):
        with suppress(RateLimitedError):
            count += driver.call(limiter, lambda: 1)
    return count


def test_two_processes_share_one_limit(server: Server, driver: Driver) -> None:
    limiters = [
        RedisRateLimiter(5, per=3600, client=driver.client(server.port), name="orders")
        for _ in range(2)
    ]

    counts = [admitted(driver, limiter, 4) for limiter in limiters]

    assert counts == [4, 1]


def test_two_names_are_two_limits(server: Server, driver: Driver) -> None:
    link = RedisLink(driver.client(server.port))
    limiters = [RedisRateLimiter(2, 3600, client=link, name=name) for name in ("a", "b")]

    counts = [admitted(driver, limiter, 3) for limiter in limiters]

    assert counts == [2, 2]


def test_refusal_says_when_to_come_back(server: Server, driver: Driver) -> None:
    limiter = RedisRateLimiter(1, per=100, client=driver.client(server.port), name="orders")
    driver.call(limiter, int)

    with pytest.raises(RateLimitedError) as refused:
        driver.call(limiter, int)

    assert refused.value.policy == "orders"
    assert refused.value.retry_after == pytest.approx(100, abs=50)


def test_refusal_is_told(server: Server, driver: Driver) -> None:
    bus = EventBus()
    client = driver.client(server.port)
    limiter = RedisRateLimiter(1, per=100, client=client, name="orders", bus=bus)
    driver.call(limiter, int)

    with captured(bus) as events, pytest.raises(RateLimitedError) as refused:
        driver.call(limiter, int)

    told = [event for event in events if isinstance(event, CallRefused)]
    assert [(event.policy, event.error) for event in told] == [("orders", refused.value)]


def test_decision_is_one_round_trip(server: Server, driver: Driver) -> None:
    limiter = RedisRateLimiter(5, per=3600, client=driver.client(server.port), name="orders")
    driver.call(limiter, int)  # The first one connects, and brings the script.
    with server.admin() as admin:
        before = commands(admin)

        admitted(driver, limiter, 10)

        assert commands(admin) - before == 10


def test_answer_that_is_lost_spends_one_token(server: Server, driver: Driver) -> None:
    with closing(LosingProxy(server.port)) as proxy:
        limiter = RedisRateLimiter(99, per=3600, client=driver.client(proxy.port), name="orders")
        driver.call(limiter, int)

        proxy.losing = True
        driver.call(limiter, int)

    with server.admin() as admin:
        assert admin.hget("uat:{orders}:rate", "spent") == b"2"


def commands(admin: redis.Redis) -> int:
    """Return how many commands clients have sent, but for those that ask; not what scripts do."""
    stats = admin.info("commandstats")
    asked = ("cmdstat_info", "cmdstat_client|", "cmdstat_hello")
    inside = ("cmdstat_time", "cmdstat_hmget", "cmdstat_hset", "cmdstat_pexpire")
    return sum(
        int(stat["calls"]) for name, stat in stats.items() if not name.startswith(asked + inside)
    )


def test_script_is_sent_again_to_a_server_that_has_forgotten_it(
    server: Server, driver: Driver
) -> None:
    limiter = RedisRateLimiter(3, per=3600, client=driver.client(server.port), name="orders")
    driver.call(limiter, int)
    with server.admin() as admin:
        admin.script_flush()

    count = admitted(driver, limiter, 3)

    assert count == 2
    assert not limiter.snapshot().degraded


def test_client_that_decodes_answers_is_as_good(server: Server) -> None:
    with redis.Redis(port=server.port, decode_responses=True, protocol=2) as client:
        limiter = RedisRateLimiter(1, per=3600, client=client, name="orders")

        assert limiter.call(lambda: "ran") == "ran"


def test_block_and_stream_take_a_token(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        limiter = RedisRateLimiter(2, per=3600, client=client, name="orders")

        with limiter.permit():
            pass
        streamed = list(limiter(lambda: (yield 1))())

        assert streamed == [1]
        with pytest.raises(RateLimitedError):
            limiter.call(int)


def test_block_can_count_for_several_calls(server: Server, driver: Driver) -> None:
    limiter = RedisRateLimiter(5, per=3600, client=driver.client(server.port), name="orders")

    driver.block(limiter.permit(weight=4), lambda _: None)

    assert admitted(driver, limiter, 3) == 1


def test_call_that_may_wait_is_made_in_its_turn(server: Server, driver: Driver) -> None:
    bus = EventBus()
    client = driver.client(server.port)
    limiter = RedisRateLimiter(1, burst=1, max_wait=5.0, client=client, name="orders", bus=bus)

    with captured(bus) as events:
        count = admitted(driver, limiter, 3)

    assert count == 3
    assert [event.waiting for event in events if isinstance(event, SlotQueued)] == [1, 1]


def test_call_is_refused_at_once_when_its_turn_comes_after_the_deadline(
    server: Server, driver: Driver
) -> None:
    client = driver.client(server.port)
    limiter = RedisRateLimiter(1, per=100, max_wait=None, client=client, name="orders")
    driver.call(limiter, int)

    with pytest.raises(RateLimitedError) as refused:
        driver.call(limiter, int, within=40)

    assert refused.value.retry_after == pytest.approx(60, abs=20)


def test_call_after_its_deadline_is_not_made(server: Server) -> None:
    with redis.Redis(port=server.port) as client, deadline(1e-9):
        limiter = RedisRateLimiter(1, client=client, name="orders")

        with pytest.raises(TimedOutError):
            limiter.call(pytest.fail)


def test_call_of_a_task_after_its_deadline_is_not_made(server: Server, tasks: Tasks) -> None:
    limiter = RedisRateLimiter(1, client=tasks.client(server.port), name="orders")

    async def body() -> None:
        raise AssertionError("it is too late")

    async def main() -> None:
        with deadline(1e-9):
            await limiter.acall(body)

    with pytest.raises(TimedOutError):
        tasks.run(main)


def test_child_starts_with_nobody_waiting(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        limiter = RedisRateLimiter(1, client=client, name="orders")
        limiter._here.add(ThreadWaiter())

        limiter.renew()

        assert limiter.snapshot().waiting == 0


def test_cancelled_call_gives_its_reservation_back(server: Server, tasks: Tasks) -> None:
    client = tasks.client(server.port)
    limiter = RedisRateLimiter(1, per=100, max_wait=None, client=client, name="orders")
    tasks.call(limiter, int)

    tasks.run(lambda: cancelled_in_the_queue(limiter))

    # Told to come back when the next token is there, and not the one after it.
    with pytest.raises(RateLimitedError) as refused:
        tasks.call(limiter, int, within=1)
    assert refused.value.retry_after == pytest.approx(100, abs=50)
    assert limiter.snapshot().waiting == 0


def test_reservation_with_others_behind_it_is_spent(server: Server, tasks: Tasks) -> None:
    client = tasks.client(server.port)
    limiter = RedisRateLimiter(1, per=100, max_wait=None, client=client, name="orders")
    other = RedisRateLimiter(1, per=100, max_wait=None, client=client, name="orders")
    tasks.call(limiter, int)

    async def main() -> None:
        first = await queued(limiter)
        second = await queued(other)
        first.cancel()
        await asyncio.wait([first])
        await settled(limiter)
        second.cancel()
        await asyncio.wait([second])
        await settled(other)

    tasks.run(main)

    # The second one went back, and the first one stayed spent.
    with pytest.raises(RateLimitedError) as refused:
        tasks.call(limiter, int, within=1)
    assert refused.value.retry_after == pytest.approx(200, abs=50)


async def queued(limiter: RedisRateLimiter) -> "asyncio.Task[None]":
    """Return a call that has its turn and waits for it."""
    waits = asyncio.Event()
    unsubscribe = limiter._bus.subscribe(lambda _: waits.set(), SlotQueued)

    async def body() -> None:
        raise AssertionError("a cancelled call was made")

    task = asyncio.create_task(limiter.acall(body))
    await waits.wait()
    unsubscribe()
    return task


async def settled(limiter: RedisRateLimiter) -> None:
    """Wait for what a limiter does beside its callers."""
    await asyncio.gather(*limiter._link._late)


async def cancelled_in_the_queue(limiter: RedisRateLimiter) -> None:
    task = await queued(limiter)
    task.cancel()
    await asyncio.wait([task])
    await settled(limiter)


def test_interrupted_wait_gives_its_reservation_back(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        limiter = RedisRateLimiter(
            1, per=100, max_wait=None, client=client, name="orders", clock=Interrupted()
        )
        limiter.call(int)

        with pytest.raises(KeyboardInterrupt):
            limiter.call(int)

        with deadline(1), pytest.raises(RateLimitedError) as refused:
            limiter.call(int)
        assert refused.value.retry_after == pytest.approx(100, abs=50)


class Interrupted:
    """A clock on which no wait ends well."""

    def now(self) -> float:
        return 0.0

    def random(self) -> float:
        return 0.5

    def wait(self, event: threading.Event, until: float | None) -> bool:
        raise KeyboardInterrupt

    def arm(self, until: float, fire: Callable[[], object]) -> Callable[[], object]:
        raise NotImplementedError


def test_snapshot_shows_what_was_last_heard_without_asking(server: Server) -> None:
    with redis.Redis(port=server.port) as client, server.admin() as admin:
        limiter = RedisRateLimiter(10, per=3600, client=client, name="orders")
        limiter.call(int)
        limiter.call(int)
        before = commands(admin)

        snapshot = limiter.snapshot()

        assert commands(admin) == before
        assert snapshot.available == pytest.approx(8, abs=0.5)
        assert (snapshot.rate, snapshot.burst) == (10 / 3600, 10)
        assert (snapshot.waiting, snapshot.degraded) == (0, False)


def test_key_goes_away_when_the_bucket_is_full_again(server: Server) -> None:
    with redis.Redis(port=server.port) as client, server.admin() as admin:
        RedisRateLimiter(10, per=100, client=client, name="orders").call(int)

        left = admin.pttl("uat:{orders}:rate")

        assert 0 < left <= 11_000


def test_limiter_takes_its_place_in_a_pipeline(server: Server, driver: Driver) -> None:
    limiter = RedisRateLimiter(1, per=3600, client=driver.client(server.port), name="orders")
    pipeline = Pipeline(limiter, name="all")
    driver.call(pipeline, int)

    with pytest.raises(RateLimitedError):
        driver.call(pipeline, int)

    assert "shared by Redis" in pipeline.describe()


def test_limiter_is_in_use_while_a_call_waits(server: Server, tasks: Tasks) -> None:
    client = tasks.client(server.port)
    limiter = RedisRateLimiter(1, per=100, max_wait=None, client=client, name="orders")
    tasks.call(limiter, int)

    async def main() -> bool:
        task = await queued(limiter)
        used = limiter.in_use
        task.cancel()
        await asyncio.wait([task])
        await settled(limiter)
        return used

    assert tasks.run(main)
    assert not limiter.in_use


def test_sync_call_on_an_event_loop_is_refused_with_the_async_spelling(
    server: Server, tasks: Tasks
) -> None:
    with redis.Redis(port=server.port) as client:
        limiter = RedisRateLimiter(1, client=client, name="orders")

        async def main() -> None:
            limiter.call(int)

        with pytest.raises(RuntimeError, match=r"acall\(\)"):
            tasks.run(main)


def test_trio_is_told_that_redis_has_none(server: Server, tasks: Tasks) -> None:
    limiter = RedisRateLimiter(1, client=tasks.client(server.port), name="orders")

    async def body() -> None:
        raise AssertionError("the call was made")

    with pytest.raises(RuntimeError, match="trio, which redis-py does not speak"):
        trio.run(limiter.acall, body)


def test_sync_call_with_an_asyncio_client_says_what_is_missing(
    server: Server, tasks: Tasks
) -> None:
    limiter = RedisRateLimiter(1, client=tasks.client(server.port), name="orders")

    with pytest.raises(TypeError, match="asyncio client only"):
        limiter.call(int)


def test_async_call_with_a_sync_client_says_what_is_missing(server: Server, tasks: Tasks) -> None:
    with redis.Redis(port=server.port) as client:
        limiter = RedisRateLimiter(1, client=client, name="orders")

        with pytest.raises(TypeError, match="sync client only"):
            tasks.call(limiter, int)


def test_one_limiter_serves_both_worlds_with_both_clients(server: Server, tasks: Tasks) -> None:
    with redis.Redis(port=server.port) as client:
        link = RedisLink(client, tasks.client(server.port))
        limiter = RedisRateLimiter(2, per=3600, client=link, name="orders")

        limiter.call(int)
        tasks.call(limiter, int)

        with pytest.raises(RateLimitedError):
            limiter.call(int)


@pytest.mark.parametrize("client", [None, "redis://:hunter2@localhost", object()])
def test_client_must_be_one_of_redis_py(client: object) -> None:
    with pytest.raises(TypeError, match="clients must be") as refused:
        RedisRateLimiter(1, client=client, name="orders")

    assert "hunter2" not in str(refused.value)


def test_link_takes_one_client_of_each_kind(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        with pytest.raises(TypeError, match="clients must be"):
            RedisLink(client, client)
        with pytest.raises(TypeError, match="clients must be"):
            RedisLink()


def test_bad_arguments_are_named(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        with pytest.raises(ValueError, match="rate must be"):
            RedisRateLimiter(0, client=client, name="orders")
        with pytest.raises(ValueError, match="name must not be empty"):
            RedisRateLimiter(1, client=client, name="")
        with pytest.raises(TypeError, match="local must be"):
            RedisRateLimiter(1, client=client, name="orders", local=1)
        with pytest.raises(ValueError, match="timeout must be"):
            RedisLink(client, timeout=0)
