"""A Redis as a dependency: there when it takes commands, and found out in time when it does not."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.integrations.redis.servers import Server

from uat_resilience import HealthRegistry
from uat_service.dependency import Dependency

PASSWORD = "hunter2 \r\n"  # noqa: S105 - of a server that lives as long as a test. Whatever is in it, it is sent as one word.


@pytest.fixture
def server(tmp_path: Path) -> Generator[Server]:
    server = Server(tmp_path)
    yield server
    server.stop()


async def asked(dependency: Dependency) -> tuple[str | None, bool]:
    """Run the check once; return the type of its error, and whether the service could go on."""
    health = HealthRegistry()
    dependency.register(health)
    await health.arefresh()
    report = health.report()
    return report.checks["redis"].error, not report.checks["redis"].critical


async def test_a_redis_is_there_while_it_takes_commands(server: Server) -> None:
    redis = Dependency.redis("redis", address=f"127.0.0.1:{server.port}")

    there = await asked(redis)
    server.stop()
    lost = await asked(redis)

    assert there == (None, True)
    assert lost == ("ConnectionError", True)


async def test_a_redis_that_is_silent_is_given_up_in_time(server: Server) -> None:
    address = f"127.0.0.1:{server.port}"
    redis = Dependency("redis", Dependency.redis("redis", address=address).check, timeout=0.1)

    server.pause()
    try:
        silent = await asked(redis)
    finally:
        server.resume()

    assert silent[0] == "TimedOutError"


async def test_a_redis_that_wants_another_password_refuses(server: Server) -> None:
    address = f"127.0.0.1:{server.port}"
    with server.admin() as admin:
        admin.config_set("requirepass", PASSWORD)

    right = await asked(
        Dependency.redis("redis", address=address, password=PASSWORD, required=True)
    )
    wrong = [
        await asked(Dependency.redis("redis", address=address, password=each))
        for each in ("", "guess")
    ]

    assert right == (None, False)
    assert wrong == [("AuthenticationError", True)] * 2


@pytest.mark.parametrize("address", [":6379", "localhost:redis", ""])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"address must be written as host:port"):
        Dependency.redis("redis", address=address)


@pytest.mark.parametrize("argument", ["password", "sentinel", "sentinel_password"])
def test_what_is_no_string_is_refused(argument: str) -> None:
    hidden: Any = {argument: SecretStr("hunter2")}

    with pytest.raises(TypeError, match=rf"^{argument} must be a string, not a SecretStr$"):
        Dependency.redis("redis", address="localhost:6379", **hidden)
