import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import redis
from tests.integrations.redis.driving import Driver, Tasks
from tests.integrations.redis.servers import Server

from uat_resilience import (
    BreakerState,
    CircuitOpenError,
    ConsecutiveFailures,
    EventBus,
    Pipeline,
    captured,
)
from uat_resilience.integrations.redis import RedisLink, SharedBreaker
from uat_resilience.telemetry import BreakerStateChanged, CallRefused
from uat_resilience.testing import FakeClock, disabled


class Fleet:
    """Two processes, each with a clock of its own that the test moves; what Redis remembers goes by its clock."""

    def __init__(self, link: RedisLink, **settings: Any) -> None:
        self.clock = FakeClock()
        self.bus = EventBus()
        self.one, self.other = (
            SharedBreaker(
                "orders",
                client=link,
                trip=ConsecutiveFailures(1),
                clock=self.clock,
                bus=self.bus,
                **settings,
            )
            for _ in range(2)
        )


@pytest.fixture
def fleet(server: Server, driver: Driver) -> Fleet:
    return Fleet(RedisLink(driver.client(server.port), timeout=5), recovery_time=60.0)


def fail() -> None:
    raise ConnectionError


def open_by_failing(driver: Driver, breaker: SharedBreaker) -> None:
    with pytest.raises(ConnectionError):
        driver.call(breaker, fail)


def end_opening(server: Server, fleet: Fleet) -> None:
    """Let the opening be over, for Redis and for both processes."""
    with server.admin() as admin:
        admin.hset("uat:{orders}:breaker", "until", 1)
    fleet.clock.advance(60.0)


def test_opening_spreads_to_the_fleet(fleet: Fleet, driver: Driver) -> None:
    open_by_failing(driver, fleet.one)

    with pytest.raises(CircuitOpenError) as refused:
        driver.call(fleet.other, pytest.fail)

    assert refused.value.state is BreakerState.OPEN
    assert refused.value.retry_after == pytest.approx(60, abs=10)
    assert fleet.other.state is BreakerState.OPEN


def test_opening_that_was_heard_of_is_told_once(fleet: Fleet, driver: Driver) -> None:
    open_by_failing(driver, fleet.one)

    with captured(fleet.bus) as events:
        for _ in range(2):
            with pytest.raises(CircuitOpenError):
                driver.call(fleet.other, pytest.fail)

    moved = [event.new for event in events if isinstance(event, BreakerStateChanged)]
    assert moved == [BreakerState.OPEN]


def test_closed_breaker_looks_once_in_each_refresh(
    fleet: Fleet, driver: Driver, server: Server
) -> None:
    with server.admin() as admin:
        driver.call(fleet.one, int)
        before = admin.info("commandstats")["cmdstat_evalsha"]["calls"]

        for _ in range(5):
            driver.call(fleet.one, int)
        same = admin.info("commandstats")["cmdstat_evalsha"]["calls"]
        fleet.clock.advance(1.0)
        driver.call(fleet.one, int)

        assert same == before
        assert admin.info("commandstats")["cmdstat_evalsha"]["calls"] == before + 1


def test_refusing_asks_nobody(fleet: Fleet, driver: Driver, server: Server) -> None:
    open_by_failing(driver, fleet.one)
    with server.admin() as admin:
        before = admin.info("commandstats")["cmdstat_evalsha"]["calls"]

        with pytest.raises(CircuitOpenError):
            driver.call(fleet.one, pytest.fail)

        assert admin.info("commandstats")["cmdstat_evalsha"]["calls"] == before


def test_one_call_of_the_fleet_is_the_probe(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        fleet = Fleet(RedisLink(client, timeout=5), recovery_time=60.0)
        with pytest.raises(ConnectionError):
            fleet.one.call(fail)
        with pytest.raises(CircuitOpenError):
            fleet.other.call(pytest.fail)
        end_opening(server, fleet)

        with (
            fleet.one.permit(),
            captured(fleet.bus) as events,
            pytest.raises(CircuitOpenError) as refused,
        ):
            fleet.other.call(pytest.fail)

        assert refused.value.state is BreakerState.HALF_OPEN
        assert refused.value.retry_after == pytest.approx(60, abs=10)
        assert [e.error for e in events if isinstance(e, CallRefused)] == [refused.value]
        assert fleet.one.state is BreakerState.CLOSED


def test_fleet_closes_when_the_probe_succeeds(fleet: Fleet, driver: Driver, server: Server) -> None:
    open_by_failing(driver, fleet.one)
    with pytest.raises(CircuitOpenError):
        driver.call(fleet.other, pytest.fail)
    end_opening(server, fleet)
    driver.call(fleet.one, int)

    with captured(fleet.bus) as events:
        driver.call(fleet.other, int)

    # Without a probe of its own.
    moved = [event.new for event in events if isinstance(event, BreakerStateChanged)]
    assert moved == [BreakerState.CLOSED]


def test_fleet_stays_open_when_the_probe_fails(
    fleet: Fleet, driver: Driver, server: Server
) -> None:
    open_by_failing(driver, fleet.one)
    with pytest.raises(CircuitOpenError):
        driver.call(fleet.other, pytest.fail)
    end_opening(server, fleet)
    open_by_failing(driver, fleet.one)

    with pytest.raises(CircuitOpenError) as refused:
        driver.call(fleet.other, pytest.fail)

    assert refused.value.state is BreakerState.OPEN
    assert refused.value.retry_after == pytest.approx(60, abs=10)


def test_abandoned_probe_gives_its_place_back(fleet: Fleet, driver: Driver, server: Server) -> None:
    open_by_failing(driver, fleet.one)
    end_opening(server, fleet)
    driver.block(fleet.one.permit(), lambda permit: permit.abandon())

    driver.call(fleet.other, int)

    with server.admin() as admin:
        assert admin.exists("uat:{orders}:probe") == 0


def test_cancelled_probe_gives_its_place_back(server: Server, tasks: Tasks) -> None:
    fleet = Fleet(RedisLink(tasks.client(server.port), timeout=5), recovery_time=60.0)
    open_by_failing(tasks, fleet.one)
    end_opening(server, fleet)

    async def main() -> None:
        inside = asyncio.Event()

        async def body() -> None:
            inside.set()
            await asyncio.Event().wait()

        call = asyncio.create_task(fleet.one.acall(body))
        await inside.wait()
        call.cancel()
        await asyncio.wait([call])
        await asyncio.gather(*fleet.one._link._late)

    tasks.run(main)

    tasks.call(fleet.other, int)


def test_call_that_is_cancelled_while_it_asks_gives_the_probe_back(
    start: Callable[..., Server], tasks: Tasks
) -> None:
    server = start()
    fleet = Fleet(RedisLink(tasks.client(server.port), timeout=5), recovery_time=60.0)
    open_by_failing(tasks, fleet.one)
    end_opening(server, fleet)

    async def body() -> None:
        raise AssertionError("a cancelled call was made")

    async def main() -> None:
        server.pause()
        call = asyncio.create_task(fleet.one.acall(body))
        await asyncio.wait([call], timeout=0.05)
        call.cancel()
        await asyncio.wait([call])
        server.resume()
        await asyncio.gather(*fleet.one._link._late)

    tasks.run(main)

    assert fleet.one.state is BreakerState.OPEN
    tasks.call(fleet.one, int)


def test_call_that_is_cancelled_while_it_looks_leaves_nothing(
    start: Callable[..., Server], tasks: Tasks
) -> None:
    server = start()
    fleet = Fleet(RedisLink(tasks.client(server.port), timeout=5))

    async def body() -> None:
        raise AssertionError("a cancelled call was made")

    async def main() -> None:
        server.pause()
        call = asyncio.create_task(fleet.one.acall(body))
        await asyncio.wait([call], timeout=0.05)
        call.cancel()
        await asyncio.wait([call])
        server.resume()

    tasks.run(main)

    assert tasks.call(fleet.one, lambda: "ran") == "ran"


def test_late_gift_of_the_probe_is_not_kept(start: Callable[..., Server]) -> None:
    server = start()
    with redis.Redis(port=server.port) as client:
        fleet = Fleet(RedisLink(client, timeout=0.5), recovery_time=60.0)
        with pytest.raises(ConnectionError):
            fleet.one.call(fail)
        end_opening(server, fleet)
        server.pause()
        fleet.one.permit().__enter__()
        server.resume()
        fleet.clock.advance(60.0)

        # Redis has read the question of a call that had given up on it.
        assert fleet.one.call(lambda: "probe") == "probe"


def test_block_can_say_how_it_ended(fleet: Fleet, driver: Driver) -> None:
    driver.block(fleet.one.permit(), lambda permit: permit.success())

    driver.block(fleet.one.permit(), lambda permit: permit.failure())

    with pytest.raises(CircuitOpenError):
        driver.block(fleet.other.permit(), pytest.fail)


def test_block_that_is_torn_down_does_not_wait(server: Server) -> None:
    with redis.Redis(port=server.port) as client, server.admin() as admin:
        fleet = Fleet(RedisLink(client, timeout=5), recovery_time=60.0)
        with pytest.raises(ConnectionError):
            fleet.one.call(fail)
        end_opening(server, fleet)
        stream = fleet.one(lambda: (yield 1))()
        next(stream)
        before = admin.info("commandstats")["cmdstat_evalsha"]["calls"]

        stream.close()

        assert admin.info("commandstats")["cmdstat_evalsha"]["calls"] == before


def test_opening_that_could_not_be_told_is_told_later(
    start: Callable[..., Server], driver: Driver
) -> None:
    server = start()
    link = RedisLink(driver.client(server.port), timeout=5)
    fleet = Fleet(link, recovery_time=60.0)
    driver.call(fleet.one, int)
    server.stop()
    open_by_failing(driver, fleet.one)
    server.start()

    with pytest.raises(CircuitOpenError):
        driver.call(fleet.one, pytest.fail)

    with pytest.raises(CircuitOpenError):
        driver.call(fleet.other, pytest.fail)


def test_recovery_that_could_not_be_told_is_not_told_later(start: Callable[..., Server]) -> None:
    server = start()
    with redis.Redis(port=server.port) as client, server.admin() as admin:
        fleet = Fleet(RedisLink(client, timeout=5), recovery_time=60.0)
        with pytest.raises(ConnectionError):
            fleet.one.call(fail)
        end_opening(server, fleet)
        with fleet.one.permit():
            server.stop()
        server.start()
        fleet.one.call(int)

        assert admin.exists("uat:{orders}:breaker") == 0
        assert fleet.one.state is BreakerState.CLOSED


def test_reset_is_not_undone_by_what_the_fleet_knows(fleet: Fleet, driver: Driver) -> None:
    open_by_failing(driver, fleet.one)
    fleet.one.reset()

    assert driver.call(fleet.one, lambda: "ran") == "ran"
    assert fleet.one.state is BreakerState.CLOSED


@pytest.mark.parametrize("force", ["force_open", "force_closed"])
def test_forced_breaker_asks_nobody_and_tells_nobody(
    fleet: Fleet, driver: Driver, server: Server, force: str
) -> None:
    getattr(fleet.one, force)()
    with server.admin() as admin:
        try:
            driver.call(fleet.one, int)
        except CircuitOpenError:
            assert force == "force_open"

        assert "cmdstat_evalsha" not in admin.info("commandstats")


def test_switched_off_breaker_asks_nobody(fleet: Fleet, driver: Driver, server: Server) -> None:
    with disabled(), server.admin() as admin:
        driver.call(fleet.one, int)

        assert "cmdstat_evalsha" not in admin.info("commandstats")


def test_lease_of_the_probe_follows_a_callable_recovery_time(
    server: Server, driver: Driver
) -> None:
    link = RedisLink(driver.client(server.port), timeout=5)
    fleet = Fleet(link, recovery_time=lambda _: 60.0, probe_lease=5.0)
    open_by_failing(driver, fleet.one)
    end_opening(server, fleet)

    def inside(_: object) -> int:
        with server.admin() as admin:
            return int(admin.pttl("uat:{orders}:probe"))

    left = driver.block(fleet.one.permit(), inside)

    assert 0 < left <= 5_000


def test_probe_of_a_dead_process_ends_with_its_lease(
    fleet: Fleet, driver: Driver, server: Server
) -> None:
    open_by_failing(driver, fleet.one)
    end_opening(server, fleet)
    with server.admin() as admin, admin.pubsub(ignore_subscribe_messages=True) as expired:
        admin.config_set("notify-keyspace-events", "Ex")
        expired.subscribe("__keyevent@0__:expired")
        expired.get_message(timeout=5)
        admin.set("uat:{orders}:probe", "dead", px=1)
        assert expired.get_message(timeout=5) is not None
        admin.config_set("notify-keyspace-events", "")

    assert driver.call(fleet.one, lambda: "probe") == "probe"


def test_breaker_takes_its_place_in_a_pipeline(fleet: Fleet, driver: Driver) -> None:
    pipeline = Pipeline(fleet.one, name="all")

    assert driver.call(pipeline, lambda: "ran") == "ran"
    assert "shared by Redis" in pipeline.describe()


def test_bad_arguments_are_named(server: Server) -> None:
    with redis.Redis(port=server.port) as client:
        with pytest.raises(ValueError, match="refresh must be"):
            SharedBreaker("orders", client=client, refresh=0)
        with pytest.raises(ValueError, match="recovery_time must be"):
            SharedBreaker("orders", client=client, recovery_time=-1)
