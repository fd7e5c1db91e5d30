"""Django: what it takes for refusals and deadlines to work as elsewhere.

    MIDDLEWARE = ["uat_resilience.integrations.django.ProblemMiddleware", ...]

    application = ResilienceMiddleware(cancellable(get_asgi_application()))

Django answers every error of a view itself, so that none reaches the `ResilienceMiddleware` around it; and when a
request is cancelled it leaves the view running. It does end views whose client has gone, which `cancellable` uses.
"""

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any

from uat_resilience.integrations.headers import current_correlation
from uat_resilience.integrations.serving.asgi_types import App, Message, Receive, Scope, Send
from uat_resilience.integrations.serving.problem import MEDIA_TYPE, problem

try:
    # Django has no types; imported like this, nobody expects any.
    _http, _sync = import_module("django.http"), import_module("asgiref.sync")
except ImportError as error:
    raise ImportError("Django is not installed: pip install 'django>=5.2'") from error

__all__ = ["ProblemMiddleware", "cancellable"]


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


def cancellable(app: App) -> App:
    """Let Django end its view when the request is cancelled, as it does when the client has gone.

    The cancelled request waits until the view has ended. A sync view is not cut, so its answer is late; but what
    it holds, a permit for example, is held for as long as it runs.

    Args:
        app: What `get_asgi_application()` returns.

    Raises:
        TypeError: It is something else.
    """
    if not callable(app):
        raise TypeError(f"app must be an ASGI application, not {app!r}")

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.Event()
        work = asyncio.ensure_future(app(scope, _until(gone, receive), send))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            gone.set()
            await work
            raise

    return served


def _until(gone: asyncio.Event, receive: Receive) -> Receive:
    """Return what receives messages, and once `gone` is set only that the client has gone."""

    async def heard() -> Message:
        message = asyncio.ensure_future(receive())
        ending = asyncio.ensure_future(gone.wait())
        try:
            await asyncio.wait({message, ending}, return_when=asyncio.FIRST_COMPLETED)
            return {"type": "http.disconnect"} if gone.is_set() else message.result()
        finally:
            message.cancel()
            ending.cancel()

    return heard
