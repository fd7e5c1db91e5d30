"""What each route answers."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from metrics_aggregator.metrics_support.fleet import Walk
from metrics_aggregator.metrics_support.served import client, parts, target

from uat_platform.metrics_aggregator.parts import Parts
from uat_platform.metrics_aggregator.scraping.target import from_address

NOW = 1_000_000.0


@asynccontextmanager
async def fleet(directory: Path) -> AsyncGenerator[tuple[httpx2.AsyncClient, Parts]]:
    """Serve with two services that were scraped three times, a second apart on their own clocks."""
    made = parts(directory)
    walks = {name: Walk(name, (0.0, 0.0)) for name in ("auth", "chat")}
    pages: dict[str, Any] = {}
    with target(pages) as address:
        async with client(made) as asking:
            found = [
                from_address(address, {"job": name, "part": name, "__metrics_path__": f"/{name}"})
                for name in walks
            ]
            made.discovery.registered.update({each.job: each for each in found})
            for name, walk in walks.items():
                pages[f"/{name}"] = walk.page(NOW)
            pages["/health"] = (
                '{"status": "healthy", "dependencies": {"auth": {"status": "healthy"}}}'
            )
            pages["/resilience"] = (
                '{"resilience_metrics": {"total_requests": 7, "successful_requests": 6, "failed_requests": 1,'
                ' "retry_attempts": 3}, "circuit_breakers": {"auth": {"state": 2}}}'
            )
            made.roster.update(found)
            scrapes = [*made.roster]
            for second in (1, 2):
                for scrape in scrapes:
                    pages[f"/{scrape.target.job}"] = walks[scrape.target.job].page(NOW + second)
                    await scrape.once()
            yield asking, made


async def read(asking: httpx2.AsyncClient, path: str, **asked: Any) -> Any:
    answer = await asking.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_fleet_shows_each_service_and_all_of_them_together(tmp_path: Path) -> None:
    async with fleet(tmp_path) as (asking, _):
        report = await read(asking, "/resilience")

    assert {"service", "resilience_metrics", "timestamp"} <= report.keys()
    assert report["services"]["chat"]["resilience_metrics"]["failed_requests"] == 1
    assert report["services"]["chat"]["circuit_breaker"] == {"state": 2}
    assert report["summary"]["services"] == 2
    assert report["summary"]["retry_attempts"] == 6
    assert report["summary"]["circuit_breakers"]["open"] == 2
    assert report["summary"]["retry_share"] == pytest.approx(100 * 6 / 20)


async def test_unified_metrics_have_what_the_services_have_measured(tmp_path: Path) -> None:
    async with fleet(tmp_path) as (asking, _):
        text = (await asking.get("/metrics")).text

    filled = {line.partition("{")[0] for line in text.splitlines() if line.startswith("unified_")}
    assert {
        "unified_requests_total",
        "unified_errors_total",
        "unified_request_duration_seconds_bucket",
        "unified_memory_usage_bytes",
        "unified_cpu_usage_percent",
        "unified_message_queue_depth",
    } <= filled
    assert (
        'unified_requests_total{language="python",method="GET",service="auth",status="200"}' in text
    )
    assert 'metrics_aggregator_targets{health="up"} 2.0' in text


async def test_series_labels_and_values_are_found(tmp_path: Path) -> None:
    async with fleet(tmp_path) as (asking, _):
        series = await read(asking, "/api/v1/series", **{"match[]": 'uat_limit{job="auth"}'})
        names = await read(asking, "/api/v1/labels")
        few = await asking.post("/api/v1/labels", data={"match[]": "up"})
        jobs = await read(asking, "/api/v1/label/job/values")
        only = await read(asking, "/api/v1/label/job/values", **{"match[]": '{part="chat"}'})
        form = await asking.post("/api/v1/series", data={"match[]": ["up", "uat_limit"]})
        meaning = await read(
            asking, "/api/v1/metadata", metric="http_server_request_duration_seconds"
        )

    assert [each["policy"] for each in series["data"]] == ["auth/requests"]
    assert {"__name__", "job", "instance", "policy"} <= {*names["data"]}
    assert {*few.json()["data"]} < {*names["data"]}
    assert jobs["data"] == ["auth", "chat"]
    assert only["data"] == ["chat"]
    assert len(form.json()["data"]) == 4
    assert meaning["data"]["http_server_request_duration_seconds"][0]["type"] == "histogram"


async def test_queries_may_be_asked_by_form_and_answered_as_prometheus_does(tmp_path: Path) -> None:
    async with fleet(tmp_path) as (asking, made):
        now = made.now()
        one = await asking.post("/api/v1/query", data={"query": "sum(up)"})
        over = await asking.post(
            "/api/v1/query_range",
            data={"query": "up", "start": str(now), "end": str(now + 60), "step": "30s"},
        )
        scalar = await read(asking, "/api/v1/query", query="1 + 1", time="2026-01-01T00:00:00Z")
        text = await read(asking, "/api/v1/query", query='"a"', time="5")

    assert one.json()["data"]["result"][0]["value"][1] == "2"
    assert [len(each["values"]) for each in over.json()["data"]["result"]] == [3, 3]
    assert scalar["data"] == {"resultType": "scalar", "result": [1767225600, "2"]}
    assert text["data"] == {"resultType": "string", "result": [5, "a"]}


@pytest.mark.parametrize(
    ("path", "asked", "status", "kind"),
    [
        ("query", {"query": "sum("}, 400, "bad_data"),
        ("query", {"query": "up[0s]"}, 400, "bad_data"),
        ("query", {"query": "up offset 0s"}, 400, "bad_data"),
        ("query", {"query": "up[1m:0s]"}, 400, "bad_data"),
        ("query", {}, 400, "bad_data"),
        ("query", {"query": "up", "time": "soon"}, 400, "bad_data"),
        ("query", {"query": 'label_replace(up, "0", "", "a", "")'}, 422, "execution"),
        ("query", {"query": 'up{a=~"(a+)+"}'}, 400, "bad_data"),
        ("query_range", {"query": "up", "start": 2, "end": 1, "step": 1}, 400, "bad_data"),
        ("query_range", {"query": "up", "start": 0, "end": 99999999, "step": 1}, 400, "bad_data"),
        ("query_range", {"query": "up[5m]", "start": 0, "end": 1, "step": 1}, 400, "bad_data"),
        ("series", {}, 400, "bad_data"),
        ("label/0x/values", {}, 400, "bad_data"),
    ],
)
async def test_wrong_questions_are_refused_in_the_words_of_prometheus(
    tmp_path: Path, path: str, asked: dict[str, Any], status: int, kind: str
) -> None:
    async with client(parts(tmp_path)) as asking:
        answer = await asking.get(f"/api/v1/{path}", params=asked)

    assert (answer.status_code, answer.json()["errorType"]) == (status, kind)
    assert answer.json()["status"] == "error"


async def test_federation_is_text_that_can_be_scraped(tmp_path: Path) -> None:
    async with fleet(tmp_path) as (asking, _):
        answer = await asking.get("/federate", params={"match[]": ["up", "uat_limit"]})
        nothing = await asking.get("/federate")

    lines = answer.text.splitlines()
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert lines[0] == "# TYPE uat_limit untyped"
    assert sum(line.startswith("up{") for line in lines) == 2
    assert all(line.rsplit(" ", 1)[1].isdigit() for line in lines if line.startswith("up{"))
    assert not nothing.text


async def test_targets_say_how_their_last_scrape_went(tmp_path: Path) -> None:
    async with fleet(tmp_path) as (asking, _):
        found = (await read(asking, "/api/v1/targets"))["data"]["activeTargets"]
        dropped = (await read(asking, "/api/v1/targets", state="dropped"))["data"]["activeTargets"]
        version = await read(asking, "/api/v1/status/buildinfo")

    assert [(each["labels"]["job"], each["health"], each["breaker"]) for each in found] == [
        ("auth", "up", "closed"),
        ("chat", "up", "closed"),
    ]
    assert found[0]["series"] > 10
    assert dropped == []
    assert version["data"]["version"] == "2.42.0"


async def test_routes_of_old_answer_with_real_values(tmp_path: Path) -> None:
    async with fleet(tmp_path) as (asking, _):
        services = await read(asking, "/api/v1/metrics/services")
        metric = await read(asking, "/api/v1/metrics/data", metric="uat_limit")
        service = await read(asking, "/api/v1/metrics/data", service="chat")
        all_ = await read(asking, "/api/v1/metrics/data")
        missing = await asking.get("/api/v1/metrics/data", params={"metric": "nothing"})
        fine = await read(asking, "/test")
        well = await read(asking, "/api/v1/metrics/health")
        health = await read(asking, "/health")

    assert [each["service_id"] for each in services] == ["auth", "chat"]
    assert metric["values"] == {"auth": 32.0, "chat": 32.0}
    assert metric["aggregations"] == {
        "sum": 64.0,
        "avg": 32.0,
        "min": 32.0,
        "max": 32.0,
        "count": 2,
    }
    assert len(metric["time_series"]) >= 4
    assert service["health"] == "healthy"
    assert service["metrics"]['uat_limit{policy="chat/requests"}']["value"] == 32.0
    assert "uat_limit" in all_
    assert (missing.status_code, missing.json()["status"]) == (404, 404)
    assert missing.json()["error"] == missing.json()["detail"]
    assert (fine["status"], well["status"]) == ("ok", "healthy")
    assert (well["services"], health["services"]) == (2, 2)
    assert well["metrics"] == health["metrics"] > 10


async def test_what_is_not_there_is_said_in_the_words_of_old_too(tmp_path: Path) -> None:
    async with client(parts(tmp_path)) as asking:
        route = await asking.get("/nowhere/at%20all")
        metric = await asking.get("/api/v1/metrics/data", params={"metric": "nothing"})

    told = route.json()
    assert (told["status"], told["error"], told["path"]) == (
        404,
        "route not found",
        "/nowhere/at all",
    )
    assert route.headers["content-type"] == "application/problem+json"
    assert metric.json()["error"] == "there is no metric 'nothing'"


async def test_service_that_registers_is_asked_also_after_a_restart(tmp_path: Path) -> None:
    with target({"/metrics": "busy 1\n"}) as address:
        async with client(parts(tmp_path)) as asking:
            answer = await asking.post(
                "/api/v1/metrics/register",
                json={
                    "service_id": "ml",
                    "service_type": "rust",
                    "endpoint": f"http://{address}",
                    "labels": {"zone": "a"},
                },
            )
            wrong = await asking.post("/api/v1/metrics/register", json={"service_id": "ml"})

        again = parts(tmp_path)
        async with client(again):
            await again.database()
            found = again.discovery.targets

    assert (answer.status_code, answer.json()) == (200, {"status": "registered"})
    assert wrong.status_code == 400
    assert [(each.job, dict(each.labels)["zone"], each.instance) for each in found] == [
        ("ml", "a", address)
    ]
