"""Both databases, each empty for each test."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from tests.lacking import lacking
from tests.recipes.postgres import Postgres, find

from uat_service.store import Store

Run = Callable[[Callable[[Store], Awaitable[Any]]], Any]


@pytest.fixture(scope="session")
def server() -> Generator[str]:
    if find("initdb") is None:
        lacking("PostgreSQL", "postgresql")
    server = Postgres()
    server.start()
    yield server.url
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/deep/store.db"
    server: str = request.getfixturevalue("server")

    async def clear() -> None:
        store = Store(server)
        await store.write(
            lambda connection: connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        )
        await store.write(lambda connection: connection.exec_driver_sql("CREATE SCHEMA public"))
        await store.close()

    asyncio.run(clear())
    return server


@pytest.fixture
def run(url: str) -> Run:
    """Run something with a store, in real time: a database knows no other."""

    def run(work: Callable[[Store], Awaitable[Any]]) -> Any:
        async def main() -> Any:
            store = Store(url)
            try:
                return await work(store)
            finally:
                await store.close()

        return asyncio.run(main())

    return run
