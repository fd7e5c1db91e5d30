"""A request is sent again only where that is safe, and then to another instance (CORRECTNESS 30)."""

from collections.abc import Generator
from typing import Any

import pytest
from gateway.pair import NO, OK, Pair, request, status
from tests.service.proxy.wire import head, until


@pytest.fixture
def pair(start: Any) -> Generator[Pair]:
    pair = Pair(start)
    with pair.stack:
        yield pair


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE"])
def test_what_may_be_done_twice_is_asked_of_another_instance(pair: Pair, method: str) -> None:
    client = pair.client(request(method))
    first, end = pair.asked()
    head(end)
    end.close()

    second, end = pair.asked()
    head(end)
    end.sendall(OK)

    assert second != first
    assert status(client) == b"200"


def test_a_body_goes_along_when_a_request_is_sent_again(pair: Pair) -> None:
    client = pair.client(request("PUT", b"the body"))
    _, end = pair.asked()
    until(end, b"the body")
    end.close()

    _, end = pair.asked()
    until(end, b"the body")
    end.sendall(OK)

    assert status(client) == b"200"


def test_the_second_attempt_says_that_it_is_one(pair: Pair) -> None:
    pair.client(request("GET"))
    _, end = pair.asked()
    assert b"x-retry-attempt: 1" in head(end)
    end.close()

    _, end = pair.asked()

    assert b"x-retry-attempt: 2" in head(end)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_post_whose_instance_hangs_up_is_sent_once(pair: Pair, method: str) -> None:
    client = pair.client(request(method, b"hi"))
    _, end = pair.asked()
    until(end, b"hi")

    end.close()

    assert status(client) == b"502"
    assert pair.nobody()


def test_a_post_whose_instance_says_503_is_sent_once(pair: Pair) -> None:
    client = pair.client(request("POST", b"hi"))
    _, end = pair.asked()
    until(end, b"hi")

    end.sendall(NO)

    assert status(client) == b"503"
    assert pair.nobody()


def test_a_post_with_a_key_is_sent_again(pair: Pair) -> None:
    client = pair.client(request("POST", b"hi", **{"Idempotency-Key": "1"}))
    first, end = pair.asked()
    until(end, b"hi")
    end.close()

    second, end = pair.asked()
    until(end, b"hi")
    end.sendall(OK)

    assert second != first
    assert status(client) == b"200"


def test_a_post_that_nobody_takes_is_sent_to_who_does(pair: Pair) -> None:
    pair.listeners.pop().close()
    for _ in range(6):
        client = pair.client(request("POST", b"hi"))
        _, end = pair.asked()
        until(end, b"hi")
        end.sendall(OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"))
        assert status(client) == b"200"


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_long_body_that_nobody_has_seen_goes_to_who_takes_it(pair: Pair, method: str) -> None:
    pair.listeners.pop().close()
    body = bytes(100_000) + b"end"  # Longer than what is held for another attempt.
    for _ in range(4):
        client = pair.client(request(method, body))
        _, end = pair.asked()
        got = b""
        while not got.endswith(b"end"):
            got += end.recv(65_536)
        end.sendall(OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"))
        assert status(client) == b"200"


def test_an_instance_that_says_503_leaves_a_get_to_another_at_once(pair: Pair) -> None:
    client = pair.client(request("GET"))
    first, end = pair.asked()
    head(end)
    end.sendall(NO)

    second, end = pair.asked()
    head(end)
    end.sendall(OK)

    assert second != first
    assert status(client) == b"200"


def test_who_has_used_up_the_tries_is_not_asked_for_more(pair: Pair) -> None:
    client = pair.client(request("GET"))
    _, end = pair.asked()
    head(end)

    end.sendall(NO.replace(b"Retry-After: 60", b"x-should-retry: false"))

    assert status(client) == b"503"
    assert pair.nobody()


def test_a_client_that_repeats_by_itself_is_not_helped(pair: Pair) -> None:
    client = pair.client(request("GET", **{"X-Retry-Attempt": "2"}))
    _, end = pair.asked()
    head(end)

    end.close()

    assert status(client) == b"502"
    assert pair.nobody()


def test_an_answer_that_has_begun_is_never_begun_anew(pair: Pair) -> None:
    client = pair.client(request("GET"))
    _, end = pair.asked()
    head(end)
    end.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    until(client, b"abc")

    end.close()

    assert client.recv(100) == b""
    assert pair.nobody()


def test_a_body_that_is_still_coming_is_sent_once(pair: Pair) -> None:
    client = pair.client(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\nabc")
    _, end = pair.asked()
    until(end, b"abc")

    end.close()

    assert status(client) == b"502"
    assert pair.nobody()


def test_an_instance_that_is_silent_leaves_a_get_to_another(start: Any) -> None:
    pair = Pair(start, patience="1s")  # The other one has as long to answer.
    with pair.stack:
        client = pair.client(request("GET"))
        first, _ = pair.asked()

        second, end = pair.asked()
        head(end)
        end.sendall(OK)

        assert second != first
        assert status(client) == b"200"


@pytest.mark.parametrize(("patience", "whole"), [("50ms", "5s"), ("60s", "100ms")])
def test_when_all_are_silent_it_is_a_gateway_timeout(start: Any, patience: str, whole: str) -> None:
    pair = Pair(start, patience=patience, whole=whole)
    with pair.stack:
        client = pair.client(request("GET"))

        assert status(client) == b"504"


def test_a_client_that_goes_takes_its_request_along(pair: Pair) -> None:
    client = pair.client(request("GET"))
    _, end = pair.asked()
    head(end)

    client.close()

    assert end.recv(1) == b""
    assert pair.nobody()
