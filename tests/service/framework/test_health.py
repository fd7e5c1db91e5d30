"""How a service says how it is: the page, the probes, the metrics and the policies."""

import json
import socket
from typing import Any

import anyio
import pytest
from prometheus_client import Counter
from tests.integrations.server.asking import ask
from tests.service.framework.running import Running

from uat_resilience import HealthRegistry
from uat_service.app import Service
from uat_service.dependency import Dependency
from uat_service.health import HealthPage
from uat_service.metrics import Metrics

pytestmark = pytest.mark.usefixtures("_silent")


def test_health_page_has_the_common_keys_and_those_of_the_service(running: Running) -> None:
    with running.client() as client:
        answer = client.get("/health")

    body = answer.json()
    assert answer.status_code == 200
    assert body["status"] == "degraded"
    assert (body["service"], body["version"], body["orders"]) == ("order-desk", "1.2.3", 3)
    assert body["uptime_seconds"] > 0
    assert isinstance(body["timestamp"], int)
    assert {name: each["status"] for name, each in body["dependencies"].items()} == {
        "database": "healthy",
        "recommender": "unhealthy",
        "mailer": "unhealthy",
        "warehouse": body["dependencies"]["warehouse"]["status"],
    }
    assert body["dependencies"]["mailer"]["error"] == "RuntimeError"
    assert body["dependencies"]["recommender"]["required"] is False


@pytest.mark.parametrize(
    "path",
    [
        "/health/live",
        "/health/ready",
        "/health/startup",
        "/livez",
        "/readyz",
        "/startupz",
        "/resilience",
    ],
)
def test_operators_are_answered_at_once_with_nothing_secret(running: Running, path: str) -> None:
    with running.client() as client:
        answer = client.get(path)
        head = client.head(path)

    assert answer.status_code == head.status_code == 200
    assert "hunter2" not in answer.text
    assert isinstance(answer.json(), dict)


def test_liveness_knows_no_dependency(running: Running) -> None:
    with running.client() as client:
        checks = client.get("/health/live").json()["checks"]

    assert checks == {}


def test_resilience_has_the_shape_of_the_original_and_every_policy(running: Running) -> None:
    with running.client() as client:
        report = client.get("/resilience").json()

    assert report["service"] == "orders"
    assert {"resilience_metrics", "circuit_breaker", "timestamp"} <= report.keys()
    assert set(report["policies"]) == {"warehouse", "orders/requests"}


def test_metrics_are_openmetrics_for_those_who_ask(running: Running) -> None:
    with running.client() as client:
        text = client.get("/metrics")
        open_metrics = client.get(
            "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
        )

    assert text.headers["Content-Type"].startswith("text/plain")
    assert open_metrics.headers["Content-Type"].startswith("application/openmetrics-text")
    assert open_metrics.text.endswith("# EOF\n")
    assert not text.text.endswith("# EOF\n")
    assert 'uat_breaker_state{policy="warehouse"' in text.text
    assert "process_cpu_seconds_total" in text.text
    assert "_created" not in text.text


async def test_lost_dependency_makes_a_service_unhealthy_and_its_return_well_again() -> None:
    there = True

    async def ping() -> bool:
        return there

    service = Service("orders", dependencies=[Dependency("database", ping)])
    await service.health.arefresh()
    before = (await ask(service, "/health")).status

    there = False
    await service.health.arefresh()
    hiccup = (await ask(service, "/health")).status
    await service.health.arefresh()
    lost = await ask(service, "/readyz")
    alive = (await ask(service, "/livez")).status
    there = True
    await service.health.arefresh()
    again = (await ask(service, "/readyz")).status

    # Nobody has run its lifespan, so it has not started, which the page says and the probe of readiness does not.
    assert (before, hiccup, lost.status, alive, again) == (503, 503, 503, 200, 200)
    assert json.loads(lost.body)["checks"]["database"]["status"] == "unhealthy"


@pytest.mark.parametrize(
    "added", [{"status": "fine", "dependencies": None, "orders": {1, 2}}, None]
)
def test_details_cannot_hide_how_a_service_is(added: dict[str, Any] | None) -> None:
    def details() -> dict[str, Any]:
        if added is None:
            raise RuntimeError("hunter2")
        return added

    page = HealthPage(HealthRegistry(), service="orders", version="1", details=details)

    status, body = page.read()

    assert status == 200
    assert json.loads(body)["status"] == "healthy"
    assert json.loads(body)["dependencies"] == {}
    assert b"hunter2" not in body


async def test_many_series_are_written_while_requests_are_served() -> None:
    metrics = Metrics(service="orders", version="1")
    things = Counter("things", "Many", ("number",), registry=metrics.registry)
    for number in range(20_000):
        things.labels(str(number)).inc()
    turns, over = 0, anyio.Event()

    async def write() -> None:
        await metrics.exposition("text/plain")
        over.set()

    async with anyio.create_task_group() as group:
        group.start_soon(write)
        while not over.is_set():
            turns += 1
            await anyio.lowlevel.checkpoint()

    assert turns > 10


async def test_tcp_dependency_is_there_while_something_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        database = Dependency.tcp("database", host="127.0.0.1", port=listener.getsockname()[1])
        service = Service("orders", dependencies=[database])

        await service.health.arefresh()
        there = service.health.report().checks["database"].error
    await service.health.arefresh()
    lost = service.health.report().checks["database"].error

    assert there is None
    assert lost is not None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": ""}, "name must not be empty"),
        ({"check": 7}, "check must be a function, not 7"),
        ({"required": 1}, "required must be True or False, not 1"),
        ({"timeout": 0}, "timeout must be"),
    ],
)
def test_wrong_dependency_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Dependency(**{"name": "database", "check": lambda: True, **wrong})
