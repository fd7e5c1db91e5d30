"""What was registered is kept in either kind of database."""

from pathlib import Path

import pytest
from load_balancer.in_process import running
from tests.service.store.conftest import server, url

__all__ = ["server", "url"]

pytestmark = pytest.mark.parametrize("anyio_backend", ["asyncio"])

SHOP = "/services/shop/instances"


async def test_what_was_registered_outlasts_a_restart(url: str, tmp_path: Path) -> None:
    offer = {"url": "http://127.0.0.1:1", "id": "a", "zone": "süd", "weight": 3}
    async with running(tmp_path, DATABASE_URL=url) as (_, client):
        await client.post(SHOP, json=offer)

    async with running(tmp_path, DATABASE_URL=url) as (_, client):
        shown = (await client.get("/services/shop")).json()

    assert shown["stale"]
    assert [(each["id"], each["zone"], each["weight"]) for each in shown["instances"]] == [
        ("a", "süd", 3)
    ]


@pytest.mark.parametrize("name", ["zone", "version"])
async def test_what_no_database_can_keep_is_refused(name: str, url: str, tmp_path: Path) -> None:
    async with running(tmp_path, DATABASE_URL=url) as (_, client):
        answer = await client.post(SHOP, json={"url": "http://127.0.0.1:1", name: "a\0"})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"] == (
        "must be up to 100 letters, none of them a control character"
    )
