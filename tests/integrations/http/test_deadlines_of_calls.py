from collections.abc import Callable, Iterator
from typing import Any

import httpx
import httpx2
import pytest
import requests
from tests.integrations.http.drivers import Client, Driver
from tests.integrations.http.servers import RawServer, Received
from tests.integrations.server.serving import PATIENCE

from uat_resilience import CircuitBreaker, ConsecutiveFailures, Pipeline, TimedOutError, Timeout
from uat_resilience.integrations import httpx as for_httpx
from uat_resilience.integrations import httpx2 as for_httpx2
from uat_resilience.integrations import requests as for_requests

SHORT = 0.25  # Enough for a first request to get there on a busy machine.


@pytest.fixture
def silent(server: RawServer) -> RawServer:
    """A server that takes requests and never answers."""

    def script(_: Received) -> None:
        server.stopped.wait(10)

    server.script = script
    return server


@pytest.fixture
def endless(server: RawServer) -> RawServer:
    """A server whose body never ends: a byte now and then."""

    def script(_: Received) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
        while not server.stopped.wait(SHORT / 4):
            yield b"x"

    server.script = script
    return server


@pytest.fixture
def trickling(server: RawServer) -> RawServer:
    """A server whose headers never end."""

    def script(_: Received) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n"
        while not server.stopped.wait(SHORT / 4):
            yield b"X-More: x\r\n"

    server.script = script
    return server


def test_server_that_does_not_answer_is_left_at_the_deadline(
    silent: RawServer, client: Client
) -> None:
    asked: list[int] = []
    # A busy machine may send nothing in a quarter of a second. Then another target is given a longer deadline.
    for number in range(4):
        with pytest.raises(TimedOutError):
            client.send("GET", f"{silent.url}/{number}", within=SHORT * 4**number)
        asked.append(silent.attempts(f"/{number}"))
        if asked[-1]:
            break

    assert asked[-1] == 1


def test_body_that_does_not_end_is_left_at_the_deadline(endless: RawServer, client: Client) -> None:
    with pytest.raises(TimedOutError):
        client.send("GET", endless.url, within=SHORT)


def test_headers_that_do_not_end_are_left_at_the_deadline(
    trickling: RawServer, driver: Driver, client: Client
) -> None:
    if driver.bounds_each_wait_only:
        pytest.skip(f"{driver.name} has no hook between two reads of the headers")

    with pytest.raises(TimedOutError):
        client.send("GET", trickling.url, within=SHORT)


def test_timeout_of_a_policy_covers_the_body(endless: RawServer, driver: Driver) -> None:
    with (
        driver.open(Timeout(SHORT, name="total", thread=False)) as client,
        pytest.raises(TimedOutError) as missed,
    ):
        client.send("GET", endless.url)

    assert missed.value.policy == "total"
    assert isinstance(missed.value, driver.late)


def test_connection_of_a_body_that_is_late_between_two_reads_is_closed(
    endless: RawServer, later: Callable[[float], None]
) -> None:
    session = requests.Session()
    session.mount("http://", for_requests.ResilientAdapter(Timeout(PATIENCE, thread=False)))

    with session, session.get(endless.url, stream=True) as answer:
        parts = answer.iter_content(1)
        next(parts)
        later(PATIENCE)
        with pytest.raises(TimedOutError):
            next(parts)

        assert endless.ended.acquire(timeout=PATIENCE)


def test_hang_counts_against_the_breaker_when_its_own_timeout_ends_it(
    silent: RawServer, driver: Driver
) -> None:
    policy = Pipeline(
        CircuitBreaker("orders", trip=ConsecutiveFailures(1)), Timeout(SHORT, thread=False)
    )

    with driver.open(policy) as client:
        with pytest.raises(TimedOutError):
            client.send("GET", silent.url)
        with pytest.raises(driver.error, match="orders is open"):
            client.send("GET", silent.url)


def test_nothing_is_sent_when_nothing_is_left(server: RawServer, client: Client) -> None:
    with pytest.raises(TimedOutError):
        client.send("GET", server.url, within=1e-9)

    assert server.attempts() == 0


def test_attempts_of_the_default_policy_are_bounded(silent: RawServer, driver: Driver) -> None:
    with (
        driver.open(driver.per_host(each=SHORT, attempts=1)) as client,
        pytest.raises(TimedOutError) as missed,
    ):
        client.send("GET", silent.url)

    assert missed.value.policy == f"{silent.host}/attempt"
    assert isinstance(missed.value, driver.late)


@pytest.mark.parametrize(("library", "module"), [(httpx, for_httpx), (httpx2, for_httpx2)])
def test_wait_for_a_place_in_the_pool_ends_at_the_deadline(
    server: RawServer, library: Any, module: Any
) -> None:
    def policy(request: Any) -> Timeout:
        seconds = SHORT if request.url.path == "/waits" else PATIENCE
        return Timeout(seconds, name="total", thread=False)

    transport = module.ResilientTransport(policy, limits=library.Limits(max_connections=1))

    with (
        library.Client(transport=transport, timeout=60.0) as client,
        client.stream("GET", server.url),
        pytest.raises(TimedOutError) as missed,
    ):
        client.get(f"{server.url}/waits")

    assert missed.value.policy == "total"
    assert server.attempts() == 1
    assert server.attempts("/waits") == 0


@pytest.mark.parametrize(("library", "module"), [(httpx, for_httpx), (httpx2, for_httpx2)])
def test_timeouts_of_a_request_are_its_own_where_there_is_no_deadline(
    library: Any, module: Any
) -> None:
    given: list[Any] = []
    inner = library.MockTransport(lambda request: given.append(request) or library.Response(200))

    transport = module.ResilientTransport(CircuitBreaker("orders"), inner=inner)
    with library.Client(transport=transport, timeout=7.0) as client:
        client.get("http://service/")

    assert given[0].extensions["timeout"] == {"connect": 7, "read": 7, "write": 7, "pool": 7}
