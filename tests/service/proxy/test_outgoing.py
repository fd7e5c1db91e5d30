"""What a request becomes on its way to the upstream, whatever server it came in by."""

import json
from typing import Any

import pytest

from uat_resilience import deadline
from uat_resilience.integrations.headers import Correlation, current_correlation
from uat_service.proxy import RefusedRequestError, ReverseProxy, Target
from uat_service.proxy.outgoing import request_head

TARGET = Target("http://10.0.0.1:80")


def scope(*headers: tuple[bytes, bytes], **fields: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "raw_path": b"/a",
        "query_string": b"",
        "headers": list(headers),
        **fields,
    }


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"3"), (b"transfer-encoding", b"chunked")],
        [(b"content-length", b"3"), (b"content-length", b"3")],
        [(b"content-length", b"+3")],
        [(b"transfer-encoding", b"gzip, chunked")],
        [(b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")],
        [(b"x-a", b"1\r\nX-Evil: 1")],
        [(b"x-a", b"1\nX-Evil: 1")],
    ],
)
def test_a_request_that_could_be_read_in_two_ways_is_refused(
    headers: list[tuple[bytes, bytes]],
) -> None:
    with pytest.raises(RefusedRequestError):
        request_head(scope(*headers), TARGET, announce=False)


@pytest.mark.parametrize("path", [b"/a b", b"/a\r\nX: 1", b"", b"http://elsewhere/", b"/ HTTP/1.1"])
def test_a_path_that_is_none_is_refused(path: bytes) -> None:
    with pytest.raises(RefusedRequestError):
        request_head(scope(raw_path=path), TARGET, announce=False)


def test_what_the_request_inherits_goes_along_in_place_of_what_the_client_says(clock: Any) -> None:
    current_correlation.set(Correlation("id-7"))
    told = [(b"x-request-id", b"forged"), (b"x-request-timeout-ms", b"999999")]

    with deadline(2.0):
        head = request_head(scope(*told), TARGET, announce=False)

    current_correlation.set(None)
    assert head == b"GET /a HTTP/1.1\r\nx-request-timeout-ms: 2000\r\nx-request-id: id-7\r\n\r\n"


def test_a_target_changes_path_and_headers() -> None:
    target = Target(
        "http://10.0.0.1:80",
        path=b"/b%2Fc",
        headers=((b"x-user-id", b"7"),),
        without=frozenset({b"cookie"}),
    )
    told = [(b"x-user-id", b"forged"), (b"cookie", b"a=1"), (b"connection", b"x-user-id")]

    head = request_head(scope(*told, query_string=b"q=1"), target, announce=False)

    assert head == b"GET /b%2Fc?q=1 HTTP/1.1\r\nx-user-id: 7\r\n\r\n"


async def served(proxy: ReverseProxy, request: dict[str, Any]) -> list[Any]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await proxy(request, receive, send)
    return sent


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_request_that_goes_nowhere_is_not_found() -> None:
    async def choose(_: Any) -> Target | None:
        return None

    sent = await served(ReverseProxy(choose), scope())

    assert sent[0]["status"] == 404
    assert (b"content-type", b"application/problem+json") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["title"] == "There is nothing here"


async def test_a_request_with_two_lengths_is_answered_by_us_where_no_server_does() -> None:
    headers = [(b"content-length", b"3"), (b"transfer-encoding", b"chunked")]

    sent = await served(ReverseProxy("http://127.0.0.1:1"), scope(*headers))

    assert sent[0]["status"] == 400


async def test_a_client_that_is_gone_before_its_body_came_is_not_passed_on() -> None:
    sent = await served(ReverseProxy("http://127.0.0.1:1"), scope((b"content-length", b"3")))

    assert sent == []


@pytest.mark.parametrize("origin", ["", "shop:80", "ftp://shop", "http://shop/path"])
def test_an_origin_that_is_none_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="origin must be like"):
        ReverseProxy(origin)


def test_a_target_that_is_none_is_refused() -> None:
    target: Any = 7

    with pytest.raises(TypeError, match="target must be an origin or a function"):
        ReverseProxy(target)
