"""The client of a service's Redis is made from the README's settings."""

import pytest

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

    assert client is not None
    told = client.connection_pool.connection_kwargs
    assert (told["host"], told["port"], told["db"]) == (host, port, 3)
    assert told["password"] == SECRET


def test_without_an_address_there_is_none() -> None:
    assert redis_client(settings()) is None
