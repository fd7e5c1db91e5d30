"""The routes of operators, and the report."""

import json
from contextlib import suppress
from typing import Any

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from tests.integrations.server.asking import Asked, answering, ask
from tests.integrations.server.serving import serving

from uat_resilience import (
    Bulkhead,
    BulkheadFullError,
    CircuitBreaker,
    ConsecutiveFailures,
    EventBus,
    GracefulShutdown,
    HealthRegistry,
    OverloadedError,
    Pipeline,
    Probe,
    RateLimitedError,
    RateLimiter,
    Retry,
    TimedOutError,
    Timeout,
)
from uat_resilience.integrations.asgi import HealthRoutes, ResilienceMiddleware, ResilienceReport
from uat_resilience.integrations.tally import Tally
from uat_resilience.testing import FakeClock


@pytest.fixture
def health() -> HealthRegistry:
    return HealthRegistry()


async def test_service_that_is_well_says_so(health: HealthRegistry) -> None:
    @health.check("database")
    async def database() -> None: ...

    await health.arefresh()
    reply = await ask(HealthRoutes(health), "/health/ready")

    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    told = json.loads(reply.body)
    assert told["status"] == "healthy"
    assert told["checks"]["database"]["status"] == "healthy"


async def test_unhealthy_service_is_503_and_tells_no_secret(health: HealthRegistry) -> None:
    @health.check("database")
    async def database() -> None:
        raise ConnectionError("password=hunter2")

    await health.arefresh()
    reply = await ask(HealthRoutes(health), "/health/ready")

    assert reply.status == 503
    assert b"hunter2" not in reply.body
    assert json.loads(reply.body)["checks"]["database"]["error"] == "ConnectionError"


async def test_check_that_never_ran_is_not_ready_and_yet_alive(health: HealthRegistry) -> None:
    health.check("database")(lambda: None)
    health.check("loop", kind=Probe.LIVENESS)(lambda: None)
    routes = HealthRoutes(health)

    ready = await ask(routes, "/health/ready")
    live = await ask(routes, "/health/live")
    startup = await ask(routes, "/health/startup")

    assert [ready.status, live.status, startup.status] == [503, 200, 200]
    assert json.loads(ready.body)["checks"]["database"]["status"] is None


async def test_shutdown_makes_it_not_ready_at_once(health: HealthRegistry) -> None:
    shutdown = GracefulShutdown(delay=5.0, health=health)
    app = ResilienceMiddleware(HealthRoutes(health, app=answering()), shutdown=shutdown)

    before = await ask(app, "/health/ready")
    shutdown.begin()
    after = await ask(app, "/health/ready")
    served = await ask(app, "/orders")

    assert [before.status, after.status, served.status] == [200, 503, 200]


async def test_other_paths_go_to_the_application(health: HealthRegistry) -> None:
    routes = HealthRoutes(health, app=answering(200, b"mine"))

    other = await ask(routes, "/orders")
    written = await Asked("/health/live", scope={"method": "POST"}).to(routes)
    without_report = await ask(routes, "/resilience")

    assert [other.body, written.reply.body, without_report.body] == [b"mine"] * 3


async def test_by_itself_it_knows_no_other_paths(health: HealthRegistry) -> None:
    routes = HealthRoutes(health)

    reply = await ask(routes, "/orders")

    assert reply.status == 404
    with pytest.raises(ValueError, match="only HTTP requests are served here, not websocket"):
        await Asked(scope={"type": "websocket"}).to(routes)


def test_mounted_in_a_framework_it_answers_below_its_mount(health: HealthRegistry) -> None:
    app = Starlette(routes=[Mount("/internal", HealthRoutes(health))])
    with serving(app) as served, httpx.Client(base_url=served.url) as client:
        answer = client.get("/internal/health/live")
        head = client.head("/internal/health/live")

    assert answer.json() == {"status": "healthy", "checks": {}}
    assert (head.status_code, head.content) == (200, b"")


def test_bad_argument_is_named() -> None:
    with pytest.raises(TypeError, match="health must be a HealthRegistry, not 1"):
        HealthRoutes(1)
    with pytest.raises(TypeError, match="report must be a ResilienceReport, not 1"):
        HealthRoutes(HealthRegistry(), report=1)
    with pytest.raises(TypeError, match="app must be an ASGI application, or None, not 1"):
        HealthRoutes(HealthRegistry(), app=1)
    with pytest.raises(TypeError, match=r"policies must each have a name and .* not 'db'"):
        ResilienceReport("orders").watch("db")
    with pytest.raises(ValueError, match="service must not be empty"):
        ResilienceReport("")


# --- the report


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


def read(report: ResilienceReport) -> Any:
    return json.loads(report.json())


def fails() -> None:
    raise ConnectionError


def test_fresh_report_has_the_whole_shape(bus: EventBus) -> None:
    report = ResilienceReport("orders", bus=bus).watch(CircuitBreaker("db", bus=bus))

    told = read(report)

    assert told["service"] == "orders"
    assert told["resilience_metrics"] == {
        "total_requests": 0,
        "successful_requests": 0,
        "failed_requests": 0,
        "rejected_requests": 0,
        "timeout_requests": 0,
        "circuit_breaker_trips": 0,
        "retry_attempts": 0,
        "bulkhead_rejections": 0,
    }
    assert told["circuit_breaker"] == {
        "state": 0,
        "failures": 0,
        "successes": 0,
        "requests": 0,
        "errors": 0,
        "error_rate": 0.0,
        "last_fail_time": None,
    }
    assert told["timestamp"].endswith("Z")


def test_report_of_nothing_has_no_breaker(bus: EventBus) -> None:
    told = read(ResilienceReport("orders", bus=bus))

    assert told["circuit_breaker"] is None
    assert told["policies"] == {}


def test_pipeline_counts_as_one_however_often_it_tries(bus: EventBus, clock: FakeClock) -> None:
    orders = Pipeline(
        Retry(ConnectionError, attempts=3, bus=bus),
        CircuitBreaker("db", trip=ConsecutiveFailures(3), bus=bus),
        name="orders",
    )
    report = ResilienceReport("orders", bus=bus).watch(orders)

    orders.call(int)
    with suppress(ConnectionError):
        orders.call(fails)

    told = read(report)
    metrics = told["resilience_metrics"]
    assert metrics["total_requests"] == 2
    assert (metrics["successful_requests"], metrics["failed_requests"]) == (1, 1)
    assert (metrics["retry_attempts"], metrics["circuit_breaker_trips"]) == (2, 1)
    breaker = told["circuit_breaker"]
    assert (breaker["state"], breaker["requests"], breaker["errors"]) == (2, 4, 3)
    assert breaker["error_rate"] == 75.0
    assert breaker["last_fail_time"].endswith("Z")
    assert told["policies"]["db"]["state"] == 2
    assert told["policies"]["orders/retry"]["attempts"] == 3


def test_refusals_count_as_requests_wherever_they_come_from(
    bus: EventBus, clock: FakeClock
) -> None:
    slots = Bulkhead(1, name="slots", bus=bus)
    inner = RateLimiter(1, name="rate", bus=bus)
    piped = Pipeline(Retry(ConnectionError, bus=bus), inner, name="piped")
    report = ResilienceReport("orders", bus=bus).watch(slots, piped)

    with slots.permit(), suppress(BulkheadFullError):
        slots.call(int)
    for _ in range(2):
        with suppress(RateLimitedError):
            piped.call(int)

    metrics = read(report)["resilience_metrics"]
    assert metrics["total_requests"] == 4
    assert (metrics["successful_requests"], metrics["rejected_requests"]) == (2, 2)
    assert metrics["bulkhead_rejections"] == 1


async def test_missed_deadlines_are_counted(bus: EventBus) -> None:
    limit = Timeout(1.0, name="limit", bus=bus)
    report = ResilienceReport("orders", bus=bus).watch(limit)

    with suppress(TimedOutError):
        await limit.acall(anyio.sleep_forever)

    metrics = read(report)["resilience_metrics"]
    assert (metrics["timeout_requests"], metrics["failed_requests"]) == (1, 1)


def test_breaker_that_is_worst_off_is_shown(bus: EventBus, clock: FakeClock) -> None:
    well, ill, half = (CircuitBreaker(name, bus=bus) for name in ("well", "ill", "half"))
    report = ResilienceReport("orders", bus=bus).watch(well, ill, half)

    ill.force_open()
    well.force_closed()

    told = read(report)
    assert told["circuit_breaker"] == told["circuit_breakers"]["ill"]
    assert [each["state"] for each in told["circuit_breakers"].values()] == [4, 3, 0]
    assert read(report)["resilience_metrics"]["circuit_breaker_trips"] == 0


class Odd:
    """A policy of somebody else, whose snapshot has things in it that JSON does not know."""

    name = "odd"

    def snapshot(self) -> object:
        return OverloadedError("odd") if self is None else float("inf")


def test_what_json_cannot_say_is_left_out(bus: EventBus) -> None:
    report = ResilienceReport("orders", bus=bus).watch(Odd(), Pipeline(name="empty"))

    assert read(report)["policies"] == {"odd": None}


def test_report_shows_what_metrics_have_counted_already(bus: EventBus) -> None:
    tally = Tally()
    bus.meter(tally.end)
    db = CircuitBreaker("db", bus=bus)
    report = ResilienceReport("orders", bus=bus, tally=tally).watch(db)

    db.call(int)
    with suppress(ConnectionError):
        db.call(fails)

    told = read(report)
    metrics = told["resilience_metrics"]
    assert (metrics["successful_requests"], metrics["failed_requests"]) == (1, 1)
    assert told["circuit_breaker"]["last_fail_time"].endswith("Z")


def test_closed_report_counts_no_more(bus: EventBus) -> None:
    slots = Bulkhead(1, bus=bus)
    report = ResilienceReport("orders", bus=bus).watch(slots)

    report.close()
    slots.call(int)

    assert read(report)["resilience_metrics"]["total_requests"] == 0
    assert not bus.outcomes_wanted


async def test_report_is_served(health: HealthRegistry, bus: EventBus) -> None:
    report = ResilienceReport("orders", bus=bus)

    reply = await ask(HealthRoutes(health, report=report), "/resilience")

    assert (reply.status, json.loads(reply.body)["service"]) == (200, "orders")
