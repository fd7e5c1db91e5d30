"""What goes through a proxy comes out as it went in."""

import gzip

import pytest
from tests.service.proxy.wire import Stage, head, rest, until

GET = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    "target",
    [b"/a%2Fb/%7Euser/..%2f/%C3%A9", b"/x?q=%20a&&b=%2F?;c", b"/~a//b/./..", b"/?a=b?c"],
)
def test_path_and_query_pass_byte_for_byte(stage: Stage, target: bytes) -> None:
    stage.client(b"GET %b HTTP/1.1\r\nHost: shop\r\n\r\n" % target)

    line = head(stage.upstream())[0]

    assert line == b"GET %b HTTP/1.1" % target


def test_headers_of_a_request_keep_case_number_and_order_and_nothing_is_added(stage: Stage) -> None:
    stage.client(
        b"GET / HTTP/1.1\r\nHost: shop\r\nX-A: 1\r\nCookie: a=1\r\nx-a: 2\r\nAccept-Encoding: br\r\n\r\n"
    )

    lines = head(stage.upstream())

    assert lines[1:] == [
        b"Host: shop",
        b"X-A: 1",
        b"Cookie: a=1",
        b"x-a: 2",
        b"Accept-Encoding: br",
    ]


def test_headers_of_one_hop_end_at_the_proxy(stage: Stage) -> None:
    stage.client(
        b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: keep-alive, X-Secret, Host\r\nX-Secret: 1\r\n"
        b"Keep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: x\r\nUpgrade: h2c\r\nX-Open: 1\r\n\r\n"
    )

    lines = head(stage.upstream())

    assert lines[1:] == [b"Host: shop", b"X-Open: 1"]


def test_headers_of_an_answer_keep_case_number_and_order(stage: Stage) -> None:
    client = stage.client(GET)
    upstream = stage.upstream()
    head(upstream)
    upstream.sendall(
        b"HTTP/1.1 200 OK\r\nX-Odd-CASE: 1\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 0\r\n"
        b"Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n\r\n"
    )

    lines = head(client)

    assert lines == [
        b"HTTP/1.1 200 OK",
        b"X-Odd-CASE: 1",
        b"Set-Cookie: a=1",
        b"set-cookie: b=2",
        b"Content-Length: 0",
    ]


def test_compressed_bodies_keep_their_bytes_and_their_length(stage: Stage) -> None:
    body = gzip.compress(b"much of the same " * 10_000)
    client = stage.client(GET)
    upstream = stage.upstream()
    head(upstream)
    upstream.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
        % (len(body), body)
    )

    lines = head(client)
    client.shutdown(1)

    assert b"Content-Encoding: gzip" in lines
    assert b"Content-Length: %d" % len(body) in lines
    assert rest(client) == body


def test_a_body_of_known_length_keeps_it_on_the_way_up(stage: Stage) -> None:
    stage.client(b"PUT /x HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello")

    upstream = stage.upstream()

    assert head(upstream)[1:] == [b"Host: shop", b"Content-Length: 5"]
    assert upstream.recv(5) == b"hello"


def test_a_body_in_chunks_goes_up_as_it_comes(stage: Stage) -> None:
    client = stage.client(
        b"POST /x HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n"
    )
    upstream = stage.upstream()
    assert b"transfer-encoding: chunked" in head(upstream)
    assert until(upstream, b"one\r\n") == b"3\r\none\r\n"

    client.sendall(b"3\r\ntwo\r\n0\r\n\r\n")

    assert until(upstream, b"0\r\n\r\n") == b"3\r\ntwo\r\n0\r\n\r\n"


def test_an_answer_goes_down_as_it_comes(stage: Stage) -> None:
    client = stage.client(GET)
    upstream = stage.upstream()
    head(upstream)
    upstream.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
    head(client)
    assert until(client, b"one\r\n") == b"3\r\none\r\n"

    upstream.sendall(b"3\r\ntwo\r\n0\r\nX-Trailer: 1\r\n\r\n")

    assert until(client, b"0\r\n\r\n") == b"3\r\ntwo\r\n0\r\n\r\n"


def test_an_answer_without_length_ends_with_its_connection(stage: Stage) -> None:
    client = stage.client(GET)
    upstream = stage.upstream()
    head(upstream)
    upstream.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello")
    upstream.close()

    lines = head(client)

    assert b"transfer-encoding: chunked" in lines
    assert until(client, b"0\r\n\r\n") == b"5\r\nhello\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("method", "answer", "told"),
    [
        (b"HEAD", b"200 OK\r\nContent-Length: 9", [b"HTTP/1.1 200 OK", b"Content-Length: 9"]),
        (
            b"GET",
            b"304 Not Modified\r\nETag: x\r\nContent-Length: 9",
            [b"HTTP/1.1 304 Not Modified", b"ETag: x"],
        ),
        (b"GET", b"204 No Content", [b"HTTP/1.1 204 No Content"]),
    ],
)
def test_answers_without_body_leave_the_connection_fit_for_the_next(
    stage: Stage, method: bytes, answer: bytes, told: list[bytes]
) -> None:
    client = stage.client(method + b" / HTTP/1.1\r\nHost: shop\r\n\r\n")
    upstream = stage.upstream()
    head(upstream)
    upstream.sendall(b"HTTP/1.1 " + answer + b"\r\n\r\n")
    assert head(client) == told

    client.sendall(GET)
    head(upstream)
    upstream.sendall(OK)

    assert until(client, b"ok").startswith(b"HTTP/1.1 200 OK")
    assert stage.nobody_else()


def test_provisional_answers_are_not_taken_for_the_answer(stage: Stage) -> None:
    client = stage.client(GET)
    upstream = stage.upstream()
    head(upstream)

    upstream.sendall(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK
    )

    assert until(client, b"ok") == OK


def test_requests_follow_each_other_on_one_connection(stage: Stage) -> None:
    client = stage.client(GET)
    upstream = stage.upstream()
    for _ in range(3):
        head(upstream)
        upstream.sendall(OK)
        assert until(client, b"ok") == OK
        client.sendall(GET)

    assert stage.nobody_else()


def test_a_connection_that_the_upstream_wants_closed_is_not_used_again(stage: Stage) -> None:
    client = stage.client(GET)
    upstream = stage.upstream()
    head(upstream)
    upstream.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    assert until(client, b"ok")

    client.sendall(GET)

    assert head(stage.upstream())[0] == b"GET / HTTP/1.1"


def test_what_a_client_says_of_where_it_comes_from_is_replaced() -> None:
    with Stage() as stage:
        stage.client(
            b"GET / HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n\r\n"
        )

        lines = head(stage.upstream())

    assert lines[1:] == [
        b"Host: shop",
        b"x-forwarded-proto: http",
        b"x-forwarded-for: 127.0.0.1",
        b"x-forwarded-host: shop",
    ]


def test_two_clients_never_share_a_cookie(stage: Stage) -> None:
    first = stage.client(GET)
    upstream = stage.upstream()
    head(upstream)
    upstream.sendall(b"HTTP/1.1 200 OK\r\nSet-Cookie: user=first\r\nContent-Length: 2\r\n\r\nok")
    assert b"user=first" in until(first, b"\r\n\r\nok")

    stage.client(GET)

    assert head(upstream)[1:] == [b"Host: shop"]
