"""PostgreSQL's connections, each of which is opened to its end, also when nobody waits for it any more.

asyncpg that is cancelled while it asks a server for TLS drops what it began: a socket that is closed later, and a
future whose error nobody asks for, which the event loop reports.
"""

import asyncio
from importlib import import_module
from typing import Any

from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

__all__ = ["Openings", "postgresql_engine"]


class Openings:
    """Open connections, and wait for those whose caller was cancelled meanwhile. Belongs to one event loop."""

    def __init__(self) -> None:
        self._running = set[asyncio.Task[Any]]()

    async def connect(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - handed on
        """Open a connection with the arguments of `asyncpg.connect`.

        Raises:
            OSError, asyncpg.PostgresError: The server is away, or does not let us in.
        """
        # Not at the top: SQLAlchemy imports it for whoever names such a server, and no other needs it.
        driver: Any = import_module("asyncpg")
        opening: asyncio.Task[Any] = asyncio.create_task(driver.connect(*args, **options))
        self._running.add(opening)
        opening.add_done_callback(self._running.discard)
        try:
            await asyncio.wait((opening,))
        except BaseException:
            opening.add_done_callback(_drop)
            raise
        return opening.result()

    async def ended(self) -> None:
        """Wait until none is being opened, which `timeout` among the arguments of each limits."""
        while self._running:
            await asyncio.wait(self._running)


def postgresql_engine(
    url: URL, *, openings: Openings, connections: int, patience: float
) -> AsyncEngine:
    """Return an engine for a server.

    Args:
        url: Names the server.
        openings: Those that its connections come from.
        connections: At most.
        patience: Seconds that a connection is waited for.
    """
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=patience,
        pool_pre_ping=True,
        connect_args={"timeout": patience, "async_creator_fn": openings.connect},
    )


def _drop(opening: "asyncio.Task[Any]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().terminate()
