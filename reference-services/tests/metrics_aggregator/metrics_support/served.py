"""The service in this process, and targets that show what a test wants."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2

from uat_platform.metrics_aggregator.app import served
from uat_platform.metrics_aggregator.parts import Parts
from uat_platform.metrics_aggregator.settings import MetricsSettings

Pages = dict[str, str | Callable[[Any], None]]


def parts(directory: Path, **told: Any) -> Parts:
    """Return what a service is made of that nobody scrapes, unless a test says so."""
    told = {
        "database_url": f"sqlite:///{directory / 'metrics.db'}",
        "load_balancer_url": "none",
        "startup_timeout": 5.0,
        **told,
    }
    return Parts(MetricsSettings(**told))


@asynccontextmanager
async def client(made: Parts) -> AsyncGenerator[httpx2.AsyncClient]:
    """Serve, and return a client."""
    service = served(made)
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.create_task(service(scope, inbox.get, outbox.put))
    await inbox.put({"type": "lifespan.startup"})
    said = await outbox.get()
    assert said["type"] == "lifespan.startup.complete", said
    transport = httpx2.ASGITransport(service)
    try:
        async with httpx2.AsyncClient(transport=transport, base_url="http://metrics") as asking:
            yield asking
    finally:
        await inbox.put({"type": "lifespan.shutdown"})
        await outbox.get()
        await task


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None: ...


@contextmanager
def target(pages: Pages) -> Generator[str]:
    """Serve pages by path, each a text or what writes the answer; yields `host:port`. Others are not found."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path)
            if callable(page):
                page(self)
                return
            body = (page or "").encode()
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            page = pages[self.path]
            assert callable(page)
            page(self)

        def log_message(self, *args: object) -> None: ...

    server = _Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        with suppress(ConnectionError):
            yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
