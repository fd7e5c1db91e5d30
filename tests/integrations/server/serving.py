"""A real uvicorn on a free port of the loopback, in a thread of this process."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import uvicorn

__all__ = ["Served", "serving"]

PATIENCE = 20.0  # Seconds until a test gives up; nothing that works comes near it.


@dataclass(frozen=True)
class Served:
    """Where an application is served."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        """Return a connection of one's own."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets=sockets)
        self.up.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._stopping.wait()

    def stop(self) -> None:
        """Stop at once: uvicorn by itself looks ten times a second whether it should."""
        self._loop.call_soon_threadsafe(self._stopping.set)


@contextmanager
def serving(app: Any, **options: Any) -> Generator[Served]:
    """Serve an application while the block lasts."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
        **{"lifespan": "auto", "ws": "websockets-sansio", **options},
    )
    server = _Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        assert server.up.wait(PATIENCE)
        try:
            yield Served(listener.getsockname()[1])
        finally:
            server.stop()
            thread.join(PATIENCE)
            assert not thread.is_alive()
