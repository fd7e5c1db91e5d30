"""Bodies of any length pass in little memory, both ways, and as they come."""

import asyncio
import re
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.integrations.server.serving import PATIENCE
from tests.service.framework.running import Running, started
from tests.service.proxy.wire import head, until

ROUTES = """
[upstreams.wire]
urls = ["http://127.0.0.1:{port}"]
health = ""
[[routes]]
name = "wire"
path = "/"
upstream = "wire"
auth = "none"
"""
BLOCK = bytes(1_000_000)
# So long a body, in megabytes, and so little memory for it.
BODIES = pytest.mark.parametrize(
    ("megabytes", "most"), [(200, 20), pytest.param(3_000, 50, marks=pytest.mark.slow)]
)


@pytest.fixture(scope="module")
def listener() -> Generator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        yield listener


@pytest.fixture(scope="module")
def running(
    listener: socket.socket, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Running]:
    """A gateway in a process of its own, so that its memory is its own."""
    place = tmp_path_factory.mktemp("streaming")
    file = place / "gateway.toml"
    file.write_text(ROUTES.format(port=listener.getsockname()[1]))
    with started(
        "uat_platform.gateway.app:service",
        ROUTES_FILE=str(file),
        IDENTITY_FILE=str(place / "identity.pem"),
        LOAD_BALANCER_URL="",
    ) as running:
        yield running.listening()
        running.stop()


def memory(running: Running) -> float:
    """Return the most memory the process ever had, in MB."""
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def connected(running: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE)


@asynccontextmanager
async def ends(
    running: Running, listener: socket.socket, request: bytes
) -> AsyncGenerator[tuple[Any, Any]]:
    """Send the head of a request, and give both ends of its way."""
    loop = asyncio.get_running_loop()
    client = await asyncio.open_connection("127.0.0.1", running.port, limit=1 << 20)
    client[1].write(request)
    listener.settimeout(0)
    accepted, _ = await asyncio.wait_for(loop.sock_accept(listener), PATIENCE)  # noqa: TID251 - a bound of the test
    upstream = await asyncio.open_connection(sock=accepted, limit=1 << 20)
    await upstream[0].readuntil(b"\r\n\r\n")
    try:
        yield client, upstream
    finally:
        client[1].close()
        upstream[1].close()
        listener.settimeout(PATIENCE)


async def pour(writer: asyncio.StreamWriter, blocks: int) -> None:
    for _ in range(blocks):
        writer.write(BLOCK)
        await writer.drain()


async def drink(reader: asyncio.StreamReader, length: int) -> None:
    got = 0
    while got < length:
        part = await reader.read(1 << 20)
        assert part, f"the body ended after {got} bytes"
        got += len(part)
    assert got == length


def test_a_gateway_that_has_asked_nobody_yet_starts_without_a_complaint(running: Running) -> None:
    assert running.events("started")
    assert running.events("started without") == []


@BODIES
def test_a_long_answer_takes_no_memory(
    running: Running, listener: socket.socket, megabytes: int, most: float
) -> None:
    length = megabytes * len(BLOCK)

    async def get() -> None:
        async with ends(running, listener, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as (client, up):
            up[1].write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length)
            await client[0].readuntil(b"\r\n\r\n")
            await asyncio.gather(pour(up[1], megabytes), drink(client[0], length))

    before = memory(running)
    asyncio.run(get())

    assert memory(running) - before < most


@BODIES
def test_a_long_request_takes_no_memory(
    running: Running, listener: socket.socket, megabytes: int, most: float
) -> None:
    length = megabytes * len(BLOCK)

    async def post() -> None:
        # The gateway looks at the beginning of a body before it asks anybody.
        request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length + BLOCK
        async with ends(running, listener, request) as (client, up):
            await asyncio.gather(pour(client[1], megabytes - 1), drink(up[0], length))
            up[1].write(b"HTTP/1.1 204 No Content\r\n\r\n")
            assert (await client[0].readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")

    before = memory(running)
    asyncio.run(post())

    assert memory(running) - before < most


def test_events_get_through_one_by_one(running: Running, listener: socket.socket) -> None:
    with connected(running) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
        upstream, _ = listener.accept()
        with upstream:
            head(upstream)
            upstream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            head(client)
            for number in range(5):
                event = b"data: %d\n\n" % number
                upstream.sendall(event)
                # The next one is not sent before this one is there.
                assert until(client, b"\n\n").endswith(event)


def test_headers_keep_their_case_their_order_and_their_number(
    running: Running, listener: socket.socket
) -> None:
    with connected(running) as client:
        client.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nX-OdD: 1\r\nCookie: a=1\r\nX-OdD: 2\r\n"
            b"Connection: close, X-Secret\r\nX-Secret: 1\r\nTE: gzip\r\n\r\n"
        )
        upstream, _ = listener.accept()
        with upstream:
            asked = head(upstream)
            upstream.sendall(
                b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-CaSe: 3\r\n"
                b"Keep-Alive: timeout=5\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b"
            )
            answer = head(client)
            body = client.recv(10)

    assert [each for each in asked if b"x-odd" in each.lower()] == [b"X-OdD: 1", b"X-OdD: 2"]
    assert not any(each.lower().startswith((b"x-secret", b"te:")) for each in asked)
    assert [each for each in answer if b"Cookie" in each] == [
        b"Set-Cookie: a=1",
        b"Set-Cookie: b=2",
    ]
    assert b"X-CaSe: 3" in answer
    assert not any(each.startswith(b"Keep-Alive") for each in answer)
    assert body == b"\x1f\x8b"
