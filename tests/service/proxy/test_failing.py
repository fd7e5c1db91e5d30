"""What goes wrong on either side of a proxy is told for what it is, and never passed off as an answer."""

import socket

import pytest
from tests.service.proxy.wire import Stage, ended, head, rest, until

GET = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\nhi"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def status(client: socket.socket) -> bytes:
    return head(client)[0].split(b" ")[1]


def test_a_request_with_two_lengths_is_refused_and_not_sent(stage: Stage) -> None:
    client = stage.client(
        b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )

    assert status(client) == b"400"
    assert stage.nobody_else()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 777 Odd\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_an_answer_that_can_be_read_in_two_ways_is_a_bad_gateway(
    stage: Stage, answer: bytes
) -> None:
    client = stage.client(GET)
    upstream = stage.upstream()
    head(upstream)

    upstream.sendall(answer)

    assert status(client) == b"502"
    assert ended(upstream)


def test_an_upstream_that_cannot_be_reached_is_a_bad_gateway(stage: Stage) -> None:
    stage.stop_listening()

    client = stage.client(GET)

    lines = head(client)
    assert lines[0] == b"HTTP/1.1 502 Bad Gateway"
    assert b"content-type: application/problem+json" in lines
    assert str(stage.port).encode() not in client.recv(1000)


def test_an_upstream_that_is_silent_is_given_up_and_let_go() -> None:
    with Stage(patience=0.05) as stage:
        client = stage.client(GET)
        upstream = stage.upstream()
        head(upstream)

        assert status(client) == b"504"
        assert ended(upstream)


def test_a_client_that_goes_ends_the_request_to_the_upstream(stage: Stage) -> None:
    client = stage.client(GET)
    upstream = stage.upstream()
    head(upstream)

    client.close()

    assert ended(upstream)


def test_a_client_that_goes_in_the_middle_of_an_answer_ends_it(stage: Stage) -> None:
    client = stage.client(GET)
    upstream = stage.upstream()
    head(upstream)
    upstream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    until(client, b"abc")

    client.close()

    assert ended(upstream)


def test_a_client_that_goes_in_the_middle_of_its_request_ends_it(stage: Stage) -> None:
    client = stage.client(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 9\r\n\r\nabc")
    upstream = stage.upstream()
    head(upstream)
    assert upstream.recv(3) == b"abc"

    client.close()

    assert ended(upstream)


@pytest.mark.parametrize(
    ("answer", "whole"),
    [
        (b"Content-Length: 9\r\n\r\nabc", b"abcdefghi"),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"0\r\n\r\n"),
    ],
)
def test_an_answer_that_breaks_off_is_never_ended_as_if_it_were_whole(
    stage: Stage, answer: bytes, whole: bytes
) -> None:
    client = stage.client(GET)
    upstream = stage.upstream()
    head(upstream)
    upstream.sendall(b"HTTP/1.1 200 OK\r\n" + answer)
    until(client, b"abc")

    upstream.close()

    assert not rest(client).endswith(whole)


def test_a_post_that_the_upstream_drops_is_not_sent_again(stage: Stage) -> None:
    client = stage.client(POST)
    upstream = stage.upstream()
    until(upstream, b"hi")

    upstream.close()

    assert status(client) == b"502"
    assert stage.nobody_else()


def test_a_post_on_a_kept_connection_is_not_sent_again_either(stage: Stage) -> None:
    client = stage.client(GET)
    upstream = stage.upstream()
    head(upstream)
    upstream.sendall(OK)
    until(client, b"ok")
    client.sendall(POST)
    until(upstream, b"hi")

    upstream.close()

    assert status(client) == b"502"
    assert stage.nobody_else()


def test_a_post_gets_no_connection_that_was_idle_for_a_second(stage: Stage) -> None:
    client = stage.client(GET)
    upstream = stage.upstream()
    head(upstream)
    upstream.sendall(OK)
    until(client, b"ok")
    stage.age(1.0)

    client.sendall(POST)

    assert until(stage.upstream(), b"hi").startswith(b"POST ")


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"QUERY"])
def test_what_may_be_sent_twice_and_meets_the_closing_of_a_kept_connection_is_sent_on_another(
    stage: Stage, method: bytes
) -> None:
    client = stage.client(GET)
    upstream = stage.upstream()
    head(upstream)
    upstream.sendall(OK)
    until(client, b"ok")
    client.sendall(GET.replace(b"GET", method))
    head(upstream)

    upstream.close()
    other = stage.upstream()
    head(other)
    other.sendall(OK)

    assert until(client, b"ok") == OK


def test_a_get_that_fails_on_a_new_connection_is_not_sent_again(stage: Stage) -> None:
    client = stage.client(GET)
    upstream = stage.upstream()
    head(upstream)

    upstream.close()

    assert status(client) == b"502"
    assert stage.nobody_else()


def test_an_answer_before_the_end_of_the_request_ends_both(stage: Stage) -> None:
    client = stage.client(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 9\r\n\r\nabc")
    upstream = stage.upstream()
    head(upstream)

    upstream.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")

    assert status(client) == b"413"
    assert upstream.recv(3) == b"abc"
    assert ended(upstream)


def test_bytes_that_nobody_asked_for_end_the_connection(stage: Stage) -> None:
    client = stage.client(GET)
    upstream = stage.upstream()
    head(upstream)
    upstream.sendall(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    until(client, b"ok")
    client.sendall(GET)

    other = stage.upstream()
    head(other)
    other.sendall(OK)

    assert until(client, b"ok") == OK


def test_a_client_that_reads_slowly_holds_the_upstream_back(stage: Stage) -> None:
    stage.client(GET)
    upstream = stage.upstream()
    head(upstream)
    upstream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000000\r\n\r\n")

    sent = pushed(upstream)

    assert sent < 50_000_000  # what the buffers of four sockets take at most


def test_an_upstream_that_reads_slowly_holds_the_client_back(stage: Stage) -> None:
    client = stage.client(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 3000000000\r\n\r\n1")
    head(stage.upstream())

    sent = pushed(client)

    assert sent < 50_000_000


def pushed(end: socket.socket) -> int:
    """Return how many bytes go out before nobody takes any for a while."""
    end.settimeout(0.3)
    sent, block = 0, bytes(1 << 20)
    try:
        while sent < 500_000_000:
            sent += end.send(block)
    except TimeoutError:
        pass
    return sent


def test_an_upstream_is_not_silent_while_the_request_is_still_on_its_way() -> None:
    with Stage(patience=1.5) as stage:
        client = stage.client(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 9\r\n\r\ny")
        upstream = stage.upstream()
        until(upstream, b"\r\n\r\ny")
        upstream.settimeout(0.2)
        for _ in range(8):
            client.sendall(b"x")
            assert upstream.recv(1) == b"x"
            with pytest.raises(TimeoutError):
                upstream.recv(1)
        upstream.sendall(OK)

        assert until(client, b"ok").startswith(b"HTTP/1.1 200")
