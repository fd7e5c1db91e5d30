"""A WebSocket through the proxy is one WebSocket: messages, words of the handshake and the end of it pass."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any

import pytest
from tests.integrations.server.serving import PATIENCE, Served, serving
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

from uat_resilience.integrations.serving.asgi_types import Message, Receive, Scope, Send
from uat_service.proxy import ReverseProxy, Target

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

Handler = Callable[[ServerConnection], None]


@contextmanager
def upstream(handler: Handler, **options: Any) -> Generator[str]:
    with serve(handler, "127.0.0.1", 0, **options) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join(PATIENCE)


@contextmanager
def proxied(handler: Handler, **options: Any) -> Iterator[Served]:
    with upstream(handler, **options) as origin, serving(ReverseProxy(origin)) as served:
        yield served


def dial(served: Served, path: str = "/", **options: Any) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{served.port}{path}", proxy=None, **options)


def echo(connection: ServerConnection) -> None:
    for message in connection:
        connection.send(message)


@pytest.mark.parametrize("message", ["héllo", b"\x00\xff", "", "x" * 300_000])
def test_messages_pass_both_ways(message: str | bytes) -> None:
    with proxied(echo) as served, dial(served) as client:
        client.send(message)

        answer = client.recv(PATIENCE)

    assert answer == message


def test_path_headers_and_protocol_of_the_handshake_pass() -> None:
    seen: Queue[ServerConnection] = Queue()
    with (
        proxied(seen.put, subprotocols=["v2"]) as served,
        dial(
            served,
            "/a%2Fb?token=%7E",
            subprotocols=["v1", "v2"],
            additional_headers={"Cookie": "a=1"},
            origin="http://shop",
        ) as client,
    ):
        request = seen.get(timeout=PATIENCE).request

    assert request is not None
    assert client.subprotocol == "v2"
    assert request.path == "/a%2Fb?token=%7E"
    assert request.headers["Cookie"] == "a=1"
    assert request.headers["Origin"] == "http://shop"
    assert request.headers["Host"] == f"127.0.0.1:{served.port}"


def test_the_client_learns_how_the_upstream_closed() -> None:
    with (
        proxied(lambda connection: connection.close(4321, "enough")) as served,
        dial(served) as client,
        pytest.raises(ConnectionClosed) as closed,
    ):
        client.recv(PATIENCE)

    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4321, "enough")


def test_the_upstream_learns_how_the_client_closed() -> None:
    seen: Queue[ConnectionClosed] = Queue()

    def listen(connection: ServerConnection) -> None:
        try:
            connection.recv(PATIENCE)
        except ConnectionClosed as closed:
            seen.put(closed)

    with proxied(listen) as served:
        with dial(served) as client:
            client.close(4001, "bye")

        closed = seen.get(timeout=PATIENCE)

    assert closed.rcvd is not None
    assert (closed.rcvd.code, closed.rcvd.reason) == (4001, "bye")


def test_a_client_that_vanishes_ends_the_connection_to_the_upstream() -> None:
    seen: Queue[ConnectionClosed] = Queue()

    def listen(connection: ServerConnection) -> None:
        try:
            connection.recv(PATIENCE)
        except ConnectionClosed as closed:
            seen.put(closed)

    with proxied(listen) as served:
        with dial(served) as client:
            client.socket.shutdown(2)

        closed = seen.get(timeout=PATIENCE)

    assert closed.rcvd is not None
    assert closed.rcvd.code == CloseCode.GOING_AWAY


def test_a_client_that_is_gone_when_it_is_told_of_the_end_is_no_error() -> None:
    ends: Queue[object] = Queue()

    with upstream(lambda connection: connection.close()) as origin:
        proxy = ReverseProxy(origin)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_to_nobody(message: Message) -> None:
                if message["type"] == "websocket.close":
                    raise OSError("the client is gone")
                await send(message)

            try:
                ends.put(await proxy(scope, receive, send_to_nobody))
            except OSError as error:
                ends.put(error)

        with serving(app) as served, dial(served):
            end = ends.get(timeout=PATIENCE)

    assert end is None


def test_an_upstream_that_vanishes_is_not_an_orderly_end() -> None:
    with (
        proxied(lambda connection: connection.socket.shutdown(2)) as served,
        dial(served) as client,
        pytest.raises(ConnectionClosed) as closed,
    ):
        client.recv(PATIENCE)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == CloseCode.BAD_GATEWAY


def test_a_handshake_that_the_upstream_refuses_is_refused_in_its_words() -> None:
    def refuse(connection: ServerConnection, _: Request) -> Response:
        response = connection.respond(403, "not you\n")
        response.headers["WWW-Authenticate"] = "Bearer"
        return response

    with (
        proxied(echo, process_request=refuse) as served,
        pytest.raises(InvalidStatus) as refused,
    ):
        dial(served)

    assert refused.value.response.status_code == 403
    assert refused.value.response.headers["WWW-Authenticate"] == "Bearer"
    assert refused.value.response.body == b"not you\n"


def test_a_redirect_of_the_handshake_is_passed_on_and_not_followed() -> None:
    asked: Queue[str] = Queue()

    def redirect(connection: ServerConnection, request: Request) -> Response:
        asked.put(request.path)
        response = connection.respond(302, "")
        response.headers["Location"] = "/elsewhere"
        return response

    with proxied(echo, process_request=redirect) as served, served.connect() as client:
        client.sendall(HANDSHAKE)

        answer = client.recv(1000)

    assert answer.startswith(b"HTTP/1.1 302 ")
    assert asked.qsize() == 1


def test_a_handshake_with_nobody_behind_the_proxy_is_a_bad_gateway() -> None:
    with upstream(echo) as origin:
        pass

    with serving(ReverseProxy(origin)) as served, pytest.raises(InvalidStatus) as refused:
        dial(served)

    assert refused.value.response.status_code == 502


def test_a_handshake_that_goes_nowhere_is_not_found() -> None:
    async def choose(_: Scope) -> Target | None:
        return None

    with serving(ReverseProxy(choose)) as served, pytest.raises(InvalidStatus) as refused:
        dial(served)

    assert refused.value.response.status_code == 404


def test_an_upstream_that_sends_too_much_at_once_is_cut_off() -> None:
    def shout(connection: ServerConnection) -> None:
        connection.send("x" * (2 << 20))

    with (
        proxied(shout) as served,
        dial(served) as client,
        pytest.raises(ConnectionClosed) as closed,
    ):
        client.recv(PATIENCE)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == CloseCode.MESSAGE_TOO_BIG
