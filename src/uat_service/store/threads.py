"""The threads of SQLite's connections: aiosqlite gives one to each, which answers the event loop.

It waits for the end of a thread when a connection is closed, but not when one could not be opened, or when
whoever closes it is cancelled meanwhile. Such a thread would answer a loop that is closed.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import aiosqlite

__all__ = ["Threads"]


class Threads:
    """Open connections, and wait for the threads of those that are closed. Belongs to one event loop."""

    def __init__(self) -> None:
        self._ending = list[threading.Thread]()

    async def connect(self, *args: Any, **options: Any) -> aiosqlite.Connection:  # noqa: ANN401 - handed on
        """Open a connection with the arguments of `sqlite3.connect`.

        Raises:
            sqlite3.OperationalError: The file cannot be opened.
        """
        return await _Connection(partial(sqlite3.connect, *args, **options), self._ends)

    async def ended(self) -> None:
        """Wait for the threads of the connections that were closed, each of which ends its query first."""
        for each in self._ending:
            await asyncio.to_thread(each.join)

    def _ends(self, thread: threading.Thread) -> None:
        self._ending = [each for each in self._ending if each.is_alive()]
        self._ending.append(thread)


class _Connection(aiosqlite.Connection):
    """One that says whose end is near."""

    def __init__(
        self, connector: Callable[[], sqlite3.Connection], ends: Callable[[threading.Thread], None]
    ) -> None:
        super().__init__(connector, iter_chunk_size=64)
        # One that nobody closes must not keep the process alive. SQLAlchemy sees to it where it opens them itself.
        self._thread.daemon = True
        self._ends = ends

    async def close(self) -> None:
        self._ends(self._thread)
        await super().close()

    def stop(self) -> "asyncio.Future[Any] | None":
        self._ends(self._thread)
        return super().stop()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - a bare Future there
