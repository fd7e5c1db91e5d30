"""A real server, in the event loop of the test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import create_server
from typing import Any

import anyio
import uvicorn


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Read the body, then say OK."""
    while (await receive()).get("more_body"):
        pass
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


class Server(uvicorn.Server):
    """A server that says when it has started, and leaves signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = anyio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.up.set()


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[str]:
    """Run the application on a free port; give its URL."""
    listener = create_server(("127.0.0.1", 0), backlog=512)
    config = uvicorn.Config(
        application, log_config=None, access_log=False, lifespan="off", **settings
    )
    server = Server(config)
    async with anyio.create_task_group() as group:
        group.start_soon(server._serve, [listener])
        await server.up.wait()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
