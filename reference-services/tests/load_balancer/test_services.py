"""What the load balancer tells of services, and what it does with those who register."""

import json
from typing import Any

import httpx
import pytest

from uat_service.resolver import BalancerSource


def test_the_readme_asks_for_services_and_health(balancer: Any, hosts: Any) -> None:
    (host,) = hosts(1)
    balancer.register("listed", host.url, weight=3)
    balancer.client.get("/proxy/listed/")

    services = balancer.client.get("/services")
    health = balancer.client.get("/health")

    line = services.json()["listed"]
    assert services.status_code == health.status_code == 200
    assert (line["url"], line["active"], line["weight"]) == (host.url, True, 3)
    assert line["request_count"] == line["health"]["request_count"] == 1
    assert line["health"]["status"] == "healthy"
    assert health.json()["service"] == "load-balancer"
    assert health.json()["healthy_services"] >= 1
    assert health.json()["total_services"] >= health.json()["healthy_services"]


def test_a_service_is_shown_with_its_hosts_and_the_reasons(balancer: Any, hosts: Any) -> None:
    good, bad = hosts(2)
    bad.health = 503
    for each in (good, bad):
        balancer.register("shown", each.url, version="1.2", zone="here")
    balancer.until(lambda: balancer.host("shown", bad.id)["state"] == "down")
    balancer.until(lambda: balancer.host("shown", good.id)["last_checked"] is not None)

    first, second = balancer.service("shown")["instances"]

    assert (first["healthy"], first["state"], first["why"]) == (True, "fit", "answers its checks")
    assert (second["healthy"], second["state"]) == (False, "down")
    assert second["why"] == "its check fails: status 503"
    assert 0 < first["lease_left"] <= 120
    assert (first["version"], first["zone"], first["stale"]) == ("1.2", "here", False)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_clients_of_the_framework_find_instances(
    balancer: Any, hosts: Any, anyio_backend: str
) -> None:
    good, bad = hosts(2)
    bad.health = 503
    for each in (good, bad):
        balancer.register("found", each.url, weight=2, version="7", zone="z")
    balancer.until(lambda: balancer.host("found", bad.id)["state"] == "down")
    source = BalancerSource(str(balancer.client.base_url))

    (instance,) = await source.look_up("found")
    nobody = await source.look_up("nobody")
    await source.close()

    assert (instance.url, instance.id) == (good.url, good.id)
    assert (instance.weight, instance.version, instance.zone) == (2, "7", "z")
    assert nobody == []


def test_a_lease_is_renewed_and_ends_and_can_be_given_back(balancer: Any, hosts: Any) -> None:
    short, long = hosts(2)
    lease = balancer.register("leased", short.url, lease_seconds=0.3)
    balancer.register("leased", long.url, id="mine", lease_seconds=1e9)
    assert (lease["lease_seconds"], lease["renew_after_seconds"]) == (0.3, 0.1)

    balancer.until(lambda: len(balancer.service("leased")["instances"]) == 1)
    renewed = balancer.client.put("/services/leased/instances/mine/lease")
    forgotten = balancer.client.put(f"/services/leased/instances/{short.id}/lease")

    assert renewed.json()["lease_seconds"] == 300.0
    assert forgotten.status_code == 404
    assert balancer.leave("leased", "mine") == 204
    assert balancer.leave("leased", "mine") == 404
    assert balancer.client.get("/services/leased").status_code == 404


@pytest.mark.parametrize(
    "offer",
    [
        {},
        {"url": "ftp://a"},
        {"url": "http://a/path"},
        {"url": "http://a:99999"},
        {"url": "http://a:1", "weight": 0},
        {"url": "http://a:1", "lease_seconds": -1},
        {"url": "http://a:1", "health_path": "no"},
        {"url": "http://a:1", "id": "a/b"},
    ],
)
def test_what_is_no_instance_is_refused(balancer: Any, offer: dict[str, Any]) -> None:
    assert balancer.client.post("/services/shop/instances", json=offer).status_code == 400


def test_watchers_hear_of_everything_at_once(balancer: Any, hosts: Any) -> None:
    (host,) = hosts(1)
    with balancer.client.stream("GET", "/watch", params={"service": "watched"}) as stream:
        events = _events(stream)
        balancer.register("watched", host.url)
        came = next(events)
        while came["instances"][0]["last_checked"] is None:
            came = next(events)
        balancer.leave("watched", host.id)
        gone = next(events)

    assert came["service"] == "watched"
    assert gone["instances"] == []


def _events(stream: httpx.Response) -> Any:
    for line in stream.iter_lines():
        if line.startswith("data:"):
            yield json.loads(line.removeprefix("data:"))


def test_panic_is_seen_in_header_metric_and_services(balancer: Any, hosts: Any) -> None:
    three = hosts(3)
    for each in three:
        each.health = 503
        balancer.register("panics", each.url)

    balancer.until(lambda: balancer.client.get("/services").json()["panics"]["panic"])
    answer = balancer.client.get("/proxy/panics/")
    metrics = balancer.client.get("/metrics").text

    assert answer.status_code == 200
    assert answer.headers["x-load-balancer-panic"] == "panics"
    assert 'load_balancer_panic{service="panics"} 1.0' in metrics
    assert 'load_balancer_service_health{service="panics"} 0.0' in metrics
    assert "panics" in balancer.client.get("/health").json()["panic"]
    assert "panic" in balancer.service("panics")["instances"][0]["why"]


def test_metrics_know_only_the_names_of_services(balancer: Any, hosts: Any) -> None:
    good, bad = hosts(2)
    bad.status = 500
    for each in (good, bad):
        balancer.register("ejects", each.url)
    balancer.client.get("/proxy/no-such-service-1/")

    for _ in range(20):
        balancer.client.get("/proxy/ejects/")
    metrics = balancer.client.get("/metrics").text

    assert 'load_balancer_requests_total{method="GET",service="ejects",status="200"}' in metrics
    assert 'load_balancer_instances{service="ejects",state="fit"}' in metrics
    assert 'reason="service_unavailable",service="unknown"' in metrics
    assert "no-such-service-1" not in metrics


@pytest.mark.slow
def test_what_was_known_is_served_after_a_restart_and_said_to_be_stale(
    start: Any, hosts: Any, tmp_path: Any
) -> None:
    (host,) = hosts(1)
    told = {"REGISTRATION_TOKEN": "sesame", "CHECK_INTERVAL": "1h"}
    bearer = {"Authorization": "Bearer sesame"}
    with start(tmp_path, **told) as balancer:
        refused = balancer.client.post("/services/kept/instances", json={"url": host.url})
        wrong = balancer.client.delete(
            "/services/kept/instances/a", headers={"Authorization": "Bearer no"}
        )
        balancer.client.headers.update(bearer)
        balancer.register("kept", host.url, weight=5, lease_seconds=0.2)
    with start(tmp_path, **told) as balancer:
        balancer.client.headers.update(bearer)
        line = balancer.client.get("/services").json()["kept"]
        answer = balancer.client.get("/proxy/kept/")
        renewed = balancer.client.put(f"/services/kept/instances/{host.id}/lease")
        balancer.register("kept", host.url, lease_seconds=30)
        again = balancer.host("kept", host.id)

    assert refused.status_code == wrong.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert (line["stale"], line["weight"], line["active"]) == (True, 5, True)
    assert answer.status_code == renewed.status_code == 200
    assert again["stale"] is False
