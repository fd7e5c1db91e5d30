"""What one upstream may take: retries, slots, WebSockets."""

from contextlib import ExitStack, suppress
from typing import Any

import pytest
from gateway.pair import OK, Pair, request, status
from gateway.stand_ins import Echo
from tests.integrations.server.serving import serving
from tests.service.proxy.wire import head, until
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

ROUTES = """
[upstreams.echo]
urls = {urls}
attempts = 2
failures = 1000000
health = ""
{more}
[limits.free]
rate = 1000000
burst = 1000000
[[routes]]
name = "echo"
path = "/"
upstream = "echo"
auth = "none"
limit = "free"
"""
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
REQUESTS = 60


def test_retries_are_a_small_part_of_the_requests(start: Any) -> None:
    echoes = [Echo(), Echo()]
    with ExitStack() as stack:
        urls = [stack.enter_context(serving(each)).url for each in echoes]
        gateway = stack.enter_context(start(ROUTES.format(urls=urls, more="")))
        for each in echoes:
            each.status["/"] = 503
        client = stack.enter_context(gateway.client)

        answers = {client.get("/").status_code for _ in range(REQUESTS)}

    asked = sum(len(each.seen) for each in echoes)
    assert answers == {503}
    assert REQUESTS < asked < 1.5 * REQUESTS


def test_a_slot_is_held_until_the_body_has_ended(start: Any) -> None:
    pair = Pair(start, number=1, more="slots = 1\nqueue = 0")
    with pair.stack:
        first = pair.client(request("GET"))
        _, end = pair.asked()
        head(end)
        end.sendall(HALF)
        until(first, b"abc")

        second = pair.client(request("GET"))
        refused = head(second)
        end.sendall(b"defghi")
        until(first, b"defghi")
        third = pair.client(request("GET"))
        head(end)
        end.sendall(OK)

        assert refused[0].split(b" ")[1] == b"503"
        assert any(each.lower().startswith(b"retry-after:") for each in refused)
        assert status(third) == b"200"


def test_a_websocket_goes_to_another_instance_when_one_is_not_there(start: Any) -> None:
    with serving(Echo()) as echo:
        urls = ["http://127.0.0.1:1", echo.url]
        with start(ROUTES.format(urls=urls, more="")) as gateway:
            for _ in range(6):
                with connect(f"ws://127.0.0.1:{gateway.served.port}/") as socket:
                    socket.send("hello")
                    assert socket.recv(timeout=10) == "echo: hello"


def test_there_are_no_more_websockets_than_may_be(start: Any) -> None:
    with (
        serving(Echo()) as echo,
        start(ROUTES.format(urls=[echo.url], more="sockets = 1")) as gateway,
    ):
        url = f"ws://127.0.0.1:{gateway.served.port}/"
        with connect(url), pytest.raises(InvalidStatus) as refused, connect(url):
            pass
        with _connected(url) as socket:
            socket.send("hello")
            assert socket.recv(timeout=10) == "echo: hello"

    assert refused.value.response.status_code == 503


def _connected(url: str) -> ClientConnection:
    """Connect as soon as the gateway has heard that the last one is gone, which it need not have at once."""
    for _ in range(20_000):
        with suppress(InvalidStatus):
            return connect(url)
    raise AssertionError("the place is not given back")


def test_who_need_not_show_who_it_is_is_counted_too(platform: Any) -> None:
    assert platform.gateway.get("/open").headers["RateLimit"].startswith('"default";r=')
