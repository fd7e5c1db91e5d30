"""What callers see, the same under every framework, through a real server."""

import gc
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from tests.integrations.server.apps import Make
from tests.integrations.server.serving import PATIENCE, serving
from tests.integrations.server.stage import Stage

from uat_resilience import AIMD, AdaptiveLimiter, Bulkhead, GracefulShutdown, LoadShedder

PROBLEM = "application/problem+json"

# Django does not close the body of a request whose answer breaks off.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="module", autouse=True)
def _collected() -> Generator[None]:
    """Let the garbage of this module be found in this module."""
    yield
    gc.collect()


def test_handler_finds_what_the_request_brings(client: httpx.Client) -> None:
    headers = {"X-Request-Timeout-Ms": "5000", "X-Retry-Attempt": "1", "X-Request-ID": "abc"}

    answer = client.get("/act/look", headers=headers)

    assert answer.status_code == 200
    assert answer.headers["x-request-id"] == "abc"
    seen = answer.json()
    assert (seen["id"], seen["owned"]) == ("abc", True)
    assert 0 < seen["left"] <= 5.0


def test_request_that_brings_nothing_gets_an_id(client: httpx.Client) -> None:
    answer = client.get("/act/look")

    seen = answer.json()
    assert seen == {"id": answer.headers["x-request-id"], "left": None, "owned": False}


def test_spent_deadline_is_504(client: httpx.Client) -> None:
    answer = client.get("/act/look", headers={"X-Request-Timeout-Ms": "0"})

    assert answer.status_code == 504
    assert answer.headers["content-type"] == PROBLEM


def test_deadline_that_passes_is_504(client: httpx.Client) -> None:
    answer = client.get("/act/hold", headers={"grpc-timeout": "20m", "X-Request-ID": "late"})

    assert answer.status_code == 504
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["request_id"] == "late"
    assert answer.headers["x-request-id"] == "late"


def test_handler_has_ended_when_its_deadline_is_answered(
    client: httpx.Client, stage: Stage
) -> None:
    stage.cancelled.clear()

    client.get("/act/hold", headers={"grpc-timeout": "20m"})

    assert stage.cancelled.is_set()


def test_open_breaker_is_503_with_retry_after(client: httpx.Client) -> None:
    answer = client.get("/act/open", headers={"X-Request-ID": "abc"})

    assert answer.status_code == 503
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["retry-after"] == "12"
    assert answer.headers["x-request-id"] == "abc"
    assert answer.json() == {
        "type": "urn:uat-resilience:problem:circuit-open",
        "title": "Something the service needs is not available",
        "status": 503,
        "detail": "Try again in 12 s.",
        "request_id": "abc",
    }


def test_refusal_that_knows_no_time_has_retry_after_too(client: httpx.Client) -> None:
    answer = client.get("/act/full")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_rate_limit_is_429_and_tells_the_limit(client: httpx.Client) -> None:
    answer = client.get("/act/limited")

    assert answer.status_code == 429
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["retry-after"] == "6"
    assert answer.headers["ratelimit"] == r'"the \"api\"";r=0;t=6'
    assert answer.headers["ratelimit-policy"] == r'"the \"api\"";q=1;w=6'


def test_crash_is_500_with_its_id_and_without_its_text(client: httpx.Client) -> None:
    answer = client.get("/act/crash", headers={"X-Request-ID": "abc"})

    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == "abc"
    assert "secret" not in answer.text
    assert "x-should-retry" not in answer.headers


def test_path_without_a_route_is_404_with_its_id(client: httpx.Client) -> None:
    answer = client.get("/nowhere/at/all", headers={"X-Request-ID": "abc"})

    assert answer.status_code == 404
    assert answer.headers["x-request-id"] == "abc"


def test_spent_tries_are_told(client: httpx.Client) -> None:
    answer = client.get("/act/spent")

    assert answer.status_code == 500
    assert answer.headers["x-should-retry"] == "false"


def test_caller_that_repeats_is_not_told_to_stop(client: httpx.Client) -> None:
    answer = client.get("/act/spent", headers={"X-Retry-Attempt": "0"})

    assert answer.status_code == 500
    assert "x-should-retry" not in answer.headers


def test_stream_that_breaks_is_not_ended_as_if_complete(client: httpx.Client) -> None:
    with client.stream("GET", "/stream/breaking") as answer, pytest.raises(httpx.TransportError):
        answer.read()

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "limit",
    [
        lambda: Bulkhead(2),
        lambda: AdaptiveLimiter(AIMD(initial=2, maximum=2)),
        lambda: LoadShedder(2, queue=0),
    ],
    ids=["bulkhead", "adaptive", "shedder"],
)
def test_load_beyond_the_limit_is_shed(make: Make, limit: Callable[[], Any]) -> None:
    stage, limiter = Stage(), limit()
    with (
        serving(make(stage, limiter=limiter)) as served,
        ThreadPoolExecutor(2) as users,
        httpx.Client(base_url=served.url, timeout=PATIENCE) as client,
    ):
        held = [users.submit(client.get, "/act/hold") for _ in range(2)]
        stage.wait_for(2)

        shed = [client.get("/act/look") for _ in range(20)]

        stage.release()
        assert {each.status_code for each in shed} == {503}
        assert {each.headers["retry-after"] for each in shed} == {"1"}
        assert [each.result().status_code for each in held] == [200, 200]
    assert limiter.snapshot().running == 0


def test_drain_finishes_what_runs_and_refuses_the_rest(make: Make) -> None:
    stage, shutdown = Stage(), GracefulShutdown()
    with (
        serving(make(stage, shutdown=shutdown)) as served,
        ThreadPoolExecutor(1) as users,
        httpx.Client(base_url=served.url, timeout=PATIENCE) as client,
    ):
        running = users.submit(client.get, "/act/hold")
        stage.wait_for(1)

        shutdown.begin()
        refused = client.get("/act/look")
        stage.release()
        finished = running.result()

        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["connection"] == "close"
        assert (finished.status_code, finished.headers["connection"]) == (200, "close")
        assert shutdown.drained()


def test_client_that_leaves_a_stream_lets_it_clean_up(make: Make) -> None:
    stage, slots, shutdown = Stage(), Bulkhead(1), GracefulShutdown()
    with serving(make(stage, limiter=slots, shutdown=shutdown)) as served:
        connection = served.connect()
        connection.sendall(b"GET /stream/chunks HTTP/1.1\r\nHost: here\r\n\r\n")
        received = b""
        while b"first" not in received:
            received += connection.recv(1024)

        connection.close()

        assert stage.cleaned.wait(PATIENCE)
        assert shutdown.drained()
        assert slots.snapshot().running == 0


def test_stream_is_cut_at_its_deadline_and_cleans_up(make: Make) -> None:
    stage, shutdown = Stage(), GracefulShutdown()
    with (
        serving(make(stage, shutdown=shutdown)) as served,
        httpx.Client(base_url=served.url, timeout=PATIENCE) as client,
        client.stream("GET", "/stream/chunks", headers={"grpc-timeout": "100m"}) as answer,
        pytest.raises(httpx.TransportError),
    ):
        answer.read()

    assert stage.cleaned.wait(PATIENCE)
    assert shutdown.drained()
