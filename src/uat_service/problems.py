"""Errors as answers: problem details (RFC 9457) for whatever goes wrong in a Litestar application.

    404, 405, 400, 413, ...     the status in words, what Litestar says of it, and what was wrong with which field
    503, 429, 504               refusals and missed deadlines of the library, with Retry-After
    500                         anything else: logged with its traceback, and not a word of it in the answer

Every answer names the id of the request, which is in every log line about it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi import ResponseSpec
from litestar.plugins import ReceiveRoutePlugin
from litestar.plugins.problem_details import ProblemDetailsException
from litestar.routes import BaseRoute, HTTPRoute

from uat_resilience.integrations.headers import current_correlation
from uat_resilience.integrations.serving.problem import CRASH, MEDIA_TYPE, problem
from uat_service.forms import in_words
from uat_service.methods import with_head

__all__ = [
    "Problem",
    "ProblemResponses",
    "described",
    "exception_handlers",
    "problem_responses",
    "told",
]

Handler = Callable[[Request[Any, Any, Any], Exception], Response[Any]]

_ANYWHERE = (400, 500, 503, 504)
# How Litestar says it, and how a client understands it.
_ABSENT, _NO_BODY = "'data'", "there is no body"


def exception_handlers() -> dict[type[Exception] | int, Handler]:
    """Return handlers for `Litestar(exception_handlers=...)`."""
    return {HTTPException: _refused, Exception: _crashed}


@dataclass(frozen=True, slots=True)
class Problem:
    """A failed answer, as OpenAPI describes it.

    Attributes:
        title: The status in words.
        status: The status.
        type: URI of the kind of problem.
        detail: What went wrong with this request.
        instance: URI of this very problem.
        request_id: What every log line about the request has.
        errors: What was wrong with which field.
    """

    title: str
    status: int
    type: str = "about:blank"
    detail: str | None = None
    instance: str | None = None
    request_id: str | None = None
    errors: object = None


def problem_responses(*statuses: int) -> dict[int, ResponseSpec]:
    """Return descriptions of problems, for a handler's `responses=`.

    Args:
        statuses: What the handler may answer with, besides what any request may come to (`ProblemResponses`).
    """
    return {
        status: ResponseSpec(
            Problem, description=_phrase(status), media_type=MEDIA_TYPE, generate_examples=False
        )
        for status in statuses
    }


class ProblemResponses(ReceiveRoutePlugin):
    """Describe failed answers in OpenAPI as the problems that they are: Litestar describes its own form of them.

    Described are what a handler `raises`, and what may become of any request: 400, 500, 503 and 504. What a
    handler says in `responses` is left as it is.
    """

    __slots__ = ()

    def receive_route(self, route: BaseRoute) -> None:
        """Describe the answers of a route."""
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                raised = [each.status_code for each in handler.raises or ()]
                described = problem_responses(*_ANYWHERE, *raised)
                handler.responses = {**described, **(handler.responses or {})}


def told(errors: object) -> object:
    """Return what was wrong with which field, in words that a client can do something with."""
    if not isinstance(errors, list):
        return errors
    return [_told(each) for each in cast("list[object]", errors)]


def _told(error: object) -> object:
    if not isinstance(error, Mapping):
        return in_words(error) if isinstance(error, str) else error
    named = cast("Mapping[str, object]", error)
    message = named.get("message")
    if not isinstance(message, str):
        return named
    return {**named, "message": _NO_BODY if message == _ABSENT else in_words(message)}


def described(refused: HTTPException) -> dict[str, object]:
    """Return the members of the problem that somebody refuses on purpose."""
    members: dict[str, object] = {
        "type": "about:blank",
        "title": _phrase(refused.status_code),
        "status": refused.status_code,
        "detail": refused.detail or None,
        "errors": told(refused.extra),
    }
    if isinstance(refused, ProblemDetailsException):
        given = {"type": refused.type_, "title": refused.title, "instance": refused.instance}
        members |= {name: value for name, value in given.items() if value is not None}
        if isinstance(refused.extra, Mapping):
            members = {**refused.extra, **members, "errors": None}
    members["request_id"] = _request_id()
    return {name: value for name, value in members.items() if value is not None}


def _refused(_: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer what a framework or a handler refuses on purpose."""
    refused = cast("HTTPException", error)
    headers = dict(refused.headers or {})
    if refused.status_code == HTTPStatus.METHOD_NOT_ALLOWED and "allow" in headers:
        headers["allow"] = with_head(headers["allow"])
    return Response(
        described(refused),
        status_code=refused.status_code,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def _crashed(_: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer a refusal or a missed deadline for what it is, and anything else without details."""
    found = problem(error)
    if found is None:
        _logger.error("request crashed", exc_info=error)
        found = CRASH
    return Response(
        found.body(_request_id()),
        status_code=found.status,
        media_type=MEDIA_TYPE,
        headers=dict(found.headers),
    )


def _request_id() -> str | None:
    correlation = current_correlation.get()
    return None if correlation is None else correlation.request_id


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


_logger = structlog.get_logger("uat_service")
