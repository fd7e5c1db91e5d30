"""HEAD and OPTIONS, which no handler has to think of."""

from collections.abc import AsyncGenerator

import httpx2
import pytest
from litestar import get, post
from litestar.handlers import head
from litestar.types import ASGIApp

from uat_resilience.integrations.serving.asgi_types import Receive, Scope, Send
from uat_service.app import Service
from uat_service.streaming import Streamed

pytestmark = pytest.mark.usefixtures("_silent")


@get("/orders")
async def orders() -> list[int]:
    return [1, 2, 3]


@post("/orders")
async def order() -> None: ...


@post("/orders/1/payment")
async def pay() -> None: ...


@get("/numbers")
async def numbers() -> ASGIApp:
    async def counted() -> AsyncGenerator[bytes]:
        for _ in range(3):
            yield b"number"

    return Streamed(counted())


async def ask(service: Service, method: str, path: str) -> httpx2.Response:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        # As servers have it; Litestar keeps there what it has done with a request.
        await service({**scope, "state": {}}, receive, send)

    transport = httpx2.ASGITransport(serve)
    async with httpx2.AsyncClient(transport=transport, base_url="http://orders") as client:
        return await client.request(method, path)


SERVICE = Service("orders", routes=[orders, order, pay, numbers])


async def test_head_is_get_without_a_body() -> None:
    got = await ask(SERVICE, "GET", "/orders")
    headed = await ask(SERVICE, "HEAD", "/orders")

    assert (headed.status_code, headed.content) == (200, b"")
    assert headed.headers.keys() == got.headers.keys()
    assert headed.headers["content-length"] == got.headers["content-length"]


async def test_head_of_a_stream_is_over_at_once() -> None:
    headed = await ask(SERVICE, "HEAD", "/numbers")

    assert (headed.status_code, headed.content) == (200, b"")


async def test_head_is_counted_by_its_route() -> None:
    service = Service("orders", routes=[orders])

    await ask(service, "HEAD", "/orders")

    shown = (await ask(service, "GET", "/metrics")).text
    assert (
        'http_request_method="HEAD",http_response_status_code="200",http_route="/orders"' in shown
    )


async def test_head_of_what_cannot_be_got_is_refused() -> None:
    refused = await ask(SERVICE, "HEAD", "/orders/1/payment")
    missed = await ask(SERVICE, "HEAD", "/nowhere")

    assert (refused.status_code, refused.headers["allow"]) == (405, "OPTIONS, POST")
    assert missed.status_code == 404


async def test_a_handler_for_head_goes_first() -> None:
    @head("/orders", status_code=200)
    async def headed() -> None: ...

    reply = await ask(Service("orders", routes=[headed, orders]), "HEAD", "/orders")

    assert reply.headers.get("content-length") != "7"


@pytest.mark.parametrize("method", ["OPTIONS", "DELETE"])
async def test_all_methods_of_a_path_are_named(method: str) -> None:
    reply = await ask(SERVICE, method, "/orders")

    assert reply.status_code == {"OPTIONS": 204, "DELETE": 405}[method]
    assert reply.headers["allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("path", ["/health", "/livez", "/metrics"])
@pytest.mark.parametrize("method", ["OPTIONS", "DELETE"])
async def test_what_operators_ask_names_its_methods_too(method: str, path: str) -> None:
    reply = await ask(SERVICE, method, path)

    assert reply.status_code == {"OPTIONS": 204, "DELETE": 405}[method]
    assert reply.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_options_of_nothing_is_not_found() -> None:
    assert (await ask(SERVICE, "OPTIONS", "/nowhere")).status_code == 404
