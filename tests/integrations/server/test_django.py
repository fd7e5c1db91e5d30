"""What Django needs beside the middleware around it."""

import asyncio
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from tests.integrations.server.apps import in_django
from tests.integrations.server.asking import Asked, answering
from tests.integrations.server.stage import Stage

from uat_resilience import BulkheadFullError
from uat_resilience.integrations.django import ProblemMiddleware, cancellable


@pytest.fixture(autouse=True)
def _configured() -> None:
    in_django(Stage())


def test_refusal_is_answered_in_sync_code_too() -> None:
    middleware = ProblemMiddleware(lambda _: HttpResponse("fine"))
    request = RequestFactory().get("/")

    passed: Any = middleware(request)
    refused: Any = middleware.process_exception(request, BulkheadFullError("db", retry_after=2.0))

    assert passed.content == b"fine"
    assert refused.status_code == 503
    assert refused["Content-Type"] == "application/problem+json"
    assert refused["Retry-After"] == "2"


def test_other_errors_are_left_to_django() -> None:
    middleware = ProblemMiddleware(lambda _: HttpResponse("fine"))

    assert middleware.process_exception(object(), ValueError()) is None


def test_request_that_is_not_cancelled_is_as_before() -> None:
    reply = asyncio.run(Asked().to(cancellable(answering(200, b"fine")))).reply

    assert (reply.status, reply.body) == (200, b"fine")


def test_messages_pass_and_the_last_is_that_the_client_has_gone() -> None:
    heard: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while not heard or heard[-1] != "http.disconnect":
            heard.append((await receive())["type"])
            listening.set()

    async def main() -> None:
        task = asyncio.ensure_future(cancellable(app)({}, receive, send))
        await listening.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def receive() -> Any:
        if not heard:
            return {"type": "http.request"}
        return await asyncio.Event().wait()

    async def send(message: Any) -> None: ...

    listening = asyncio.Event()
    asyncio.run(main())

    assert heard == ["http.request", "http.disconnect"]


def test_request_whose_work_was_cancelled_by_somebody_else_is_cancelled() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise asyncio.CancelledError

    async def main() -> None:
        with pytest.raises(asyncio.CancelledError):
            await cancellable(app)({}, None, None)

    asyncio.run(main())


def test_what_is_no_application_is_refused() -> None:
    module: Any = "shop.asgi"

    with pytest.raises(TypeError, match="app must be an ASGI application"):
        cancellable(module)
