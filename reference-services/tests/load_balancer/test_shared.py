"""Several load balancers with one Redis know the same, and each goes on alone while it is away."""

from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
import structlog.testing
from load_balancer.in_process import running
from tests.integrations.redis.servers import Server, free_port, start_cluster

from uat_platform.load_balancer.balancing.group import Group
from uat_platform.load_balancer.balancing.rules import Rules
from uat_platform.load_balancer.fleet import Fleet
from uat_platform.load_balancer.registry.registration import Registration
from uat_platform.load_balancer.registry.registry import Change, Registry
from uat_platform.load_balancer.shared import Shared
from uat_resilience.integrations.redis.once import AsyncClient
from uat_service.resolver import Instance

LEASES, OFFERS = "uat:{load-balancer}:leases", "uat:{load-balancer}:offers"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    server = Server(tmp_path_factory.mktemp("valkey"))
    yield server
    server.stop()


@pytest.fixture
def valkey(started: Server) -> Server:
    """A Redis that has nothing of other tests."""
    with started.admin() as admin:
        admin.flushall()
    return started


class Peer:
    """One load balancer's registry, on time that the test tells."""

    def __init__(self, client: AsyncClient) -> None:
        self.now = 0.0
        self.changes: list[Change] = []
        self.fleet = Fleet(Registry(), lambda _: Group("round-robin", Rules()), lambda: self.now)
        self.fleet.listen(self.changes.extend)
        self.client = client
        self.shared = Shared(self.fleet, self.client)

    def hear(self, service: str = "shop", port: int = 1, **more: Any) -> None:
        """Have an instance register here."""
        instance = Instance(f"http://127.0.0.1:{port}", id=f"i{port}")
        self.fleet.register(Registration(service, instance, **{"lease": 15.0, **more}))

    def knows(self) -> list[tuple[str, str]]:
        self.fleet.sweep()
        return [
            (name, host.id) for name, group in self.fleet.groups.items() for host in group.hosts
        ]

    async def exchange(self) -> None:
        await self.shared.exchange()


@pytest.fixture
async def pair(valkey: Server) -> AsyncGenerator[tuple[Peer, Peer]]:
    one, other = (Peer(redis.asyncio.Redis(port=valkey.port)) for _ in range(2))
    yield one, other
    for each in (one, other):
        await each.client.aclose()


async def test_what_one_is_told_the_others_know(pair: tuple[Peer, Peer]) -> None:
    one, other = pair
    one.hear(lease=15.0, health="/well", metrics="")

    await one.exchange()
    await other.exchange()

    assert other.knows() == [("shop", "i1")]
    assert other.fleet.registry.find("shop", "i1") == one.fleet.registry.find("shop", "i1")
    left = other.fleet.registry.left("shop", "i1", 0.0)
    assert left is not None
    assert 0 < left <= 15


async def test_a_lease_that_was_told_ends_there_too(pair: tuple[Peer, Peer]) -> None:
    one, other = pair
    one.hear()
    await one.exchange()
    await other.exchange()

    other.now = 15.0

    assert other.knows() == []


async def test_a_renewal_is_told(pair: tuple[Peer, Peer]) -> None:
    one, _ = pair
    one.hear()
    await one.exchange()
    began: Any = await one.client.zscore(LEASES, '["shop","i1"]')

    for _ in range(1_000):  # Until the clock of Redis has moved by a millisecond.
        assert one.fleet.renew("shop", "i1")
        await one.exchange()
        ends: Any = await one.client.zscore(LEASES, '["shop","i1"]')
        if ends > began:
            return
    raise AssertionError("the lease ends when it always did")


async def test_who_leaves_one_leaves_all(pair: tuple[Peer, Peer]) -> None:
    one, other = pair
    one.hear()
    await one.exchange()
    await other.exchange()

    other.fleet.remove("shop", "i1")
    await other.exchange()
    await one.exchange()

    assert one.knows() == other.knows() == []


async def test_an_address_is_that_of_who_was_heard_of_last_everywhere(
    pair: tuple[Peer, Peer],
) -> None:
    one, other = pair
    one.hear("shop", lease=10.0)
    await one.exchange()
    other.hear("cart", lease=15.0)  # Before the other has looked.
    await other.exchange()
    await one.exchange()
    del one.changes[:], other.changes[:]

    await one.exchange()
    await other.exchange()

    assert one.knows() == other.knows() == [("cart", "i1")]
    assert one.changes == other.changes == []


async def test_what_is_in_the_settings_or_stale_is_not_told(pair: tuple[Peer, Peer]) -> None:
    one, other = pair
    one.hear(port=1, lease=None)
    one.hear(port=2, stale=True)

    await one.exchange()
    await other.exchange()

    assert other.knows() == []


async def test_redis_forgets_all_when_the_last_lease_is_over(pair: tuple[Peer, Peer]) -> None:
    one, _ = pair
    one.hear(lease=5.0)

    await one.exchange()

    for key in (LEASES, OFFERS):
        assert 0 < await one.client.pttl(key) <= 5_000


async def test_a_redis_that_was_away_and_has_lost_all_is_told_again(
    pair: tuple[Peer, Peer], valkey: Server
) -> None:
    one, other = pair
    one.hear(port=1)
    await one.exchange()

    valkey.stop()
    one.hear(port=2)
    await one.exchange()
    alone = one.knows()
    valkey.start()
    one.fleet.renew("shop", "i1")
    await one.exchange()
    await other.exchange()

    assert alone == [("shop", "i1"), ("shop", "i2")]
    assert sorted(other.knows()) == one.knows() == alone


async def test_a_cluster_shares_what_one_is_told(tmp_path: Path) -> None:
    nodes = start_cluster(tmp_path, 3)
    one, other = (
        Peer(redis.asyncio.RedisCluster(host="127.0.0.1", port=node.port)) for node in nodes[:2]
    )
    one.hear()

    await one.exchange()
    await other.exchange()

    assert other.knows() == [("shop", "i1")]
    for each in (one, other):
        await each.client.aclose()
    for node in nodes:
        node.stop()


async def test_a_cluster_that_is_away_ends_nothing() -> None:
    alone = Peer(redis.asyncio.RedisCluster(host="127.0.0.1", port=free_port()))
    alone.hear()

    with structlog.testing.capture_logs() as logs:
        await alone.exchange()

    assert alone.knows() == [("shop", "i1")]
    assert [line["error"] for line in logs] == ["RedisClusterException"]


async def test_what_is_not_ours_is_told_once_and_hides_nothing(
    pair: tuple[Peer, Peer], valkey: Server
) -> None:
    one, other = pair
    one.hear(port=1)
    one.hear(port=2)
    await one.exchange()
    with valkey.admin() as admin:
        admin.hset(OFFERS, '["shop","i1"]', "not ours")

    with structlog.testing.capture_logs() as logs:
        await other.exchange()
        await other.exchange()

    assert other.knows() == [("shop", "i2")]
    assert [line["offer"] for line in logs] == ['["shop","i1"]']


async def test_who_registers_at_one_gets_requests_of_the_others(
    hosts: Callable[[int], list[Any]], valkey: Server, tmp_path: Path
) -> None:
    (host,) = hosts(1)
    told = {"REDIS_ADDR": f"127.0.0.1:{valkey.port}"}
    async with (
        running(tmp_path / "one", **told) as (_, one),
        running(tmp_path / "other", **told) as (parts, other),
    ):
        assert parts.shared is not None
        await one.post("/services/shop/instances", json={"url": host.url})
        for _ in range(1_000):
            await parts.shared.exchange()
            if parts.fleet.group("shop"):
                break
        answer = await other.get("/proxy/shop/cart")
        health = (await other.get("/health")).json()

    assert answer.status_code == 200
    assert host.asked == ["GET /cart"]
    assert not health["dependencies"]["redis"]["required"]
