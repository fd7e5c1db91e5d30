"""An answer goes out in one write where it can, and nobody waits for the beginning of one that cannot."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import pytest
import uvicorn
from anyio.lowlevel import checkpoint
from tests.service.framework.wire import Wire
from uvicorn.server import ServerState

from uat_resilience.integrations.serving.asgi_types import App, Receive, Scope, Send
from uat_service.protocol import AttentiveProtocol, FaithfulProtocol

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LONG = b"x" * 1_000_000


@pytest.fixture(params=[AttentiveProtocol, FaithfulProtocol])
def serve(request: pytest.FixtureRequest) -> "Serve":
    """Every service has one of these protocols."""
    return Serve(request.param)


class Serve:
    """Serves applications in one manner."""

    def __init__(self, protocol: type[AttentiveProtocol | FaithfulProtocol]) -> None:
        self._protocol = protocol

    @contextmanager
    def __call__(
        self, app: App, sent: bytes = GET
    ) -> Generator[tuple[AttentiveProtocol | FaithfulProtocol, Wire]]:
        """Return a protocol that has been sent this, and its end of the connection."""
        config = uvicorn.Config(app, log_config=None, access_log=False)  # type: ignore[arg-type] - the same, in uvicorn's words
        protocol, wire = self._protocol(config, ServerState(), {}), Wire()
        protocol.connection_made(wire)
        protocol.data_received(sent)
        yield protocol, wire
        if wire.open:
            protocol.connection_lost(None)


def answers(*parts: bytes, close: bool = False) -> App:
    """Return what answers with these parts of a body, as soon as it is asked."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        length = sum(map(len, parts))
        headers = [(b"content-length", b"%d" % length), *([(b"connection", b"close")] * close)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    return app


async def turns(number: int = 5) -> None:
    """Let the loop come around."""
    for _ in range(number):
        await checkpoint()


async def test_short_answer_is_one_write(serve: Serve) -> None:
    with serve(answers(b"ok")) as (_, wire):
        await turns()

        assert wire.writes[0].startswith(b"HTTP/1.1 200")
        assert wire.writes[0].endswith(b"\r\n\r\nok")
        assert b"".join(wire.writes[1:]) == b""


async def test_long_body_goes_out_with_its_head(serve: Serve) -> None:
    with serve(answers(LONG, LONG)) as (_, wire):
        await turns()

        assert wire.writes[0].endswith(b"\r\n\r\n" + LONG)
        assert wire.writes[1] == LONG


async def test_answer_without_a_body_is_sent(serve: Serve) -> None:
    with serve(answers()) as (_, wire):
        await turns()

        assert wire.told.endswith(b"content-length: 0\r\n\r\n")


async def test_head_is_there_before_a_body_that_takes_its_time(serve: Serve) -> None:
    told = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200})
        await told.wait()
        await send({"type": "http.response.body", "body": b"event"})

    with serve(app) as (_, wire):
        await turns()
        before = wire.told
        told.set()
        await turns()

        assert before.endswith(b"\r\n\r\n")
        assert wire.told.removeprefix(before) == b"5\r\nevent\r\n0\r\n\r\n"


async def test_answer_to_head_is_sent_although_the_server_ends_at_once(serve: Serve) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answers(b"ok")(scope, receive, send)
        protocol.shutdown()

    with serve(app, GET.replace(b"GET", b"HEAD")) as (protocol, wire):
        await turns()

        assert not wire.open
        assert wire.told.endswith(b"content-length: 2\r\n\r\n")


async def test_interim_answer_is_not_kept_back(serve: Serve) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive())["body"]
        await answers(body)(scope, receive, send)

    expecting = (
        GET.replace(b"GET", b"PUT")[:-2] + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    )
    with serve(app, expecting) as (protocol, wire):
        await turns()
        before = wire.told
        protocol.data_received(b"ok")
        await turns()

        assert before == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert wire.writes[1].endswith(b"\r\n\r\nok")


async def test_all_is_sent_before_a_connection_is_closed(serve: Serve) -> None:
    with serve(answers(b"ok", close=True)) as (_, wire):
        await turns()

        assert not wire.open
        assert wire.told.endswith(b"\r\n\r\nok")


async def test_answer_that_breaks_off_has_begun(serve: Serve) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200})
        raise RuntimeError("nothing comes after that")

    with serve(app) as (_, wire):
        await turns()

        assert not wire.open
        assert wire.told.startswith(b"HTTP/1.1 200")


async def test_nothing_is_written_for_a_client_that_leaves_before_the_body(serve: Serve) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200})
        wire.close()
        protocol.connection_lost(ConnectionResetError())

    with serve(app) as (protocol, wire):
        await turns()

        assert wire.told == b""


async def test_pipelined_answers_are_one_write_each(serve: Serve) -> None:
    with serve(answers(b"ok"), GET * 3) as (_, wire):
        await turns(20)

        assert [each.count(b"200 OK") for each in wire.writes if each] == [1, 1, 1]
        assert wire.told.count(b"\r\n\r\nok") == 3
