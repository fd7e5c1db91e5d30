from collections.abc import Awaitable, Callable
from threading import Event
from typing import Any

import aiohttp
import anyio
import httpx
import httpx2
import pytest
from tests.integrations.http.drivers import TRUST
from tests.integrations.http.servers import RawServer, Received

import uat_resilience.integrations.httpx as for_httpx
import uat_resilience.integrations.httpx2 as for_httpx2
from uat_resilience import Bulkhead, CircuitBreaker, Pipeline, Retry, captured
from uat_resilience.integrations.aiohttp import ResilienceMiddleware
from uat_resilience.telemetry import CallAbandoned, CallFailed, CallSucceeded


async def with_httpx(policy: Any, url: str) -> None:
    transport = for_httpx.AsyncResilientTransport(policy, verify=TRUST)
    async with httpx.AsyncClient(transport=transport) as client:
        await client.get(url)


async def with_httpx2(policy: Any, url: str) -> None:
    transport = for_httpx2.AsyncResilientTransport(policy, verify=TRUST)
    async with httpx2.AsyncClient(transport=transport) as client:
        await client.get(url)


async def with_aiohttp(policy: Any, url: str) -> None:
    async with (
        aiohttp.ClientSession(middlewares=(ResilienceMiddleware(policy),)) as session,
        session.get(url) as answer,
    ):
        await answer.read()


WORLDS = [
    pytest.param(with_httpx, "asyncio", id="httpx-asyncio"),
    pytest.param(with_httpx, "trio", id="httpx-trio"),
    pytest.param(with_httpx2, "asyncio", id="httpx2-asyncio"),
    pytest.param(with_httpx2, "trio", id="httpx2-trio"),
    pytest.param(with_aiohttp, "asyncio", id="aiohttp"),
]


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha"])
@pytest.mark.parametrize(("fetch", "backend"), WORLDS)
def test_cancelled_call_says_nothing_keeps_nothing_and_hangs_up(
    fetch: Callable[[Any, str], Awaitable[None]], backend: str, sent: bytes, server: RawServer
) -> None:
    arrived, hung_up = Event(), Event()

    def script(request: Received) -> None:
        request.peer.sendall(sent)
        arrived.set()
        request.peer.recv(1)  # Returns when the client hangs up.
        hung_up.set()

    server.script = script
    bulkhead, breaker = Bulkhead(1), CircuitBreaker("orders")
    policy = Pipeline(Retry(Exception), breaker, bulkhead, name="orders")

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(fetch, policy, server.url)
            await anyio.to_thread.run_sync(arrived.wait, 5)
            group.cancel_scope.cancel()

    with captured() as events:
        anyio.run(main, backend=backend)

    ends = {
        type(each)
        for each in events
        if isinstance(each, CallSucceeded | CallFailed | CallAbandoned)
        and each.policy in {"orders", "orders/bulkhead"}
    }
    assert ends == {CallAbandoned}
    assert (bulkhead.snapshot().running, breaker.snapshot().failures) == (0, 0)
    assert hung_up.wait(5)
    assert server.attempts() == 1
