"""Errors as answers: problem details (RFC 9457) for whatever goes wrong in a Litestar application.

    404, 405, 400, 413, ...     the status in words, what Litestar says of it, and what was wrong with which field
    503, 429, 504               refusals and missed deadlines of the library, with Retry-After
    500                         anything else: logged with its traceback, and not a word of it in the answer

Every answer names the id of the request, which is in every log line about it.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, cast

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.plugins.problem_details import ProblemDetailsException

from uat_resilience.integrations.headers import current_correlation
from uat_resilience.integrations.serving.problem import CRASH, MEDIA_TYPE, problem

__all__ = ["exception_handlers"]

Handler = Callable[[Request[Any, Any, Any], Exception], Response[Any]]


def exception_handlers() -> dict[type[Exception] | int, Handler]:
    """Return handlers for `Litestar(exception_handlers=...)`."""
    return {HTTPException: _refused, Exception: _crashed}


def _refused(_: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer what a framework or a handler refuses on purpose."""
    refused = cast("HTTPException", error)
    members: dict[str, object] = {
        "type": "about:blank",
        "title": _phrase(refused.status_code),
        "status": refused.status_code,
        "detail": refused.detail or None,
        "errors": refused.extra,
    }
    if isinstance(refused, ProblemDetailsException):
        given = {"type": refused.type_, "title": refused.title, "instance": refused.instance}
        members |= {name: value for name, value in given.items() if value is not None}
        if isinstance(refused.extra, Mapping):
            members = {**refused.extra, **members, "errors": None}
    return _response(members, refused.status_code, refused.headers or {})


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


def _response(
    members: Mapping[str, object], status: int, headers: Mapping[str, str]
) -> Response[Any]:
    told = {**members, "request_id": _request_id()}
    return Response(
        {name: value for name, value in told.items() if value is not None},
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=dict(headers),
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
