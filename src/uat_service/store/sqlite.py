"""SQLite the way a service wants it: a write-ahead log, commits that last, and transactions that are its own."""

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from uat_resilience import EventBus, Exponential, Retry
from uat_service.store.threads import Threads

__all__ = ["sqlite_engine"]


def sqlite_engine(url: URL, *, threads: Threads, readers: int, patience: float) -> AsyncEngine:
    """Return an engine for a file, whose directory is made.

    A transaction writes when its connection has the execution option `uat_write`.

    Args:
        url: Names the file.
        threads: Those that the connections live in.
        readers: Connections besides the one that writes.
        patience: Seconds that a connection, or the file's lock, is waited for.
    """
    _make(Path(str(url.database)))
    engine = create_async_engine(
        url.set(drivername="sqlite+aiosqlite"),
        pool_size=readers,
        max_overflow=1,
        pool_timeout=patience,
        connect_args={"timeout": patience, "async_creator_fn": threads.connect},
    )
    # SQLite's own patience has gaps: while somebody else changes a new file to a write-ahead log, or puts the
    # log away as the last to close it, all others are told at once that it is locked.
    while_locked = Retry(
        _locked,
        attempts=None,
        time_limit=patience,
        backoff=Exponential(0.005, maximum=0.1),
        bus=EventBus(),
    )

    def execute(connection: Any, line: str) -> None:  # noqa: ANN401 - SQLAlchemy's coat of one
        @while_locked
        async def run(raw: Any) -> None:  # noqa: ANN401 - a driver's connection
            await (await raw.execute(line)).close()

        try:
            connection.run_async(run)
        except sqlite3.OperationalError as error:
            raise OperationalError(line, None, error) from error

    def prepare(connection: Any, _: object) -> None:  # noqa: ANN401 - a driver's connection
        connection.isolation_level = None  # So that BEGIN is ours, and DDL part of a transaction.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            execute(connection, f"PRAGMA {pragma}")

    def begin(connection: Any) -> None:  # noqa: ANN401 - an event's connection
        writes = connection.get_execution_options().get("uat_write", False)
        execute(connection.connection.dbapi_connection, "BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine.sync_engine, "connect", prepare)
    event.listen(engine.sync_engine, "begin", begin)
    return engine


def _make(file: Path) -> None:
    """Make an empty file that only its owner reads: passwords and keys may be in it. SQLite's logs follow it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):  # Whoever opens it says what is wrong.
        file.touch(mode=0o600)


def _locked(error: Exception) -> bool:
    # The lowest byte; the others say in what it is busy.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
