"""The recipe of docs/how-to/databases.md, against a real PostgreSQL server and SQLite."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from tests.lacking import lacking
from tests.recipes.pages import recipe
from tests.recipes.postgres import Postgres, find

from uat_resilience import (
    BreakerState,
    CircuitBreaker,
    CircuitOpenError,
    Pipeline,
    RetryScheduled,
    deadline,
    default_bus,
)
from uat_resilience.testing import FakeClock, captured

T = TypeVar("T")
Scene = Callable[[AsyncEngine, Pipeline], Awaitable[T]]

orders = recipe("databases.md", "orders.py")


@pytest.fixture(scope="module")
def server() -> Generator[Postgres]:
    if find("initdb") is None:
        lacking("PostgreSQL server", "postgresql")
    made = Postgres()
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture
def postgres(server: Postgres) -> Postgres:
    """A server that runs, whatever the test before did to it."""
    server.start()
    return server


@asynccontextmanager
async def engine_for(url: str, **settings: object) -> AsyncGenerator[AsyncEngine]:
    engine = create_async_engine(url, **settings)
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE IF EXISTS orders"))
        await connection.execute(text("CREATE TABLE orders (id text PRIMARY KEY, item text)"))
    try:
        yield engine
    finally:
        await engine.dispose()


def play(url: str, scene: Scene[T], **settings: object) -> T:
    """Run a scene on a loop, an engine and a pipeline of its own, with pauses that pass at once."""

    async def main() -> T:
        async with engine_for(url, **settings) as engine:
            return await scene(engine, orders.guarded("orders-db", connections=5))

    with FakeClock(auto=True):
        return asyncio.run(main())


def breaker_of(pipeline: Pipeline) -> CircuitBreaker:
    return next(each for each in pipeline.policies if isinstance(each, CircuitBreaker))


async def kill_connections(engine: AsyncEngine) -> None:
    """Let the server close every other connection."""
    async with engine.connect() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        )


def test_transaction_that_lost_a_race_is_made_again_from_its_first_read(
    postgres: Postgres,
) -> None:
    async def scene(engine: AsyncEngine, pipeline: Pipeline) -> tuple[str, int]:
        serializable = engine.execution_options(isolation_level="SERIALIZABLE")
        both_have_read = asyncio.Barrier(2)
        attempts = 0

        async def add_one() -> None:
            nonlocal attempts
            attempts += 1
            async with orders.transaction(serializable) as connection:
                row = await connection.execute(text("SELECT item FROM orders WHERE id = 'stock'"))
                stock = int(row.scalar_one())
                if attempts <= 2:
                    await both_have_read.wait()
                await connection.execute(
                    text("UPDATE orders SET item = :item WHERE id = 'stock'"),
                    {"item": str(stock + 1)},
                )

        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO orders VALUES ('stock', '0')"))
        await asyncio.gather(pipeline.acall(add_one), pipeline.acall(add_one))
        async with engine.connect() as connection:
            stock = await connection.execute(text("SELECT item FROM orders WHERE id = 'stock'"))
            return str(stock.scalar_one()), attempts

    stock, attempts = play(postgres.url, scene)

    assert stock == "2"
    assert attempts == 3


def test_lost_race_does_not_count_against_the_database(postgres: Postgres) -> None:
    async def scene(_: AsyncEngine, pipeline: Pipeline) -> int:
        async def deadlock() -> None:
            raise DBAPIError("UPDATE", {}, SqlError("40P01"))

        with pytest.raises(DBAPIError):
            await pipeline.acall(deadlock)
        return breaker_of(pipeline).snapshot().failures

    failures = play(postgres.url, scene)

    assert failures == 0


class SqlError(Exception):
    """What a driver raises."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def test_order_is_there_once_after_the_server_closed_the_connection(postgres: Postgres) -> None:
    async def scene(engine: AsyncEngine, pipeline: Pipeline) -> tuple[int, list[int]]:
        shop = orders.Orders(engine, pipeline)
        await shop.place("order-1", "soap")
        async with engine_for_admin(postgres.url) as admin:
            await kill_connections(admin)
        with captured() as events:
            await shop.place("order-2", "milk")
            await shop.place("order-2", "milk")
        retried = [event.attempt for event in events if isinstance(event, RetryScheduled)]
        return await shop.count(), retried

    count, retried = play(postgres.url, scene)

    assert count == 2
    assert retried == [1]


@asynccontextmanager
async def engine_for_admin(url: str) -> AsyncGenerator[AsyncEngine]:
    engine = create_async_engine(url)
    try:
        yield engine
    finally:
        await engine.dispose()


def test_breaker_opens_while_the_server_is_down_and_closes_when_it_is_back(
    postgres: Postgres,
) -> None:
    async def scene(engine: AsyncEngine, pipeline: Pipeline, clock: FakeClock) -> list[str]:
        shop, seen = orders.Orders(engine, pipeline), []
        breaker = breaker_of(pipeline)
        postgres.stop()
        for _ in range(3):
            try:
                await shop.place("order-1", "soap")
            except (OSError, DBAPIError):
                seen.append("failed")
            except CircuitOpenError:
                seen.append("refused")
        seen.append(breaker.state.name)
        postgres.start()
        clock.advance(30.0)
        await shop.place("order-1", "soap")
        return [*seen, breaker.state.name, str(await shop.count())]

    async def main(clock: FakeClock) -> list[str]:
        async with engine_for(postgres.url) as engine:
            return await scene(engine, orders.guarded("orders-db", connections=5), clock)

    with FakeClock(auto=True) as clock:
        seen = asyncio.run(main(clock))

    assert seen == ["failed", "refused", "refused", "OPEN", "CLOSED", "1"]


def test_unique_violation_is_neither_repeated_nor_counted(postgres: Postgres) -> None:
    async def scene(engine: AsyncEngine, pipeline: Pipeline) -> tuple[int, int]:
        attempts = 0

        async def insert() -> None:
            nonlocal attempts
            attempts += 1
            async with orders.transaction(engine) as connection:
                await connection.execute(text("INSERT INTO orders VALUES ('order-1', 'soap')"))

        await pipeline.acall(insert)
        with pytest.raises(IntegrityError):
            await pipeline.acall(insert)
        return attempts, breaker_of(pipeline).snapshot().failures

    attempts, failures = play(postgres.url, scene)

    assert attempts == 2
    assert failures == 0


def test_statement_ends_on_the_server_when_nothing_is_left_of_the_deadline(
    postgres: Postgres,
) -> None:
    async def scene(engine: AsyncEngine, _: Pipeline) -> str:
        # The clock stands still, so nothing but the server can end this.
        async with deadline(0.05):
            with pytest.raises(DBAPIError) as failed:
                async with orders.transaction(engine) as connection:
                    await connection.execute(text("SELECT pg_sleep(60)"))
        return str(orders.sqlstate(failed.value))

    state = play(postgres.url, scene)

    assert state == "57014"


def test_cancelled_transaction_gives_its_connection_back(postgres: Postgres) -> None:
    async def scene(engine: AsyncEngine, pipeline: Pipeline) -> tuple[int, int]:
        begun = asyncio.Event()

        async def hang() -> None:
            async with orders.transaction(engine) as connection:
                await connection.execute(text("INSERT INTO orders VALUES ('lost', 'soap')"))
                begun.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(pipeline.acall(hang))
        await begun.wait()
        task.cancel()
        await asyncio.wait([task])
        shop = orders.Orders(engine, pipeline)
        return await shop.count(), breaker_of(pipeline).snapshot().failures

    count, failures = play(postgres.url, scene, pool_size=1, max_overflow=0)

    assert count == 0
    assert failures == 0


def test_locked_sqlite_file_is_tried_again_and_not_counted(tmp_path: Path) -> None:
    file = tmp_path / "orders.db"

    async def scene(engine: AsyncEngine, pipeline: Pipeline) -> tuple[int, int]:
        shop = orders.Orders(engine, pipeline)
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        stop = default_bus.subscribe(lambda _: other.execute("ROLLBACK"), RetryScheduled)
        try:
            await shop.place("order-1", "soap")
        finally:
            stop()
            other.close()
        return await shop.count(), breaker_of(pipeline).snapshot().failures

    count, failures = play(f"sqlite+aiosqlite:///{file}", scene, connect_args={"timeout": 0})

    assert count == 1
    assert failures == 0


def test_sqlite_file_that_stays_locked_is_given_up_with_its_own_error(tmp_path: Path) -> None:
    file = tmp_path / "orders.db"

    async def scene(engine: AsyncEngine, pipeline: Pipeline) -> BreakerState:
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            with pytest.raises(DBAPIError, match="database is locked"):
                await orders.Orders(engine, pipeline).place("order-1", "soap")
        finally:
            other.close()
        return breaker_of(pipeline).state

    state = play(f"sqlite+aiosqlite:///{file}", scene, connect_args={"timeout": 0})

    assert state is BreakerState.CLOSED
