"""Sync clients of the master of a set, which its Sentinels name."""

import socket
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.sentinel import Sentinel as Sentinels
from tests.integrations.redis.driving import Threads
from tests.integrations.redis.servers import Replica, Sentinel, Server, free_port

from uat_resilience.integrations.redis import RedisLink, RedisRateLimiter

NAME = "mymaster"
PASSWORD = "hunter2"  # noqa: S105 - of a server that lives as long as a test


@pytest.fixture
def silent() -> Generator[int]:
    """The port of one that is connected to, and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def several(tmp_path: Path) -> Iterator[tuple[Server, Server, Server]]:
    """A master, its replica, and a Sentinel that wants a password."""
    master = Server(tmp_path, "--repl-diskless-sync-delay", "0")
    replica = Replica(tmp_path, master)
    sentinel = Sentinel(tmp_path, NAME, master, password=PASSWORD)
    yield master, replica, sentinel
    for server in (sentinel, replica, master):
        server.stop()


def of_the_master(*ports: int) -> redis.Redis:
    """Return a client as redis-py makes it, with the defaults that take up to a minute for each Sentinel."""
    addresses = [("127.0.0.1", port) for port in ports]
    sentinels: Any = Sentinels(addresses, sentinel_kwargs={"password": PASSWORD})  # type: ignore[no-untyped-call]  # redis-py has no types for this
    client: redis.Redis = sentinels.master_for(NAME)
    return client


def test_the_master_decides_and_after_its_death_the_new_one(
    several: tuple[Server, Server, Server], silent: int
) -> None:
    master, replica, sentinel = several
    client = of_the_master(free_port(), silent, sentinel.port)
    limiter = RedisRateLimiter(9, per=3600, client=RedisLink(client, timeout=2.0), name="calls")

    limiter.call(int)
    before = limiter.snapshot()
    master.stop()
    sentinel.wait_until_it_says("+switch-master")
    with replica.admin() as admin:
        admin.delete("uat:{calls}:rate")
    limiter.call(int)
    after = limiter.snapshot()

    # The new one knows nothing of the call before.
    assert (before.degraded, after.degraded) == (False, False)
    assert [before.available, after.available] == pytest.approx([8, 8], abs=0.1)


def test_every_call_ends_in_time_while_sentinels_are_silent(silent: int) -> None:
    client = of_the_master(silent, silent, silent)
    limiter = RedisRateLimiter(9, per=3600, client=RedisLink(client, timeout=0.05), name="calls")

    left = [Threads().left(limiter, within=4.0) for _ in range(3)]

    assert min(left) > 1.0
    assert limiter.snapshot().degraded
