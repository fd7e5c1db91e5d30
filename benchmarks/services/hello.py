"""`python -m benchmarks.services.hello NAME`: one hello route in a process of its own; prints its port."""

import os
import sys
from collections.abc import Callable

import uvicorn
from litestar import Litestar, get
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from uat_resilience.integrations.serving.asgi_types import App
from uat_service.app import Service
from uat_service.server import listening

__all__ = ["HELLOS"]


@get("/", media_type="text/plain")
async def _hello() -> str:
    return "ok"


async def _answer(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


HELLOS: dict[str, Callable[[], App]] = {
    "uat_service": lambda: Service("hello", routes=[_hello]),
    "Litestar": lambda: Litestar([_hello], openapi_config=None, logging_config=None),
    "Starlette": lambda: Starlette(routes=[Route("/", _answer)]),
}


def main(name: str) -> None:
    """Serve one of them with uvicorn until the process is ended."""
    with listening("127.0.0.1", 0) as listener:
        config = uvicorn.Config(
            HELLOS[name](),
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
            reset_contextvars=name == "uat_service",
        )
        print(listener.getsockname()[1], flush=True)
        # The log of a service goes where nobody waits for it, at the price of being written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
