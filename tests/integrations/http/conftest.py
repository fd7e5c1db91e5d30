"""A server that misbehaves as told, and the HTTP libraries that meet it."""

import time
from collections.abc import Callable, Generator, Iterator
from importlib.metadata import version
from typing import Any

import pytest
from tests.integrations.http.drivers import DRIVERS, Client, Driver
from tests.integrations.http.servers import RawServer

from uat_resilience.testing import FakeClock, instant

CLOSES_WHAT_WAS_CANCELLED = (4, 16)
"""The anyio that the extras httpx and httpx2 ask for; the library itself works with earlier ones."""

cancels_connections = pytest.mark.skipif(
    tuple(int(part) for part in version("anyio").split(".")[:2]) < CLOSES_WHAT_WAS_CANCELLED,
    reason="anyio before 4.16 leaves the socket of a cancelled connection open",
)


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


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """Let seconds pass, for the library's clock and for the machine's."""
    real, shift = time.monotonic, [0.0]  # noqa: TID251 - the libraries read it
    monkeypatch.setattr(time, "monotonic", lambda: real() + shift[0])

    with FakeClock() as clock:

        def move(seconds: float) -> None:
            shift[0] += seconds
            clock.advance(seconds)

        yield move
