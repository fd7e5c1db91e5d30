"""Connections without a limit: each is lent to one request, kept after it, and closed when nobody needs it."""

from collections.abc import Callable, Generator
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from tests.integrations.http.conftest import cancels_connections
from tests.integrations.http.drivers import TRUST, Client, Driver
from tests.integrations.http.servers import RawServer

import uat_resilience.integrations.httpx as for_httpx
import uat_resilience.integrations.httpx2 as for_httpx2
from uat_resilience import Retry

ONCE = Retry(httpx.TransportError, attempts=1)
LIBRARIES = [
    pytest.param(httpx, for_httpx, id="httpx"),
    pytest.param(httpx2, for_httpx2, id="httpx2"),
]


@pytest.fixture
def another() -> Generator[RawServer]:
    """One more host."""
    running = RawServer()
    yield running
    running.stop()


def on_its_own_pool(driver: Driver) -> None:
    if not driver.name.startswith("httpx"):
        pytest.skip(f"{driver.name} has connections of its own")


def test_connection_to_a_host_that_nobody_asks_again_is_closed_when_another_is_asked(
    server: RawServer,
    another: RawServer,
    driver: Driver,
    client: Client,
    later: Callable[[float], None],
) -> None:
    on_its_own_pool(driver)
    client.send("GET", server.url)
    client.send("GET", another.url)
    later(5.0)

    client.send("GET", another.url)

    assert server.ended.acquire(timeout=5)


def test_connection_that_is_still_good_outlives_a_look_at_all_of_them(
    server: RawServer, another: RawServer, client: Client, later: Callable[[float], None]
) -> None:
    client.send("GET", server.url)
    later(2.0)
    client.send("GET", another.url)

    client.send("GET", server.url)

    assert server.connections == 1


@pytest.mark.parametrize(("library", "module"), LIBRARIES)
def test_closing_a_client_closes_the_connections_in_use(
    library: Any, module: Any, server: RawServer
) -> None:
    client = library.Client(transport=module.ResilientTransport(verify=TRUST))
    with client.stream("GET", server.url):
        client.close()

        assert server.ended.acquire(timeout=5)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(("library", "module"), LIBRARIES)
def test_closing_an_async_client_closes_the_connections_in_use(
    library: Any, module: Any, backend: str, server: RawServer
) -> None:
    async def main() -> bool:
        client = library.AsyncClient(transport=module.AsyncResilientTransport(verify=TRUST))
        async with client.stream("GET", server.url):
            await client.aclose()
            return server.ended.acquire(timeout=5)

    assert anyio.run(main, backend=backend)


def test_body_that_is_closed_twice_gives_its_connection_back_once(server: RawServer) -> None:
    with httpx.Client(transport=for_httpx.ResilientTransport(verify=TRUST)) as client:
        answer = client.get(server.url)
        answer.stream.close()

        with client.stream("GET", server.url) as one, client.stream("GET", server.url) as two:
            bodies = one.read(), two.read()

    assert bodies == (b"ok", b"ok")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_async_body_that_is_closed_twice_gives_its_connection_back_once(
    backend: str, server: RawServer
) -> None:
    async def main() -> tuple[bytes, bytes]:
        transport = for_httpx.AsyncResilientTransport(verify=TRUST)
        async with httpx.AsyncClient(transport=transport) as client:
            answer = await client.get(server.url)
            await answer.stream.aclose()
            async with (
                client.stream("GET", server.url) as one,
                client.stream("GET", server.url) as two,
            ):
                return await one.aread(), await two.aread()

    assert anyio.run(main, backend=backend) == (b"ok", b"ok")


def test_request_that_is_cancelled_before_it_is_sent_leaves_the_connection_to_the_next(
    server: RawServer,
) -> None:
    async def main() -> None:
        transport = for_httpx.AsyncResilientTransport(ONCE, verify=TRUST)
        async with httpx.AsyncClient(transport=transport) as client:
            await client.get(server.url)
            with anyio.CancelScope() as scope:
                scope.cancel()
                await client.get(server.url)
            await client.get(server.url)

    anyio.run(main, backend="trio")

    assert (server.connections, server.attempts()) == (1, 2)


@cancels_connections
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_request_that_is_cancelled_at_any_turn_of_the_loop_leaves_no_connection_behind(
    backend: str, server: RawServer
) -> None:
    async def main() -> int:
        transport = for_httpx.AsyncResilientTransport(verify=TRUST)
        async with httpx.AsyncClient(transport=transport) as client:
            for turns in range(40):
                async with anyio.create_task_group() as group:
                    group.start_soon(client.get, server.url)
                    for _ in range(turns):
                        await anyio.lowlevel.checkpoint()
                    group.cancel_scope.cancel()
            return (await client.get(server.url)).status_code

    assert anyio.run(main, backend=backend) == 200
    assert all(server.ended.acquire(timeout=5) for _ in range(server.connections))


def test_body_whose_closing_is_cut_hangs_up(server: RawServer) -> None:
    async def main() -> bool:
        transport = for_httpx.AsyncResilientTransport(ONCE, verify=TRUST)
        async with httpx.AsyncClient(transport=transport) as client:
            answer = await client.send(client.build_request("GET", server.url), stream=True)
            with anyio.CancelScope() as scope:
                scope.cancel()
                await answer.aclose()
            return server.ended.acquire(timeout=5)

    assert anyio.run(main, backend="trio")


@pytest.mark.parametrize("scheme", ["ftp", "gopher"])
def test_url_of_another_protocol_is_refused(scheme: str) -> None:
    with (
        httpx.Client(transport=for_httpx.ResilientTransport(ONCE, verify=TRUST)) as client,
        pytest.raises(httpx.UnsupportedProtocol, match=scheme),
    ):
        client.get(f"{scheme}://localhost/")
