"""The load balancer: `python -m uat_service.serve uat_platform.load_balancer.app:service`."""

from uat_platform.load_balancer.parts import Parts
from uat_platform.load_balancer.routes import (
    discovery,
    instances,
    services,
    simulation,
    watching,
)
from uat_platform.load_balancer.settings import BalancerSettings
from uat_service.app import Service
from uat_service.dependency import Dependency

__all__ = ["service", "serving"]

_VERSION = "1.0.0"


def serving(parts: Parts) -> Service:
    """Return the service that answers with these parts."""
    settings = parts.settings
    # What is in memory serves; a disk that is full only costs the next start its memories.
    dependencies = [
        Dependency("snapshot", parts.database, required=False),
        *Dependency.redis_of(settings),
    ]
    service = Service(
        "load-balancer",
        version=_VERSION,
        settings=settings,
        routes=[
            *services.routes,
            *instances.routes,
            *watching.routes,
            *discovery.routes,
            *simulation.routes,
        ],
        dependencies=dependencies,
        lifespan=[parts.lifespan],
        provide={"parts": parts},
        details=lambda: _details(parts),
        around=parts.front,
        faithful=True,
    )
    parts.meters.register(service.metrics.registry)
    return service


def _details(parts: Parts) -> dict[str, object]:
    groups = parts.fleet.groups
    return {
        "healthy_services": sum(bool(group.fit) for group in groups.values()),
        "total_services": len(groups),
        "panic": [name for name, group in groups.items() if group.panic],
    }


service = serving(Parts(BalancerSettings.read("load-balancer")))
