"""The service within this process, on a clock that the test moves; and as a process of its own."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx2
import pytest
from tests.service.framework.running import Running, started
from tests.service.store.conftest import server

from uat_platform.auth.parts import Parts
from uat_platform.auth.settings import AuthSettings
from uat_platform.auth.wiring import serving
from uat_resilience.testing import FakeClock
from uat_service.store import Store

__all__ = ["server"]

BEGAN = 1_800_000_000.0
CHEAP = {"PASSWORD_MEMORY": "64", "PASSWORD_PASSES": "1", "REQUESTS_PER_MINUTE": "100000"}


class Start(Protocol):
    """Starts a process."""

    def __call__(self, **variables: str) -> AbstractContextManager[Running]: ...


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> FakeClock:
    """Stands at some moment after 1970."""
    return FakeClock(BEGAN)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with keys in it, which take a while to make."""
    file = tmp_path_factory.mktemp("prepared") / "auth.db"

    async def prepare() -> None:
        told = {"DATABASE_URL": f"sqlite:///{file}", **CHEAP}
        parts = Parts(AuthSettings.read("auth", told), now=lambda: BEGAN)
        async with parts.lifespan():
            await parts.signing()

    asyncio.run(prepare())
    return file


@pytest.fixture
def url(prepared: Path, tmp_path: Path) -> str:
    """The URL of a database of SQLite."""
    shutil.copy(prepared, tmp_path / "auth.db")
    return f"sqlite:///{tmp_path}/auth.db"


@pytest.fixture
def empty_postgresql(server: str) -> str:
    """The URL of an empty database of PostgreSQL."""

    async def clear() -> None:
        store = Store(server)
        for statement in ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public"):
            await store.write(lambda connection, line=statement: connection.exec_driver_sql(line))
        await store.close()

    asyncio.run(clear())
    return server


@pytest.fixture
def told() -> dict[str, str]:
    """Settings of the service in this process; a module may have others."""
    return {}


@pytest.fixture
async def parts(told: dict[str, str], url: str, clock: FakeClock) -> AsyncGenerator[Parts]:
    """What the service is made of, with its database."""
    variables = {"DATABASE_URL": url, "ISSUER": "https://auth.test", **CHEAP, **told}
    parts = Parts(AuthSettings.read("auth", variables), now=clock.now)
    await parts.signing()
    async with parts.lifespan():
        yield parts


@pytest.fixture
async def client(parts: Parts) -> AsyncGenerator[httpx2.AsyncClient]:
    """Asks the service in this process."""
    transport = httpx2.ASGITransport(serving(parts))
    async with httpx2.AsyncClient(transport=transport, base_url="https://auth.test") as client:
        yield client


@pytest.fixture
async def ann(client: httpx2.AsyncClient) -> dict[str, Any]:
    """What Ann was answered when she registered."""
    answer = await client.post("/auth/register", json=ANN)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


ANN = {"email": "Ann@Example.com", "username": "ann", "password": "correct horse"}


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Start the service as a process, which is the issuer at its own address."""

    @contextmanager
    def start(**variables: str) -> Generator[Running]:
        database = f"sqlite:///{tmp_path_factory.mktemp('auth')}/auth.db"
        database = variables.get("AUTH_DATABASE_URL", database)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            told = {
                "AUTH_DATABASE_URL": database,
                "AUTH_ISSUER": f"http://127.0.0.1:{listener.getsockname()[1]}",
                **{f"AUTH_{name}": value for name, value in CHEAP.items()},
                **variables,
            }
            number = listener.fileno()
            with started(
                "uat_platform.auth.app:service", "--fd", str(number), descriptors=(number,), **told
            ) as running:
                running.database = database
                running.listening()
                yield running
                running.stop()

    return start


@pytest.fixture(scope="session")
def running(start: Start) -> Generator[Running]:
    """The service as a process, one for all tests that do not disturb each other."""
    with start() as running:
        yield running


@pytest.fixture(scope="session")
def administrator(running: Running) -> str:
    """Make an administrator on the machine itself, and return a token of theirs."""
    told = {"email": "root@example.com", "password": "correct horse"}
    command = [sys.executable, "-m", "uat_platform.auth", "create-admin", told["email"]]
    subprocess.run(  # noqa: S603 - our own module
        [*command, "--password-file", "-"],
        env={**os.environ, "AUTH_DATABASE_URL": running.database},
        input=told["password"],
        encoding="utf-8",
        check=True,
        capture_output=True,
    )
    with running.client() as client:
        answer = client.post("/auth/login", json=told)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["token"]
        return token
