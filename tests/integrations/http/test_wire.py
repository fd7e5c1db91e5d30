"""What goes over the wire: nothing is changed, and nobody's cookies go with somebody else's request."""

import gzip
import ssl
from collections.abc import Generator
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import httpx
import httpx2
import pytest
import requests
from tests.integrations.http.drivers import TRUST, Client
from tests.integrations.http.servers import RawServer, reply
from urllib3 import Timeout

import uat_resilience.integrations.httpx as for_httpx
import uat_resilience.integrations.httpx2 as for_httpx2
from uat_resilience import BreakerState, Bulkhead, CircuitBreaker, ConsecutiveFailures
from uat_resilience.integrations.aiohttp import ResilienceMiddleware
from uat_resilience.integrations.cookies import no_cookies
from uat_resilience.integrations.requests import ResilientAdapter

CERTIFICATE = Path(__file__).parent / "localhost.pem"  # Its own authority, for tests on loopback.
LIBRARIES = [
    pytest.param(httpx, for_httpx, id="httpx"),
    pytest.param(httpx2, for_httpx2, id="httpx2"),
]


@pytest.mark.parametrize(("library", "module"), LIBRARIES)
def test_path_and_headers_go_out_as_they_are(library: Any, module: Any, server: RawServer) -> None:
    transport = module.ResilientTransport(verify=TRUST)
    sent = [("X-Dup", "1"), ("X-Dup", "2"), ("x-LoWeR", "kept")]

    with library.Client(transport=transport) as client:
        client.get(server.url + "/a%2Fb/%7Ec?q=%2F", headers=sent)

    received = server.received[0]
    assert received.target == "/a%2Fb/%7Ec?q=%2F"
    assert [pair for pair in received.raw_headers if pair in sent] == sent


@pytest.mark.parametrize(("library", "module"), LIBRARIES)
def test_body_and_headers_come_in_as_they_are(library: Any, module: Any, server: RawServer) -> None:
    packed = gzip.compress(b"hello")
    server.script = lambda _: reply(200, packed, Content_Encoding="gzip", X_CaSe="1")
    transport = module.ResilientTransport(verify=TRUST)

    with library.Client(transport=transport) as client, client.stream("GET", server.url) as answer:
        raw = b"".join(answer.iter_raw())

    assert raw == packed
    assert (b"Content-Length", str(len(packed)).encode()) in answer.headers.raw
    assert (b"X-CaSe", b"1") in answer.headers.raw


def test_packed_body_is_unpacked_by_the_library(server: RawServer, client: Client) -> None:
    body = b"hello " * 10_000
    server.script = lambda _: reply(200, gzip.compress(body), Content_Encoding="gzip")

    answer = client.send("GET", server.url)

    assert answer.body == body


def test_chunked_body_comes_in_whole(server: RawServer, client: Client) -> None:
    server.script = lambda _: [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"5\r\nhello\r\n",
        b"1\r\n!\r\n0\r\n\r\n",
    ]

    answer = client.send("GET", server.url)

    assert answer.body == b"hello!"


def test_answer_without_a_body_ends_at_once(server: RawServer, client: Client) -> None:
    server.script = lambda _: b"HTTP/1.1 204 No Content\r\n\r\n"

    answers = [client.send("DELETE", server.url).status for _ in range(3)]

    assert answers == [204] * 3


@pytest.mark.parametrize(("library", "module"), LIBRARIES)
def test_second_user_of_a_client_does_not_send_the_cookie_of_the_first(
    library: Any, module: Any, server: RawServer
) -> None:
    server.script = lambda _: reply(200, Set_Cookie="session=secret; Path=/")
    transport = module.ResilientTransport(verify=TRUST)

    with library.Client(transport=transport, cookies=no_cookies()) as client:
        client.get(server.url)
        client.get(server.url)
        client.get(server.url, headers={"Cookie": "own=1"})

    assert [each.headers.get("cookie") for each in server.received] == [None, None, "own=1"]


def test_second_user_of_a_requests_session_does_not_send_the_cookie_of_the_first(
    server: RawServer,
) -> None:
    server.script = lambda _: reply(200, Set_Cookie="session=secret; Path=/")

    with requests.Session() as session:
        session.mount("http://", ResilientAdapter())
        session.cookies = no_cookies()
        session.get(server.url)
        session.get(server.url)

    assert [each.headers.get("cookie") for each in server.received] == [None, None]


def test_second_user_of_an_aiohttp_session_does_not_send_the_cookie_of_the_first() -> None:
    server = RawServer(lambda _: reply(200, Set_Cookie="session=secret; Path=/"))
    url = server.url.replace("127.0.0.1", "localhost")

    async def main() -> None:
        async with aiohttp.ClientSession(
            middlewares=(ResilienceMiddleware(Bulkhead(1)),), cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            for _ in range(2):
                async with session.get(url) as answer:
                    await answer.read()

    anyio.run(main)
    server.stop()

    assert [each.headers.get("cookie") for each in server.received] == [None, None]


@pytest.fixture
def secure() -> Generator[RawServer]:
    """A server that is spoken to in secret."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    running = RawServer(secure=context)
    yield running
    running.stop()


@pytest.mark.parametrize(("library", "module"), LIBRARIES)
def test_encrypted_requests_are_guarded_too(library: Any, module: Any, secure: RawServer) -> None:
    trust = ssl.create_default_context(cafile=str(CERTIFICATE))
    transport = module.ResilientTransport(verify=trust)

    with library.Client(transport=transport) as client:
        answer = client.post(secure.url, content=b"order")

    assert answer.status_code == 200


def test_encrypted_requests_of_a_session_are_guarded_too(secure: RawServer) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", ResilientAdapter())
        answers = [
            session.post(secure.url, data=b"order", verify=str(CERTIFICATE)).status_code
            for _ in range(2)
        ]

    assert (answers, secure.connections) == ([200, 200], 1)


@pytest.mark.parametrize("timeout", [(3.0, 4.0), Timeout(5.0), None], ids=["pair", "own", "none"])
def test_timeouts_of_requests_are_taken_as_it_takes_them(timeout: Any, server: RawServer) -> None:
    with requests.Session() as session:
        session.mount("http://", ResilientAdapter())
        answer = session.get(server.url, timeout=timeout)

    assert answer.status_code == 200


def test_body_that_raises_comes_out_as_it_is(server: RawServer) -> None:
    def body() -> Generator[bytes]:
        yield b"a"
        raise KeyError("mine")

    breaker = CircuitBreaker("orders", trip=ConsecutiveFailures(1), on=httpx.TransportError)
    transport = for_httpx.ResilientTransport(breaker, verify=TRUST)

    with httpx.Client(transport=transport) as client, pytest.raises(KeyError, match="mine"):
        client.post(server.url, content=body())

    assert breaker.state is BreakerState.CLOSED
