"""A server that misbehaves as told, and the HTTP libraries that meet it."""

from collections.abc import Generator
from typing import Any

import pytest
from tests.integrations.http.drivers import DRIVERS, Client, Driver
from tests.integrations.http.servers import RawServer

from uat_resilience.testing import instant


@pytest.fixture
def server() -> Generator[RawServer]:
    """A raw server that says OK until it is given another script."""
    running = RawServer()
    yield running
    running.stop()


@pytest.fixture(params=DRIVERS, ids=lambda driver: driver.name)
def driver(request: pytest.FixtureRequest) -> Driver:
    """One HTTP library in one world."""
    return request.param


@pytest.fixture
def client(driver: Driver) -> Generator[Client]:
    """A client with the default policy, whose pauses take no time."""
    opened: Any = driver.open()
    with instant(), opened as guarded:
        yield guarded
