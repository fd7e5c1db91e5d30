"""What is not there: a problem, with the keys `error` and `path` that the aggregator always had."""

from typing import Any

from litestar import Request, Response
from litestar.config.app import AppConfig
from litestar.exceptions import HTTPException, NotFoundException
from litestar.plugins import InitPlugin
from litestar.plugins.problem_details import ProblemDetailsException

from uat_service.problems import exception_handlers

__all__ = ["Missing"]

_UNSAID = "Not Found"
_NO_ROUTE = "route not found"


class Missing(InitPlugin):
    """Answers 404 in the words of old, too."""

    __slots__ = ()

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Take 404 over."""
        config: Any = app_config  # Not all of its types are known.
        config.exception_handlers = {**config.exception_handlers, NotFoundException: _missing}
        return app_config


def _missing(request: Request[Any, Any, Any], error: NotFoundException) -> Response[Any]:
    words = _NO_ROUTE if error.detail == _UNSAID else error.detail
    told = ProblemDetailsException(
        status_code=error.status_code,
        title=_UNSAID,
        detail=words,
        extra={"error": words, "path": request.url.path},
    )
    return exception_handlers()[HTTPException](request, told)
