"""The middleware by itself, on asyncio and trio, on virtual time."""

import json
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from tests.integrations.server.asking import Asked, answer, answering, ask, raising

from uat_resilience import (
    BulkheadFullError,
    CircuitOpenError,
)
from uat_resilience.integrations.asgi import ResilienceMiddleware


async def hanging(scope: Any, receive: Any, send: Any) -> None:
    await anyio.sleep_forever()


# --- deadlines


async def test_crash_is_answered_with_its_id_and_raised_again() -> None:
    asked = Asked("/", {"X-Request-ID": "a"})

    with pytest.raises(ZeroDivisionError):
        await asked.to(ResilienceMiddleware(raising(ZeroDivisionError("secret"))))

    assert asked.reply.status == 500
    assert asked.reply.headers["x-request-id"] == "a"
    assert json.loads(asked.reply.body)["request_id"] == "a"
    assert b"secret" not in asked.reply.body


async def test_crash_after_the_answer_has_begun_goes_on() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    asked = Asked()

    with pytest.raises(ZeroDivisionError):
        await asked.to(ResilienceMiddleware(app))

    assert [each["type"] for each in asked.sent] == ["http.response.start"]


async def test_crash_inside_a_framework_is_left_to_it() -> None:
    asked = Asked(scope={"app": object()})

    with pytest.raises(ZeroDivisionError):
        await asked.to(ResilienceMiddleware(raising(ZeroDivisionError())))

    assert asked.sent == []


async def test_inside_starlette_refusals_are_ours_and_crashes_are_those_of_its_handlers() -> None:
    def mine(request: Request, error: Exception) -> PlainTextResponse:
        return PlainTextResponse("mine", 500)

    async def refused(request: Request) -> None:
        raise CircuitOpenError("db")

    async def crashed(request: Request) -> None:
        raise ZeroDivisionError

    app = Starlette(
        routes=[Route("/refused", refused), Route("/crashed", crashed)],
        middleware=[Middleware(ResilienceMiddleware)],
        exception_handlers={Exception: mine},
    )
    crash = Asked("/crashed", scope={"query_string": b""})

    refusal = await Asked("/refused", scope={"query_string": b""}).to(app)
    with pytest.raises(ZeroDivisionError):
        await crash.to(app)

    assert refusal.reply.status == 503
    assert (crash.reply.status, crash.reply.body) == (500, b"mine")


async def test_answer_that_a_framework_makes_of_a_refusal_is_replaced() -> None:
    async def framework(scope: Any, receive: Any, send: Any) -> None:
        try:
            raise BulkheadFullError("db", retry_after=7.0)
        except BulkheadFullError:
            await answer(send, 500, b"Internal Server Error")
            raise

    reply = await ask(ResilienceMiddleware(framework))

    assert reply.status == 503
    assert reply.headers["retry-after"] == "7"


async def test_500_of_the_application_itself_passes() -> None:
    reply = await ask(ResilienceMiddleware(answering(500, b"mine")))

    assert (reply.status, reply.body) == (500, b"mine")


async def test_cancelled_request_is_not_answered() -> None:
    asked = Asked()

    with anyio.move_on_after(1.0):
        await asked.to(ResilienceMiddleware(hanging))

    assert asked.sent == []


# --- shedding
