"""A service in a process of its own, shut down by SIGTERM: run by test_draining.

It is what docs/how-to/servers.md recommends, with handlers that tell how far the shutdown has come.
"""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from typing import Any

import anyio
import uvicorn

from uat_resilience import GracefulShutdown, HealthRegistry
from uat_resilience.ambient import current_drain
from uat_resilience.integrations.asgi import HealthRoutes, ResilienceMiddleware

health = HealthRegistry()
# The test asks twice inside the delay: it must be long enough for a slow machine.
shutdown = GracefulShutdown(grace=20.0, delay=2.0, health=health)
released = anyio.Event()


class Server(uvicorn.Server):
    """A uvicorn that leaves signals to the shutdown."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/phases":
        async for phase in phases():
            await send({"type": "http.response.body", "body": phase, "more_body": True})
    elif scope["path"] == "/release":
        released.set()
    await send({"type": "http.response.body", "body": b"done"})


async def phases() -> Any:
    yield b"running"
    await shutdown.arequested()
    yield b"announced"
    drain = current_drain.get()
    assert drain is not None
    loop, draining = asyncio.get_running_loop(), asyncio.Event()
    drain.subscribe(lambda: loop.call_soon_threadsafe(draining.set))
    await draining.wait()
    yield b"draining"
    await released.wait()


async def main(listener: socket.socket) -> None:
    shutdown.on_close(lambda: print("closed", flush=True))  # noqa: T201 - the test reads it
    shutdown.install()
    routes = HealthRoutes(health, app=app)
    exempt = ["/health/live", "/health/ready", "/release"]
    guarded = ResilienceMiddleware(routes, shutdown=shutdown, exempt=exempt)
    config = uvicorn.Config(guarded, lifespan="off", log_config=None, ws="websockets-sansio")
    server = Server(config)
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve, [listener])
        await shutdown.arequested()
        print("drained", await shutdown.adrained(), flush=True)  # noqa: T201 - the same
        server.should_exit = True


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)  # noqa: T201 - the same
        asyncio.run(main(listening))
