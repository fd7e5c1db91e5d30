"""What others are told of services and hosts."""

from typing import Annotated

import msgspec

from uat_platform.load_balancer.balancing.group import Group
from uat_platform.load_balancer.balancing.host import Host
from uat_platform.load_balancer.registry.registry import Registry

__all__ = ["HealthLine", "HostView", "ServiceLine", "ServiceView", "line", "view"]


class HealthLine(msgspec.Struct):
    """How a service is, under the keys that the platform always had.

    `latency` is in seconds, `last_checked` in seconds ago.
    """

    service: str
    status: Annotated[str, msgspec.Meta(description="healthy, degraded or unhealthy")]
    latency: float
    last_checked: float | None
    error_count: int
    request_count: int


class ServiceLine(msgspec.Struct):
    """One service in a few words."""

    url: Annotated[str, msgspec.Meta(description="Of the first host that is fit, or of the first")]
    active: Annotated[bool, msgspec.Meta(description="Whether a host is fit")]
    weight: int
    request_count: int
    health: HealthLine
    instances: int
    healthy_instances: int
    algorithm: str
    panic: Annotated[bool, msgspec.Meta(description="Too few are fit, so all get requests")]
    stale: Annotated[bool, msgspec.Meta(description="Some were not heard of since the last start")]


class HostView(msgspec.Struct):
    """One host: where it is, what it is good for, and why. Times are in seconds."""

    id: str
    url: str
    version: str
    zone: str
    weight: int
    healthy: Annotated[bool, msgspec.Meta(description="Whether it gets requests now")]
    state: Annotated[str, msgspec.Meta(description="fit, warming, ejected or down")]
    why: str
    score: Annotated[float, msgspec.Meta(description="The less, the better: the likely cost")]
    latency: float
    failure_share: float
    running: int
    request_count: int
    error_count: int
    ejections: int
    last_checked: float | None
    lease_left: Annotated[float | None, msgspec.Meta(description="null: it is in the settings")]
    stale: bool


class ServiceView(msgspec.Struct):
    """One service with its hosts."""

    service: str
    algorithm: str
    panic: bool
    stale: bool
    instances: list[HostView]


def line(service: str, group: Group, registry: Registry, now: float) -> ServiceLine:
    """Return a service in a few words."""
    hosts, fit = list(group.hosts), group.fit
    checks = [each.checked.at for each in hosts if each.checked.at is not None]
    health = HealthLine(
        service=service,
        status=_status(len(fit), len(hosts)),
        latency=round(sum(each.latency.read(now) for each in hosts) / len(hosts), 6),
        last_checked=round(now - max(checks), 3) if checks else None,
        error_count=sum(each.failures for each in hosts),
        request_count=sum(each.requests for each in hosts),
    )
    return ServiceLine(
        url=(fit or hosts)[0].instance.url,
        active=bool(fit),
        weight=sum(each.instance.weight for each in hosts),
        request_count=health.request_count,
        health=health,
        instances=len(hosts),
        healthy_instances=len(fit),
        algorithm=group.algorithm,
        panic=group.panic,
        stale=any(each.stale for each in registry.instances(service)),
    )


def view(service: str, group: Group | None, registry: Registry, now: float) -> ServiceView:
    """Return a service with its hosts; one that has none is there too, without any."""
    if group is None:
        return ServiceView(service, "", panic=False, stale=False, instances=[])
    hosts = [_host(service, each, group, registry, now) for each in group.hosts]
    stale = any(each.stale for each in hosts)
    return ServiceView(service, group.algorithm, panic=group.panic, stale=stale, instances=hosts)


def _host(service: str, host: Host, group: Group, registry: Registry, now: float) -> HostView:
    found = registry.find(service, host.id)
    left = registry.left(service, host.id, now)
    at = host.checked.at
    return HostView(
        id=host.id,
        url=host.instance.url,
        version=host.instance.version,
        zone=host.instance.zone,
        weight=host.instance.weight,
        healthy=host.fit or group.panic,
        state=host.state(now).value,
        why=("panic: all get requests; " if group.panic else "") + host.why(now),
        score=round(host.score(now), 6),
        latency=round(host.latency.read(now), 6),
        failure_share=round(host.share.read(now), 4),
        running=host.running,
        request_count=host.requests,
        error_count=host.failures,
        ejections=host.outlier.ejections,
        last_checked=None if at is None else round(now - at, 3),
        lease_left=None if left is None else round(left, 3),
        stale=found is not None and found.stale,
    )


def _status(fit: int, hosts: int) -> str:
    if fit == hosts:
        return "healthy"
    return "degraded" if fit else "unhealthy"
