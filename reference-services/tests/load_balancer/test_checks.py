"""What checks find out about a host, and when they look."""

import asyncio
from pathlib import Path

import pytest
from load_balancer.in_process import running


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_host_that_goes_while_it_is_checked_is_checked_anew(tmp_path: Path) -> None:
    asked, gate = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await gate.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with running(tmp_path) as (parts, client):
        await client.post("/services/shop/instances", json={"url": url})
        await asked.wait()
        server.close()  # It still answers who is there already.
        refused = await client.get("/proxy/shop/")
        gate.set()
        while under_way := list(parts.checks._running.values()):
            await asyncio.wait(under_way)
        (host,) = (await client.get("/services/shop")).json()["instances"]

    assert refused.status_code == 502
    assert host["state"] == "down"
