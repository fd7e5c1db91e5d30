import pytest
from tests.integrations.http.drivers import Client, Driver
from tests.integrations.http.servers import OK, RawServer, Received, refused_url, reply

from uat_resilience import CircuitBreaker, Pipeline, Retry, captured
from uat_resilience.telemetry import RetryScheduled


def closes(_: Received) -> None:
    """Close the connection without a reply."""


def test_post_is_sent_once_when_the_server_closes_without_a_reply(
    server: RawServer, driver: Driver, client: Client
) -> None:
    server.script = closes

    with pytest.raises(driver.error):
        client.send("POST", server.url, content=b"order")

    assert server.attempts() == 1


def test_get_is_sent_three_times_when_the_server_closes_without_a_reply(
    server: RawServer, driver: Driver, client: Client
) -> None:
    server.script = closes

    with pytest.raises(driver.error):
        client.send("GET", server.url)

    # aiohttp makes a second run by itself, until the breaker opens at the fifth failure.
    assert server.attempts() == (5 if driver.name == "aiohttp" else 3)


def test_post_to_a_refusing_port_is_tried_again(driver: Driver, client: Client) -> None:
    with captured() as events, pytest.raises(driver.error):
        client.send("POST", refused_url(), content=b"order")

    assert sum(isinstance(event, RetryScheduled) for event in events) == 2


def test_post_with_an_idempotency_key_is_sent_again_with_its_body(
    server: RawServer, client: Client
) -> None:
    server.script = lambda _: OK if len(server.received) == 2 else None

    answer = client.send("POST", server.url, content=b"order", headers={"Idempotency-Key": "k1"})

    assert answer.status == 200
    assert [each.body for each in server.received] == [b"order", b"order"]
    assert {each.headers["idempotency-key"] for each in server.received} == {"k1"}


def test_streamed_body_is_sent_once_even_by_an_idempotent_method(
    server: RawServer, driver: Driver, client: Client
) -> None:
    server.script = closes

    with pytest.raises(driver.error):
        client.send("PUT", server.url, content=iter([b"a", b"b"]))

    assert server.attempts() == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_answer_worth_another_attempt_gets_one(
    status: int, server: RawServer, client: Client
) -> None:
    server.script = lambda _: OK if len(server.received) == 2 else reply(status)

    answer = client.send("GET", server.url)

    assert (answer.status, answer.body, server.attempts()) == (200, b"ok", 2)


@pytest.mark.parametrize("status", [400, 404, 409, 501])
def test_answer_that_another_attempt_cannot_better_is_returned(
    status: int, server: RawServer, client: Client
) -> None:
    server.script = lambda _: reply(status, b"no")

    answer = client.send("GET", server.url)

    assert (answer.status, answer.body, server.attempts()) == (status, b"no", 1)


def test_last_answer_is_returned_when_all_attempts_are_used(
    server: RawServer, client: Client
) -> None:
    server.script = lambda _: reply(503, b"busy")

    answer = client.send("GET", server.url)

    assert (answer.status, answer.body, server.attempts()) == (503, b"busy", 3)


def test_post_is_not_repeated_for_an_answer(server: RawServer, client: Client) -> None:
    server.script = lambda _: reply(503, Retry_After="1")

    answer = client.send("POST", server.url, content=b"order")

    assert (answer.status, server.attempts()) == (503, 1)


@pytest.mark.parametrize("status", [429, 503])
def test_pause_is_as_long_as_the_answer_asks_for(
    status: int, server: RawServer, client: Client
) -> None:
    server.script = lambda _: OK if len(server.received) == 2 else reply(status, Retry_After="7")

    with captured() as events:
        client.send("GET", server.url)

    pauses = [event.delay for event in events if isinstance(event, RetryScheduled)]
    assert pauses == [7.0]


def test_answer_that_asks_for_more_than_is_left_is_returned_at_once(
    server: RawServer, client: Client
) -> None:
    server.script = lambda _: reply(503, Retry_After="60")

    answer = client.send("GET", server.url)

    assert (answer.status, server.attempts()) == (503, 1)


def test_answer_whose_tries_are_spent_is_returned(server: RawServer, client: Client) -> None:
    server.script = lambda _: reply(503, x_should_retry="false")

    answer = client.send("GET", server.url)

    assert (answer.status, server.attempts()) == (503, 1)


def test_retry_of_the_users_is_narrowed_for_a_post(server: RawServer, driver: Driver) -> None:
    server.script = closes
    policy = Pipeline(Retry(driver.error, attempts=5), CircuitBreaker("orders"), name="orders")

    with driver.open(policy) as client, pytest.raises(driver.error):
        client.send("POST", server.url, content=b"order")

    assert server.attempts() == 1
