"""Upstreams as operators see them."""

import msgspec

from uat_platform.gateway.upstreams.upstream import Upstream

__all__ = ["ShownInstance", "ShownUpstream", "shown"]


class ShownInstance(msgspec.Struct):
    """One instance, and whether its breaker lets requests in."""

    id: str
    url: str
    version: str
    zone: str
    weight: int
    breaker: str
    failures: int
    retry_after: float | None


class ShownUpstream(msgspec.Struct):
    """One upstream: how it is, where it is, and what is going on."""

    name: str
    service: str
    state: str
    instances: list[ShownInstance]
    running: int
    waiting: int
    slots: int
    sockets: int
    attempts: int
    timeout: float
    attempt_timeout: float
    retries_available: float


async def shown(upstream: Upstream, state: str) -> ShownUpstream:
    """Return an upstream as it is now."""
    slots, sockets = upstream.slots.snapshot(), upstream.sockets.snapshot()
    instances: list[ShownInstance] = []
    for each in await upstream.find():
        breaker = upstream.breakers.of(each).snapshot()
        instances.append(
            ShownInstance(
                id=each.id,
                url=each.url,
                version=each.version,
                zone=each.zone,
                weight=each.weight,
                breaker=breaker.state.name.lower(),
                failures=breaker.failures,
                retry_after=breaker.retry_after,
            )
        )
    return ShownUpstream(
        name=upstream.name,
        service=upstream.definition.service or upstream.name,
        state=state,
        instances=instances,
        running=slots.running,
        waiting=slots.waiting,
        slots=slots.size,
        sockets=sockets.running,
        attempts=upstream.attempts,
        timeout=upstream.timeout,
        attempt_timeout=upstream.definition.attempt_timeout,
        retries_available=round(upstream.budget.snapshot().available, 3),
    )
