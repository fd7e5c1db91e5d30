"""The client of a service's Redis is made from the README's settings."""

from typing import Any

import pytest
import redis.asyncio

from uat_service.redis_client import redis_client
from uat_service.settings import Settings

SECRET = "hunter2"  # noqa: S105 - of nobody


def settings(**variables: str) -> Settings:
    return Settings.read("shop", {f"REDIS_{name}": value for name, value in variables.items()})


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("10.0.0.7:7000", "10.0.0.7", 7000),
        ("redis", "redis", 6379),
        ("[::1]:7000", "::1", 7000),
    ],
)
def test_an_address_is_a_host_and_a_port(address: str, host: str, port: int) -> None:
    client = redis_client(settings(ADDR=address, DB="3", PASSWORD=SECRET))

    assert isinstance(client, redis.asyncio.Redis)
    told = client.connection_pool.connection_kwargs
    assert (told["host"], told["port"], told["db"]) == (host, port, 3)
    assert told["password"] == SECRET


def test_several_addresses_are_nodes_of_a_cluster() -> None:
    client = redis_client(settings(ADDR="10.0.0.7, 10.0.0.8:7000", PASSWORD=SECRET))

    assert isinstance(client, redis.asyncio.RedisCluster)
    assert sorted(client.nodes_manager.startup_nodes) == ["10.0.0.7:6379", "10.0.0.8:7000"]
    assert client.connection_kwargs["password"] == SECRET


@pytest.mark.parametrize("addresses", ["10.0.0.7", "10.0.0.7,10.0.0.7"])
@pytest.mark.parametrize("own", ["", "swordfish"])
def test_with_a_name_they_are_sentinels_which_are_told_a_password_of_their_own(
    addresses: str, own: str
) -> None:
    client = redis_client(
        settings(ADDR=addresses, SENTINEL="set", SENTINEL_PASSWORD=own, DB="3", PASSWORD=SECRET)
    )

    assert isinstance(client, redis.asyncio.Redis)
    pool: Any = client.connection_pool
    told = pool.connection_kwargs
    assert (pool.service_name, told["db"], told["password"]) == ("set", 3, SECRET)
    for sentinel in pool.sentinel_manager.sentinels:
        asked = sentinel.connection_pool.connection_kwargs
        assert (asked["host"], asked["port"], asked["password"]) == ("10.0.0.7", 26379, own or None)
        assert asked["retry"].get_retries() == 0


def test_without_an_address_there_is_none() -> None:
    assert redis_client(settings()) is None
