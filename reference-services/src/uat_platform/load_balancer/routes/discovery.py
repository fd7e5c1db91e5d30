"""Targets for Prometheus, as its HTTP service discovery has them.

scrape_configs:
  - job_name: platform
    http_sd_configs: [{url: "http://127.0.0.1:8011/sd/prometheus"}]
"""

from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from uat_platform.load_balancer.parts import Parts
from uat_platform.load_balancer.registry.registration import Registration
from uat_platform.load_balancer.routes.names import NAME
from uat_service.problems import problem_responses

__all__ = ["routes"]

_PORTS = {"http": 80, "https": 443}


class TargetGroup(msgspec.Struct):
    """Some targets with the same labels."""

    targets: list[str]
    labels: dict[str, str]


Service = Annotated[str | None, QueryParameter(pattern=NAME, description="Only of this service")]


@get("/sd/prometheus", responses=problem_responses(400))
async def targets(parts: NamedDependency[Parts], service: Service = None) -> list[TargetGroup]:
    """Return all instances that have metrics, also those that are not fit: that is for Prometheus to see."""
    fleet = parts.fleet
    fleet.sweep()
    names = fleet.registry.services if service is None else [service]
    found = [each for name in names for each in fleet.registry.instances(name) if each.metrics]
    # Two processes may share a port; scraped twice they would count twice.
    return [_group(each) for each in {one.instance.url: one for one in found}.values()]


routes = [targets]


def _group(one: Registration) -> TargetGroup:
    parts = urlsplit(one.instance.url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    labels = {
        "job": one.service,
        "service": one.service,
        "__scheme__": parts.scheme,
        "__metrics_path__": one.metrics,
        "__meta_uat_instance": one.instance.id,
        "__meta_uat_version": one.instance.version,
        "__meta_uat_zone": one.instance.zone,
        "__meta_uat_stale": str(one.stale).lower(),
    }
    return TargetGroup([f"{host}:{parts.port or _PORTS[parts.scheme]}"], labels)
