"""Processes that share a limit, a cap, and the death of one of them."""

import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
from tests.integrations.redis.driving import Tasks
from tests.integrations.redis.servers import REDIS, Node, Server
from tests.lacking import lacking

from uat_resilience import BulkheadFullError, ConsecutiveFailures
from uat_resilience.integrations.redis import (
    RedisBulkhead,
    RedisLink,
    RedisRateLimiter,
    SharedBreaker,
)

ROOT = Path(__file__).parents[3]


@contextmanager
def working(server: Server, count: int) -> "Generator[list[subprocess.Popen[str]]]":
    """Run processes of a fleet, which begin a part when they are told which."""
    command = [sys.executable, str(Path(__file__).with_name("worker.py")), str(server.port)]
    processes = [
        subprocess.Popen(  # noqa: S603 - our own
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        for _ in range(count)
    ]
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def fleet(shared_server: Server) -> "Iterator[list[subprocess.Popen[str]]]":
    """Four processes."""
    with working(shared_server, 4) as processes:
        yield processes


def tell(process: "subprocess.Popen[str]", what: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{what}\n")
    process.stdin.flush()


def heard(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def all_at_once(fleet: "list[subprocess.Popen[str]]", *parts: str) -> list[int]:
    """Let processes begin when all are ready; return what came of each."""
    for process, part in zip(fleet, parts, strict=True):
        tell(process, part)
    assert [heard(process) for process in fleet] == ["ready"] * len(fleet)
    for process in fleet:
        tell(process, "go")
    return [int(heard(process)) for process in fleet]


@pytest.mark.usefixtures("server")
def test_limit_of_twenty_admits_twenty_over_four_processes(
    fleet: "list[subprocess.Popen[str]]",
) -> None:
    admitted = all_at_once(fleet, "limited", "limited", "limited", "limited")

    assert sum(admitted) == 20


def test_cap_of_three_is_kept_over_four_processes(
    server: Server, fleet: "list[subprocess.Popen[str]]"
) -> None:
    done = all_at_once(fleet, "capped", "capped", "acapped", "acapped")

    assert sum(done) == 40
    with server.admin() as admin:
        assert int(admin.get("inside") or -1) == 0
        assert 1 < int(admin.get("most") or 0) <= 3


def test_slot_of_a_killed_process_is_free_after_its_lease(server: Server) -> None:
    with working(server, 1) as (holder,), redis.Redis(port=server.port) as client:
        tell(holder, "holding")
        assert heard(holder) == "ready"
        link = RedisLink(client, timeout=5)
        refusing = RedisBulkhead(1, client=link, name="fleet", lease=2.0)
        waiting = RedisBulkhead(1, queue=1, client=link, name="fleet", lease=2.0)
        with pytest.raises(BulkheadFullError):
            refusing.call(pytest.fail)

        holder.kill()

        assert waiting.call(lambda: "ran") == "ran"


@pytest.fixture(scope="module", autouse=True)
def starting_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A cluster of one node that starts, which takes two seconds, beside the tests that need none."""
    directory = tmp_path_factory.mktemp("cluster")
    node = Node(directory)
    with node.admin() as admin:
        admin.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    yield node
    node.stop()


@pytest.fixture(scope="module")
def cluster(starting_cluster: Server) -> Server:
    """A cluster of one node, which has all slots and refuses scripts whose keys lie in several."""
    starting_cluster.wait_until_it_says("Cluster state changed: ok")
    return starting_cluster


def test_keys_of_a_policy_lie_in_one_slot_of_a_cluster(cluster: Server) -> None:
    with redis.Redis(port=cluster.port) as client:
        link = RedisLink(client, timeout=5)

        for policy in policies(link):
            assert policy.call(lambda: "ran") == "ran"
            assert not policy.snapshot().degraded


def test_client_of_a_cluster_serves_all_policies(cluster: Server, tasks: Tasks) -> None:
    async def body() -> str:
        return "ran"

    async def main() -> None:
        client = redis.asyncio.RedisCluster(host="127.0.0.1", port=cluster.port)
        link = RedisLink(client, timeout=5)
        for policy in policies(link):
            assert await policy.acall(body) == "ran"
            assert not policy.snapshot().degraded
        await client.aclose()

    tasks.run(main)


def test_sync_client_of_a_cluster_is_refused(cluster: Server) -> None:
    client: Any = redis.RedisCluster(host="127.0.0.1", port=cluster.port)

    with (
        closing(client),
        pytest.raises(TypeError, match=r"clients must be .*, not a RedisCluster$"),
    ):
        RedisLink(client)


def policies(link: RedisLink) -> list[RedisRateLimiter | RedisBulkhead | SharedBreaker]:
    """Return one of each kind; the breaker is about to probe."""
    breaker = SharedBreaker("breaker", client=link, trip=ConsecutiveFailures(1))
    breaker._gate.follow(1e-9)
    return [
        RedisRateLimiter(1000, client=link, name="limiter"),
        RedisBulkhead(1, queue=1, client=link, name="bulkhead"),
        breaker,
    ]


def test_server_behind_a_socket_of_the_file_system_is_reached(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    path = tmp_path / "socket"
    start("--unixsocket", str(path))
    with redis.Redis(unix_socket_path=str(path)) as client:
        limiter = RedisRateLimiter(1, client=client, name="orders")

        assert limiter.call(lambda: "ran") == "ran"
        assert not limiter.snapshot().degraded


def test_redis_serves_all_policies_as_valkey_does(start: Callable[..., Server]) -> None:
    own = start(binary=REDIS or lacking("redis-server", "redis-server"))
    with redis.Redis(port=own.port) as client:
        for policy in policies(RedisLink(client, timeout=5)):
            assert policy.call(lambda: "ran") == "ran"
            assert not policy.snapshot().degraded
