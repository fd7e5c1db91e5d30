"""What a handler returns is answered as Litestar would answer it, byte for byte."""

from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from litestar import Litestar, Request, Response, delete, get, head
from litestar.background_tasks import BackgroundTask
from litestar.datastructures import Cookie, ResponseHeader
from litestar.enums import MediaType
from litestar.handlers import HTTPRouteHandler
from tests.integrations.server.asking import Asked

from uat_resilience.integrations.serving.asgi_types import Message
from uat_service.replies import Reply


class Kind(Enum):
    """A media type of somebody's own."""

    CSV = "text/csv"


class Odd:
    """Litestar has no way to write it, unless it is told one."""


async def nothing() -> None:
    return None


async def text() -> str:
    return "grüße"


async def mapping() -> dict[str, object]:
    return {"id": 7, "tags": ["a", "b"], "none": None}


async def raw() -> bytes:
    return b"\x00\xff"


async def odd() -> Odd:
    return Odd()


async def whole() -> Response[str]:
    return Response("mine", status_code=201, headers={"X-Mine": "1"})


ROUTES: list[Callable[[], HTTPRouteHandler]] = [
    lambda: get("/")(mapping),
    lambda: get("/", media_type=MediaType.TEXT)(text),
    lambda: get("/", media_type="text/plain")(text),
    lambda: get("/", media_type=MediaType.MESSAGEPACK)(mapping),
    lambda: get("/", media_type="application/octet-stream")(raw),
    lambda: get("/", media_type=Kind.CSV)(text),
    lambda: get("/")(nothing),
    lambda: get("/", status_code=202)(mapping),
    lambda: get("/", status_code=205)(nothing),
    lambda: get("/", status_code=304)(nothing),
    lambda: delete("/")(nothing),
    lambda: head("/")(nothing),
    lambda: get("/", response_headers=[ResponseHeader(name="X-Mine", value="1")])(mapping),
    lambda: get("/", response_cookies=[Cookie(key="mine", value="1")])(mapping),
    lambda: get("/", type_encoders={Odd: lambda _: "odd"})(odd),
    lambda: get("/", cache=True)(mapping),
    lambda: get("/")(whole),
]


async def sent(route: HTTPRouteHandler, **options: Any) -> list[Message]:
    """Return what an application with one route sends."""
    app = Litestar([route], openapi_config=None, **options)
    method = min(route.http_methods)
    return (await Asked(scope={"method": method, "query_string": b""}).to(app)).sent


@pytest.mark.parametrize("made", ROUTES, ids=range(len(ROUTES)))
async def test_answer_is_that_of_litestar(made: Callable[[], HTTPRouteHandler]) -> None:
    ours = await sent(made(), response_class=Reply)

    assert ours == await sent(made())


async def test_work_after_the_answer_is_done_after_it() -> None:
    seen: list[str] = []

    async def note() -> None:
        seen.append("done")

    route = get("/", background=BackgroundTask(note))(mapping)

    messages = await sent(route, response_class=Reply)

    assert [each["type"] for each in messages] == ["http.response.start", "http.response.body"]
    assert seen == ["done"]


async def test_answer_keeps_what_others_look_at() -> None:
    request: Request[Any, Any, Any] = Request({"type": "http", "method": "GET"})

    made = Reply({"a": 1}, status_code=201).to_asgi_response(None, request)

    assert (made.status_code, made.body, made.content_length) == (201, b'{"a":1}', 7)
    assert made.headers["content-type"] == "application/json"
    assert made.encode_headers() == made.headers.headers
