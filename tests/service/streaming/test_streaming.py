"""A stream whose client leaves cleans up after itself, and a broken one is not ended as if it were whole."""

import asyncio
import socket
from collections.abc import AsyncIterator
from threading import Event as Flag
from typing import Any

import anyio
import pytest
from litestar import Litestar, get
from litestar.response import Stream
from litestar.types import ASGIApp
from tests.integrations.server.serving import PATIENCE, Served, serving

from uat_service.streaming import Streamed

ENDS: dict[str, Flag] = {}


async def rows(name: str) -> AsyncIterator[str]:
    """Make a part, and then none for ever; say when the clean-up, which takes a while, is through."""
    try:
        yield "one\n"
        await asyncio.Event().wait()
    finally:
        await anyio.lowlevel.checkpoint()
        ENDS[name].set()


async def breaking() -> AsyncIterator[bytes]:
    yield b"one\n"
    raise ValueError("no more")


async def failing() -> AsyncIterator[bytes]:
    raise ValueError("nothing at all")
    yield b""


@get("/ours")
async def ours() -> ASGIApp:
    return Streamed(rows("ours"), media_type="text/plain", headers=[("X-Kind", "rows")])


@get("/litestar")
async def litestar() -> Stream:
    return Stream(rows("litestar"))


@get("/breaking")
async def breaks() -> ASGIApp:
    return Streamed(breaking())


@get("/failing")
async def fails() -> ASGIApp:
    return Streamed(failing())


@pytest.fixture(scope="module")
def served() -> Any:
    app = Litestar([ours, litestar, breaks, fails], openapi_config=None, logging_config=None)
    with serving(app) as served:
        yield served


def asked(served: Served, path: str) -> socket.socket:
    client = served.connect()
    client.sendall(b"GET %b HTTP/1.1\r\nHost: shop\r\n\r\n" % path.encode())
    return client


def until(client: socket.socket, mark: bytes) -> bytes:
    data = b""
    while mark not in data:
        more = client.recv(65536)
        assert more, data
        data += more
    return data


def test_the_clean_up_of_a_stream_runs_to_its_end_when_the_client_leaves(served: Served) -> None:
    ENDS["ours"] = Flag()
    with asked(served, "/ours") as client:
        got = until(client, b"one\n")

    assert ENDS["ours"].wait(PATIENCE)
    assert b"x-kind: rows" in got


def test_the_clean_up_of_a_framework_s_own_stream_does_not(served: Served) -> None:
    """This is why there is `Streamed`; when it fails, the framework has learned it."""
    ENDS["litestar"] = Flag()
    with asked(served, "/litestar") as client:
        until(client, b"one\n")

    # A second request is answered after the first one's end.
    ENDS["ours"] = Flag()
    with asked(served, "/ours") as client:
        until(client, b"one\n")
    assert ENDS["ours"].wait(PATIENCE)
    assert not ENDS["litestar"].is_set()


def test_a_stream_that_breaks_is_not_ended_as_if_it_were_whole(served: Served) -> None:
    with asked(served, "/breaking") as client:
        got = until(client, b"one\n")
        while more := client.recv(65536):
            got += more

    assert not got.endswith(b"0\r\n\r\n")


def test_an_error_before_the_first_part_is_an_answer_like_any_other(served: Served) -> None:
    with asked(served, "/failing") as client:
        got = until(client, b"\r\n\r\n")

    assert got.startswith(b"HTTP/1.1 500 ")


async def never() -> dict[str, Any]:
    await asyncio.Event().wait()
    raise AssertionError


GET: dict[str, Any] = {"type": "http", "method": "GET"}


async def test_a_request_that_is_cancelled_waits_for_the_clean_up() -> None:
    sent: list[Any] = []
    ENDS["cancelled"] = Flag()

    async def send(message: Any) -> None:
        sent.append(message)

    with anyio.move_on_after(1):
        await Streamed(rows("cancelled"))(GET, never, send)

    assert ENDS["cancelled"].is_set()
    assert sent[-1] == {"type": "http.response.body", "body": b"one\n", "more_body": True}


async def test_a_clean_up_that_takes_for_ever_is_left_to_itself() -> None:
    async def stubborn() -> AsyncIterator[bytes]:
        try:
            yield b"one"
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(100)  # noqa: TID251 - virtual time
            done.set()

    async def leave() -> dict[str, Any]:
        await asyncio.sleep(1)  # noqa: TID251 - virtual time
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None: ...

    done, loop = asyncio.Event(), asyncio.get_running_loop()
    began = loop.time()

    await Streamed(stubborn(), cleanup=5.0)(GET, leave, send)

    assert loop.time() - began == pytest.approx(6.0)
    await done.wait()
    assert loop.time() - began == pytest.approx(101.0)


async def test_the_answer_to_head_has_no_body() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await Streamed(breaking())({"type": "http", "method": "HEAD"}, never, send)

    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[-1]["body"] == b""


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"source": [b"a"]}, TypeError, "source must be an async iterator"),
        ({"source": breaking(), "cleanup": 0}, ValueError, "cleanup must be"),
        ({"source": breaking(), "status": 99}, ValueError, "status must be"),
        (
            {"source": breaking(), "headers": [("a", "b\r\nc: d")]},
            ValueError,
            "header 'a' must have",
        ),
        (
            {"source": breaking(), "headers": [("a\nb", "c")]},
            ValueError,
            r"header 'a\\nb' must have",
        ),
        ({"source": breaking(), "media_type": "a\n"}, ValueError, "header 'Content-Type' must"),
    ],
)
def test_wrong_arguments_are_refused(
    arguments: dict[str, Any], error: type[Exception], says: str
) -> None:
    source = arguments.pop("source")

    with pytest.raises(error, match=says):
        Streamed(source, **arguments)
