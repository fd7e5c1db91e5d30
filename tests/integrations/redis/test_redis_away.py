"""Redis silent, refused, slow, loading, read-only, killed: every call ends in time and is decided here."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any, TypeGuard

import pytest
import redis
from prometheus_client import CollectorRegistry
from tests.integrations.redis.driving import Driver, Tasks
from tests.integrations.redis.proxy import DrippingProxy
from tests.integrations.redis.servers import Server, free_port

from uat_resilience import (
    BreakerState,
    BulkheadFullError,
    CircuitOpenError,
    ConsecutiveFailures,
    EventBus,
    RateLimitedError,
    captured,
)
from uat_resilience.integrations.prometheus import instrument
from uat_resilience.integrations.redis import (
    RedisBulkhead,
    RedisLink,
    RedisRateLimiter,
    RedisUnavailableError,
    SharedBreaker,
)
from uat_resilience.integrations.redis.away import CLIENT_ERRORS
from uat_resilience.integrations.redis.bounded import bounded, ending_within
from uat_resilience.integrations.serving.problem import problem
from uat_resilience.telemetry import BreakerStateChanged, CallRefused, FallbackUsed, SlotQueued
from uat_resilience.testing import FakeClock

Starts = Callable[..., Server]


def silent(start: Starts, server: Server) -> int:
    stopped = start()
    stopped.pause()
    return stopped.port


def refused(start: Starts, server: Server) -> int:
    return free_port()


def read_only(start: Starts, server: Server) -> int:
    return start("--replicaof", "127.0.0.1", "1").port


def loading(start: Starts, server: Server) -> int:
    full = start()
    with full.admin() as admin:
        for number in range(100):
            admin.set(f"key-{number}", "x" * 2_000)
        admin.save()
    full.stop()
    slowly = ("--loading-process-events-interval-bytes", "1024", "--key-load-delay", "200000")
    return start("--rdbcompression", "no", *slowly).port


def gone(driver: Driver, recovery_time: float = 60) -> RedisLink:
    """Return a link to where nothing listens."""
    client = driver.client(free_port())
    return RedisLink(client, timeout=0.05, recovery_time=recovery_time)


TROUBLES = [silent, refused, read_only, loading]


@pytest.fixture(params=[*TROUBLES, "slow"], ids=lambda each: getattr(each, "__name__", each))
def troubled(request: pytest.FixtureRequest, start: Starts, server: Server) -> Iterator[int]:
    """The port of a Redis that is in trouble."""
    if request.param == "slow":
        proxy = DrippingProxy(server.port, pause=0.02)
        yield proxy.port
        proxy.close()
    else:
        yield request.param(start, server)


def rate_limiter(link: RedisLink, bus: EventBus) -> RedisRateLimiter:
    return RedisRateLimiter(100, per=3600, client=link, name="orders", bus=bus)


def bulkhead(link: RedisLink, bus: EventBus) -> RedisBulkhead:
    return RedisBulkhead(5, client=link, name="orders", bus=bus)


def breaker(link: RedisLink, bus: EventBus) -> SharedBreaker:
    """Return a breaker that asks for the probe of the fleet with every call."""
    made = SharedBreaker("orders", client=link, close_after=100, bus=bus)
    made._gate.follow(1e-9)
    return made


def is_of_redis(event: object) -> TypeGuard[BreakerStateChanged]:
    return isinstance(event, BreakerStateChanged) and event.policy == "redis"


MAKERS = pytest.mark.parametrize("make", [rate_limiter, bulkhead, breaker])


@MAKERS
def test_every_call_ends_in_time_while_redis_is_in_trouble(
    troubled: int, driver: Driver, make: Callable[[RedisLink, EventBus], Any]
) -> None:
    bus = EventBus()
    link = RedisLink(driver.client(troubled), timeout=0.05, recovery_time=60, bus=bus)
    policy = make(link, bus)

    # redis-py by itself takes up to a minute for one of them.
    with captured(bus) as events:
        left = [driver.left(policy, within=4.0) for _ in range(5)]

    assert min(left) > 1.0
    assert policy.snapshot().degraded
    told = [event.policy for event in events if isinstance(event, FallbackUsed)]
    assert told == ["orders"] * 5
    moved = [event.new for event in events if is_of_redis(event)]
    assert moved == [BreakerState.OPEN]


def recovering(driver: Driver, policy: Any, link: RedisLink, clock: FakeClock) -> list[float]:
    """Return what some calls leave of their deadlines, until one of them has found Redis again."""
    left = []
    while link.away and len(left) < 20:
        clock.advance(link.recovery_time)
        left.append(driver.left(policy, within=4.0))
    return left


@MAKERS
def test_policy_recovers_when_redis_is_killed_and_started_again(
    start: Starts, driver: Driver, make: Callable[[RedisLink, EventBus], Any]
) -> None:
    own, bus, clock = start(), EventBus(), FakeClock()
    link = RedisLink(driver.client(own.port), timeout=0.2, clock=clock, bus=bus)
    policy = make(link, bus)
    driver.call(policy, int)

    own.stop()
    left = [driver.left(policy, within=4.0) for _ in range(4)]
    away = policy.snapshot().degraded
    own.start()
    left += recovering(driver, policy, link, clock)

    assert min(left) > 1.0
    assert away
    assert not policy.snapshot().degraded


@MAKERS
def test_policy_recovers_when_redis_was_silent(
    start: Starts, driver: Driver, make: Callable[[RedisLink, EventBus], Any]
) -> None:
    own, bus, clock = start(), EventBus(), FakeClock()
    link = RedisLink(driver.client(own.port), timeout=0.1, clock=clock, bus=bus)
    policy = make(link, bus)
    driver.call(policy, int)

    own.pause()
    left = [driver.left(policy, within=4.0) for _ in range(4)]
    own.resume()
    left += recovering(driver, policy, link, clock)

    assert min(left) > 1.0
    assert not policy.snapshot().degraded


def test_late_answer_is_not_taken_for_that_of_the_next_call(start: Starts, tasks: Tasks) -> None:
    own = start()
    client = tasks.client(own.port)
    limiter = RedisRateLimiter(2, per=3600, client=client, name="orders")
    other = RedisRateLimiter(3, per=3600, client=client, name="other")
    tasks.call(limiter, int)
    own.pause()

    async def hang_up() -> None:
        async def body() -> None:
            pass

        task = asyncio.create_task(limiter.acall(body))
        await asyncio.wait([task], timeout=0.01)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    tasks.run(hang_up)
    own.resume()
    tasks.call(other, int)

    assert other.snapshot().available == pytest.approx(2, abs=0.1)


def test_redis_that_is_left_alone_costs_a_call_nothing(driver: Driver) -> None:
    bus = EventBus()
    link = gone(driver)
    limiter = rate_limiter(link, bus)
    for _ in range(3):
        driver.call(limiter, int)

    with captured(bus) as events:
        driver.call(limiter, int)

    [told] = [event for event in events if isinstance(event, FallbackUsed)]
    assert isinstance(told.error, CircuitOpenError)


def test_call_in_a_hurry_says_nothing_about_redis(start: Starts, driver: Driver) -> None:
    own, bus = start(), EventBus()
    own.pause()
    link = RedisLink(driver.client(own.port), timeout=10.0, bus=bus)
    limiter = rate_limiter(link, bus)

    for _ in range(4):
        driver.call(limiter, int, within=0.2)

    assert not limiter.snapshot().degraded


def test_call_in_a_hurry_leaves_half_of_its_time_to_the_body(start: Starts, driver: Driver) -> None:
    own, bus = start(), EventBus()
    own.pause()
    link = RedisLink(driver.client(own.port), timeout=10.0, bus=bus)

    left = driver.left(rate_limiter(link, bus), within=1.0)

    assert left > 0


def test_call_that_was_let_in_here_has_nothing_to_tell_redis(driver: Driver) -> None:
    link = gone(driver)
    bulkhead = RedisBulkhead(1, client=link, name="orders")

    away = []
    for _ in range(3):
        driver.call(bulkhead, int)
        away.append(link.away)

    assert away == [False, False, True]


def test_limiter_keeps_to_its_limit_by_itself(driver: Driver) -> None:
    limiter = RedisRateLimiter(2, per=3600, client=gone(driver), name="orders")

    driver.call(limiter, int)
    driver.call(limiter, int)

    with pytest.raises(RateLimitedError):
        driver.call(limiter, int)
    assert limiter.snapshot().available == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("kind", [RedisRateLimiter, RedisBulkhead])
def test_policy_that_must_not_decide_alone_refuses_and_says_why(
    driver: Driver, kind: Callable[..., Any]
) -> None:
    bus = EventBus()
    policy = kind(2, client=gone(driver, recovery_time=7), name="orders", local=False, bus=bus)

    refusals = []
    with captured(bus) as events:
        for _ in range(4):
            with pytest.raises(RedisUnavailableError) as told:
                driver.call(policy, pytest.fail)
            refusals.append(told.value)

    assert str(refusals[0]) == "orders could not ask Redis; try again in 7 s"
    assert [each.retry_after for each in refusals[:3]] == [7, 7, 7]
    assert 0 < (refusals[3].retry_after or 0) <= 7
    assert isinstance(refusals[0].__cause__, CLIENT_ERRORS)
    assert isinstance(refusals[3].__cause__, CircuitOpenError)
    assert [event.error for event in events if isinstance(event, CallRefused)] == refusals


def test_refusal_without_redis_is_the_fault_of_no_client() -> None:
    found = problem(RedisUnavailableError("orders", retry_after=2.0))

    # A 429 would tell a client that it has asked too often.
    assert found is not None
    assert (found.status, found.headers) == (503, (("Retry-After", "2"),))


def test_bulkhead_keeps_to_its_cap_by_itself() -> None:
    with redis.Redis(port=free_port()) as client:
        bulkhead = RedisBulkhead(1, client=client, name="orders")

        with bulkhead.permit(), pytest.raises(BulkheadFullError):
            bulkhead.call(int)

        assert bulkhead.call(lambda: "ran") == "ran"


def test_bulkhead_keeps_to_its_cap_by_itself_on_a_loop(tasks: Tasks) -> None:
    bulkhead = RedisBulkhead(1, client=gone(tasks), name="orders")

    async def body() -> None:
        raise AssertionError("there was no slot for it")

    async def main() -> None:
        async with bulkhead.permit():
            with pytest.raises(BulkheadFullError):
                await bulkhead.acall(body)

    tasks.run(main)


def test_bulkhead_counts_the_leases_it_has_when_it_is_by_itself(start: Starts) -> None:
    own = start()
    with own.client() as client:
        bulkhead = RedisBulkhead(1, client=client, name="orders")

        with bulkhead.permit():
            own.stop()
            with pytest.raises(BulkheadFullError):
                bulkhead.call(int)


def test_call_in_the_queue_goes_on_by_itself(start: Starts, tasks: Tasks) -> None:
    own, bus = start(), EventBus()
    client = tasks.client(own.port)
    bulkhead = RedisBulkhead(1, queue=1, client=client, name="orders", bus=bus)

    async def body() -> str:
        return "ran"

    async def main() -> str:
        waits = asyncio.Event()
        bus.subscribe(lambda _: waits.set(), SlotQueued)
        async with bulkhead.permit():
            waiting = asyncio.create_task(bulkhead.acall(body))
            await waits.wait()
            own.stop()
        return await waiting

    assert tasks.run(main) == "ran"


def test_breaker_is_an_ordinary_one_by_itself(driver: Driver) -> None:
    shared = SharedBreaker("orders", client=gone(driver), trip=ConsecutiveFailures(2))

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            driver.call(shared, lambda: 1 // 0)

    with pytest.raises(CircuitOpenError):
        driver.call(shared, int)


def test_breaker_probes_by_itself(driver: Driver) -> None:
    clock = FakeClock()
    shared = SharedBreaker(
        "orders",
        client=gone(driver),
        trip=ConsecutiveFailures(1),
        recovery_time=9,
        clock=clock,
    )
    with suppress(ZeroDivisionError):
        driver.call(shared, lambda: 1 // 0)

    clock.advance(9)

    assert driver.call(shared, lambda: "probe") == "probe"
    assert shared.state is BreakerState.CLOSED


def test_settings_of_the_clients_own_are_left_as_they_are() -> None:
    with redis.Redis(port=free_port(), socket_timeout=3, socket_connect_timeout=4) as client:
        RedisLink(client, timeout=0.1)

        settings = client.connection_pool.connection_kwargs

    assert (settings["socket_timeout"], settings["socket_connect_timeout"]) == (3, 4)


def test_exchange_that_has_no_time_left_ends_at_once(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        own = bounded(client)

        with ending_within(1e-9), pytest.raises(redis.TimeoutError):
            own.ping()


def test_what_comes_late_without_a_loop_is_left(tasks: Tasks) -> None:
    async def work() -> None:
        raise AssertionError("nothing runs it")

    assert gone(tasks).later(work()) is None


def test_link_shows_its_breaker(driver: Driver) -> None:
    link = gone(driver)
    limiter = RedisRateLimiter(9, client=link, name="orders")

    for _ in range(3):
        driver.call(limiter, int)

    assert link.away
    assert link.snapshot().state is BreakerState.OPEN


def test_metrics_show_that_policies_are_on_their_own(driver: Driver) -> None:
    registry = CollectorRegistry()
    link = gone(driver)
    limiter = RedisRateLimiter(9, client=link, name="orders")

    with closing(instrument(EventBus(), registry=registry).watch(link)):
        before = shown(registry)
        for _ in range(3):
            driver.call(limiter, int)
        after = shown(registry)

    assert (before, after) == (0, 1)


def shown(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("uat_breaker_state", {"policy": "redis", "state": "open"})
