"""The metrics aggregator: `python -m uat_service.serve uat_platform.metrics_aggregator.app:service`."""

from collections.abc import Callable

from uat_platform.metrics_aggregator.dashboard.news import News
from uat_platform.metrics_aggregator.fleet.resilience import fleet
from uat_platform.metrics_aggregator.fleet.scraped import Scraped
from uat_platform.metrics_aggregator.fleet.unified import Unified
from uat_platform.metrics_aggregator.parts import Parts
from uat_platform.metrics_aggregator.routes import (
    alerts,
    dashboard,
    federate,
    legacy,
    lookup,
    query,
    state,
)
from uat_platform.metrics_aggregator.routes.missing import Missing
from uat_platform.metrics_aggregator.settings import MetricsSettings
from uat_resilience.clock import wall_time
from uat_service.app import Service
from uat_service.dependency import Dependency

__all__ = ["made", "served", "service"]

_VERSION = "1.0.0"


def made(settings: MetricsSettings, *, now: Callable[[], float] = wall_time) -> Service:
    """Return the service for these settings.

    Args:
        settings: What it was told.
        now: Returns seconds since 1970.
    """
    return served(Parts(settings, now=now))


def served(parts: Parts) -> Service:
    """Return the service that is made of these parts."""
    settings = parts.settings
    dependencies = [Dependency("database", parts.database, required=False)]
    if settings.discovery_url:
        dependencies.append(Dependency("load-balancer", parts.discover, required=False))
    service = Service(
        "metrics-aggregator",
        version=_VERSION,
        settings=settings,
        routes=[
            *query.routes,
            *lookup.routes,
            *state.routes,
            *alerts.routes,
            *federate.routes,
            *legacy.routes,
            *dashboard.routes,
        ],
        dependencies=dependencies,
        details=parts.extent,
        lifespan=[parts.lifespan],
        provide={"parts": parts, "news": News(parts)},
        plugins=[Missing()],
        resilience=lambda own: fleet(own, parts.roster),
    )
    service.metrics.registry.register(Unified(parts.memory))
    service.metrics.registry.register(Scraped(parts.roster, parts.memory))
    return service.watch(parts.scrape_slots, parts.query_slots)


service = made(MetricsSettings.read("metrics-aggregator"))
