"""What the headers of a request tell the server."""

from collections.abc import Generator
from contextlib import contextmanager

from tests.integrations.http.drivers import Client, Driver
from tests.integrations.http.servers import OK, RawServer, reply

from uat_resilience import Bulkhead, Retry, single_try
from uat_resilience.integrations.headers import (
    Correlation,
    current_attempt,
    current_correlation,
)

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@contextmanager
def serving() -> Generator[None]:
    """Serve a request that belongs to a trace."""
    token = current_correlation.set(Correlation("r1", PARENT, "a=1"))
    yield
    current_correlation.reset(token)


@contextmanager
def owned() -> Generator[None]:
    """Serve a request that its sender repeats."""
    token = current_attempt.set(2)
    with single_try():
        yield
    current_attempt.reset(token)


def test_time_left_is_told_and_shrinks(server: RawServer, client: Client) -> None:
    client.send("GET", server.url, within=5.0, headers={"x-request-timeout-ms": "60000"})

    names = [name.lower() for name, _ in server.received[0].raw_headers]
    assert 0 < int(server.received[0].headers["x-request-timeout-ms"]) <= 5000
    assert names.count("x-request-timeout-ms") == 1


def test_nothing_is_told_of_a_deadline_that_is_not_there(server: RawServer, driver: Driver) -> None:
    with driver.open(Bulkhead(1)) as client:
        client.send("GET", server.url)

    assert "x-request-timeout-ms" not in server.received[0].headers
    assert "x-retry-attempt" not in server.received[0].headers


def test_request_being_served_is_told(server: RawServer, client: Client) -> None:
    client.send("GET", server.url, around=serving)

    told = server.received[0].headers
    assert (told["x-request-id"], told["traceparent"], told["tracestate"]) == ("r1", PARENT, "a=1")


def test_what_the_request_says_of_itself_goes_before(server: RawServer, client: Client) -> None:
    client.send("GET", server.url, around=serving, headers={"TraceParent": "own"})

    values = [
        value for name, value in server.received[0].raw_headers if name.lower() == "traceparent"
    ]
    assert values == ["own"]


def test_attempts_are_numbered_for_the_server(server: RawServer, client: Client) -> None:
    server.script = lambda _: OK if len(server.received) == 3 else reply(503)

    client.send("GET", server.url)

    assert [each.headers["x-retry-attempt"] for each in server.received] == ["1", "2", "3"]


def test_post_that_is_not_repeated_leaves_the_repeating_to_the_server(
    server: RawServer, client: Client
) -> None:
    client.send("POST", server.url, content=b"order")

    assert "x-retry-attempt" not in server.received[0].headers


def test_request_that_somebody_before_us_repeats_is_sent_once(
    server: RawServer, client: Client
) -> None:
    server.script = lambda _: reply(503)

    client.send("GET", server.url, around=owned)

    assert [each.headers["x-retry-attempt"] for each in server.received] == ["2"]


def test_request_of_the_user_is_left_as_it_is(server: RawServer, driver: Driver) -> None:
    headers = {"X-Own": "1"}

    with driver.open(Retry(driver.error)) as client:
        client.send("GET", server.url, headers=headers)

    assert headers == {"X-Own": "1"}
    assert server.received[0].headers["x-own"] == "1"
