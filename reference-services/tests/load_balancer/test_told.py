"""What a load balancer is told from outside holds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from load_balancer.in_process import running

SHOP = "/services/shop/instances"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_those_who_cannot_register_are_in_the_settings(
    hosts: Callable[[int], list[Any]], tmp_path: Path
) -> None:
    (host,) = hosts(1)
    async with running(tmp_path, TARGETS=f"shop={host.url}") as (_, client):
        answer = await client.get("/proxy/shop/cart")
        shown = (await client.get("/services/shop")).json()

    assert answer.text == f"{host.server_port} /cart"
    assert [each["lease_left"] for each in shown["instances"]] == [None]


async def test_no_lease_is_longer_than_the_longest(tmp_path: Path) -> None:
    offer = {"url": "http://127.0.0.1:1", "lease_seconds": 1e9}
    async with running(tmp_path, LONGEST_LEASE="20s") as (parts, client):
        lease = (await client.post(SHOP, json=offer)).json()
        left = parts.fleet.registry.left("shop", lease["id"], parts.fleet.now())

    assert lease["lease_seconds"] == 20
    assert left is not None
    assert left <= 20


async def test_no_lease_is_so_short_that_nobody_could_renew_it(tmp_path: Path) -> None:
    offer = {"url": "http://127.0.0.1:1", "lease_seconds": 1e-9}
    async with running(tmp_path) as (_, client):
        lease = (await client.post(SHOP, json=offer)).json()

    assert (lease["lease_seconds"], lease["renew_after_seconds"]) == (0.1, 0.033)


async def test_who_registers_renews_or_leaves_shows_the_token(tmp_path: Path) -> None:
    offer = {"url": "http://127.0.0.1:1", "id": "a"}
    requests = [("POST", SHOP), ("PUT", f"{SHOP}/a/lease"), ("DELETE", f"{SHOP}/a")]

    async with running(tmp_path, REGISTRATION_TOKEN="sesame") as (_, client):  # noqa: S106 - of nobody

        async def statuses(token: str) -> list[int]:
            headers = {"Authorization": f"Bearer {token}"}
            return [
                (await client.request(method, path, json=offer, headers=headers)).status_code
                for method, path in requests
            ]

        wrong, right = await statuses("open"), await statuses("sesame")

    assert wrong == [401, 401, 401]
    assert right == [201, 200, 204]
