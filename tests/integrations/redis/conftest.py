"""Servers and clients for these tests. They run in real time: a server knows no other."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from tests.integrations.redis.driving import Driver, Tasks, Threads
from tests.integrations.redis.servers import VALKEY, Server

from uat_resilience.integrations.redis import RedisLink


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    server = Server(tmp_path_factory.mktemp("valkey"))
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have links wait for a Redis that a busy machine keeps from answering, where a test says nothing else."""
    monkeypatch.setitem(RedisLink.__init__.__kwdefaults__, "timeout", 5.0)


@pytest.fixture
def server(shared_server: Server) -> Server:
    """A server that knows nothing, for tests that leave it alive."""
    with shared_server.admin() as admin:
        admin.flushall()
        admin.script_flush()
        admin.config_resetstat()
    return shared_server


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers that a test may do anything to."""
    started: list[Server] = []

    def start(*settings: str, binary: str = VALKEY) -> Server:
        started.append(Server(tmp_path, *settings, binary=binary))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(params=[Threads, Tasks], ids=["sync", "asyncio"])
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """Sync code, or asyncio."""
    driver: Driver = request.param()
    yield driver
    driver.close()


@pytest.fixture
def tasks() -> Iterator[Tasks]:
    """An event loop and its clients."""
    tasks = Tasks()
    yield tasks
    tasks.close()
