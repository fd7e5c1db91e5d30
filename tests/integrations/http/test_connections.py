"""Connections: they survive cancellation, and what must not be sent twice never goes out on one long idle."""

import asyncio
import random  # noqa: TID251 - seeded
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from tests.integrations.http.conftest import cancels_connections
from tests.integrations.http.drivers import TRUST, Client, Driver
from tests.integrations.http.servers import OK, RawServer, Received
from tests.integrations.http.uvicorns import running
from tests.integrations.server.serving import PATIENCE

import uat_resilience.integrations.httpx as for_httpx
import uat_resilience.integrations.httpx2 as for_httpx2
from uat_resilience import Bulkhead

POOL = 5
GUARDED = {
    "httpx": lambda: httpx.AsyncClient(
        transport=for_httpx.AsyncResilientTransport(
            Bulkhead(1000), limits=httpx.Limits(max_connections=POOL), verify=TRUST
        )
    ),
    "httpx2": lambda: httpx2.AsyncClient(
        transport=for_httpx2.AsyncResilientTransport(
            Bulkhead(1000), limits=httpx2.Limits(max_connections=POOL), verify=TRUST
        )
    ),
    "httpx-unlimited": lambda: httpx.AsyncClient(
        transport=for_httpx.AsyncResilientTransport(Bulkhead(1000), verify=TRUST)
    ),
}


async def churn(client: Any, url: str) -> None:
    """Cancel five times thirty requests, each after a few turns of the loop, while they contend for the pool."""
    chance = random.Random(1)
    for _ in range(5):
        tasks = [asyncio.create_task(client.get(url)) for _ in range(30)]
        for task in tasks:
            for _ in range(chance.randrange(4)):
                await anyio.lowlevel.checkpoint()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def served(client: Any, url: str, *, within: float) -> int:
    """Return how many of five ordinary requests are answered, each in so many seconds."""
    answered = 0
    for _ in range(5):
        with suppress(httpx.TransportError, httpx2.TransportError):
            answered += (await client.get(url, timeout=within)).status_code == 200
    return answered


@cancels_connections
@pytest.mark.parametrize("make", GUARDED.values(), ids=GUARDED.keys())
def test_cancelled_calls_take_no_place_in_the_pool(
    make: Callable[[], Any], server: RawServer
) -> None:
    async def main() -> int:
        async with make() as client:
            await churn(client, server.url)
            return await served(client, server.url, within=PATIENCE)

    answered = asyncio.run(main())

    assert answered == 5


@cancels_connections
def test_pool_of_httpx_itself_loses_its_places(server: RawServer) -> None:
    """The test above means something only while this one passes: when it fails, httpcore has been mended."""
    transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=POOL), verify=TRUST)

    async def main() -> int:
        async with httpx.AsyncClient(transport=transport) as client:
            await churn(client, server.url)
            return await served(client, server.url, within=0.3)

    answered = asyncio.run(main())

    assert answered < 5


@pytest.fixture
def closing(server: RawServer) -> RawServer:
    """A server that closes each connection just when its second request comes in."""
    seen: set[int] = set()

    def script(request: Received) -> bytes | None:
        if request.connection in seen:
            return None
        seen.add(request.connection)
        return OK

    server.script = script
    return server


def keeps_idle_connections(driver: Driver) -> bool:
    return driver.name == "aiohttp"  # A middleware has no say in which connection is used.


def test_post_never_goes_out_on_a_connection_that_was_idle_for_long(
    closing: RawServer, driver: Driver, later: Callable[[float], None]
) -> None:
    if keeps_idle_connections(driver):
        pytest.skip(f"{driver.name} picks the connection after its middlewares have run")

    with driver.open() as client:
        statuses = []
        for _ in range(20):
            statuses.append(client.send("POST", closing.url, content=b"order").status)
            later(0.6)

    assert statuses == [200] * 20


def test_get_uses_an_idle_connection_again(
    server: RawServer, client: Client, later: Callable[[float], None]
) -> None:
    client.send("GET", server.url)
    later(0.6)

    client.send("GET", server.url)

    assert server.connections == 1


@pytest.mark.parametrize("make", GUARDED.values(), ids=GUARDED.keys())
def test_posts_after_exactly_the_keep_alive_time_of_uvicorn_all_succeed(
    make: Callable[[], Any],
) -> None:
    async def post(client: Any, url: str, statuses: list[int]) -> None:
        for _ in range(5):
            statuses.append((await client.post(url, content=b"order")).status_code)
            with anyio.move_on_after(1.0):
                await anyio.sleep_forever()

    async def main() -> list[int]:
        statuses: list[int] = []
        async with (
            make() as client,
            running(timeout_keep_alive=1) as url,
            anyio.create_task_group() as group,
        ):
            for _ in range(100):
                group.start_soon(post, client, url, statuses)
        return statuses

    statuses = asyncio.run(main())

    assert statuses == [200] * 500
