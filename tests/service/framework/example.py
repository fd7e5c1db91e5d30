"""A service with something of each kind: started by the tests in a process of its own."""

import gc
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import anyio
import structlog
from litestar import Litestar, Request, WebSocket, get, post, route, websocket
from litestar.background_tasks import BackgroundTask
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, WebSocketException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath
from litestar.response import Response
from litestar.types import ASGIApp

from uat_resilience import CircuitBreaker, remaining
from uat_resilience.integrations.headers import current_correlation
from uat_service.app import Service
from uat_service.dependency import Dependency
from uat_service.events import Event, EventStream
from uat_service.streaming import Streamed

logger = structlog.get_logger()
breaker = CircuitBreaker("warehouse")
owner: ContextVar[str] = ContextVar("owner", default="nobody")


def nobody(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    raise NotAuthorizedException(detail="who are you?")


@get("/orders/{order_id:int}")
async def order(order_id: FromPath[int]) -> dict[str, int]:
    return {"id": order_id}


@post("/orders", request_max_body_size=100)
async def place(request: Request[Any, Any, Any]) -> dict[str, int]:
    return {"length": len(await request.body())}


@get("/secret", guards=[nobody])
async def secret() -> None: ...


@get("/crash")
async def crash() -> None:
    raise RuntimeError("hunter2")


@get("/open")
async def opened() -> None:
    breaker.force_open()
    await breaker.acall(anyio.lowlevel.checkpoint)


@post("/context", request_max_body_size=None)
async def context(request: Request[Any, Any, Any]) -> dict[str, object]:
    """Tell what was there before the body was read, and leave something behind."""
    correlation, bound = current_correlation.get(), structlog.contextvars.get_contextvars()
    told = {
        "request_id": None if correlation is None else correlation.request_id,
        "remaining": remaining() is not None,
        "bound": bound,
        "owner": owner.get(),
    }
    owner.set("somebody else")
    structlog.contextvars.bind_contextvars(user="somebody else")
    await request.body()
    return told


@get("/broken")
async def broken() -> ASGIApp:
    async def chunks() -> AsyncGenerator[bytes]:
        yield b"half"
        raise RuntimeError("hunter2")

    return Streamed(chunks(), media_type="text/plain")


@get("/stream")
async def stream() -> ASGIApp:
    async def chunks() -> AsyncGenerator[bytes]:
        try:
            yield b"first"
            await anyio.sleep_forever()
        finally:
            await anyio.lowlevel.checkpoint()
            logger.info("cleaned up")

    return Streamed(chunks(), media_type="text/plain")


@get("/flood")
async def flood() -> ASGIApp:
    """Be cut while a chunk is on its way, and not between two."""

    async def chunks() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"x" * 65_536
        finally:
            await anyio.lowlevel.checkpoint()
            logger.info("cleaned up")

    return Streamed(chunks(), media_type="text/plain")


@get("/events")
async def watch() -> ASGIApp:
    async def source() -> AsyncGenerator[Event]:
        yield Event("one", id="1")
        await anyio.sleep_forever()

    return EventStream(source())


def release() -> None:
    """Wait until the test opens the other end."""
    with Path(os.environ["GATE"]).open("rb") as gate:
        gate.read()


@get("/slow")
async def slow() -> str:
    logger.info("slow begins")
    await anyio.to_thread.run_sync(release, abandon_on_cancel=True)
    return "finished"


@route("/wait", http_method=["GET", "POST"])
async def wait() -> str:
    logger.info("wait begins")
    try:
        await anyio.sleep_forever()
    finally:
        logger.info("wait ends", cancelled=True)


@get("/job")
async def job() -> Response[str]:
    async def work() -> None:
        await anyio.to_thread.run_sync(release, abandon_on_cancel=True)
        logger.info("job done")

    return Response("begun", background=BackgroundTask(work))


@websocket("/ws")
async def talk(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.accept()
    async for text in socket.iter_data():
        await socket.send_text(text)


@websocket(["/early/{what:str}", "/late/{what:str}"])
async def fail(socket: WebSocket[Any, Any, Any], what: FromPath[str]) -> None:
    if socket.url.path.startswith("/late"):
        await socket.accept()
    if what == "refused":
        raise NotAuthorizedException(detail="who are you?")
    if what == "own":
        raise WebSocketException(detail="in words of its own", code=4321)
    await (opened.fn() if what == "open" else crash.fn())


@asynccontextmanager
async def database(_: Litestar) -> AsyncGenerator[None]:
    yield
    logger.info("database closed")


async def answers() -> None: ...


async def hangs() -> None:
    await anyio.sleep_forever()


async def raises() -> None:
    raise RuntimeError("hunter2")


def details() -> dict[str, object]:
    if os.environ.get("DETAILS") == "raise":
        raise RuntimeError("hunter2")
    return {
        "service": "order-desk",
        "orders": 3,
        "status": "always fine",
        "frozen": gc.get_freeze_count(),
    }


service = Service(
    "orders",
    version="1.2.3",
    routes=[
        broken,
        context,
        crash,
        fail,
        flood,
        job,
        opened,
        order,
        place,
        secret,
        slow,
        stream,
        talk,
        wait,
        watch,
    ],
    dependencies=[
        Dependency("database", answers),
        Dependency("recommender", hangs, required=False, timeout=0.1),
        Dependency("mailer", raises, required=False),
    ],
    lifespan=[database],
    details=details,
)
service.watch(breaker)
service.shutdown.on_close(lambda: logger.info("closer ran"))
lacking = Service("lacking", dependencies=[Dependency("stock", raises), Dependency("b", answers)])
