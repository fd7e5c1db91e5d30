"""Errors that handlers raise, as answers."""

import json
from typing import Any

import pytest
from litestar import get
from litestar.exceptions import HTTPException, TooManyRequestsException, ValidationException
from litestar.plugins.problem_details import ProblemDetailsException
from tests.integrations.server.asking import ask

from uat_resilience import BulkheadFullError
from uat_service.app import Service

pytestmark = pytest.mark.usefixtures("_silent")

GONE = ProblemDetailsException(
    status_code=410, title="Gone for good", type_="urn:x:gone", detail="sold", extra={"order": 7}
)


@pytest.mark.parametrize(
    ("error", "expected", "header"),
    [
        (
            ValidationException(detail="wrong", extra=[{"key": "n", "message": "too big"}]),
            {
                "type": "about:blank",
                "title": "Bad Request",
                "status": 400,
                "detail": "wrong",
                "errors": [{"key": "n", "message": "too big"}],
            },
            None,
        ),
        (
            TooManyRequestsException(detail="slower", headers={"retry-after": "3"}),
            {
                "type": "about:blank",
                "title": "Too Many Requests",
                "status": 429,
                "detail": "slower",
            },
            "3",
        ),
        (
            GONE,
            {
                "type": "urn:x:gone",
                "title": "Gone for good",
                "status": 410,
                "detail": "sold",
                "order": 7,
            },
            None,
        ),
        (
            HTTPException(detail="odd", status_code=499),
            {"type": "about:blank", "title": "Error", "status": 499, "detail": "odd"},
            None,
        ),
        (
            BulkheadFullError("stock", size=1, queue=0, retry_after=2.0),
            {
                "type": "urn:uat-resilience:problem:bulkhead-full",
                "title": "Too much is going on at once",
                "status": 503,
                "detail": "Try again in 2 s.",
            },
            "2",
        ),
    ],
    ids=["fields", "headers", "own members", "unknown status", "refusal"],
)
async def test_error_of_a_handler_is_a_problem(
    error: Exception, expected: dict[str, Any], header: str | None
) -> None:
    @get("/")
    async def fail() -> None:
        raise error

    answer = await ask(Service("orders", routes=[fail]), "/", x_request_id="mine")

    assert json.loads(answer.body) == {**expected, "request_id": "mine"}
    assert answer.status == expected["status"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers.get("retry-after") == header


async def test_service_without_a_limiter_lets_everybody_in() -> None:
    service = Service("orders", limiter=None)

    report = json.loads((await ask(service, "/resilience")).body)

    assert report["policies"] == {}
