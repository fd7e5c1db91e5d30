"""A connection is kept for its next request for as long as was said, whatever was asked on it before."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import pytest
import uvicorn
from tests.service.framework.wire import Wire
from uvicorn.server import ServerState

from uat_resilience.integrations.serving.asgi_types import Receive, Scope, Send
from uat_resilience.testing import virtual_time
from uat_service.keep_alive import KeptAlive

KEPT = 75
LONG = 100
REQUEST = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    """Seconds take no time."""
    return "asyncio", {"loop_factory": virtual_time.VirtualLoop}


async def pause(seconds: float) -> None:
    await asyncio.sleep(seconds)  # noqa: TID251 - virtual time


async def ends_after(seconds: float, wire: Wire) -> bool:
    """Return whether a connection is there for so many seconds from now less one, and gone with one more."""
    await pause(seconds - 1)
    before = wire.open
    await pause(2)
    return before and not wire.open


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer after as many seconds as the path says."""
    del receive
    await pause(float(scope["path"].strip("/")))
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
    )
    await send({"type": "http.response.body"})


@contextmanager
def connected() -> Generator[tuple[KeptAlive, Wire]]:
    """Return a protocol and the connection that it serves."""
    config = uvicorn.Config(answer, timeout_keep_alive=KEPT, log_config=None, access_log=False)  # type: ignore[arg-type] - the same, in uvicorn's words
    protocol, wire = KeptAlive(config, ServerState(), {}), Wire()
    protocol.connection_made(wire)
    yield protocol, wire
    protocol.connection_lost(None)


async def test_connection_ends_when_it_was_idle_for_as_long_as_was_said() -> None:
    with connected() as (protocol, wire):
        protocol.data_received(REQUEST % 0)
        assert await ends_after(KEPT, wire)


async def test_each_answer_gives_a_connection_as_long_again() -> None:
    with connected() as (protocol, wire):
        for _ in range(3):
            protocol.data_received(REQUEST % 0)
            await pause(KEPT - 1)

        assert await ends_after(1, wire)


async def test_connection_is_not_idle_while_it_waits_for_an_answer() -> None:
    with connected() as (protocol, wire):
        protocol.data_received(REQUEST % 0)
        await pause(1)
        protocol.data_received(REQUEST % LONG)

        assert await ends_after(LONG + KEPT, wire)
        assert wire.told.count(b"200 OK") == 2


async def test_pipelined_requests_are_answered_one_after_the_other() -> None:
    with connected() as (protocol, wire):
        protocol.data_received(REQUEST % LONG + REQUEST % LONG)
        await pause(2 * LONG + 1)

        assert wire.told.count(b"200 OK") == 2
        assert wire.open


async def test_connection_that_is_lost_is_waited_for_no_more() -> None:
    with connected() as (protocol, wire):
        protocol.data_received(REQUEST % 0)
        await pause(1)

        protocol.connection_lost(ConnectionResetError())
        await pause(LONG)

        assert wire.open  # Whoever lost it has closed it.
