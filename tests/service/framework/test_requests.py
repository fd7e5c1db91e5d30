"""Each request is served in its own context, and accounted for once, whatever becomes of it."""

import json
import socket
from contextlib import suppress
from itertools import count
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.integrations.server.asking import Asked, answering, ask
from tests.service.framework.running import PATIENCE, Running
from websockets.sync.client import connect

from uat_resilience import GracefulShutdown
from uat_service.app import Service
from uat_service.metrics import Metrics
from uat_service.outer import Outer

numbers = count(1_000)


def counted(client: httpx.Client) -> dict[tuple[str, str, str], float]:
    """Return how many requests there were, by method, route and status."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (
            each.labels["http_request_method"],
            each.labels["http_route"],
            each.labels["http_response_status_code"],
        ): each.value
        for family in families
        for each in family.samples
        if each.name == "http_server_request_duration_seconds_count"
    }


def caught_up(running: Running, client: httpx.Client) -> None:
    """Read the log up to a request that is made now."""
    path = f"/orders/{next(numbers)}"
    client.get(path)
    running.entry("request", path=path)


@pytest.mark.parametrize(
    ("asked", "content", "status", "route"),
    [
        (("GET", "/orders/7"), "", 200, "/orders/{order_id}"),
        (("GET", "/nowhere"), "", 404, "unmatched"),
        (("GET", "/orders/seven"), "", 404, "unmatched"),
        (("DELETE", "/orders/7"), "", 405, "unmatched"),
        (("POST", "/orders"), "x" * 101, 413, "/orders"),
        (("GET", "/secret"), "", 401, "/secret"),
        (("GET", "/crash"), "", 500, "/crash"),
        (("GET", "/open"), "", 503, "/open"),
        (("POST", "/health"), "", 405, "/health"),
    ],
)
def test_request_appears_once_in_metrics_and_log(
    running: Running, asked: tuple[str, str], content: str, status: int, route: str
) -> None:
    method, path = asked
    name = f"test-{next(numbers)}"
    with running.client() as client:
        before = counted(client)

        answer = client.request(method, path, content=content, headers={"X-Request-ID": name})

        after = counted(client)
        caught_up(running, client)
    assert answer.status_code == status
    assert answer.headers["X-Request-ID"] == name
    key = (method, route, str(status))
    assert after[key] - before.get(key, 0) == 1
    others = {each for each in after if after[each] != before.get(each, 0)} - {key}
    assert others == {("GET", "/metrics", "200")}
    told = running.events("request", request_id=name)
    assert len(told) == (0 if path == "/health" else 1)
    for each in told:
        assert (each["method"], each["path"], each["route"]) == (method, path, route)
        assert each["status"] == status
    assert len(running.events("request crashed", request_id=name)) == (status == 500)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"),
        ("DELETE", "/orders/7"),
        ("GET", "/secret"),
        ("GET", "/crash"),
        ("GET", "/open"),
        ("POST", "/livez"),
    ],
)
def test_every_error_is_a_problem_with_the_id_of_the_request(
    running: Running, method: str, path: str
) -> None:
    with running.client() as client:
        answer = client.request(method, path)

    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == answer.status_code
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert problem["title"]
    assert "hunter2" not in answer.text
    assert ("Allow" in answer.headers) == (answer.status_code == 405)


def test_trace_id_of_the_caller_is_in_the_log(running: Running) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    with running.client() as client:
        client.get("/orders/1", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
        caught_up(running, client)

    assert len(running.events("request", trace_id=trace, request_id=trace)) == 1


def test_spent_deadline_is_answered_and_accounted_for(running: Running) -> None:
    with running.client() as client:
        answer = client.get("/orders/1", headers={"X-Request-Timeout-Ms": "0", "X-Request-ID": "d"})
        caught_up(running, client)

    assert answer.status_code == 504
    assert len(running.events("request", status=504, request_id="d")) == 1


def test_path_is_logged_in_part_and_the_query_not_at_all(running: Running) -> None:
    name = f"test-{next(numbers)}"
    with running.client() as client:
        client.get("/" + "x" * 5_000 + "?token=hunter2", headers={"X-Request-ID": name})
        caught_up(running, client)

    (told,) = running.events("request", request_id=name)
    assert len(told["path"]) == 1_024
    assert "hunter2" not in json.dumps(told)


def test_forged_request_id_is_replaced(running: Running) -> None:
    with running.client() as client:
        answer = client.get("/orders/1", headers={"X-Request-ID": 'a" b'})

    assert answer.headers["X-Request-ID"] != 'a" b'


def test_websocket_is_logged_with_its_route(running: Running) -> None:
    with connect(f"ws://{running.address}/ws", additional_headers={"X-Request-ID": "ws"}) as socket:
        socket.send("hello")
        echoed = socket.recv(PATIENCE)

    told = running.entry("websocket", request_id="ws")
    assert echoed == "hello"
    assert (told["path"], told["route"]) == ("/ws", "/ws")


def test_broken_stream_is_not_ended_as_if_complete(running: Running) -> None:
    with running.client() as client:
        with (
            client.stream("GET", "/broken", headers={"X-Request-ID": "half"}) as answer,
            pytest.raises(httpx.RemoteProtocolError),
        ):
            answer.read()
        caught_up(running, client)

    assert len(running.events("request crashed", request_id="half")) == 1
    assert [each for each in running.entries if each.get("logger") == "uvicorn.error"] == []
    assert len(running.events("request", request_id="half", status=200, complete=False)) == 1


@pytest.mark.parametrize("path", ["/stream", "/flood"])
def test_stream_whose_client_leaves_still_cleans_up(running: Running, path: str) -> None:
    name = f"test-{next(numbers)}"
    with (
        running.client() as client,
        client.stream("GET", path, headers={"X-Request-ID": name}) as answer,
    ):
        next(answer.iter_raw())

    assert running.entry("cleaned up", request_id=name)
    assert running.entry("request", request_id=name)["complete"] is False


@pytest.mark.parametrize("part", [b"X: " + b"x" * 1000 + b"\r\n", b"x" * 1000])
def test_head_that_goes_on_and_on_is_refused(running: Running, part: bytes) -> None:
    sent = 0
    with (
        socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE) as client,
        suppress(ConnectionError),
    ):
        client.sendall(b"GET /orders/1 HTTP/1.1\r\nHost: a\r\nX: x" + part[-2:])
        while sent < 20_000_000:
            sent += client.send(part)

    assert sent < 20_000_000
    with running.client() as other:
        assert other.get("/orders/1").status_code == 200


def bodies(answers: bytes) -> list[dict[str, Any]]:
    """Return the JSON bodies of answers that came one after the other."""
    found = []
    while answers:
        head, _, answers = answers.partition(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        found.append(json.loads(answers[:length]))
        answers = answers[length:]
    return found


def test_pipelined_requests_with_large_bodies_share_nothing(running: Running) -> None:
    body = b"x" * 102_400
    start = b"POST /context HTTP/1.1\r\nHost: x\r\nContent-Length: 102400\r\n"
    named = start + b"X-Request-ID: mine\r\nX-Request-Timeout-Ms: 9000\r\n\r\n" + body
    plain, last = start + b"\r\n" + body, start + b"Connection: close\r\n\r\n" + body
    received = b""

    with socket.create_connection(("127.0.0.1", running.port), PATIENCE) as connection:
        connection.sendall((named + plain) * 5 + last)
        while data := connection.recv(65_536):
            received += data

    told = bodies(received)
    assert [each["request_id"] == "mine" for each in told] == [True, False] * 5 + [False]
    assert [each["remaining"] for each in told] == [True, False] * 5 + [False]
    assert len({each["request_id"] for each in told}) == 7
    assert [each["bound"] for each in told] == [{}] * 11
    assert [each["owner"] for each in told] == ["nobody"] * 11


@pytest.mark.usefixtures("_silent")
async def test_labels_stay_bounded_after_10_000_random_paths() -> None:
    metrics = Metrics(service="orders", version="1")
    outer = Outer(
        answering(404), metrics=metrics, shutdown=GracefulShutdown(), max_timeout=1.0, limiter=None
    )

    for number in range(10_000):
        asked = Asked(f"/{number:x}", scope={"method": ("GET", f"M{number}")[number % 2]})
        await asked.to(outer)

    _, text = await metrics.exposition("text/plain")
    series = [line for line in text.decode().splitlines() if "duration_seconds_count{" in line]
    assert {line.rpartition(" ")[2] for line in series} == {"5000.0"}
    assert len(series) == 2
    assert metrics.active == 0


@pytest.mark.usefixtures("_silent")
async def test_two_services_in_one_process_answer_with_metrics_of_their_own() -> None:
    first, second = Service("first"), Service("second", version="2")

    await ask(first, "/health")
    told = [(await ask(each, "/metrics")).body.decode() for each in (first, second)]

    assert 'service_name="first"' in told[0]
    assert 'service_name="second",service_version="2"' in told[1]
    assert 'http_route="/health"' in told[0]
    assert 'http_route="/health"' not in told[1]
