"""Heads of requests that go on and on are refused before they fill the memory; all others are served."""

import json
import socket
from contextlib import suppress
from select import select

import pytest
from tests.service.framework.running import PATIENCE, Running

PART = 16_384  # Bytes; four of them are as much as a head may have.
A_MOMENT = 0.02  # Seconds


def answers(running: Running, *parts: bytes) -> bytes:
    """Send these parts until there is an answer, and return what comes until the connection ends."""
    told = b""
    # Who is sent more than it reads resets the connection, and then what it said last may be lost.
    with (
        socket.create_connection(("127.0.0.1", running.port), PATIENCE) as connection,
        suppress(ConnectionError),
    ):
        for part in parts:
            connection.sendall(part)
            if select([connection], [], [], A_MOMENT)[0]:
                break
        while part := connection.recv(PART):
            told += part
    return told


def head(size: int, connection: str) -> bytes:
    """Return the head of a request with as many bytes in one header."""
    return (
        f"GET /orders/7 HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\nX-Long: {'x' * size}\r\n\r\n"
    ).encode()


def test_head_that_goes_on_and_on_is_refused(running: Running) -> None:
    told = answers(running, b"GET / HTTP/1.1\r\nX-Long: ", *[b"x" * PART] * 20)

    assert not told or told.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("reads", [1, 2, 3])
def test_head_that_has_ended_too_late_is_refused(running: Running, reads: int) -> None:
    long = head(4 * PART, "close")
    part = len(long) // reads + 1

    told = answers(running, *(long[at : at + part] for at in range(0, len(long), part)))

    assert told.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "sent",
    [
        b"GARBAGE\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_with_a_problem(running: Running, sent: bytes) -> None:
    head, _, body = answers(running, sent).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"Content-Type: application/problem+json\r\n" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert json.loads(body)["detail"] == "What was sent is no request of HTTP/1.1."


def test_heads_are_counted_each_for_itself(running: Running) -> None:
    told = answers(running, head(3 * PART, "keep-alive") * 6 + head(3 * PART, "close"))

    assert told.count(b"HTTP/1.1 200 ") == 7


def test_body_may_be_longer_than_any_head(running: Running) -> None:
    begun = f"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: {6 * PART}\r\n\r\n".encode()

    told = answers(running, begun + b"x" * 6 * PART + head(1, "close"))

    assert b"HTTP/1.1 431 " not in told
    assert b"HTTP/1.1 200 " in told
