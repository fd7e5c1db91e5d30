"""What checks find out about a host, and when they look."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from load_balancer.in_process import running

from uat_platform.load_balancer.parts import Parts

SHOP = "/services/shop/instances"
# Long enough for a machine that is busy with other tests.
LEASE = 120


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def checked(parts: Parts) -> None:
    """Wait for the checks that are under way, and for those that follow them at once."""
    while under_way := list(parts.checks._running.values()):
        await asyncio.wait(under_way)


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
        await client.post(SHOP, json={"url": url, "lease_seconds": LEASE})
        await asked.wait()
        server.close()  # It still answers who is there already.
        refused = await client.get("/proxy/shop/")
        gate.set()
        await checked(parts)
        (host,) = (await client.get("/services/shop")).json()["instances"]

    assert refused.status_code == 502
    assert host["state"] == "down"


async def test_hosts_that_vanish_lead_to_panic_within_a_second(
    hosts: Callable[[int], list[Any]], tmp_path: Path
) -> None:
    # Whatever waits here does so for an hour. So all the time that it takes is computing, which is measured
    # without that of other programs.
    waits = (
        "CHECK_INTERVAL",
        "CHECK_TIMEOUT",
        "RECHECK",
        "CONNECT_TIMEOUT",
        "PATIENCE",
        "EJECTION",
    )
    three = hosts(3)
    async with running(tmp_path, **dict.fromkeys(waits, "1h")) as (parts, client):
        for each in three:
            await client.post(SHOP, json={"url": each.url, "lease_seconds": LEASE})
        await checked(parts)
        before = (await client.get("/services")).json()["shop"]["panic"]
        for each in three:
            each.close()

        began = time.thread_time()
        answer = await client.get("/proxy/shop/")
        await checked(parts)
        after = (await client.get("/services")).json()["shop"]["panic"]
        took = time.thread_time() - began

    assert answer.status_code == 502
    assert (before, after) == (False, True)
    assert took < 1.0
