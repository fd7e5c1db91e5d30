"""The same service five times: bare ASGI, Litestar, Starlette, FastAPI and Django."""

import json
from collections.abc import AsyncGenerator, Callable
from types import ModuleType
from typing import Annotated, Any

import anyio
import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.urls import path
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from litestar import Litestar, get, post
from litestar import Request as LitestarRequest
from litestar.params import Parameter
from litestar.response import Stream
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.integrations.server.stage import Stage, found

from uat_resilience.integrations.asgi import ResilienceMiddleware
from uat_resilience.integrations.django import cancellable
from uat_resilience.integrations.litestar import ResiliencePlugin
from uat_resilience.integrations.serving.asgi_types import App

__all__ = ["FRAMEWORKS", "Make"]

Make = Callable[..., App]
"""Makes the service around a stage; further arguments are those of the middleware."""


def bare(stage: Stage, **options: Any) -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise NotImplementedError
        *_, kind, what = scope["path"].split("/")
        if kind == "act":
            await _reply(send, await stage.act(what))
        elif kind == "stream":
            await _stream(send, receive, getattr(stage, what)())
        elif kind == "body":
            size, message = 0, {"more_body": True}
            while message.get("more_body", False):
                message = await receive()
                size += len(message.get("body", b""))
            await _reply(send, {**found(), "size": size})
        else:
            await _reply(send, None, 404)

    return ResilienceMiddleware(app, **options)


async def _reply(send: Any, value: object, status: int = 200) -> None:
    kind = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": kind})
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})


async def _stream(send: Any, receive: Any, chunks: AsyncGenerator[bytes]) -> None:
    async def stop_when_gone(scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    await send({"type": "http.response.start", "status": 200, "headers": []})
    async with anyio.create_task_group() as group:
        group.start_soon(stop_when_gone, group.cancel_scope)
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})


def litestar(stage: Stage, **options: Any) -> App:
    @get("/act/{what:str}")
    async def act(what: Annotated[str, Parameter()]) -> Any:
        return await stage.act(what)

    @get("/stream/{what:str}")
    async def stream(what: Annotated[str, Parameter()]) -> Stream:
        return Stream(getattr(stage, what)())

    @post("/body/read", status_code=200)
    async def body(request: LitestarRequest[Any, Any, Any]) -> dict[str, object]:
        return {**found(), "size": len(await request.body())}

    return Litestar(
        [act, stream, body],
        plugins=[ResiliencePlugin(**options)],
        logging_config=None,
        openapi_config=None,
    )


def starlette(stage: Stage, **options: Any) -> App:
    async def act(request: StarletteRequest) -> Response:
        return JSONResponse(await stage.act(request.path_params["what"]))

    async def stream(request: StarletteRequest) -> Response:
        return StreamingResponse(getattr(stage, request.path_params["what"])())

    async def body(request: StarletteRequest) -> Response:
        return JSONResponse({**found(), "size": len(await request.body())})

    routes = [
        Route("/act/{what}", act),
        Route("/stream/{what}", stream),
        Route("/body/read", body, methods=["POST"]),
    ]
    return ResilienceMiddleware(Starlette(routes=routes), **options)


def fastapi(stage: Stage, **options: Any) -> App:
    app = FastAPI()

    @app.get("/act/{what}")
    async def act(what: str) -> Any:
        return await stage.act(what)

    @app.get("/stream/{what}")
    async def stream(what: str) -> StreamingResponse:
        return StreamingResponse(getattr(stage, what)())

    @app.post("/body/read")
    async def body(request: Request) -> dict[str, object]:
        return {**found(), "size": len(await request.body())}

    return ResilienceMiddleware(app, **options)


def in_django(stage: Stage, **options: Any) -> App:
    async def act(request: HttpRequest, what: str) -> JsonResponse:
        return JsonResponse(await stage.act(what))

    async def stream(request: HttpRequest, what: str) -> StreamingHttpResponse:
        return StreamingHttpResponse(getattr(stage, what)())

    async def body(request: HttpRequest) -> JsonResponse:
        return JsonResponse({**found(), "size": len(request.body)})

    routes = [path("act/<what>", act), path("stream/<what>", stream), path("body/read", body)]
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            LOGGING_CONFIG=None,
            SECRET_KEY="of no use",  # noqa: S106 - signs nothing
            MIDDLEWARE=["uat_resilience.integrations.django.ProblemMiddleware"],
        )
        django.setup()
    handler = cancellable(ASGIHandler())
    urls = ModuleType("urls")
    vars(urls)["urlpatterns"] = routes

    async def app(scope: Any, receive: Any, send: Any) -> None:
        settings.ROOT_URLCONF = urls
        await handler(scope, receive, send)

    return ResilienceMiddleware(app, **options)


FRAMEWORKS: dict[str, Make] = {
    "bare": bare,
    "litestar": litestar,
    "starlette": starlette,
    "fastapi": fastapi,
    "django": in_django,
}
