"""Routes, dependencies and parts, made into one service."""

from litestar.di import Provide
from litestar.openapi.spec import SecurityScheme

from uat_platform.auth.parts import Parts
from uat_platform.auth.routes import account, admin, authorize, discovery, own, token
from uat_platform.auth.routes.signed_in import caller_of
from uat_service.app import Service
from uat_service.dependency import Dependency

__all__ = ["serving"]

_VERSION = "1.0.0"
_SECURITY = {
    "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
    "client": SecurityScheme(type="http", scheme="basic"),
    "api_key": SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header"),
}


def serving(parts: Parts) -> Service:
    """Return the service that answers with these parts."""
    settings = parts.settings
    dependencies = [
        Dependency("database", parts.database),
        Dependency("keys", parts.signing),
        *Dependency.redis_of(settings),
    ]
    service = Service(
        "auth",
        version=_VERSION,
        settings=settings,
        routes=[
            *account.routes,
            *admin.routes,
            *authorize.routes,
            *discovery.routes,
            *own.routes,
            *token.routes,
        ],
        dependencies=dependencies,
        lifespan=[parts.lifespan],
        provide={"parts": parts, "caller": Provide(caller_of, sync_to_thread=False)},
        security=_SECURITY,
        details=lambda: {"service": "auth-service"},
    )
    for counter in parts.counters:
        service.metrics.registry.register(counter)
    return service.watch(parts.passwords.slots)
