"""A thousand registrations come and go, and no request ever gets to another service than it is for."""

import asyncio
from pathlib import Path
from random import Random  # noqa: TID251 - seeded, so that a test draws the same every time

import httpx2
import pytest
from load_balancer.in_process import running

TURNS = 1_000
SERVICES = ("shop", "bank", "post")


class Owner(asyncio.Protocol):
    """One address, which belongs to one service after the other, and says to which."""

    def __init__(self, says: dict[int, str]) -> None:
        self._says = says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._port = transport.get_extra_info("sockname")[1]

    def data_received(self, data: bytes) -> None:
        body = self._says[self._port].encode()
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.slow
async def test_a_thousand_registrations_and_no_wrong_route(tmp_path: Path) -> None:
    loop, draw, says = asyncio.get_running_loop(), Random(6), dict[int, str]()
    servers = [await loop.create_server(lambda: Owner(says), "127.0.0.1", 0) for _ in range(8)]
    ports = [each.sockets[0].getsockname()[1] for each in servers]
    says |= dict.fromkeys(ports, "nobody")
    wrong: list[tuple[str, str]] = []
    statuses: dict[int, int] = {}

    async def asked(client: httpx2.AsyncClient, service: str) -> None:
        answer = await client.get(f"/proxy/{service}/")
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        if answer.status_code == 200 and answer.text != service:
            wrong.append((service, answer.text))

    async with running(tmp_path, ABSENCE="0s") as (_, client):
        for _ in range(TURNS):
            port, service = draw.choice(ports), draw.choice(SERVICES)
            url = f"http://127.0.0.1:{port}"
            # The address changes hands: whoever has it now says so, and does not say goodbye for the one before.
            says[port] = service
            made = await client.post(f"/services/{service}/instances", json={"url": url})
            assert made.status_code in {200, 201}
            if draw.random() < 0.2:
                await client.delete(f"/services/{service}/instances/127.0.0.1:{port}")
                says[port] = "nobody"
            async with asyncio.TaskGroup() as group:
                for each in SERVICES:
                    group.create_task(asked(client, each))
        services = (await client.get("/services")).json()
    for server in servers:
        server.close()
        await server.wait_closed()

    assert wrong == []
    assert set(statuses) <= {200, 503}
    assert statuses[200] > TURNS
    assert sum(each["instances"] for each in services.values()) <= len(ports)
