"""What comes out of the gateway is what went in, but for what a route changes."""

from typing import Any

import pytest
from websockets.sync.client import connect


def seen(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        ("/open/auth/login", "/auth/login"),
        ("/open", "/"),
        ("/open/", "/"),
        ("/%6fpen/x", "/x"),
        ("/open/a%2Fb/%7Ec/..%2fd?x=%20&x=1", "/a%2Fb/%7Ec/..%2fd"),
        ("/open//double", "//double"),
        ("/same/a%2Fb", "/same/a%2Fb"),
    ],
)
def test_paths_stay_as_they_were_written_but_for_the_prefix(
    platform: Any, asked: str, got: str
) -> None:
    with platform.gateway.served.connect() as client:
        client.sendall(f"GET {asked} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        while client.recv(65536):
            pass

    assert platform.echo.seen[-1] == got


def test_method_query_headers_and_body_pass(platform: Any) -> None:
    told = seen(
        platform.gateway.ask("PATCH", "/open/x?a=1&a=2", headers={"X-Odd": "1"}, content=b"\x00hi")
    )

    assert (told["method"], told["query"], told["body"]) == ("PATCH", "a=1&a=2", "\x00hi")
    assert ["x-odd", "1"] in told["headers"]
    assert ["x-forwarded-for", "127.0.0.1"] in told["headers"]


def test_the_deadline_of_a_route_is_told_and_that_of_an_attempt_is_not(platform: Any) -> None:
    hurried = dict(seen(platform.gateway.get("/hurried"))["headers"])
    unhurried = dict(seen(platform.gateway.get("/open"))["headers"])

    assert 4000 < int(hurried["x-request-timeout-ms"]) <= 5000
    assert "x-request-timeout-ms" not in unhurried


def test_a_method_that_no_route_is_for_is_not_allowed(platform: Any) -> None:
    answer = platform.gateway.ask("POST", "/read-only")

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


def test_a_path_that_no_route_is_for_is_not_found(platform: Any) -> None:
    assert platform.gateway.get("/nowhere").status_code == 404


@pytest.mark.parametrize("path", ["/open/../closed", "/open/%2e%2e/closed", "/open/./x"])
def test_a_path_that_leads_elsewhere_is_refused(platform: Any, path: str) -> None:
    before = len(platform.echo.seen)
    with platform.gateway.served.connect() as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")

    assert len(platform.echo.seen) == before


def test_a_websocket_passes_both_ways(platform: Any) -> None:
    url = f"ws://127.0.0.1:{platform.gateway.served.port}/open/anything"
    with connect(url) as socket:
        socket.send("hello")
        assert socket.recv(timeout=10) == "echo: hello"


def test_a_websocket_that_shows_nothing_is_refused_where_it_must(platform: Any) -> None:
    url = f"ws://127.0.0.1:{platform.gateway.served.port}/closed"
    with pytest.raises(Exception, match="401"), connect(url):
        pass


def test_the_gateways_own_socket_sends_back_what_it_gets(platform: Any) -> None:
    with connect(f"ws://127.0.0.1:{platform.gateway.served.port}/ws") as socket:
        for message in ("hello", b"\x00\xff", "", b""):
            socket.send(message)
            assert socket.recv(timeout=10) == message


def test_requests_are_counted_by_the_path_of_their_route(platform: Any) -> None:
    platform.gateway.get("/open/a/b/c")

    text = platform.gateway.get("/metrics").text

    assert 'http_route="/open"' in text
    assert "/open/a" not in text
