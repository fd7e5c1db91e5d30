import threading
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from tests.pausing import pause
from tests.worlds import World

from uat_resilience import (
    CircuitBreaker,
    HealthChanged,
    HealthRegistry,
    Probe,
    Status,
    captured,
    deadline,
    remaining,
)
from uat_resilience.testing import FakeClock


def refresh(world: Any, registry: HealthRegistry) -> None:
    if world.name == "sync":
        registry.refresh()
    else:
        world.run(registry.arefresh)


@pytest.fixture(params=["sync", "async"])
def kind_of_check(request: pytest.FixtureRequest) -> str:
    return request.param


def check_that(kind: str, answer: Any) -> Any:
    """Return a sync or async check that gives, or raises, an answer."""

    def give() -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def agive() -> Any:
        return give()

    return agive if kind == "async" else give


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (None, Status.HEALTHY),
        (True, Status.HEALTHY),
        (False, Status.UNHEALTHY),
        (Status.DEGRADED, Status.DEGRADED),
        (ConnectionError("password=hunter2"), Status.UNHEALTHY),
    ],
    ids=["none", "true", "false", "status", "error"],
)
def test_the_first_result_counts_at_once(
    world: World, kind_of_check: str, answer: Any, status: Status
) -> None:
    registry = HealthRegistry()
    registry.check("db")(check_that(kind_of_check, answer))

    refresh(world, registry)

    report = registry.report()
    assert report.status is status
    assert report.checks["db"].status is status
    assert report.checks["db"].error == (
        "ConnectionError" if isinstance(answer, Exception) else None
    )
    assert "hunter2" not in repr(report)


def test_what_never_ran_is_not_ready_and_nobody_is_restarted_for_it() -> None:
    registry = HealthRegistry()
    registry.check("db")(lambda: None)
    registry.check("process", kind=Probe.LIVENESS)(lambda: None)

    assert registry.report(Probe.READINESS).status is Status.UNHEALTHY
    assert registry.report(Probe.LIVENESS).status is Status.HEALTHY
    assert registry.report(Probe.STARTUP).status is Status.HEALTHY
    assert registry.report().checks["db"].checked is None


def test_one_bad_result_is_a_hiccup(clock: FakeClock) -> None:
    registry, answers = HealthRegistry(), iter([True, False, True, False, False, True])
    registry.check("db")(lambda: next(answers))
    seen = []

    with captured() as events:
        for _ in range(6):
            registry.refresh()
            seen.append(registry.report().status.name)

    assert seen == ["HEALTHY", "HEALTHY", "HEALTHY", "HEALTHY", "UNHEALTHY", "HEALTHY"]
    changes = [(event.old, event.new) for event in events if isinstance(event, HealthChanged)]
    assert changes == [
        (None, Status.HEALTHY),
        (Status.HEALTHY, Status.UNHEALTHY),
        (Status.UNHEALTHY, Status.HEALTHY),
    ]


def test_what_is_not_critical_makes_the_whole_degraded_at_worst() -> None:
    registry = HealthRegistry()
    registry.check("db")(lambda: None)
    registry.check("cache", critical=False)(lambda: False)

    registry.refresh()

    assert registry.report().status is Status.DEGRADED


async def test_a_check_that_hangs_is_cut_and_hurts_only_itself() -> None:
    registry = HealthRegistry()
    registry.check("stuck", timeout=2.0, critical=False)(anyio.sleep_forever)
    registry.check("db")(check_that("async", None))

    await registry.arefresh()

    assert anyio.current_time() == 2.0
    assert registry.report().status is Status.DEGRADED
    assert registry.report().checks["stuck"].error == "TimedOutError"
    assert registry.report().checks["stuck"].elapsed == 2.0


def test_a_sync_check_that_hangs_is_left_behind_and_not_asked_again_until_it_is_back() -> None:
    registry = HealthRegistry(clock=FakeClock(auto=True))
    may_end, asked = threading.Event(), []

    @registry.check("stuck", timeout=1.0)
    def stuck() -> None:
        asked.append(1)
        may_end.wait()

    registry.refresh()
    first = registry.report().checks["stuck"].error
    registry.refresh()
    second = registry.report().checks["stuck"].error
    may_end.set()

    assert (first, second) == ("TimedOutError", "BulkheadFullError")
    assert len(asked) == 1


def test_a_check_runs_detached_from_deadlines(world: World, kind_of_check: str) -> None:
    registry, seen = HealthRegistry(), []
    ask = check_that(kind_of_check, None)
    if kind_of_check == "sync":
        registry.check("db", timeout=5.0)(lambda: seen.append(remaining()))
    else:

        async def look() -> None:
            seen.append(remaining())

        registry.check("db", timeout=5.0)(look)
    del ask

    with deadline(0.5):
        refresh(world, registry)

    assert seen[0] is not None
    assert seen[0] > 0.5


def test_a_check_that_waits_for_what_was_cancelled_hurts_only_itself(world: World) -> None:
    registry, rounds = HealthRegistry(), []

    @registry.check("cancelled")
    async def cancelled() -> None:
        rounds.append(len(rounds))
        if len(rounds) > 1:
            raise anyio.get_cancelled_exc_class() if world.name != "trio" else KeyError

    @registry.check("slow")
    async def slow() -> None:
        for _ in range(3):
            await anyio.lowlevel.checkpoint()

    for _ in range(3):
        refresh(world, registry)

    checks = registry.report().checks
    assert checks["cancelled"].status is Status.UNHEALTHY
    assert checks["slow"].status is Status.HEALTHY


async def test_checks_that_are_cancelled_from_outside_end_and_say_nothing() -> None:
    registry = HealthRegistry()
    registry.check("hangs", timeout=9.0)(anyio.sleep_forever)

    with anyio.move_on_after(1.0) as scope:
        await registry.arefresh()

    assert scope.cancelled_caught
    assert registry.report().checks["hangs"].status is None


async def test_checks_run_in_the_background_until_they_are_stopped() -> None:
    registry, asked = HealthRegistry(interval=10.0), []

    @registry.check("db")
    async def check() -> None:
        asked.append(anyio.current_time())

    async with anyio.create_task_group() as group:
        group.start_soon(registry.arun)
        await pause(25.0)
        registry.stop()

    assert asked == [0.0, 10.0, 20.0]


def test_an_application_may_start_again_after_its_checks_were_stopped(async_world: World) -> None:
    registry, rounds = HealthRegistry(), []

    @registry.check("db")
    async def check() -> None:
        rounds.append(len(rounds))
        registry.stop()

    async_world.run(registry.arun)
    async_world.run(registry.arun)
    registry.run()

    assert rounds == [0, 1, 2]


def test_a_stop_that_comes_before_the_rounds_ends_those_that_come() -> None:
    registry, rounds = HealthRegistry(), []

    @registry.check("db")
    def check() -> None:
        rounds.append(len(rounds))
        registry.stop()

    registry.stop()
    registry.run()
    assert rounds == []

    registry.run()
    assert rounds == [0]


def test_a_forked_child_may_run_its_checks_though_its_parent_was_stopped() -> None:
    registry, rounds = HealthRegistry(), []

    @registry.check("db")
    def check() -> None:
        rounds.append(len(rounds))
        registry.stop()

    registry.stop()
    registry.renew()
    registry.run()

    assert rounds == [0]


async def test_all_rounds_that_run_end_at_one_stop() -> None:
    registry = HealthRegistry(interval=10.0)

    async with anyio.create_task_group() as group:
        group.start_soon(registry.arun)
        group.start_soon(registry.arun)
        await pause(25.0)
        registry.stop()

    assert anyio.current_time() == 25.0


def test_checks_run_in_a_thread_until_they_are_stopped() -> None:
    clock, rounds = FakeClock(auto=True), []
    registry = HealthRegistry(interval=10.0, clock=clock)

    @registry.check("db")
    def check() -> None:
        rounds.append(clock.now())
        if len(rounds) == 3:
            registry.stop()

    registry.run()

    assert rounds == [0.0, 10.0, 20.0]


@pytest.mark.parametrize(
    ("force", "status"),
    [("reset", Status.HEALTHY), ("force_closed", Status.HEALTHY), ("force_open", Status.DEGRADED)],
)
def test_a_breaker_counts_without_being_asked(force: str, status: Status) -> None:
    registry, breaker = HealthRegistry(), CircuitBreaker("db")
    registry.register(breaker)

    getattr(breaker, force)()

    assert registry.report().status is status


def test_a_critical_breaker_that_is_open_makes_the_whole_unhealthy() -> None:
    registry, breaker = HealthRegistry(), CircuitBreaker("db")
    registry.register(breaker, critical=True)
    breaker.force_open()

    assert registry.report().status is Status.UNHEALTHY


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"name": ""}, "name"),
        ({"name": "taken"}, "name"),
        ({"name": "db", "kind": "readiness"}, "kind"),
        ({"name": "db", "critical": 1}, "critical"),
        ({"name": "db", "timeout": 0.0}, "timeout"),
        ({"name": "db", "fail_after": 0}, "fail_after"),
        ({"name": "db", "recover_after": 0}, "recover_after"),
    ],
)
def test_a_bad_argument_of_a_check_is_refused_by_name(
    arguments: dict[str, Any], named: str
) -> None:
    registry = HealthRegistry()
    registry.check("taken")(lambda: None)

    with pytest.raises((TypeError, ValueError), match=named):
        registry.check(**arguments)


def test_bad_arguments_elsewhere_are_refused_by_name() -> None:
    registry: Any = HealthRegistry()

    with pytest.raises(ValueError, match="interval"):
        HealthRegistry(interval=0.0)
    with pytest.raises(TypeError, match="breaker"):
        registry.register("db")
    with pytest.raises(TypeError, match="function"):
        registry.check("db")(3)
