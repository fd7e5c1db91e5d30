"""Django: answer refusals of this library with problem details, where Django would answer with its own 500.

    MIDDLEWARE = ["uat_resilience.integrations.django.ProblemMiddleware", ...]

Django answers every error of a view itself, so that none reaches the `ResilienceMiddleware` around it. This one
stands inside.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from uat_resilience.integrations.headers import current_correlation
from uat_resilience.integrations.problem import MEDIA_TYPE, problem

try:
    # Django has no types; imported like this, nobody expects any.
    _http, _sync = import_module("django.http"), import_module("asgiref.sync")
except ImportError as error:
    raise ImportError("Django is not installed: pip install 'django>=5.2'") from error

__all__ = ["ProblemMiddleware"]


class ProblemMiddleware:
    """Answer refusals with 503 or 429 and missed deadlines with 504, and leave other errors to Django.

    A Django middleware for the setting `MIDDLEWARE`, under ASGI and WSGI.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], object]) -> None:
        self._get_response = get_response
        if _sync.iscoroutinefunction(get_response):
            _sync.markcoroutinefunction(self)

    def __call__(self, request: object) -> object:
        """Pass a request on."""
        return self._get_response(request)

    def process_exception(self, request: object, exception: Exception) -> object:  # noqa: ARG002 - Django's
        """Return the answer for an error of this library, and None for any other."""
        found = problem(exception)
        if found is None:
            return None
        correlation = current_correlation.get()
        body = found.body(None if correlation is None else correlation.request_id)
        return _http.HttpResponse(
            body, status=found.status, content_type=MEDIA_TYPE, headers=dict(found.headers)
        )
