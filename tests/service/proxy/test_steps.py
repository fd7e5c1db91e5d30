"""Whoever takes the steps of an exchange itself may send a request again, as long as nothing was answered."""

from collections.abc import Generator

import pytest
from tests.integrations.server.serving import Served, serving
from tests.service.proxy.wire import Stage, ended, head, until

from uat_resilience.integrations.serving.asgi_types import Receive, Scope, Send
from uat_service.proxy import BrokenAnswerError, Exchange, Pools, Target

BODY = b"a body of two parts"
PUT = b"PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n" % len(BODY)


class Twice:
    """Sends what is replayable once more, and drops the first answer if it is a 503."""

    def __init__(self, origin: str, hold: int) -> None:
        self.pools, self.target, self.hold = Pools(), Target(origin), hold

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self.pools.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        exchange, pool = Exchange(scope, receive, send), self.pools[self.target.origin]
        await exchange.begin(hold=self.hold)
        try:
            arrival = await exchange.open(pool, self.target, announce=False)
            if arrival.status == 503:
                await arrival.aclose()
                arrival = await exchange.open(pool, self.target, announce=False)
        except BrokenAnswerError:
            assert exchange.replayable is (self.hold > 0)
            arrival = await exchange.open(pool, self.target, announce=False)
        await exchange.relay(arrival, more=[(b"x-tried", b"2")])


@pytest.fixture
def stage() -> Generator[Stage]:
    with Stage(announce=False) as stage:
        yield stage


@pytest.fixture
def twice(stage: Stage) -> Generator[Served]:
    with serving(Twice(f"http://127.0.0.1:{stage.port}", hold=1000)) as served:
        yield served


def test_a_body_that_is_held_is_sent_again(stage: Stage, twice: Served) -> None:
    with twice.connect() as client:
        client.sendall(PUT + BODY[:5])
        client.sendall(BODY[5:])
        first = stage.upstream()
        until(first, BODY)
        first.close()

        second = stage.upstream()
        until(second, BODY)
        second.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

        lines = head(client)
        assert lines[0] == b"HTTP/1.1 204 No Content"
        assert b"x-tried: 2" in lines


def test_an_answer_that_is_dropped_leaves_a_connection_as_good_as_new(
    stage: Stage, twice: Served
) -> None:
    with twice.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
        upstream = stage.upstream()
        head(upstream)
        upstream.sendall(b"HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\ndrop")

        head(upstream)
        upstream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nkeep")

        assert until(client, b"keep").endswith(b"\r\n\r\nkeep")


def test_an_answer_that_is_dropped_before_its_end_ends_its_connection(
    stage: Stage, twice: Served
) -> None:
    with twice.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
        upstream = stage.upstream()
        head(upstream)
        upstream.sendall(b"HTTP/1.1 503 No\r\nContent-Length: 4000\r\n\r\ndrop")

        assert ended(upstream)
        other = stage.upstream()
        head(other)
        other.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nkeep")

        assert until(client, b"keep").endswith(b"\r\n\r\nkeep")
