from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from tests.integrations.http.drivers import Client, Driver
from tests.integrations.http.servers import OK, RawServer, Received, reply

from uat_resilience import (
    BreakerState,
    Bulkhead,
    BulkheadFullError,
    CallRefusedError,
    CircuitBreaker,
    CircuitOpenError,
    Coalesce,
    ConsecutiveFailures,
    Fallback,
    Pipeline,
    Retry,
    captured,
)
from uat_resilience.telemetry import CallAbandoned, CallFailed, CallSucceeded

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"


def half(_: Received) -> Iterator[bytes]:
    """Promise four bytes, send two, and close."""
    yield HEAD + b"ha"
    raise OSError


@pytest.fixture
def unfinished(server: RawServer) -> RawServer:
    """A server that sends half of a body, and no more."""

    def script(_: Received) -> Iterator[bytes]:
        yield HEAD + b"ha"
        server.stopped.wait(10)

    server.script = script
    return server


def test_slot_is_held_while_the_body_is_read(unfinished: RawServer, driver: Driver) -> None:
    bulkhead = Bulkhead(1)
    running: list[int] = []

    with driver.open(bulkhead) as client:
        client.peek(unfinished.url, lambda _: running.append(bulkhead.snapshot().running))

    assert running == [1]
    assert bulkhead.snapshot().running == 0


def test_slot_is_free_once_the_body_has_been_read(server: RawServer, driver: Driver) -> None:
    bulkhead = Bulkhead(1)

    with driver.open(bulkhead) as client:
        client.send("GET", server.url)
        running = bulkhead.snapshot().running

    assert running == 0


def test_body_that_breaks_off_counts_against_the_breaker(server: RawServer, driver: Driver) -> None:
    server.script = half
    breaker = CircuitBreaker("orders", trip=ConsecutiveFailures(1))

    with driver.open(breaker) as client, pytest.raises(driver.broken):
        client.send("GET", server.url)

    assert breaker.state is BreakerState.OPEN


def test_answer_that_is_left_early_says_nothing(unfinished: RawServer, driver: Driver) -> None:
    with captured() as events, driver.open(CircuitBreaker("orders")) as client:
        client.peek(unfinished.url, lambda _: None)

    ends = [
        event for event in events if isinstance(event, CallSucceeded | CallFailed | CallAbandoned)
    ]
    assert [type(event) for event in ends] == [CallAbandoned]


def test_answers_that_fail_open_the_breaker_of_their_host(
    server: RawServer, driver: Driver, client: Client
) -> None:
    server.script = lambda _: reply(500)
    for _ in range(5):
        client.send("POST", server.url)

    with pytest.raises(CircuitOpenError) as refused:
        client.send("GET", server.url)

    assert refused.value.policy == server.host
    assert isinstance(refused.value, driver.error)
    assert server.attempts() == 5


def test_open_breaker_of_one_host_lets_requests_to_another_pass(
    server: RawServer, client: Client
) -> None:
    other = RawServer(lambda _: reply(500))
    for _ in range(5):
        client.send("POST", other.url)
    other.stop()

    answer = client.send("GET", server.url)

    assert answer.status == 200


@pytest.mark.parametrize("status", [404, 429, 501])
def test_answers_of_a_server_that_is_well_do_not_open_its_breaker(
    status: int, server: RawServer, client: Client
) -> None:
    server.script = lambda _: reply(status)
    for _ in range(6):
        client.send("POST", server.url)

    server.script = lambda _: OK

    assert client.send("POST", server.url).status == 200


def test_full_bulkhead_refuses_with_an_error_of_the_library(
    server: RawServer, driver: Driver
) -> None:
    held = Event()
    bulkhead = Bulkhead(1)

    with (
        driver.open(bulkhead) as client,
        bulkhead.permit(),
        pytest.raises(BulkheadFullError) as refused,
    ):
        client.send("GET", server.url)

    assert isinstance(refused.value, driver.error)
    assert not held.is_set()
    assert server.attempts() == 0


def test_result_thrown_away_gives_its_slot_back_before_the_next_attempt(
    server: RawServer, driver: Driver
) -> None:
    server.script = lambda _: OK if len(server.received) == 3 else reply(503, b"x" * 100)
    policy = Pipeline(
        Retry((), on_result=lambda answer: driver.status(answer) == 503), Bulkhead(1), name="one"
    )

    with driver.open(policy) as client:
        answer = client.send("GET", server.url)

    assert answer.status == 200


def test_policy_is_picked_for_each_request(server: RawServer, driver: Driver) -> None:
    closed, shut = CircuitBreaker("closed"), CircuitBreaker("shut")
    shut.force_open()

    def pick(request: Any) -> CircuitBreaker:
        return shut if str(request.url).endswith("/shut") else closed

    with driver.open(pick) as client:
        answer = client.send("GET", server.url + "/open")
        with pytest.raises(CallRefusedError):
            client.send("GET", server.url + "/shut")

    assert answer.status == 200


@pytest.mark.parametrize("other", [7, Retry], ids=["number", "class"])
def test_something_that_is_no_policy_is_refused(driver: Driver, other: Any) -> None:
    with pytest.raises(TypeError, match="policy must be a policy, a function"), driver.open(other):
        pass


@pytest.mark.parametrize("other", [None, 7, Retry], ids=["none", "number", "class"])
def test_function_that_picks_no_policy_is_refused(
    server: RawServer, driver: Driver, other: Any
) -> None:
    with (
        driver.open(lambda _: other) as client,
        pytest.raises(TypeError, match="policy must return a policy for each request, not"),
    ):
        client.send("GET", server.url)

    assert server.attempts() == 0


@pytest.mark.parametrize("url", ["nowhere", "http://", "mailto:a@b"])
def test_url_without_a_host_is_an_error_of_the_librarys(driver: Driver, url: str) -> None:
    with driver.open() as client, pytest.raises(driver.error):
        client.send("GET", url)


def test_sharing_one_answer_is_refused(server: RawServer, driver: Driver) -> None:
    with (
        driver.open(Coalesce(lambda *_: "key")) as client,
        pytest.raises(TypeError, match="read once"),
    ):
        client.send("GET", server.url)


def test_predicate_that_raises_gives_the_slot_back(server: RawServer, driver: Driver) -> None:
    def broken(_: object) -> bool:
        raise KeyError("broken")

    bulkhead = Bulkhead(1)
    policy = Pipeline(bulkhead, CircuitBreaker("orders", on_result=broken))

    with driver.open(policy) as client, pytest.raises(KeyError, match="broken"):
        client.send("GET", server.url)

    assert bulkhead.snapshot().running == 0


def test_fallback_answers_in_place_of_the_server(server: RawServer, driver: Driver) -> None:
    if driver.response() is None:
        pytest.skip(f"{driver.name} has no way to make a response")
    breaker = CircuitBreaker("orders")
    breaker.force_open()
    policy = Pipeline(
        Bulkhead(1), Fallback(on=CircuitOpenError, call=lambda _: driver.response()), breaker
    )

    with driver.open(policy) as client:
        answer = client.send("GET", server.url)

    assert (answer.status, server.attempts()) == (203, 0)
