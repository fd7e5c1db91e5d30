"""Where a request would go, and why; nothing is sent, and nothing is counted."""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import QueryParameter

from uat_platform.load_balancer.balancing.algorithms import Asked
from uat_platform.load_balancer.balancing.group import Choice, Group
from uat_platform.load_balancer.parts import Parts
from uat_platform.load_balancer.routes.names import NAME
from uat_platform.load_balancer.settings import Name as Algorithm
from uat_platform.load_balancer.views import HostView, view
from uat_resilience.integrations.http.repeating import IDEMPOTENT
from uat_service.problems import problem_responses

__all__ = ["routes"]

Method = Literal["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "QUERY", "POST", "PATCH"]


class Simulation(msgspec.Struct):
    """Where requests would go.

    `picks` counts them by instance, `retry` is where the first one would go when its host has failed.
    """

    service: str
    algorithm: str
    panic: bool
    host: str
    url: str
    why: str
    retry: str | None
    picks: dict[str, int]
    candidates: list[HostView]


@get("/simulate", responses=problem_responses(400, 404))
async def simulate(
    parts: NamedDependency[Parts],
    *,
    service: Annotated[str, QueryParameter(pattern=NAME, description="Name of a service")],
    algorithm: Annotated[
        Algorithm | None, QueryParameter(description="Default: that of the service")
    ] = None,
    key: Annotated[str, QueryParameter(max_length=1000, description="What `hash` goes by")] = "",
    method: Annotated[Method, QueryParameter(description="Of the requests")] = "GET",
    requests: Annotated[int, QueryParameter(ge=1, le=1000, description="How many at once")] = 1,
) -> Simulation:
    """Pick hosts for some requests that are all under way at once, in a copy of what is known."""
    fleet = parts.fleet
    group, now = fleet.group(service), fleet.now()
    if group is None:
        raise NotFoundException(f"no instance of {service} is registered")
    candidates = view(service, group, fleet.registry, now).instances
    group = group.imagined(algorithm)
    asked = Asked(now, parts.draw, key.encode())
    picked = list(_picked(group, asked, requests, repeatable=method in IDEMPOTENT))
    if not picked:
        raise NotFoundException(f"no instance of {service} can be chosen")
    first = picked[0]
    other = group.pick(asked, tried=[first.host.id])
    counts = Counter(each.host.id for each in picked)
    return Simulation(
        service=service,
        algorithm=group.algorithm,
        panic=first.panic,
        host=first.host.id,
        url=first.host.instance.url,
        why=first.why,
        retry=other.host.id if other is not None and method in IDEMPOTENT else None,
        picks=dict(counts),
        candidates=candidates,
    )


routes = [simulate]


def _picked(group: Group, asked: Asked, count: int, *, repeatable: bool) -> Iterator[Choice]:
    for _ in range(count):
        choice = group.pick(asked, repeatable=repeatable)
        if choice is None:
            return
        choice.host.begin(asked.now, probe=choice.probe)
        yield choice
