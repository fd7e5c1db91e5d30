"""A Redis that is several servers: the master that Sentinels name, and the nodes of a Cluster."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread
import pytest
import redis
from redis.crc import key_slot
from redis.exceptions import RedisClusterException
from tests.integrations.redis.servers import (
    Node,
    Replica,
    Sentinel,
    Server,
    free_port,
    start_cluster,
    start_heir,
)
from tests.service.framework.test_redis_dependency import asked

from uat_resilience.integrations.redis import RedisLink, RedisRateLimiter
from uat_resilience.integrations.redis.once import AsyncClient
from uat_service.dependency import Dependency
from uat_service.redis_client import redis_client
from uat_service.resolver import Instance, RedisRegistry
from uat_service.settings import Settings

NAME = "mymaster"
PASSWORD = "hunter2"  # noqa: S105 - of a server that lives as long as a test
HERE = Instance("http://127.0.0.1:8000", id="here")


@pytest.fixture
def master(tmp_path: Path) -> Generator[Server]:
    server = Server(tmp_path, "--repl-diskless-sync-delay", "0")
    yield server
    server.stop()


@pytest.fixture
def replica(tmp_path: Path, master: Server) -> Generator[Server]:
    server = Replica(tmp_path, master)
    yield server
    server.stop()


@pytest.fixture
def sentinel(tmp_path: Path, master: Server, replica: Server) -> Generator[Server]:
    server = Sentinel(tmp_path, NAME, master)
    yield server
    server.stop()


@pytest.fixture
def locked(tmp_path: Path, master: Server, replica: Server) -> Generator[Server]:
    """A Sentinel that wants a password, which its master does not."""
    server = Sentinel(tmp_path, NAME, master, password=PASSWORD)
    yield server
    server.stop()


@pytest.fixture
def silent() -> Generator[int]:
    """The port of one that is connected to, and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Generator[list[Node]]:
    nodes = start_cluster(tmp_path_factory.mktemp("cluster"), 3)
    yield nodes
    for node in nodes:
        node.stop()


@asynccontextmanager
async def connected(
    addresses: str, sentinel: str = "", **variables: str
) -> AsyncGenerator[AsyncClient]:
    """Lend the client of a service that is told this."""
    told = {"REDIS_ADDR": addresses, "REDIS_SENTINEL": sentinel, **variables}
    settings = Settings.read("shop", told)
    client = redis_client(settings)
    assert client is not None
    yield client
    await client.aclose()


def at(*servers: Server | int) -> str:
    ports = [each if isinstance(each, int) else each.port for each in servers]
    return ",".join(f"127.0.0.1:{port}" for port in ports)


def name_in_the_first_half(link: RedisLink) -> str:
    """Return the name of a limit whose keys lie in the first half of the slots."""
    names = (f"calls-{number}" for number in range(100))
    return next(each for each in names if key_slot(link.key(each, "rate").encode()) < 8192)


def decisions(server: Server) -> int:
    """Return how often a server was asked to run a script that it knew."""
    with server.admin() as admin:
        told: dict[str, dict[str, int]] = admin.info("commandstats")
    counts = (told.get(f"cmdstat_{name}", {}) for name in ("eval", "evalsha"))
    return sum(each.get("calls", 0) - each.get("failed_calls", 0) for each in counts)


def connections(admin: redis.Redis) -> int:
    """Return how many a server has to clients like this one, itself included."""
    return sum(each["lib-name"] == "redis-py" for each in admin.client_list())


def first_owner(admin: redis.Redis) -> int:
    """Return the port of the node that has the first slot of a Cluster."""
    slots: list[list[list[int]]] = admin.execute_command("CLUSTER", "SLOTS")
    return slots[0][2][1]


async def ran() -> str:
    return "ran"


async def test_the_master_decides_and_after_its_death_the_new_one(
    master: Server, replica: Server, sentinel: Server, silent: int
) -> None:
    async with connected(at(free_port(), silent, sentinel), NAME) as client:
        link = RedisLink(client, timeout=5.0)
        limiter = RedisRateLimiter(1000, client=link, name="calls")
        assert await limiter.acall(ran) == "ran"
        assert (decisions(master), decisions(replica)) == (1, 0)

        master.stop()
        # Beside the loop, which hears meanwhile that its connection is closed.
        await anyio.to_thread.run_sync(sentinel.wait_until_it_says, "+switch-master")

        assert await limiter.acall(ran) == "ran"
        assert not limiter.snapshot().degraded
        assert decisions(replica) == 1

    with sentinel.admin() as admin:
        # It hears of the end of a connection when it next looks.
        assert any(connections(admin) == 1 for _ in range(1_000))


async def test_a_master_is_well_when_it_is_named_and_takes_commands(
    master: Server, sentinel: Server, silent: int
) -> None:
    gone = free_port()
    told = {
        "named": (at(silent, gone, sentinel), NAME),
        "other": (at(sentinel), "other"),
        "gone": (at(gone), NAME),
    }
    named, other, nobody = [
        await asked(Dependency.redis("redis", address=address, sentinel=name))
        for address, name in told.values()
    ]
    with master.admin() as admin:
        admin.config_set("requirepass", PASSWORD)
    locked = await asked(Dependency.redis("redis", address=at(sentinel), sentinel=NAME))

    assert (named[0], other[0], nobody[0]) == (None, "MasterNotFoundError", "MasterNotFoundError")
    assert locked[0] == "AuthenticationError"


async def test_a_sentinel_that_wants_a_password_is_told_its_own(
    master: Server, locked: Server, tmp_path: Path
) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n", encoding="utf-8")
    async with connected(at(locked), NAME, REDIS_SENTINEL_PASSWORD_FILE=str(secret)) as client:
        limiter = RedisRateLimiter(1000, client=RedisLink(client, timeout=5.0), name="calls")

        assert await limiter.acall(ran) == "ran"
        assert not limiter.snapshot().degraded

    assert decisions(master) == 1


async def test_a_sentinel_that_is_told_another_password_names_nobody(locked: Server) -> None:
    known = {
        each: Settings.read(
            "shop",
            {
                "REDIS_ADDR": at(locked),
                "REDIS_SENTINEL": NAME,
                "REDIS_SENTINEL_PASSWORD": each,
            },
        )
        for each in (PASSWORD, "guess", "")
    }

    answers = {
        each: (await asked(*Dependency.redis_of(settings)))[0] for each, settings in known.items()
    }

    assert answers == {
        PASSWORD: None,
        "guess": "MasterNotFoundError",
        "": "MasterNotFoundError",
    }


async def test_each_node_of_a_cluster_decides_about_what_is_its_own(cluster: list[Node]) -> None:
    before = [decisions(node) for node in cluster]
    async with connected(at(*cluster[:2])) as client:
        link = RedisLink(client, timeout=5.0)
        for number in range(12):
            limiter = RedisRateLimiter(1000, client=link, name=f"calls-{number}")

            assert await limiter.acall(ran) == "ran"
            assert not limiter.snapshot().degraded

    made = [decisions(node) - earlier for node, earlier in zip(cluster, before, strict=True)]
    assert sum(made) == 12
    assert all(made)


async def test_the_heir_of_a_node_that_is_silent_decides(tmp_path: Path) -> None:
    first, other = nodes = start_cluster(tmp_path, 2)
    heir = start_heir(tmp_path, first)
    try:
        async with connected(at(*nodes)) as client:
            link = RedisLink(client, timeout=5.0)
            limiter = RedisRateLimiter(1000, client=link, name=name_in_the_first_half(link))
            assert await limiter.acall(ran) == "ran"

            first.pause()
            with heir.admin() as admin, other.admin() as witness:
                admin.execute_command("CLUSTER", "FAILOVER", "TAKEOVER")
                assert any(first_owner(witness) == heir.port for _ in range(10_000))
            for _ in range(2):  # The first finds out that nobody answers.
                assert await limiter.acall(ran) == "ran"

        assert (decisions(heir), decisions(other)) == (1, 0)
    finally:
        for node in (heir, *nodes):
            node.stop()


async def test_a_cluster_is_well_when_any_node_takes_commands(
    cluster: list[Node], silent: int
) -> None:
    gone = free_port()

    some, none = [
        (await asked(Dependency.redis("redis", address=address)))[0]
        for address in (at(silent, gone, cluster[0]), at(gone, gone))
    ]

    assert (some, none) == (None, "ConnectionError")


async def test_a_cluster_knows_where_services_are(cluster: list[Node]) -> None:
    async with connected(at(*cluster)) as client:
        registry = RedisRegistry(client, timeout=5.0)
        for name in ("shop", "stock", "mail", "search"):
            await registry.announce(name, HERE)
            assert await registry.look_up(name) == [HERE]

            await registry.withdraw(name, HERE)
            assert await registry.look_up(name) == []


async def test_a_cluster_that_is_away_ends_no_announcing() -> None:
    async with connected(at(free_port(), free_port())) as client, asyncio.TaskGroup() as tasks:
        registry = RedisRegistry(client, ttl=0.03, timeout=5.0)
        failed: asyncio.Queue[Exception] = asyncio.Queue()
        announce = registry.announce

        async def noticed(name: str, instance: Instance) -> None:
            try:
                await announce(name, instance)
            except RedisClusterException as error:
                failed.put_nowait(error)
                raise

        registry.announce = noticed
        keeping = tasks.create_task(registry.keep("shop", HERE))
        for _ in range(2):
            await failed.get()
        keeping.cancel()
