"""`python -m benchmarks.services.hello NAME`: one hello route in a process of its own; prints its port."""

import gc
import os
import sys
from collections.abc import Callable
from typing import Any, cast

import uvicorn
from litestar import Litestar, get
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from uat_resilience.integrations.serving.asgi_types import App
from uat_service.app import Service
from uat_service.server import Server, listening

__all__ = ["HELLOS"]


@get("/", media_type="text/plain")
async def _hello() -> str:
    return "ok"


async def _answer(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


def _service() -> uvicorn.Server:
    """Return what `python -m uat_service.serve` runs, and leave out of the search for garbage what that does."""
    service = Service("hello", routes=[_hello])
    settings = service.settings
    gc.freeze()
    return Server(
        service.asgi,
        shutdown=service.shutdown,
        delay=settings.shutdown_delay,
        grace=settings.shutdown_grace,
    )


def _bare(app: App, *, access_log: bool = False) -> uvicorn.Server:
    """Return uvicorn for one of the others, without a log or with that which it writes when nobody says."""
    config = uvicorn.Config(
        cast("Any", app), http="httptools", access_log=access_log, server_header=False
    )
    return uvicorn.Server(config)


def _litestar() -> App:
    return Litestar([_hello], openapi_config=None, logging_config=None)


HELLOS: dict[str, Callable[[], uvicorn.Server]] = {
    "uat_service": _service,
    "Litestar": lambda: _bare(_litestar()),
    "Litestar, access log": lambda: _bare(_litestar(), access_log=True),
    "Starlette": lambda: _bare(Starlette(routes=[Route("/", _answer)])),
}


def main(name: str) -> None:
    """Serve one of them until the process is ended."""
    with listening("127.0.0.1", 0) as listener:
        server = HELLOS[name]()
        print(listener.getsockname()[1], flush=True)
        # Logs go where nobody waits for them, at the price of being written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        server.run([listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
