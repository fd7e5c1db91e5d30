"""Litestar: one plugin for deadlines, load shedding, refusals, health routes and draining.

    app = Litestar(route_handlers=[...], plugins=[ResiliencePlugin(shutdown=shutdown, health=health)])

Made of what Litestar 2 and 3 have in common.
"""

import threading
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import anyio

from uat_resilience._core.priority_slots import Priority
from uat_resilience.errors import CallRefusedError, TimedOutError
from uat_resilience.integrations.asgi import EXEMPT, HealthRoutes, Limiter, ResilienceMiddleware
from uat_resilience.integrations.headers import current_correlation
from uat_resilience.integrations.serving.asgi_types import App, Scope
from uat_resilience.integrations.serving.health_routes import Reply
from uat_resilience.integrations.serving.problem import CRASH, MEDIA_TYPE, problem
from uat_resilience.integrations.serving.resilience_report import ResilienceReport
from uat_resilience.lifecycle.health import HealthRegistry
from uat_resilience.lifecycle.shutdown import GracefulShutdown

try:
    from litestar import Litestar, Request, Response, get
    from litestar.config.app import AppConfig
    from litestar.handlers import HTTPRouteHandler
    from litestar.plugins import InitPlugin
except ImportError as error:
    raise ImportError(
        "litestar is not installed: pip install 'uat-resilience[litestar]'"
    ) from error

__all__ = ["ResiliencePlugin"]


class ResiliencePlugin(InitPlugin):
    """Put `ResilienceMiddleware` around a Litestar application, and give it health routes and an orderly end.

    - The middleware stands outside of the router, so that requests without a route are seen too. It is put there
      when the application starts, so a server must run the lifespan (`lifespan="on"`).
    - Refusals and missed deadlines are answered with problem details, unless the application has handlers of its
      own for them.
    - `/health/live`, `/health/ready`, `/health/startup` with `health`, whose checks run while the application
      does, and `/resilience` with `report`. Authentication that honours `exclude_from_auth` lets them through.
    - `shutdown` begins at SIGTERM where Litestar runs in the main thread, and is waited for before other parts of
      the lifespan end, in case they are needed by what still runs.

    The arguments that are not described here are those of `ResilienceMiddleware`.

    Args:
        health: Checks to run and to show. Default: none, and no routes.
        report: What `/resilience` shows; needs `health`. Default: that route is not there.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self,
        *,
        limiter: Limiter | None = None,
        max_timeout: float = 30.0,
        default_timeout: float | None = None,
        shutdown: GracefulShutdown | None = None,
        health: HealthRegistry | None = None,
        report: ResilienceReport | None = None,
        priority: Callable[[Scope], Priority] | None = None,
        retry_after: float = 1.0,
        exempt: Collection[str] = EXEMPT,
    ) -> None:
        if report is not None and health is None:
            raise ValueError("report needs health, which is None")
        self._routes = None if health is None else HealthRoutes(health, report=report)
        self._health = health
        self._shutdown = shutdown
        self._retry_after = retry_after

        def around(app: App) -> ResilienceMiddleware:
            return ResilienceMiddleware(
                app,
                limiter=limiter,
                max_timeout=max_timeout,
                default_timeout=default_timeout,
                shutdown=shutdown,
                priority=priority,
                retry_after=retry_after,
                exempt=exempt,
            )

        self._around = around
        around(_unused)  # So that a bad argument is told here and not when the application starts.

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Add routes, handlers of errors, and the lifespan."""
        config: Any = app_config  # Litestar leaves what is in these lists open.
        for kind in (CallRefusedError, TimedOutError):
            config.exception_handlers.setdefault(kind, self._explain)
        if self._routes is not None:
            replies = self._routes.replies
            config.route_handlers.extend(_route(path, replies[path]) for path in replies)
        config.lifespan.append(self._lifespan)
        return app_config

    def _explain(self, _: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        found = problem(error, retry_after=self._retry_after) or CRASH
        correlation = current_correlation.get()
        return Response(
            found.body(None if correlation is None else correlation.request_id),
            status_code=found.status,
            media_type=MEDIA_TYPE,
            headers=dict(found.headers),
        )

    @asynccontextmanager
    async def _lifespan(self, app: Litestar) -> AsyncGenerator[None]:
        inner = app.asgi_handler
        app.asgi_handler = cast("Any", self._around(cast("App", inner)))
        async with AsyncExitStack() as ends:
            ends.callback(setattr, app, "asgi_handler", inner)
            if self._health is not None:
                group = await ends.enter_async_context(anyio.create_task_group())
                group.start_soon(self._health.arun)
                ends.callback(group.cancel_scope.cancel)
            if self._shutdown is not None:
                if threading.current_thread() is threading.main_thread():
                    ends.callback(self._shutdown.install())
                ends.push_async_callback(self._shutdown.adrained)
            yield


def _route(path: str, reply: Callable[[], Reply]) -> HTTPRouteHandler:
    @get(path, include_in_schema=False, opt={"exclude_from_auth": True}, sync_to_thread=False)
    def answer() -> Response[bytes]:
        status, body = reply()
        return Response(
            body,
            status_code=status,
            media_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    return answer


async def _unused(scope: Scope, receive: object, send: object) -> None:
    """Stand in for an application."""
