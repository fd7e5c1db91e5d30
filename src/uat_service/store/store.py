"""A database for what must last: SQLite in a file, or PostgreSQL where there is one.

store = Store(os.environ.get("DATABASE_URL") or "sqlite:///.uat/orders.db")
await store.migrate(Path(__file__).parent / "migrations")

async with store.read() as connection: ...             # SQLAlchemy's AsyncConnection
await store.write(lambda connection: connection.execute(insert))
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar, cast

from sqlalchemy import text
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import (
    TimeoutError as PoolTimeoutError,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from uat_resilience._core.arguments import at_least, seconds
from uat_service.store.errors import StoreUnavailableError
from uat_service.store.migrations import MigrationError, found
from uat_service.store.postgresql import Openings, postgresql_engine
from uat_service.store.sqlite import sqlite_engine
from uat_service.store.threads import Threads
from uat_service.store.url import store_url
from uat_service.store.writer import Writer

__all__ = ["Store"]

T = TypeVar("T")
_LOCK = 7_208_191  # Any number: those that migrate one database at the same time agree on it.


class Store:
    """Read and write a database. Belongs to one event loop.

    SQLite runs with a write-ahead log, so that readers never wait for the writer. Every commit is on the disk
    before anybody is told of it. All writes go through one task, which commits together what waits together.

    Trouble with the database itself is a `StoreUnavailableError`, which is answered with 503. A broken rule, such
    as a second row with one key, stays SQLAlchemy's `IntegrityError`.

    Args:
        url: `sqlite:///path` or `postgresql://...`. A file's directory is made.
        connections: To PostgreSQL at most, and readers of SQLite at most.
        patience: Seconds that a connection, or SQLite's lock, is waited for, above 0.
        retry_after: Seconds after which another try makes sense, above 0.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range. The message has no password.
    """

    def __init__(
        self, url: str, *, connections: int = 10, patience: float = 5.0, retry_after: float = 1.0
    ) -> None:
        patience = seconds("patience", patience)
        given = store_url("url", url)
        self.kind = "sqlite" if given.get_backend_name() == "sqlite" else "postgresql"
        self._retry_after = seconds("retry_after", retry_after)
        size = at_least("connections", connections, 1)
        if self.kind == "sqlite":
            threads = Threads()
            self._ended = threads.ended
            self._engine = sqlite_engine(given, threads=threads, readers=size, patience=patience)
        else:
            openings = Openings()
            self._ended = openings.ended
            self._engine = postgresql_engine(
                given, openings=openings, connections=size, patience=patience
            )
        # A transaction that first reads and then writes fails when somebody else wrote in between, without a wait.
        writing = self._engine.execution_options(uat_write=True)
        self._writer = Writer(writing.begin) if self.kind == "sqlite" else None

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """Return a connection to read with; what is written through it is rolled back.

        Raises:
            StoreUnavailableError: The database is away.
        """
        with self._translated():
            async with self._engine.connect() as connection:
                yield connection

    async def write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run something in a transaction, and return what it returns once that is committed.

        Args:
            work: Gets the connection. It must not begin a transaction or wait for anything but the database:
                others that write wait for it.

        Raises:
            StoreUnavailableError: The database is away.
            Exception: What the work raised; its changes are rolled back.
        """
        with self._translated():
            if self._writer is not None:
                return cast("T", await self._writer.write(work))
            async with self._engine.begin() as connection:
                return await work(connection)

    async def migrate(self, directory: Path) -> int:
        """Bring the database up to date; return how many migrations have run.

        Several processes may do so at once: one does, the others wait.

        Raises:
            MigrationError: Files and database do not fit together.
            StoreUnavailableError: The database is away.
        """
        migrations = found(directory, kind=self.kind)

        async def run(connection: AsyncConnection) -> int:
            if self.kind == "postgresql":
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            await connection.execute(text(_TABLE))
            rows = await connection.execute(
                text("SELECT number, digest FROM uat_migrations ORDER BY number")
            )
            done = {int(number): str(digest) for number, digest in rows}
            for number in done:
                if number > len(migrations):
                    raise MigrationError(f"the database is ahead: it has migration {number:04}")
            ran = 0
            for each in migrations:
                if each.number in done:
                    if done[each.number] != each.digest:
                        raise MigrationError(f"{each.name} was changed after it had run")
                    continue
                for statement in each.statements:
                    await connection.exec_driver_sql(statement)
                row = {"number": each.number, "name": each.name, "digest": each.digest}
                await connection.execute(text(_DONE), row)
                ran += 1
            return ran

        return await self.write(run)

    async def check(self) -> None:
        """Ask the database for a sign of life, for health checks.

        Raises:
            StoreUnavailableError: There is none.
        """
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Write what is waiting, and close all connections.

        A query of SQLite that was cancelled is waited for, as it cannot be stopped, and so is a connection to
        PostgreSQL that is just being opened, for `patience` at most.
        """
        if self._writer is not None:
            await self._writer.close()
        await self._engine.dispose()
        await self._ended()

    def _translated(self) -> "_Translated":
        return _Translated(self._retry_after)


class _Translated:
    """Raises `StoreUnavailableError` in place of what means that the database is not there."""

    def __init__(self, retry_after: float) -> None:
        self._retry_after = retry_after

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and _away(error):
            raise StoreUnavailableError("store", retry_after=self._retry_after) from error


def _away(error: BaseException) -> bool:
    """Return whether an error means that the database is not there, and not that the question was wrong."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, OperationalError):
        # SQLite says the same of a table that does not exist.
        return getattr(error.orig, "sqlite_errorname", None) != "SQLITE_ERROR"
    return isinstance(error, _AWAY)


# asyncpg lets errors of the network through as they are.
_AWAY = (InterfaceError, PoolTimeoutError, OSError)
_TABLE = (
    "CREATE TABLE IF NOT EXISTS uat_migrations "
    "(number INTEGER PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL)"
)
_DONE = "INSERT INTO uat_migrations (number, name, digest) VALUES (:number, :name, :digest)"
