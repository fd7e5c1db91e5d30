"""Routes, parts and what stands in front, made into one service."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import anyio
from litestar import Litestar
from litestar.openapi.spec import SecurityScheme

from uat_platform.gateway.cors import Cors
from uat_platform.gateway.front import Front
from uat_platform.gateway.own import general
from uat_platform.gateway.own.admin import admin
from uat_platform.gateway.parts import Parts
from uat_platform.gateway.routes import RoutesError
from uat_platform.gateway.settings import GatewaySettings
from uat_resilience.ambient import DrainSignal
from uat_resilience.clock import default_clock
from uat_resilience.integrations.serving.asgi_types import App
from uat_resilience.lifecycle import Probe
from uat_resilience.waiting import world
from uat_service.app import Lifespan, Service
from uat_service.environment import ConfigurationError

__all__ = ["serving"]

_VERSION = "1.0.0"


def serving(settings: GatewaySettings, variables: Mapping[str, str]) -> Service:
    """Return the gateway.

    Args:
        settings: What it was told.
        variables: The environment, in which an orchestrator says where services are.

    Raises:
        ConfigurationError: The routes file, or the key of identities, is wrong.
    """
    try:
        parts = Parts(settings, variables=variables)
    except RoutesError as error:
        raise ConfigurationError({"ROUTES_FILE": "; ".join(error.problems)}) from None
    token = settings.admin_token.get_secret_value()

    def around(app: App) -> App:
        front = Front(
            app,
            routes=parts.routes,
            upstreams=parts.upstreams,
            callers=parts.callers,
            identities=parts.identities,
            limits=parts.limits,
        )
        return Cors(front, settings.cors_origins) if settings.cors_origins else front

    service = Service(
        "api-gateway",
        version=_VERSION,
        settings=settings,
        routes=[*general.routes, admin(token)],
        lifespan=[_running(parts)],
        details=lambda: {"services": parts.checking.states()},
        # Each upstream has slots of its own: one for all would let one that is slow take those of the others.
        limiter=None,
        provide={"parts": parts},
        security={"admin": SecurityScheme(type="http", scheme="bearer", description="ADMIN_TOKEN")},
        around=around,
        faithful=True,
    )
    parts.upstreams.show_with(service.watch)
    service.health.watch("upstreams", parts.checking.status, kind=Probe.READINESS, critical=False)
    return service


def _running(parts: Parts) -> Lifespan:
    @asynccontextmanager
    async def running(_: Litestar) -> AsyncGenerator[None]:
        async with anyio.create_task_group() as group:
            group.start_soon(parts.checking.run)
            group.start_soon(_watched, parts)
            yield
            group.cancel_scope.cancel()
        await parts.close()

    return running


async def _watched(parts: Parts) -> None:
    """Look at the routes file again and again."""
    never = DrainSignal()
    while True:
        await world().pause(default_clock.clock, parts.settings.routes_interval, never)
        parts.routes.look()
